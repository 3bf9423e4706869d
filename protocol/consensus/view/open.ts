import { sha256Hex } from '../../crypto/index.ts';
import {
  bytesOf, compareHex, compareRank, concatBytes, uintBytes, ZERO_HASH, type EntryId, type Hash32, type ReplicaIndex, type View,
} from '../../types/index.ts';
import { type BlockEntry, type Qc } from '../block.ts';
import { leaderOf } from '../config.ts';
import { provenBy } from '../fast/batch.ts';
import { closeAt } from '../keys.ts';
import { assemble, offer } from '../classic/assemble.ts';
import type { BatchCert, ProposalMessage, TcVote, ViewChangeMessage } from '../message.ts';
import type { Replica } from '../state.ts';
import { maySign } from '../status.ts';

/** Hash that binds an opening block to the view changes behind it. */
export function tcRootOf(tc: readonly TcVote[]): Hash32 {
  return sha256Hex(concatBytes(...tc.flatMap(({ signer, value, signature }) => [
    uintBytes(signer, 4), bytesOf(value.qcBlock), uintBytes(value.ackSeq, 8), bytesOf(value.ackHead), bytesOf(value.ackedRoot), bytesOf(signature),
  ])));
}

/** The certified block every opening must extend: the highest one reported. Undefined: none was. */
export function highestReported(tc: readonly TcVote[]): TcVote | undefined {
  let best: TcVote | undefined;
  for (const each of tc) {
    const rank = { view: each.value.qcView, round: each.value.qcRound };
    if (rank.round > 0 && (best === undefined || compareRank(rank, { view: best.value.qcView, round: best.value.qcRound }) > 0)) best = each;
  }
  return best;
}

/** Highest certificate view reported for every entry. */
export function reportedViews(tc: readonly TcVote[]): Map<EntryId, View> {
  const views = new Map<EntryId, View>();
  for (const { acked } of tc) {
    for (const { id, certView } of acked) if ((views.get(id) ?? -1n) < certView) views.set(id, certView);
  }
  return views;
}

/** Newest certificates first: what they protect must not be disturbed by older ones (§2.17 lemma 5). */
export function byCertificate(a: BlockEntry, b: BlockEntry): number {
  const av = a.certView ?? -1n;
  const bv = b.certView ?? -1n;
  if (av !== bv) return av > bv ? -1 : 1;
  if (a.ts !== b.ts) return a.ts < b.ts ? -1 : 1;
  return compareHex(a.id, b.id);
}

/** As leader of the view that was asked for: once q agree, open it (§2.8). */
export function openView(replica: Replica): void {
  const view = replica.vcView;
  if (!maySign(replica) || view <= replica.view || leaderOf(replica.config, view) !== replica.self || replica.builtOpening >= view) return;
  const changes = replica.peers.flatMap(({ change }, signer) => (change?.value.newView === view ? [{ signer, change }] : []));
  // the own report may still be on its way through the signer
  if (changes.length < replica.q || replica.ownChange === undefined) return;
  const chosen = pickQuorum(replica, changes);
  const tc = chosen.map(({ signer, change }) => ({ signer, value: change.value, acked: change.acked, signature: change.signature }));
  const best = highestReported(tc);
  const parentQc = best === undefined ? null : (chosen.find(({ signer }) => signer === best.signer)?.change.highQc ?? null);
  const parent = parentQc?.blockHash ?? replica.config.anchor.blockHash;
  if (!replica.blocks.has(parent) && parent !== replica.tip.hash) {
    replica.missing = true;
    return;
  }
  replica.builtOpening = view;
  offerOpening(replica, view, tc, parentQc, chosen.map(({ change }) => change));
}

/** Own report first, then the others in order of index. */
function pickQuorum(
  replica: Replica, changes: readonly { signer: ReplicaIndex; change: ViewChangeMessage }[],
): { signer: ReplicaIndex; change: ViewChangeMessage }[] {
  const own = changes.filter(({ signer }) => signer === replica.self);
  const others = changes.filter(({ signer }) => signer !== replica.self).slice(0, replica.q - own.length);
  return [...own, ...others].sort((a, b) => a.signer - b.signer);
}

function offerOpening(replica: Replica, view: View, tc: readonly TcVote[], parentQc: Qc | null, changes: readonly ViewChangeMessage[]): void {
  const { entries, certs } = carried(replica, tc, changes);
  const parent = parentQc?.blockHash ?? replica.config.anchor.blockHash;
  const block = assemble(replica, {
    view, round: 1, parent, kind: 'opening', closeTs: closeTsAt(replica, parent), entries, tcRoot: tcRootOf(tc), next: ZERO_HASH,
  });
  if (block === undefined) return;
  offer(replica, block, parentQc, certs, tc);
}

/** The union of everything reported (§2.8): the leader decides nothing about what is safe to drop. */
function carried(replica: Replica, tc: readonly TcVote[], changes: readonly ViewChangeMessage[]): { entries: BlockEntry[]; certs: BatchCert[] } {
  const views = replica.rules.carryCertificates ? reportedViews(tc) : new Map<EntryId, View>();
  const entries = new Map<EntryId, BlockEntry>();
  const certs = new Map<string, BatchCert>();
  for (const change of changes) {
    for (const cert of change.certs) {
      const proven = provenBy(cert, replica.q);
      for (const entry of change.entries) {
        if (!proven.has(entry.id) || views.get(entry.id) !== cert.view || entries.has(entry.id)) continue;
        entries.set(entry.id, { ...entry, certView: cert.view });
        certs.set(`${cert.view}/${cert.batchRoot}/${entry.id}`, cert);
      }
    }
  }
  return { entries: [...entries.values()].sort(byCertificate), certs: [...new Set(certs.values())] };
}

function closeTsAt(replica: Replica, parent: Hash32): ReturnType<typeof closeAt> {
  const node = replica.blocks.get(parent as never);
  return node === undefined ? replica.tip.closeTs : node.block.header.closeTs;
}

/** Everything an opening block must satisfy that needs no state (§2.8). */
export function opensRightly(replica: Replica, { block, parentQc, tc }: ProposalMessage): boolean {
  const { header, entries } = block;
  if (header.kind !== 'opening' || header.round !== 1) return false;
  if (header.view === 0n) return tc.length === 0 && entries.length === 0 && parentQc === null && header.tcRoot === ZERO_HASH;
  if (new Set(tc.map(({ signer }) => signer)).size < replica.q || tc.some(({ value }) => value.newView !== header.view)) return false;
  if (header.tcRoot !== tcRootOf(tc)) return false;
  const best = highestReported(tc);
  const parent = best === undefined ? replica.config.anchor.blockHash : best.value.qcBlock;
  if (header.parent !== parent) return false;
  if (best !== undefined && (parentQc === null || parentQc.view !== best.value.qcView || parentQc.round !== best.value.qcRound)) return false;
  return carriesAll(replica, tc, entries);
}

function carriesAll(replica: Replica, tc: readonly TcVote[], entries: readonly BlockEntry[]): boolean {
  if (!replica.rules.carryCertificates) return true;
  const views = reportedViews(tc);
  if (views.size !== entries.length || !entries.every((entry) => views.get(entry.id) === entry.certView)) return false;
  return entries.every((entry, i) => i === 0 || byCertificate(entries[i - 1] as BlockEntry, entry) < 0);
}

