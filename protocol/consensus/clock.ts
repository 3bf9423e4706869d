import { MAX_TIMESTAMP, msOf, tick, timestampOf } from '../hlc/index.ts';
import type { Timestamp } from '../types/index.ts';
import { persist } from './persist.ts';
import type { Replica } from './state.ts';

/** Most that stamps run ahead of the clock: well inside what every honest voter tolerates (AHEAD). */
const MOST_LEAD_MS = 120;
const FIRST_LEAD_MS = 15;
const LEAD_STEP_MS = 1;

const LOGICAL_MASK = 0xffffn << 32n;

/**
 * Takes in the physical clock (§2.10). `clockMs` never goes back, across restarts too; `elapsedMs`
 * measures timeouts and ignores steps backwards.
 */
export function readClock(replica: Replica, nowMs: number): void {
  const ms = Math.floor(nowMs);
  if (ms > replica.nowMs && replica.nowMs !== 0) replica.elapsedMs += ms - replica.nowMs;
  replica.nowMs = ms;
  if (ms > replica.clockMs) replica.clockMs = ms;
}

/** Keeps the durable ceiling above the clock: no reading at or above it was ever used (§2.14). */
export function keepCeiling(replica: Replica): void {
  const aheadMs = replica.config.timing.clockCeilingMs + mostLead(replica);
  if (replica.quarantined || replica.clockMs + aheadMs / 2 < replica.ceilingMs) return;
  replica.ceilingMs = replica.clockMs + aheadMs;
  replica.ceilingToken = persist(replica, { kind: 'clock', ceilingMs: BigInt(Math.ceil(replica.ceilingMs)) });
}

/** A new timestamp above `after`, unique to this gateway. */
export function stamp(replica: Replica, after: Timestamp): Timestamp {
  // a closed timestamp ends a millisecond; what comes after it starts the next one
  const next = (after & LOGICAL_MASK) === LOGICAL_MASK ? timestampOf(msOf(after) + 1, 0, 0) : after;
  return tick(replica.hlc, replica.clockMs + replica.leadMs, next);
}

/**
 * Voters found a timestamp of ours too old (T1): on a busy machine a message takes longer than W. The next ones lead
 * the clock, which T1 allows up to AHEAD; nothing waits longer for it, because the votes take that long anyway.
 */
export function stampedTooLate(replica: Replica): void {
  replica.leadMs = Math.min(mostLead(replica), Math.max(FIRST_LEAD_MS, replica.leadMs * 2));
}

/** Voters were in time: lead a little less. */
export function stampedInTime(replica: Replica): void {
  replica.leadMs = Math.max(0, replica.leadMs - LEAD_STEP_MS);
}

/** Most that the timers of commands are stretched. */
const MOST_SLACK_MS = 500;
const FIRST_SLACK_MS = 20;

/** A command of ours took longer than the fast path was given: give the next ones more time. */
export function finalTooLate(replica: Replica): void {
  replica.slackMs = Math.min(MOST_SLACK_MS, Math.max(FIRST_SLACK_MS, replica.slackMs * 2));
}

/** It was final in time: give a little less. */
export function finalInTime(replica: Replica): void {
  replica.slackMs = Math.max(0, replica.slackMs - LEAD_STEP_MS);
}

/** How much longer than on a calm machine a command may take before it is helped: the lead delays its acknowledgements (T2). */
export function patienceMs(replica: Replica): number {
  return replica.leadMs + replica.slackMs;
}

function mostLead(replica: Replica): number {
  return Math.min(MOST_LEAD_MS, Math.floor(replica.config.timing.clockAheadMs / 2));
}

/** T1: recent enough for a first-phase vote. */
export function fresh(replica: Replica, ts: Timestamp): boolean {
  return msOf(ts) > replica.clockMs - replica.config.timing.clockWindowMs;
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
