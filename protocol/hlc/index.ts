/**
 * Hybrid logical clock (Picolo §5.3.1, consensus §2.10; P-5.3.1-hybrid).
 *
 * A `Timestamp` is uint96: 48-bit milliseconds ‖ 16-bit logical counter ‖ 32-bit gateway index. The
 * physical clock is an input, so the same code runs in production and in the simulator.
 *
 * @example
 *   const clock = createHlc(gatewayIndex, ceiling);
 *   const ts = tick(clock, nowMs);   // strictly increasing
 */
import { defineFaults } from '../errors/index.ts';
import type { Timestamp } from '../types/index.ts';

const faults = defineFaults('HLC', {
  logicalOverflow: ['more than 65,536 timestamps in one millisecond', 'slow the sender down'],
});

export const MAX_TIMESTAMP = ((1n << 96n) - 1n) as Timestamp;
export const ZERO_TIMESTAMP = 0n as Timestamp;
const LOGICAL_MAX = 0xffff;

/** Mutable on purpose: one owner, the replica that stamps with it. */
export interface Hlc {
  readonly gateway: number;
  ms: number;
  logical: number;
}

/** @param ceilingMs nothing at or below it is ever issued again (persisted before use, consensus §2.14). */
export function createHlc(gateway: number, ceilingMs = 0): Hlc {
  return { gateway, ms: ceilingMs, logical: 0 };
}

export function timestampOf(ms: number, logical: number, gateway: number): Timestamp {
  return ((BigInt(ms) << 48n) | (BigInt(logical) << 32n) | BigInt(gateway)) as Timestamp;
}

/** Physical part in milliseconds since the epoch. */
export function msOf(ts: Timestamp): number {
  return Number(ts >> 48n);
}

/** Next timestamp, greater than every earlier one and than `after`. */
export function tick(clock: Hlc, nowMs: number, after: Timestamp = ZERO_TIMESTAMP): Timestamp {
  observe(clock, after);
  if (nowMs > clock.ms) {
    clock.ms = nowMs;
    clock.logical = 0;
  } else {
    clock.logical += 1;
    if (clock.logical > LOGICAL_MAX) throw faults.logicalOverflow({ ms: clock.ms });
  }
  return timestampOf(clock.ms, clock.logical, clock.gateway);
}

/** Current reading without issuing: the highest of physical time and what was issued or seen. */
export function read(clock: Hlc, nowMs: number): Timestamp {
  return nowMs > clock.ms
    ? timestampOf(nowMs, 0, clock.gateway)
    : timestampOf(clock.ms, clock.logical, clock.gateway);
}

/** Moves the clock up to a timestamp that was accepted; callers bound it first (AHEAD rule). */
export function observe(clock: Hlc, ts: Timestamp): void {
  const ms = msOf(ts);
  const logical = Number((ts >> 32n) & 0xffffn);
  if (ms > clock.ms || (ms === clock.ms && logical > clock.logical)) {
    clock.ms = ms;
    clock.logical = logical;
  }
}

/** Shift by whole milliseconds, saturating at zero. */
export function addMs(ts: Timestamp, deltaMs: number): Timestamp {
  const moved = ts + (BigInt(deltaMs) << 48n);
  return (moved < 0n ? 0n : moved) as Timestamp;
}
