import { leaderDueMs } from './classic/propose.ts';
import { fetchDueMs } from './catchup.ts';
import { queueDueMs } from './fast/gateway.ts';
import { isLeader } from './status.ts';
import type { Replica } from './state.ts';
import { silenceDueMs } from './view/silence.ts';

/** When to look again if nothing else happens: the nearest deadline, never later than the next heartbeat. */
export function setAlarm(replica: Replica): void {
  const { config: { timing }, current, elapsedMs } = replica;
  let delayMs = replica.heartbeatMs + timing.heartbeatMs - elapsedMs;
  const sooner = (ms: number | undefined): void => {
    if (ms !== undefined && ms < delayMs) delayMs = ms;
  };
  if (replica.queue.length > 0) sooner(queueDueMs(replica));
  for (const { releaseMs } of replica.held) sooner(releaseMs - replica.clockMs);
  if (!current.proposalDone && current.proposalDueMs !== undefined) sooner(current.proposalDueMs - replica.clockMs);
  if (replica.pending.size > 0) sooner(replica.pendingDueMs - elapsedMs);
  sooner(fetchDueMs(replica));
  sooner(silenceDueMs(replica));
  if (isLeader(replica)) sooner(leaderDueMs(replica));
  replica.out.push({ kind: 'alarm', delayMs: Number.isFinite(delayMs) ? Math.max(1, delayMs) : timing.heartbeatMs });
}
