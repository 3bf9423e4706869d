import type { BlockHash, ReplicaIndex } from '../../types/index.ts';
import type { Qc } from '../block.ts';
import { learnQc } from '../chain.ts';
import { noteBlockVote } from '../evidence.ts';
import type { BlockVoteMessage } from '../message.ts';
import { roundTook, stampedInTime, votesTook } from '../pace.ts';
import type { Replica } from '../state.ts';

/** The leader counts votes; q make a certificate (§2.6). */
export function onBlockVote(replica: Replica, from: ReplicaIndex, message: BlockVoteMessage): void {
  noteBlockVote(replica, from, message.value, message.signature);
  const { value } = message;
  const { leader } = replica.current;
  if (value.view !== replica.view || leader.lastRound < value.round) return;
  let votes = leader.votes.get(value.blockHash as BlockHash);
  if (votes === undefined) leader.votes.set(value.blockHash as BlockHash, (votes = new Map()));
  if (votes.has(from)) return;
  votes.set(from, message);
  if (votes.size !== replica.q) return;
  const qc = qcOf(value.view, value.round, value.blockHash as BlockHash, votes);
  leader.qcToTell = qc;
  roundTook(replica, replica.elapsedMs - leader.proposedMs);
  if (leader.timed) {
    votesTook(replica, replica.elapsedMs - leader.proposedMs);
    stampedInTime(replica);
  }
  learnQc(replica, qc);
}

function qcOf(view: Qc['view'], round: number, blockHash: BlockHash, votes: ReadonlyMap<ReplicaIndex, BlockVoteMessage>): Qc {
  const list = [...votes.entries()].sort(([a], [b]) => a - b);
  return { view, round, blockHash, votes: list.map(([signer, { value, signature }]) => ({ signer, qcView: value.qcView, qcRound: value.qcRound, signature })) };
}

/** A certificate that travels alone. */
export function onCertified(replica: Replica, qc: Qc): void {
  learnQc(replica, qc);
}
