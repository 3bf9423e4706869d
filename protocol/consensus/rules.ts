/**
 * The rules that keep the group safe, each with a switch. A replica made by `createReplica` has all of
 * them on; only the mutation tests reach this file, to prove that the checkers notice each one missing.
 */
export interface Rules {
  /** F-VOTE 4: no two incompatible fast votes in a view. */
  readonly fastLock: boolean;
  /** §2.5: an acknowledgement means that the certificate is stored and protected; without it a certificate counts as final. */
  readonly secondRound: boolean;
  /** §2.8: an opening block carries every reported certificate. */
  readonly carryCertificates: boolean;
  /** F-VOTE 3, F-ACK 1: valid over every block voted in this view. */
  readonly validOverVoted: boolean;
  /** C-VOTE 4: no vote for a block under which an acknowledged entry fails. */
  readonly replayCheck: boolean;
  /** C-VOTE 3, F-VOTE 2: closed timestamps bind votes. */
  readonly closeCheck: boolean;
  /** §2.2: entries at or below the closed timestamp of the parent have no effect. */
  readonly lateRule: boolean;
  /** §2.14: votes and locks survive a restart. */
  readonly durableVoted: boolean;
  /** §2.14: acknowledged entries survive a restart. */
  readonly durableAcked: boolean;
  /** §2.10 T2: second-phase signatures wait for the clock. */
  readonly clockRelease: boolean;
  /** §2.8: the fast path opens only after the opening block is committed. */
  readonly barrier: boolean;
  /** C-VOTE 2: no vote below the lock. */
  readonly lock: boolean;
  /** How many signatures fewer than q are taken for a quorum. */
  readonly quorumShort: number;
}

export const ALL_RULES: Rules = Object.freeze({
  fastLock: true, secondRound: true, carryCertificates: true, validOverVoted: true, replayCheck: true, closeCheck: true, lateRule: true,
  durableVoted: true, durableAcked: true, clockRelease: true, barrier: true, lock: true, quorumShort: 0,
});
