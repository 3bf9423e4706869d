import type { Command } from '../../types/index.ts';
import type { Replica } from '../state.ts';

/** Keys that failed on the fast path go to the leader for a while: contention costs one round there (§2.7). */
export function backOff(replica: Replica, command: Command): void {
  const { hotKeyMs } = replica.config.timing;
  for (const { path, mode } of command.items) {
    if (mode !== 'W' || path === command.noncePath) continue;
    const before = replica.hot.get(path);
    const backoffMs = Math.min(before === undefined ? hotKeyMs : before.backoffMs * 2, hotKeyMs * 32);
    replica.hot.set(path, { untilMs: replica.elapsedMs + backoffMs, backoffMs });
  }
}

export function isHot(replica: Replica, command: Command): boolean {
  return command.items.some(({ path }) => (replica.hot.get(path)?.untilMs ?? -1) > replica.elapsedMs);
}

/** Forgets keys that have been quiet for as long as they were hot. */
export function coolDown(replica: Replica): void {
  for (const [path, { untilMs, backoffMs }] of replica.hot) if (untilMs + backoffMs < replica.elapsedMs) replica.hot.delete(path);
}
