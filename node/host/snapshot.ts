import { decode, encode } from '../../protocol/codec/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { CertifiedCheckpoint } from '../../protocol/membership/index.ts';
import type { Address, BlockHash, GroupId, Path } from '../../protocol/types/index.ts';
import type { Ledger } from '../ports/index.ts';
import { hostFaults } from './faults.ts';
import { snapshotReplyC } from './frames.ts';
import { encodeCertified } from './ledger-forms.ts';
import type { Requests } from './requests.ts';

const CHUNK_TIMEOUT_MS = 10_000;

/** Serves one chunk of a certified checkpoint to a member (consensus §2.12). */
export function serveSnapshot(ledger: Ledger, height: bigint, from: Path | null): Uint8Array {
  return encode(snapshotReplyC, ledger.exportChunk(height, from, limits.snapshotChunkBytes));
}

/**
 * Fetches a certified state chunk by chunk, asking the members in turn; every chunk is verified against
 * the certified root on its own, so a lying peer costs one round trip and nothing else, and a silent one a single
 * timeout. Staged chunks survive a restart of the fetch. Throws HOST_SNAPSHOT_FAILED when nobody serves it.
 */
export async function fetchSnapshot(
  requests: Requests, ledger: Ledger, group: GroupId, members: readonly Address[], certificate: CertifiedCheckpoint, blockHash: BlockHash,
): Promise<void> {
  const { checkpoint, detail } = certificate;
  const { height, stateRoot } = checkpoint;
  const willing = [...members];
  let last: unknown;
  let from: Path | null = null;
  for (let done = false; !done;) {
    const peer = willing.shift();
    if (peer === undefined) throw hostFaults.snapshotFailed({ group, height }, last);
    try {
      const reply = decode(snapshotReplyC, await requests.ask(peer, { kind: 'snapshot', group, height, from }, CHUNK_TIMEOUT_MS));
      const next = reply.next as Path | null;
      ledger.importChunk(height, stateRoot, from, { bytes: reply.bytes, next });
      from = next;
      done = next === null;
      willing.push(peer); // to the end of the line: spreads the load over the members
    } catch (error) {
      last = error; // whoever fails once is not asked again in this fetch
    }
  }
  const position = { epoch: checkpoint.epoch, height, blockHash, closeTs: detail.closeTs };
  ledger.installSnapshot(
    position as Parameters<Ledger['installSnapshot']>[0],
    { stateRoot, rowCount: detail.rowCount, capsuleHead: detail.capsuleHead },
    encodeCertified(certificate),
  );
}
