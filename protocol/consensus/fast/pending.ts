import { limits } from '../../limits/index.ts';
import type { Command } from '../../types/index.ts';
import type { PendingCommand, Replica } from '../state.ts';

/** Starts the per-command timer (§2.18): from now on somebody here wants this command decided. */
export function watch(replica: Replica, command: Command): PendingCommand | undefined {
  let pending = replica.pending.get(command.id);
  if (pending === undefined) {
    if (replica.pending.size >= limits.pendingCommands) return undefined;
    pending = { command, sinceMs: replica.elapsedMs, gateway: undefined, classic: false, sentMs: -Infinity, lookMs: 0 };
    replica.pending.set(command.id, pending);
  }
  return pending;
}
