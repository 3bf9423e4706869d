import { createHlc } from '../hlc/index.ts';
import { ZERO_HASH, type ReplicaIndex, type Timestamp, type View } from '../types/index.ts';
import type { Application } from './application.ts';
import { quorum, type GroupConfig } from './config.ts';
import { takeRecent } from './intents.ts';
import { addAcked } from './replay.ts';
import { ALL_RULES, type Rules } from './rules.ts';
import type { Restored } from './restore.ts';
import { noteVoted } from './classic/vote.ts';
import { lock } from './fast/vote.ts';
import { newView } from './fresh.ts';
import { NO_BITS } from './bitmap.ts';
import { FIRST_GAP_MS } from './view/silence.ts';
import { newPace } from './pace.ts';
import { LOWEST, NOTHING_SIGNED } from './position.ts';
import type { PeerState, Replica, Tip } from './state.ts';

/** A replica that obeys every rule. `restored` is undefined for one that has never run in this epoch. */
export function createReplica(config: GroupConfig, self: ReplicaIndex, restored: Restored | undefined, application: Application): Replica {
  return createReplicaWith(config, self, restored, application, ALL_RULES);
}

/** For mutation tests: the same with some rules switched off. */
export function createReplicaWith(
  config: GroupConfig, self: ReplicaIndex, restored: Restored | undefined, application: Application, rules: Rules,
): Replica {
  const ceilingMs = rules.durableClock ? (restored?.ceilingMs ?? 0) : 0;
  const replica: Replica = {
    config, self, application, rules, read: (data) => application.commandOf(data), q: quorum(config) - rules.quorumShort,
    out: [], nextToken: 1, flushed: undefined, onFlush: new Map(), held: [], viewToken: 0,
    nowMs: 0, elapsedMs: 0, asleepMs: 0, clockMs: ceilingMs, pace: newPace(), ceilingMs, durableCeilingMs: ceilingMs, ceilingToken: 0, hlc: createHlc(self, ceilingMs),
    view: restored?.view ?? 0n, vcView: restored?.vcView ?? 0n, lastVoted: restored?.lastVoted ?? LOWEST, highQc: restored?.highQc ?? null,
    restoredVotes: restored?.voted ?? [],
    acked: new Map(), ackedByPath: new Map(), ackedBytes: 0, ackSeq: restored?.ackSeq ?? 0n, ackHead: restored?.ackHead ?? ZERO_HASH,
    abstainUntil: restored?.abstainUntil ?? -1n, quarantined: restored?.quarantined ?? false, halted: false,
    recalling: restored?.quarantined === true || !rules.recall ? undefined : { answers: new Map(), enoughMs: undefined },
    signed: restored === undefined ? NOTHING_SIGNED : { ackSeq: restored.ackSeq, voteSeq: restored.voteSeq, voted: restored.lastVoted },
    voteSeq: restored?.voteSeq ?? 0n,
    tip: tipOf(config, restored), blocks: new Map(), orphanQcs: new Map(), recent: new Map(), committing: new Map(), intents: new Map(), recentCloseTs: 0n as Timestamp,
    changedSinceCheckpoint: 0, checkpointMs: 0,
    current: newView(0, restored !== undefined && rules.restartedLeaderSilent), failures: 0, changeMs: 0, changeSentMs: 0,
    resumeChange: restored !== undefined && restored.vcView > restored.view, ownChange: undefined, builtOpening: -1n, assembled: undefined,
    pending: new Map(), queue: [], queueMs: 0, crowdedMs: -Infinity, batchSeq: 0n, hot: new Map(),
    peers: config.roster.map(() => newPeer()), heartbeatMs: -Infinity, toldSilent: NO_BITS, fetchMs: -Infinity, fetchPeer: self, missing: false,
    pendingScanMs: -Infinity, pendingDueMs: Infinity, committedMs: 0,
    checkpoints: new Map(), previousCheckpoint: restored?.previousCheckpoint ?? config.anchor.checkpoint,
    previousHeight: restored?.previousHeight ?? config.anchor.height, stable: undefined, announceMs: 0,
    next: undefined, reconfigMs: -Infinity, sealedHeight: restored?.sealedHeight,
    seen: { blockVotes: new Map(), proposals: new Map(), acks: new Map(), reported: new Set() },
  };
  if (restored !== undefined) fillFrom(replica, restored);
  return replica;
}

function fillFrom(replica: Replica, restored: Restored): void {
  const { rules } = replica;
  if (rules.durableAcked) for (const entry of restored.acked) addAcked(replica, entry);
  if (!rules.durableVoted) {
    replica.lastVoted = LOWEST;
    replica.highQc = null;
    replica.restoredVotes = [];
  }
  const { current } = replica;
  current.fastOpen = replica.tip.header?.view === replica.view;
  if (rules.durableFastVotes) for (const claim of restored.claims) lock(replica, claim);
  if (restored.bound !== undefined) noteVoted(replica, undefined, restored.bound.closeTs, restored.bound.consumed);
  current.deadAcks.push(...restored.deadAcks);
  takeRecent(replica, restored.recent);
}

function newPeer(): PeerState {
  return {
    clockMs: 0, aheadMs: 0, heardMs: 0, gapMs: FIRST_GAP_MS, silent: NO_BITS, view: 0n as View, committed: 0n, highQc: LOWEST,
    change: undefined, askedMs: 0, blockVote: undefined, fastAck: undefined, signed: NOTHING_SIGNED,
  };
}

function tipOf(config: GroupConfig, restored: Restored | undefined): Tip {
  if (restored?.tip !== undefined) return restored.tip;
  const { height, blockHash, closeTs, maxTs } = config.anchor;
  return { height, hash: blockHash, header: null, closeTs, maxTs, sealed: false };
}
