import { MAX_TIMESTAMP, msOf } from '../hlc/index.ts';
import type { BlockHash, Command, EntryId, KeyVersion, Path, Timestamp } from '../types/index.ts';
import { itemsHold } from './execute.ts';
import { keyAt, lineage } from './keys.ts';
import type { BlockNode, Execution, Replica } from './state.ts';

/** Key states that a restart or a snapshot brings; open intents are among them, for time cannot close above them (X-CLOSE). */
export function takeRecent(replica: Replica, recent: ReadonlyMap<Path, KeyVersion>): void {
  replica.recent.clear();
  replica.intents.clear();
  for (const [path, at] of recent) {
    replica.recent.set(path, at);
    if (at.intent === true) replica.intents.set(at.version, at.writtenAt);
  }
}

/** After a commit. */
export function noteIntents({ intents }: Replica, { opened, closed }: Execution): void {
  for (const [id, ts] of opened) intents.set(id, ts);
  for (const id of closed) intents.delete(id);
}

/** Lowest timestamp of an intent that is open after block `base`. */
export function oldestIntent(replica: Replica, base: BlockHash): Timestamp | undefined {
  const open = new Map<EntryId, Timestamp>(replica.intents);
  for (const { execution } of [...lineage(replica, base)].reverse()) {
    for (const [id, ts] of execution.opened) open.set(id, ts);
    for (const id of execution.closed) open.delete(id);
  }
  let oldest: Timestamp | undefined;
  for (const ts of open.values()) if (oldest === undefined || ts < oldest) oldest = ts;
  return oldest;
}

/** X-CLOSE: what closes time at or above an open intent would close it above the decided timestamp too. */
export function closesIntent(replica: Replica, { hash, block }: BlockNode): boolean {
  const oldest = replica.rules.intentFloor ? oldestIntent(replica, hash) : undefined;
  return oldest !== undefined && block.header.closeTs >= oldest;
}

/** Where a resolution must stand in time; undefined for everything that a leader stamps. */
export function decidedTs({ stage }: Command): Timestamp | undefined {
  return stage?.kind === 'resolve' ? stage.ts : undefined;
}

/** A prepare or a decision before its time: nobody watches it, or it would make the group ask for other leaders until then. */
export function isEarly(replica: Replica, { stage }: Command): boolean {
  return stage !== undefined && stage.kind !== 'resolve' && msOf(stage.notBefore) >= replica.clockMs;
}

/** X-EPOCH: judged by what this replica knows of other groups now. */
export function isTimely({ application }: Replica, command: Command): boolean {
  return command.stage?.kind !== 'decide' || application.timely === undefined || application.timely(command);
}

/**
 * Not yet to be ordered: a decision before its time or on old proofs, a resolution that does not find its intent, a prepare while the epoch is
 * about to end (no intent may outlive an epoch, X-SEAL).
 */
export function mustWait(replica: Replica, base: BlockHash, command: Command): boolean {
  const { stage, items, notAfter } = command;
  // what expired leaves when time closes above it, and an intent holds that up
  if (replica.intents.size > 0 && msOf(notAfter) <= replica.clockMs) return true;
  switch (stage?.kind) {
    case undefined: return false;
    case 'prepare': return replica.next !== undefined || isEarly(replica, command);
    case 'decide': return isEarly(replica, command) || !isTimely(replica, command);
    case 'resolve': return !itemsHold(items, stage.ts ?? MAX_TIMESTAMP, (path) => keyAt(replica, base, path), stage);
  }
}
