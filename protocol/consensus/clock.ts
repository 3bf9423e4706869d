import { MAX_TIMESTAMP, msOf, tick, timestampOf } from '../hlc/index.ts';
import type { Timestamp } from '../types/index.ts';
import { leadMs, mostLeadMs } from './pace.ts';
import { persist } from './persist.ts';
import type { Replica } from './state.ts';
import { noteOversleep } from './view/silence.ts';

const LOGICAL_MASK = 0xffffn << 32n;

/**
 * Takes in the physical clock (§2.10). `clockMs` never goes back, across restarts too; `elapsedMs`
 * measures timeouts and ignores steps backwards.
 */
export function readClock(replica: Replica, nowMs: number): void {
  const ms = Math.floor(nowMs);
  if (ms > replica.nowMs && replica.nowMs !== 0) {
    replica.elapsedMs += ms - replica.nowMs;
    noteOversleep(replica, ms - replica.nowMs);
  }
  replica.nowMs = ms;
  if (ms > replica.clockMs) replica.clockMs = ms;
}

/**
 * Keeps the durable ceiling above the clock: no reading at or above it was ever used (§2.14). It is moved while there is still
 * room for the longest lead and for a slow flush: a command that would reach above it has to go to the leader.
 */
export function keepCeiling(replica: Replica): void {
  const { clockCeilingMs } = replica.config.timing;
  const neededMs = mostLeadMs(replica) + clockCeilingMs;
  if (replica.quarantined || replica.clockMs + neededMs < replica.ceilingMs) return;
  replica.ceilingMs = replica.clockMs + neededMs + clockCeilingMs;
  replica.ceilingToken = persist(replica, { kind: 'clock', ceilingMs: BigInt(Math.ceil(replica.ceilingMs)) });
}

/** A new timestamp above `after`, unique to this gateway. */
export function stamp(replica: Replica, after: Timestamp): Timestamp {
  // a closed timestamp ends a millisecond; what comes after it starts the next one
  const next = (after & LOGICAL_MASK) === LOGICAL_MASK ? timestampOf(msOf(after) + 1, 0, 0) : after;
  return tick(replica.hlc, replica.clockMs + leadMs(replica), next);
}

/** T1: recent enough for a first-phase vote. */
export function fresh(replica: Replica, ts: Timestamp): boolean {
  return !replica.rules.freshVotes || msOf(ts) > replica.clockMs - replica.config.timing.clockWindowMs;
}

/** Not further ahead than the group tolerates. */
export function notAhead(replica: Replica, ts: Timestamp): boolean {
  return msOf(ts) <= replica.clockMs + replica.config.timing.clockAheadMs;
}

/** T2: the clock reading from which a second-phase signature over `ts` may leave. */
export function releaseMs(replica: Replica, ts: Timestamp): number {
  return replica.rules.clockRelease ? msOf(ts) + replica.config.timing.clockWindowMs : 0;
}

/** The timestamp that closes everything up to and including a millisecond. */
export function closing(ms: number): Timestamp {
  return timestampOf(Math.max(0, ms), 0xffff, 0xffffffff);
}

/** A closed timestamp no honest voter's T1 can contradict: `hlc - W` has passed it. */
export function mayClose(replica: Replica, ts: Timestamp): boolean {
  return ts === MAX_TIMESTAMP || msOf(ts) <= replica.clockMs - replica.config.timing.clockWindowMs;
}
