import { limits } from '../../limits/index.ts';
import type { ReplicaIndex } from '../../types/index.ts';
import { msOf } from '../../hlc/index.ts';
import { fits, hasBit } from '../bitmap.ts';
import { votesGoToAll } from '../config.ts';
import { noteFastVote } from '../evidence.ts';
import type { FastVoteMessage } from '../message.ts';
import { stampedInTime, stampedTooLate, votesTook } from '../pace.ts';
import { send, type Batch, type Replica } from '../state.ts';
import { addVote, batchOf, certOf } from './batch.ts';
import { onRefusals } from './gateway.ts';

/** Counts a fast vote (§2.5 certificate). */
export function onFastVote(replica: Replica, from: ReplicaIndex, message: FastVoteMessage): void {
  const { value, signature } = message;
  if (value.view !== replica.view) return;
  if (!replica.current.batches.has(value.batchRoot) && replica.current.batches.size >= limits.batchesRemembered) return;
  const batch = batchOf(replica, value.batchRoot);
  if (from === replica.self) batch.ownVote = message;
  if (batch.entries !== undefined && !fits(value.accept, batch.entries.length)) return;
  const before = batch.certified;
  addVote(replica, batch, { signer: from, accept: value.accept, signature });
  noteFastVote(replica, from, batch);
  if (batch.gateway !== replica.self || batch.entries === undefined) return;
  if (!votesGoToAll(replica.config) && batch.certified !== before) tellCertificate(replica, batch);
  keepPace(replica, batch, value.accept);
  onRefusals(replica, batch);
}

/** A refusal that came back when its stamp was older than W was most likely one of time: a vote does not say why. */
function keepPace(replica: Replica, { entries = [], votes, sinceMs }: Batch, accept: bigint): void {
  const first = entries[0];
  if (first === undefined) return;
  const quorate = votes.size === replica.q;
  if (votes.size > replica.q) return; // nobody waits for the slowest
  if (quorate) votesTook(replica, replica.elapsedMs - sinceMs);
  const refused = entries.some((_entry, index) => !hasBit(accept, index));
  if (refused && replica.clockMs - msOf(first.ts) >= replica.config.timing.clockWindowMs) stampedTooLate(replica);
  else if (quorate && !refused) stampedInTime(replica);
}

function tellCertificate(replica: Replica, batch: Batch): void {
  send(replica, 'all', { kind: 'certificate', certs: [certOf(replica, batch)], entries: [] });
}
