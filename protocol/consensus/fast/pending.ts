import { limits } from '../../limits/index.ts';
import type { Command } from '../../types/index.ts';
import type { PendingCommand, Replica } from '../state.ts';

/** Starts the per-command timer (§2.18): from now on somebody here wants this command decided. */
export function watch(replica: Replica, command: Command): PendingCommand | undefined {
  let pending = replica.pending.get(command.id);
  if (pending === undefined) {
    if (replica.pending.size >= limits.pendingCommands) return undefined;
    const lookMs = replica.elapsedMs + replica.config.timing.fastTimeoutMs; // no timer of a command is shorter
    pending = { command, sinceMs: replica.elapsedMs, gateway: undefined, classic: false, sentMs: -Infinity, lookMs };
    replica.pending.set(command.id, pending);
    replica.pendingDueMs = Math.min(replica.pendingDueMs, lookMs);
  }
  return pending;
}
