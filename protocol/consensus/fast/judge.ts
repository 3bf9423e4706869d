import { limits } from '../../limits/index.ts';
import type { BlockHash, EntryId, Item, ItemMode, Timestamp } from '../../types/index.ts';
import { fresh, notAhead } from '../clock.ts';
import type { KnownEntry } from '../entry.ts';
import { extendsTip, lockKey, pendingOf } from '../keys.ts';
import { fitsOver, type Candidate } from '../replay.ts';
import type { VotedEntry } from '../record.ts';
import type { Replica } from '../state.ts';

/** Two uses of one key version that may both be certified (§2.2 compatible): timestamp order must agree. */
export function compatible(a: { readonly mode: ItemMode; readonly ts: Timestamp }, b: { readonly mode: ItemMode; readonly ts: Timestamp }): boolean {
  if (a.mode === 'R' && b.mode === 'R') return true;
  if (a.mode === 'W' && b.mode === 'W') return false;
  return a.mode === 'R' ? a.ts < b.ts : b.ts < a.ts;
}

/** F-VOTE 1-6 for one entry. */
export function mayVote(replica: Replica, entry: KnownEntry): boolean {
  const { command, ts } = entry;
  if (command.classicOnly || ts > command.notAfter || isFull(replica)) return false;
  if (!fresh(replica, ts) || !notAhead(replica, ts)) return false;
  if (frozen(replica, entry)) return false;
  if (replica.rules.fastLock && !command.items.every((item) => lockFree(replica, entry, item))) return false;
  return disturbsNothing(replica, entry) !== undefined;
}

/** Refusing new votes is always safe; dropping what was acknowledged never is (§2.16). */
function isFull(replica: Replica): boolean {
  return replica.acked.size >= limits.ackedUnswept || replica.ackedBytes >= limits.ackedBytes;
}

/** F-ACK 1: F-VOTE 3 and 5 without the clock. Returns what replay needs to know, or undefined when it fails. */
export function disturbsNothing(replica: Replica, entry: KnownEntry): Candidate | undefined {
  const { command, ts } = entry;
  if (replica.rules.closeCheck && ts <= replica.current.votedCloseTs) return undefined;
  if (consumedByAnother(replica, entry)) return undefined;
  const pending = pendingOf(replica);
  if (replica.rules.bodiesExamined && replica.application.check(command, pending) !== 'valid') return undefined;
  const candidate: Candidate = { ...entry, removes: new Set(replica.application.removes(command, pending)) };
  return bases(replica).every((base) => fitsOver(replica, base, candidate)) ? candidate : undefined;
}

/** The committed tip and every block above it that got this replica's vote in this view. */
function bases(replica: Replica): BlockHash[] {
  const voted = replica.rules.validOverVoted
    ? [...replica.current.votedBlocks].filter((hash) => replica.blocks.has(hash) && extendsTip(replica, hash))
    : [];
  return [replica.tip.hash, ...voted];
}

/** F-VOTE 4. */
function lockFree(replica: Replica, entry: KnownEntry, item: Item): boolean {
  const locks = replica.current.locks.get(lockKey(item.path, item.version));
  if (locks === undefined) return true;
  const free = (mode: ItemMode, others: readonly VotedEntry[]): boolean =>
    (!replica.rules.readersByTime && mode !== item.mode)
    || others.every((other) => other.id === entry.id || compatible({ mode: item.mode, ts: entry.ts }, { mode, ts: other.ts }));
  return free('W', locks.writes) && (item.mode === 'R' || free('R', locks.reads));
}

/** F-VOTE 5: abandoned blocks count, so that an honest replica cannot be framed (§3.3). */
function consumedByAnother(replica: Replica, { id, command }: KnownEntry): boolean {
  return command.items.some(({ path, version, mode }) => {
    const by = mode === 'W' ? replica.current.consumed.get(lockKey(path, version)) : undefined;
    return by !== undefined && [...by].some((other: EntryId) => other !== id);
  });
}

/** F-VOTE 6: the leader is deciding these keys. */
function frozen(replica: Replica, { id, command }: KnownEntry): boolean {
  const { proposal, frozen: keys } = replica.current;
  if (keys.size === 0 || proposal?.block.entries.some((entry) => entry.id === id)) return false;
  return command.items.some(({ path, mode }) => {
    const theirs = keys.get(path);
    return theirs !== undefined && (theirs === 'W' || mode === 'W');
  });
}
