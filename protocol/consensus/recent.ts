import type { Replica } from './state.ts';

/**
 * Forgets key states that the closed timestamp has passed: from here on the ledger's answer is
 * enough, because nothing at or below it can execute any more (§2.2). Runs at the start of a step,
 * when the ledger has applied every commit of the step before.
 */
export function pruneRecent(replica: Replica): void {
  replica.committing.clear();
  const { closeTs } = replica.tip;
  if (replica.recentCloseTs === closeTs) return;
  replica.recentCloseTs = closeTs;
  for (const [path, { writtenAt, readAt }] of replica.recent) {
    if (writtenAt <= closeTs && readAt <= closeTs) replica.recent.delete(path);
  }
}
