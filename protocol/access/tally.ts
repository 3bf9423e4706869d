import type { AccessConfig } from './config.ts';

/** What happened between this node and one peer it asked. null = the rule put no duty on the peer. */
export interface Observation {
  /** Rule 6.1: the peer sent rows of its own; false when it had to and did not. */
  readonly replied: boolean | null;
  /** Rule 6.2: nodes behind the peer were heard of; false when it had to forward and did not. */
  readonly forwarded: boolean | null;
  /** Rows whose provenance checked out, and rows (or receipts) that did not. */
  readonly goodRows: number;
  readonly badRows: number;
}

/** The three metrics of Picolo §6.3.2 for one peer, with the duties they are measured against. All fade. */
export interface Tally {
  replies: number;
  forwards: number;
  repliesDue: number;
  forwardsDue: number;
  goodRows: number;
  badRows: number;
  /** GETs of the peer that were served since its deposit was read. */
  served: number;
  /** The contract was asked about this peer's deposit. */
  depositRead: boolean;
  /** Highest deposit level ever read, and the boost left of it when `depositAtMs` was written. */
  depositSeen: number;
  boost: number;
  depositAtMs: number;
  /** When the counts were last brought up to date. */
  atMs: number;
}

export function newTally(nowMs: number): Tally {
  return {
    replies: 0, forwards: 0, repliesDue: 0, forwardsDue: 0, goodRows: 0, badRows: 0,
    served: 0, depositRead: false, depositSeen: 0, boost: 0, depositAtMs: nowMs, atMs: nowMs,
  };
}

/** Soft state: every count halves once per half-life, so what a peer did long ago stops counting. */
export function fade(tally: Tally, config: AccessConfig, nowMs: number): void {
  if (nowMs <= tally.atMs) return;
  const factor = 2 ** ((tally.atMs - nowMs) / config.halfLifeMs);
  tally.replies *= factor;
  tally.forwards *= factor;
  tally.repliesDue *= factor;
  tally.forwardsDue *= factor;
  tally.goodRows *= factor;
  tally.badRows *= factor;
  tally.atMs = nowMs;
}

export function record(tally: Tally, seen: Observation): void {
  if (seen.replied !== null) tally.repliesDue += 1;
  if (seen.replied === true) tally.replies += 1;
  if (seen.forwarded !== null) tally.forwardsDue += 1;
  if (seen.forwarded === true) tally.forwards += 1;
  tally.goodRows += seen.goodRows;
  tally.badRows += seen.badRows;
}

/** num_reply * num_fwd * qual, the counts starting at `prior` so that a newcomer is not at zero for ever. */
export function scoreOf(tally: Tally, config: AccessConfig): number {
  return (config.prior + tally.replies) * (config.prior + tally.forwards) * qualityOf(tally, config);
}

/** qual, kept inside (0, 1) whatever the plugged-in function says. */
export function qualityOf(tally: Tally, config: AccessConfig): number {
  const raw = config.quality({ goodRows: tally.goodRows, badRows: tally.badRows });
  return Number.isFinite(raw) ? Math.min(Math.max(raw, 0.001), 0.999) : 0.001;
}

/** What a deposit still adds to the floor: it fades with time and with every GET it paid for (decision 0030). */
export function boostOf(tally: Tally, config: AccessConfig, nowMs: number): number {
  const age = Math.max(0, nowMs - tally.depositAtMs) / config.depositHalfLifeMs;
  return tally.boost * 2 ** -(age + tally.served / config.depositHalfLifeServed);
}
