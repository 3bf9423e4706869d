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
  /** §2.14: fast votes survive a restart. */
  readonly durableFastVotes: boolean;
  /** §2.8: dead entries leave when an opening block commits, not when a view is entered. */
  readonly deadLeaveAtCommit: boolean;
  /** CON-4: an aborted entry uses up its nonce. */
  readonly abortsConsume: boolean;
  /** C-VOTE 6: what died after its acknowledgement binds votes to the end of the view. */
  readonly deadAcksBind: boolean;
  /** C-DEAD, C-VOTE 4: an acknowledged entry that needs an absent key stays while the key may become absent again. */
  readonly absentMayReturn: boolean;
  /** T0: the clock starts above its durable ceiling. */
  readonly durableClock: boolean;
  /** §2.14: a leader that restarted proposes nothing more in its view. */
  readonly restartedLeaderSilent: boolean;
  /** T1: no first-phase vote for old timestamps. */
  readonly freshVotes: boolean;
  /** K-3: what was acknowledged and is in no block stays, however old. */
  readonly unsweptStay: boolean;
  /** CON-2: readers and writers of one version are judged by time. */
  readonly readersByTime: boolean;
  /** C-COMMIT: the certified child is of the next round. */
  readonly consecutiveRounds: boolean;
  /** A certificate counts every signer once (§5, 13). */
  readonly distinctVoters: boolean;
  /** Every replica checks the client's signature (§5, 30). */
  readonly clientSignatures: boolean;
  /** Votes inside certificates are checked one by one. */
  readonly voteSignatures: boolean;
  /** Signatures of other epochs count for nothing (§2.13). */
  readonly epochsApart: boolean;
  /** §2.2: bodies are examined against footprint and constraints. */
  readonly bodiesExamined: boolean;
  /** K-2: a checkpoint is signed after q equal announcements. */
  readonly compareThenSign: boolean;
  /** peers are asked before anything is signed. */
  readonly recall: boolean;
  /** what peers only heard of counts, and the slow ones among them are waited for. */
  readonly hearsay: boolean;
  /** F-ACK 3: the others know what a gateway acknowledges of its own. */
  readonly ownAcksTold: boolean;
  /** V-ASK: every command has its own timer. */
  readonly commandTimers: boolean;
  /** V-STILL: a chain that stands still is its leader's fault. */
  readonly stillTimers: boolean;
  /** V-LONELY: a member that waits in a view alone is fetched. */
  readonly fetchLonely: boolean;
  /** X-CLOSE: the closed timestamp stays below every open intent. */
  readonly intentFloor: boolean;
  /** How many signatures fewer than q are taken for a quorum. */
  readonly quorumShort: number;
}

export const ALL_RULES: Rules = Object.freeze({
  fastLock: true, secondRound: true, carryCertificates: true, validOverVoted: true, replayCheck: true, closeCheck: true, lateRule: true,
  durableVoted: true, durableAcked: true, clockRelease: true, barrier: true, lock: true, durableFastVotes: true, deadLeaveAtCommit: true,
  abortsConsume: true, deadAcksBind: true, absentMayReturn: true, durableClock: true, restartedLeaderSilent: true, freshVotes: true, unsweptStay: true,
  readersByTime: true, consecutiveRounds: true, distinctVoters: true, clientSignatures: true, voteSignatures: true, epochsApart: true, bodiesExamined: true,
  compareThenSign: true, recall: true, hearsay: true, ownAcksTold: true, commandTimers: true, stillTimers: true, fetchLonely: true, intentFloor: true, quorumShort: 0,
});
