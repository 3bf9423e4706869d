import { invariant } from '../../errors/index.ts';
import type { View } from '../../types/index.ts';
import { newView } from '../fresh.ts';
import { persist } from '../persist.ts';
import { dropAcked } from '../replay.ts';
import { voteOnWaiting } from '../fast/vote.ts';
import type { Replica } from '../state.ts';

/** Enters a view whose opening q replicas asked for or already certified (§2.8); the fast state starts empty. */
export function enterView(replica: Replica, view: View): void {
  invariant(view > replica.view && view >= replica.vcView, 'views-only-grow', { from: replica.view, to: view });
  replica.view = view;
  replica.vcView = view;
  replica.ownChange = undefined;
  replica.viewToken = persist(replica, { kind: 'view', view });
  replica.current = newView(replica.elapsedMs, false);
  replica.held = replica.held.filter(({ send }) => send.view === undefined);
  replica.out.push({ kind: 'milestone', milestone: { event: 'viewEntered', view } });
  for (const pending of replica.pending.values()) requeue(pending);
  if (!replica.rules.deadLeaveAtCommit) for (const { id } of [...replica.acked.values()]) dropAcked(replica, id);
  if (replica.tip.header?.view === view || !replica.rules.barrier) openFast(replica, view);
}

/** Batches died with their view; what clients wait for goes to the new leader. */
function requeue(pending: Replica['pending'] extends Map<unknown, infer P> ? P : never): void {
  if (pending.gateway?.phase === 'fast') {
    pending.gateway.phase = 'classic';
    pending.classic = true;
  }
  if (pending.classic) pending.sentMs = -Infinity;
}

/** The barrier (§2.8, lemma 3): only a committed opening block opens the fast path of its view. */
export function openFast(replica: Replica, view: View): void {
  if (view !== replica.view || replica.current.fastOpen) return;
  replica.current.fastOpen = true;
  replica.failures = replica.failures >> 1;
  replica.current.overdueMs = 0; // the timeout is shorter now
  replica.out.push({ kind: 'milestone', milestone: { event: 'fastOpened', view } });
  voteOnWaiting(replica);
}
