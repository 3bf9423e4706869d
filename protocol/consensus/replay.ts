import { ZERO_HASH, type BlockHash, type EntryId, type Item, type KeyVersion, type Path, type View } from '../types/index.ts';
import type { BlockHeader } from './block.ts';
import { byTime, type KnownEntry } from './entry.ts';
import { afterItem, itemHolds, itemsHold } from './execute.ts';
import { KeyAcks } from './key-acks.ts';
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
  return candidate.command.items.every((item) => keyReplays(replica, base, item, candidate));
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

/**
 * What this block would newly disturb (C-VOTE 4): entries that hold over its parent and not over it. One that an earlier block disturbed
 * stands in nobody's way, but is protected again from where its absent key is absent again (decision 0196).
 */
export function disturbedBy(replica: Replica, { parent, view }: BlockHeader, failing: readonly AckedEntry[]): AckedEntry[] {
  if (failing.length === 0) return [];
  const before = new Set(failingOver(replica, parent, view));
  return failing.filter((entry) => !before.has(entry));
}

/**
 * An acknowledged entry that fails over the committed tip leaves when it can never hold again (decision 0012). A key that was absent may become
 * absent again, and what waits for an acknowledged entry lives as long as that one: both stay, and are reported (decision 0196).
 */
export function dropLost(replica: Replica): void {
  // A chain that a restart cut short does not disturb: it has not come as far yet as when the entry was acknowledged.
  for (const entry of failingOver(replica, replica.tip.hash)) {
    if (entry.height < replica.tip.height && isLost(replica, entry)) buryAcked(replica, entry.id);
  }
}

function isLost(replica: Replica, entry: AckedEntry): boolean {
  const { tip, rules } = replica;
  if (!rules.absentMayReturn || containedAt(replica, tip.hash, entry) !== undefined || entry.ts <= closeAt(replica, tip.hash)) return true;
  return entry.command.items.some(({ path, version, mode }) => {
    const at = keyAt(replica, tip.hash, path);
    if (at.version === version) return entry.ts <= at.writtenAt || (mode === 'W' && entry.ts <= at.readAt);
    return version !== ZERO_HASH && !replica.acked.has(version);
  });
}

/** True: executed successfully up to `base`; false: its command had another fate; undefined: not executed. */
function containedAt(replica: Replica, base: BlockHash, entry: KnownEntry): boolean | undefined {
  const outcome = outcomeAt(replica, base, entry.id);
  if (outcome === 'applied') return true;
  if (outcome === 'aborted') return false;
  const nonce = keyAt(replica, base, entry.command.noncePath).version;
  return nonce === ZERO_HASH ? undefined : false;
}

function keyReplays(replica: Replica, base: BlockHash, item: Item, candidate: Candidate): boolean {
  const acks = replica.ackedByPath.get(item.path);
  if (acks === undefined) return itemHolds(item, candidate.ts, keyAt(replica, base, item.path));
  const fromTs = item.mode === 'R' ? acks.readersFrom(item.version) : undefined;
  if (fromTs !== undefined) {
    // readers of one version do not disturb each other: they replay when it was there before the first of them
    const at = keyAt(replica, base, item.path);
    if (at.version === item.version && candidate.ts > at.writtenAt && fromTs > at.writtenAt) return true;
  }
  return pathReplays(replica, base, item.path, [...acks.values(), ...(replica.acked.has(candidate.id) ? [] : [candidate])].sort(byTime));
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

/** What an entry adds to a view change: its body and its share of a certificate. */
function bytesOf({ command }: AckedEntry): number {
  return command.bytes.length + CERT_SHARE_BYTES;
}

const CERT_SHARE_BYTES = 256;

/** Adds to the acknowledged set and its index by key. */
export function addAcked(replica: Replica, entry: AckedEntry): void {
  if (replica.acked.has(entry.id)) return;
  replica.acked.set(entry.id, entry);
  replica.ackedBytes += bytesOf(entry);
  for (const { path } of entry.command.items) {
    let acks = replica.ackedByPath.get(path);
    if (acks === undefined) replica.ackedByPath.set(path, (acks = new KeyAcks(path)));
    acks.add(entry);
  }
}

/** Leaves without having been applied: in its view it goes on to bind this replica's votes (C-VOTE 6, decision 0101). */
export function buryAcked(replica: Replica, id: EntryId): void {
  const entry = replica.acked.get(id);
  if (entry !== undefined && entry.view === replica.view) replica.current.deadAcks.push(entry);
  dropAcked(replica, id);
}

export function dropAcked(replica: Replica, id: EntryId): void {
  const entry = replica.acked.get(id);
  if (entry === undefined) return;
  replica.acked.delete(id);
  replica.ackedBytes -= bytesOf(entry);
  for (const { path } of entry.command.items) {
    const acks = replica.ackedByPath.get(path);
    acks?.delete(entry);
    if (acks?.size === 0) replica.ackedByPath.delete(path);
  }
}
