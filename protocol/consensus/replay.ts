import { ZERO_HASH, type BlockHash, type EntryId, type KeyVersion, type Path, type View } from '../types/index.ts';
import { byTime, type KnownEntry } from './entry.ts';
import { afterItem, itemHolds, itemsHold } from './execute.ts';
import { closeAt, keyAt, outcomeAt } from './keys.ts';
import type { AckedEntry, Replica } from './state.ts';

/** An entry that may be acknowledged: what replay needs to know of it. */
export type Candidate = KnownEntry & { readonly removes: ReadonlySet<Path> };

/**
 * `replay(base, Acked + candidate)` (§2.2), judged key by key: because every entry must succeed, an
 * entry succeeds exactly when each of its items does, and items on different keys do not meet.
 */
export function fitsOver(replica: Replica, base: BlockHash, candidate: Candidate): boolean {
  const contained = containedAt(replica, base, candidate);
  if (contained !== undefined) return contained;
  if (replica.rules.closeCheck && candidate.ts <= closeAt(replica, base)) return false;
  return candidate.command.items.every(({ path }) => pathReplays(replica, base, path, insert(replica.ackedByPath.get(path) ?? [], candidate)));
}

/**
 * Acknowledged entries that fail over `base`; empty when `replay(base, Acked)` succeeds (C-VOTE 4).
 * @param view only entries certified in it: those of older views live or die with the opening block
 *   (decision 0010), and a dead one must not block the view before that block is committed
 */
export function failingOver(replica: Replica, base: BlockHash, view?: View): AckedEntry[] {
  const failing: AckedEntry[] = [];
  const states = new Map<Path, KeyVersion>();
  const stateAt = (path: Path): KeyVersion => states.get(path) ?? keyAt(replica, base, path);
  const closeTs = closeAt(replica, base);
  for (const entry of [...replica.acked.values()].sort(byTime)) {
    if (view !== undefined && entry.view !== view) continue;
    const contained = containedAt(replica, base, entry);
    if (contained === true) continue;
    if (contained === false || (replica.rules.closeCheck && entry.ts <= closeTs) || !itemsHold(entry.command.items, entry.ts, stateAt)) {
      failing.push(entry);
      continue;
    }
    for (const item of entry.command.items) states.set(item.path, afterItem(stateAt(item.path), item, entry, entry.removes));
  }
  return failing;
}

/** True: executed successfully up to `base`; false: its command had another fate; undefined: not executed. */
function containedAt(replica: Replica, base: BlockHash, entry: KnownEntry): boolean | undefined {
  const outcome = outcomeAt(replica, base, entry.id);
  if (outcome === 'applied') return true;
  if (outcome === 'aborted') return false;
  const nonce = keyAt(replica, base, entry.command.noncePath).version;
  return nonce === ZERO_HASH ? undefined : false;
}

function pathReplays(replica: Replica, base: BlockHash, path: Path, entries: readonly Candidate[]): boolean {
  let at: KeyVersion = keyAt(replica, base, path);
  for (const entry of entries) {
    if (outcomeAt(replica, base, entry.id) === 'applied') continue;
    const item = entry.command.items.find((each) => each.path === path);
    if (item === undefined) continue;
    if (!itemHolds(item, entry.ts, at)) return false;
    at = afterItem(at, item, entry, entry.removes);
  }
  return true;
}

function insert(sorted: readonly Candidate[], candidate: Candidate): Candidate[] {
  if (sorted.some(({ id }) => id === candidate.id)) return [...sorted];
  return [...sorted, candidate].toSorted(byTime);
}

/** Adds to the acknowledged set and its index by key. */
export function addAcked(replica: Replica, entry: AckedEntry): void {
  if (replica.acked.has(entry.id)) return;
  replica.acked.set(entry.id, entry);
  for (const { path } of entry.command.items) {
    const list = replica.ackedByPath.get(path) ?? [];
    list.push(entry);
    list.sort(byTime);
    replica.ackedByPath.set(path, list);
  }
}

export function dropAcked(replica: Replica, id: EntryId): void {
  const entry = replica.acked.get(id);
  if (entry === undefined) return;
  replica.acked.delete(id);
  for (const { path } of entry.command.items) {
    const rest = (replica.ackedByPath.get(path) ?? []).filter((each) => each.id !== id);
    if (rest.length === 0) replica.ackedByPath.delete(path);
    else replica.ackedByPath.set(path, rest);
  }
}
