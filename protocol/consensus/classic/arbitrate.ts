import type { ReplicaIndex } from '../../types/index.ts';
import type { RejectMessage } from '../message.ts';
import { stampedTooLate, votesTook } from '../pace.ts';
import { takeCertificates } from '../fast/certificate.ts';
import type { Replica } from '../state.ts';

/** A voter cannot accept the leader's block (C-ARBITRATE): its certificates come first in the next one. */
export function onReject(replica: Replica, from: ReplicaIndex, message: RejectMessage): void {
  takeCertificates(replica, message.certs, message.entries);
  const { leader } = replica.current;
  const value = leader.outstanding?.value;
  if (value === undefined || value.view !== message.view || value.round !== message.round) return;
  if (message.reason === 'stale' && leader.rejects.size === 0) {
    votesTook(replica, replica.elapsedMs - leader.proposedMs);
    stampedTooLate(replica);
  }
  leader.rejects.add(from);
  leader.firstRejectMs ??= replica.elapsedMs;
}

/** Drops the outstanding proposal once it is certified, impossible, overtaken, or rejected and the grace is over. */
export function giveUpOutstanding(replica: Replica): void {
  const { leader } = replica.current;
  const { outstanding } = leader;
  if (outstanding === undefined) return;
  const certified = replica.highQc?.blockHash === outstanding.value.blockHash;
  const overtaken = replica.highQc !== null && replica.highQc.view === replica.view && replica.highQc.round >= outstanding.value.round;
  if (certified || overtaken || isImpossible(replica) || graceIsOver(replica)) leader.outstanding = undefined;
}

function isImpossible(replica: Replica): boolean {
  return replica.current.leader.rejects.size > replica.config.roster.length - replica.q;
}

function graceIsOver(replica: Replica): boolean {
  const { firstRejectMs } = replica.current.leader;
  return firstRejectMs !== undefined && replica.elapsedMs - firstRejectMs >= replica.config.timing.rejectGraceMs;
}
