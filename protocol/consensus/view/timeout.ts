import type { Replica } from '../state.ts';

/** How long a view has before this replica asks for the next one: doubles with every failed view (§2.18). */
export function viewTimeoutMs(replica: Replica): number {
  const { commandTimeoutMs, maxTimeoutMs } = replica.config.timing;
  return Math.min(commandTimeoutMs * 2 ** Math.min(replica.failures, 16), maxTimeoutMs);
}
