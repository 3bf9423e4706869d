import { isLeader } from './status.ts';
import type { Replica } from './state.ts';
import { silenceDueMs } from './view/silence.ts';

/** When to look again if nothing else happens: the nearest deadline, never later than the next heartbeat. */
export function setAlarm(replica: Replica): void {
  const { timing } = replica.config;
  let delayMs = replica.heartbeatMs + timing.heartbeatMs - replica.elapsedMs;
  const sooner = (ms: number): void => {
    if (ms < delayMs) delayMs = ms;
  };
  if (replica.queue.length > 0) sooner(replica.queueMs + timing.batchDelayMs - replica.elapsedMs);
  for (const { releaseMs } of replica.held) sooner(releaseMs - replica.clockMs);
  if (!replica.current.proposalDone) sooner(WAITING_MS);
  if (replica.pending.size > 0) sooner(PENDING_MS);
  const silenceMs = silenceDueMs(replica);
  if (silenceMs !== undefined) sooner(silenceMs);
  if (isLeader(replica)) {
    sooner(replica.current.leader.proposedMs + timing.closeIntervalMs - replica.elapsedMs);
    if (replica.current.leader.firstRejectMs !== undefined) sooner(WAITING_MS);
  }
  replica.out.push({ kind: 'alarm', delayMs: Number.isFinite(delayMs) ? Math.max(1, delayMs) : timing.heartbeatMs });
}

/** A block that waits for the clock or for its parent. */
const WAITING_MS = 2;
/** Commands with running timers. */
const PENDING_MS = 10;
