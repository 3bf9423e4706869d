/**
 * Where stamps stand relative to the clock. T1 asks that a stamp is younger than W when a voter judges it, T2 that it is
 * older than W when the second phase is signed (§2.10). A gateway that stamps so that W is over just when its votes are
 * back loses no vote to T1 and waits for nothing in T2, on a calm machine and on a busy one. What it needs for that it
 * measures: how long votes take, how far the voters' clocks are ahead, and a margin for votes it lost all the same. Beside them stand how long
 * blocks and commands usually take, which timers and repetitions follow (decision 0184).
 */
import type { Replica } from './state.ts';

/** Milliseconds. */
export interface Pace {
  /** How long a quorum of votes on a stamp of this replica takes: a mean that leans to the slow ones. */
  voteMs: number;
  /** How long this leader's blocks took to their certificate. */
  roundMs: number;
  /** How long commands took into the chain, from when this replica first knew them. */
  orderMs: number;
  /** When that was measured last, in `elapsedMs`. */
  orderedMs: number;
  /** How long the chain took from one commit to the next. */
  commitMs: number;
  /** On top, after refusals that were most likely for lateness; whole. */
  marginMs: number;
  /** When that was measured last, in `elapsedMs`. */
  measuredMs: number;
  /** What a command gets beyond the usual timers, because its acknowledgements took longer than that. */
  slackMs: number;
}

const FIRST_MARGIN_MS = 4;
const MOST_SLACK_MS = 500;
/** Most that commands are given beyond their timeout, in timeouts. */
const MOST_ORDER_TIMEOUTS = 8;
const FIRST_SLACK_MS = 20;
/** A slower vote moves the mean by this part of the difference. */
const SLOWING = 4;
/** A faster one by this, and the margin by this part of itself. */
const CALMING = 8;
/** What was measured before such a pause belongs to another load than the one that begins. */
const PAUSE_MS = 2_000;

export const newPace = (): Pace => ({ voteMs: 1, roundMs: 1, orderMs: 1, orderedMs: 0, commitMs: 1, marginMs: 0, measuredMs: 0, slackMs: 0 });

/** Most that stamps run ahead of the clock: well inside what every honest voter tolerates (AHEAD). */
export function mostLeadMs({ config }: Replica): number {
  return Math.floor((config.timing.clockAheadMs * 3) / 4);
}

/** What a stamp adds to the clock; negative on a calm machine. Votes that come later than the mean wait for nothing, so the mean will do (decision 0187). */
export function leadMs(replica: Replica): number {
  const { pace: { voteMs, marginMs }, config } = replica;
  return Math.min(mostLeadMs(replica), Math.ceil(voteMs) + 1 + marginMs + skewMs(replica) - config.timing.clockWindowMs);
}

/** How far the clocks of the nearest quorum are ahead of this one; liars beyond f cannot move it. */
function skewMs({ peers, self, q }: Replica): number {
  const aheads = peers.map(({ aheadMs }, i) => (i === self ? 0 : aheadMs)).sort((a, b) => a - b);
  return Math.max(0, aheads[q - 1] ?? 0);
}

/** A quorum of votes on a stamp is here, or the first that found it too old, so long after it was made. */
export function votesTook(replica: Replica, tookMs: number): void {
  const { pace, elapsedMs, config } = replica;
  if (elapsedMs - pace.measuredMs > PAUSE_MS) Object.assign(pace, { voteMs: 1, marginMs: 0, slackMs: 0 });
  pace.measuredMs = elapsedMs;
  const beyondMs = Math.min(tookMs, config.timing.clockAheadMs) - pace.voteMs;
  pace.voteMs += beyondMs / (beyondMs > 0 ? SLOWING : CALMING);
}

export function roundTook({ pace, config }: Replica, tookMs: number): void {
  pace.roundMs = follow(pace.roundMs, tookMs, config.timing.commandTimeoutMs);
}

/** A command is in the chain, so long after it was first known here. */
export function orderTook(replica: Replica, tookMs: number): void {
  const { pace, config, elapsedMs } = replica;
  pace.orderMs = follow(usualOrderMs(replica), tookMs, MOST_ORDER_TIMEOUTS * config.timing.commandTimeoutMs);
  pace.orderedMs = elapsedMs;
}

/** Nothing was ordered for longer than commands took, and a pause: the load it was measured under is over, or its leader is. */
function usualOrderMs({ pace: { orderMs, orderedMs }, elapsedMs }: Replica): number {
  return elapsedMs - orderedMs > orderMs + PAUSE_MS ? 1 : orderMs;
}

/** The chain has grown, so long after it grew before. */
export function commitTook({ pace, config }: Replica, tookMs: number): void {
  pace.commitMs = follow(pace.commitMs, tookMs, config.timing.commandTimeoutMs);
}

/** Slow cases at once, fast ones slowly. */
function follow(measureMs: number, tookMs: number, mostMs: number): number {
  return tookMs >= measureMs ? Math.floor(Math.min(tookMs, mostMs)) : measureMs - calming(measureMs - tookMs);
}

/** Votes were refused, most likely because the stamp was too old when they judged it. */
export function stampedTooLate({ pace }: Replica): void {
  pace.marginMs = Math.min(Math.ceil(pace.voteMs) + FIRST_MARGIN_MS, Math.max(FIRST_MARGIN_MS, pace.marginMs * 2));
}

export function stampedInTime({ pace }: Replica): void {
  pace.marginMs = Math.max(0, pace.marginMs - calming(pace.marginMs));
}

/** When to say a block again: to members that are only busy with it a repetition is more work, not less. */
export function repeatBlockMs({ pace, config }: Replica): number {
  return Math.max(config.timing.heartbeatMs, pace.roundMs) * 2;
}

/**
 * What the chain usually takes with a command, and half of it again: before that nothing is repeated and nobody is blamed.
 * A crowded group is slow under every leader; changing it would only add to the load. Bounded, so a leader that
 * slows down on purpose gains that much and no more (§2.18).
 */
export function orderPatienceMs(replica: Replica): number {
  const usualMs = usualOrderMs(replica);
  return usualMs + (usualMs >> 1);
}

const calming = (ms: number): number => Math.max(1, Math.floor(ms / CALMING));

/** A command of ours took longer than the fast path was given: give the next ones more time. */
export function finalTooLate({ pace }: Replica): void {
  pace.slackMs = Math.min(MOST_SLACK_MS, Math.max(FIRST_SLACK_MS, pace.slackMs * 2));
}

/** It was final in time: give a little less. */
export function finalInTime({ pace }: Replica): void {
  pace.slackMs = Math.max(0, pace.slackMs - calming(pace.slackMs));
}

/** How much longer than on a calm machine a command may take before it is helped: the mean, and half of it again for what is slower. */
export function patienceMs({ pace: { voteMs, marginMs, slackMs } }: Replica): number {
  return Math.ceil(voteMs * 1.5) + 1 + marginMs + slackMs;
}

/** How long to wait for blocks that others have already: they are most likely on their way. */
export function commitPatienceMs({ pace, config }: Replica): number {
  return Math.max(config.timing.heartbeatMs, pace.commitMs) * 2;
}
