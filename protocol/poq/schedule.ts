import { sha256 } from '../crypto/index.ts';
import { bytesOf, concatBytes, type Address } from '../types/index.ts';
import { poqFaults } from './faults.ts';

/** Peers ping each other every 10 seconds, and every ping carries a challenge (P-6.1-ping10). */
export const POQ_INTERVAL_MS = 10_000;

export interface Slot {
  /** Running number of the interval; the `index` of the challenge asked in it. */
  readonly index: bigint;
  readonly startsAtMs: number;
  readonly nextAtMs: number;
}

/**
 * The interval of a pair that contains `nowMs`. Each ordered pair has its own fixed offset inside the
 * interval, so a group's challenges are spread evenly and not asked all at once.
 */
export function schedule(challenger: Address, target: Address, nowMs: number, intervalMs: number = POQ_INTERVAL_MS): Slot {
  if (!Number.isInteger(intervalMs) || intervalMs < 1) throw poqFaults.interval({ intervalMs });
  const offsetMs = offsetOf(challenger, target) % intervalMs;
  const index = Math.floor((nowMs - offsetMs) / intervalMs);
  const startsAtMs = index * intervalMs + offsetMs;
  return { index: BigInt(Math.max(0, index)), startsAtMs, nextAtMs: startsAtMs + intervalMs };
}

function offsetOf(challenger: Address, target: Address): number {
  const digest = sha256(concatBytes(bytesOf(challenger), bytesOf(target)));
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}
