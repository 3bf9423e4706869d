import type { EntryId, Hash32, ReplicaIndex } from '../../types/index.ts';
import { fits, hasBit, NO_BITS, withBit } from '../bitmap.ts';
import type { KnownEntry } from '../entry.ts';
import type { BatchCert, CertVote } from '../message.ts';
import type { Batch, Replica } from '../state.ts';

/** The batch with this root in the current view; votes may come before the batch itself. */
export function batchOf(replica: Replica, root: Hash32): Batch {
  let batch = replica.current.batches.get(root);
  if (batch === undefined) {
    batch = {
      root, gateway: replica.self, entries: undefined, votes: new Map(), accepted: undefined, ownVote: undefined,
      certified: NO_BITS, acked: NO_BITS, acks: [], rivals: undefined, judged: false, sinceMs: replica.elapsedMs,
    };
    replica.current.batches.set(root, batch);
  }
  return batch;
}

/** The gateway that stamped an entry: the low 32 bits of its timestamp. */
export function gatewayOf(replica: Replica, entry: KnownEntry): ReplicaIndex {
  return Number(entry.ts & 0xffffffffn) % replica.config.roster.length;
}

/** First vote of each replica counts; a second, different one is ignored. */
export function addVote(replica: Replica, batch: Batch, vote: CertVote): void {
  if (batch.votes.has(vote.signer)) return;
  batch.votes.set(vote.signer, vote);
  certify(replica, batch);
}

/** Marks entries that have q votes (§2.5 certificate). */
export function certify(replica: Replica, batch: Batch): void {
  const { entries } = batch;
  if (entries === undefined) return;
  // a vote that came before the batch may have bits that belong to nothing: it counts for no entry, here or in a certificate
  for (const [signer, { accept }] of batch.votes) if (!fits(accept, entries.length)) batch.votes.delete(signer);
  if (batch.votes.size < replica.q) return;
  entries.forEach((entry, index) => {
    if (hasBit(batch.certified, index) || votesFor(batch, index) < replica.q) return;
    batch.certified = withBit(batch.certified, index);
    replica.current.certified.set(entry.id, { entry, cert: () => certOf(replica, batch) });
    replica.current.unacked.add(entry.id);
    replica.current.ackRetry = true;
  });
}

export function votesFor(batch: Batch, index: number): number {
  let count = 0;
  for (const { accept } of batch.votes.values()) if (hasBit(accept, index)) count += 1;
  return count;
}

export function certOf(replica: Replica, batch: Batch): BatchCert {
  const count = batch.entries?.length ?? 0;
  const votes = [...batch.votes.values()].filter(({ accept }) => accept !== NO_BITS && fits(accept, count)).sort((a, b) => a.signer - b.signer);
  return { view: replica.view, batchRoot: batch.root, entryIds: (batch.entries ?? []).map(({ id }) => id), votes };
}

/** Entries that a certificate proves, by id. */
export function provenBy(cert: BatchCert, q: number): Set<EntryId> {
  const proven = new Set<EntryId>();
  cert.entryIds.forEach((id, index) => {
    if (cert.votes.filter(({ accept }) => hasBit(accept, index)).length >= q) proven.add(id);
  });
  return proven;
}

