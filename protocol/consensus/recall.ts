import { compareRank, type ReplicaIndex } from '../types/index.ts';
import { quorum } from './config.ts';
import type { RecalledMessage } from './message.ts';
import { send, type Replica } from './state.ts';

/**
 * After a restart the replica asks what the others hold of its key, before it signs anything (§2.14).
 * Peers prove with its own signatures, so nobody can talk it into silence.
 */
export function startRecall(replica: Replica): void {
  if (replica.recalling === undefined) return;
  if (replica.recalling.size >= quorum(replica.config)) replica.recalling = undefined; // a group of one
  else send(replica, 'all', { kind: 'recall' });
}

export function onRecall(replica: Replica, from: ReplicaIndex): void {
  const peer = replica.peers[from];
  if (peer === undefined || from === replica.self) return;
  const change = peer.change === undefined ? null : { value: peer.change.value, signature: peer.change.signature };
  send(replica, from, { kind: 'recalled', subject: from, blockVote: peer.blockVote ?? null, fastAck: peer.fastAck ?? null, viewChange: change });
}

/** Signatures by this key beyond the journal: the journal is an old image (§2.14). Verified by `verifyMessage`. */
export function onRecalled(replica: Replica, from: ReplicaIndex, message: RecalledMessage): void {
  if (replica.recalling === undefined || message.subject !== replica.self) return;
  const vote = message.blockVote?.value;
  if (vote !== undefined && compareRank(vote, replica.lastVoted) > 0) return quarantine(replica, 'block vote beyond the journal');
  if ((message.fastAck?.value.ackSeq ?? 0n) > replica.ackSeq) return quarantine(replica, 'acknowledgement beyond the journal');
  if ((message.viewChange?.value.newView ?? 0n) > replica.vcView) return quarantine(replica, 'view change beyond the journal');
  replica.recalling.add(from);
  if (replica.recalling.size >= quorum(replica.config)) replica.recalling = undefined;
}

/** Signs nothing more in this epoch; a new key enters with the next (§2.14). */
export function quarantine(replica: Replica, cause: string): void {
  if (replica.quarantined) return;
  replica.quarantined = true;
  replica.recalling = undefined;
  replica.out.push({ kind: 'milestone', milestone: { event: 'quarantined', cause } });
}

/** Asks again: messages get lost. */
export function repeatRecall(replica: Replica): void {
  if (replica.recalling === undefined || replica.elapsedMs - replica.changeSentMs < replica.config.timing.heartbeatMs * 2) return;
  replica.changeSentMs = replica.elapsedMs;
  send(replica, 'all', { kind: 'recall' });
}
