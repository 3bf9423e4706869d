import { blockHashOf, type BatchCert, type BlockEntry, type ProposalMessage, type Replica, type Unsigned } from '../../../protocol/consensus/index.ts';
import { assemble } from '../../../protocol/consensus/classic/assemble.ts';
import { provenBy } from '../../../protocol/consensus/fast/batch.ts';
import { byCertificate, highestReported, reportedViews, tcRootOf } from '../../../protocol/consensus/view/open.ts';
import { ZERO_HASH } from '../../../protocol/types/index.ts';

type Proposal = Unsigned & { readonly kind: 'proposal' };

/** Another right opening block of the same view, from another q view changes; undefined when there are only q, or the tips differ. */
export function otherOpening(replica: Replica, { value, block }: Proposal): Proposal | undefined {
  const { view } = value;
  const changes = replica.peers.flatMap(({ change }, signer) => (change?.value.newView === view ? [{ signer, change }] : []));
  if (changes.length <= replica.q) return undefined;
  const chosen = changes.slice(changes.length - replica.q);
  const tc: ProposalMessage['tc'] = chosen.map(({ signer, change }) => ({ signer, value: change.value, acked: change.acked, signature: change.signature }));
  const best = highestReported(tc);
  const parentQc = best === undefined ? null : (chosen.find(({ signer }) => signer === best.signer)?.change.highQc ?? null);
  const parent = parentQc?.blockHash ?? replica.config.anchor.blockHash;
  const views = reportedViews(tc);
  const entries = new Map<string, BlockEntry>();
  const certs = new Set<BatchCert>();
  for (const { change } of chosen) {
    for (const cert of change.certs) {
      const proven = provenBy(cert, replica.q);
      for (const entry of change.entries) {
        if (!proven.has(entry.id) || views.get(entry.id) !== cert.view || entries.has(entry.id)) continue;
        entries.set(entry.id, { ...entry, certView: cert.view });
        certs.add(cert);
      }
    }
  }
  const closeTs = replica.blocks.get(parent as never)?.block.header.closeTs ?? replica.tip.closeTs;
  const made = assemble(replica, {
    view, round: 1, parent: parent as never, kind: 'opening', closeTs, entries: [...entries.values()].sort(byCertificate), tcRoot: tcRootOf(tc), next: ZERO_HASH,
  });
  if (made === undefined || blockHashOf(made.header) === blockHashOf(block.header)) return undefined;
  return { kind: 'proposal', value: { ...value, blockHash: blockHashOf(made.header) }, block: made, parentQc, certs: [...certs], tc };
}
