import { merkleRoot } from '../crypto/index.ts';
import { entryIdOf } from '../rows/index.ts';
import { bytesOf, compareHex, type Command, type EntryId, type Hash32, type Timestamp } from '../types/index.ts';

/** A command placed in time: what is voted on and ordered (consensus §2.2). */
export interface Entry {
  readonly command: Command;
  readonly ts: Timestamp;
}

/** An entry whose id was computed once. */
export interface KnownEntry extends Entry {
  readonly id: EntryId;
}

export function known({ command, ts }: Entry): KnownEntry {
  return { command, ts, id: entryIdOf(command.id, ts, command.footprintRoot) };
}

/** What a gateway and its voters sign for a batch (DOORS 6). */
export function batchRootOf(ids: readonly EntryId[]): Hash32 {
  return merkleRoot(ids.map(bytesOf));
}

/** The order of timestamps, entry id breaking ties. */
export function byTime(a: KnownEntry, b: KnownEntry): number {
  if (a.ts !== b.ts) return a.ts < b.ts ? -1 : 1;
  return compareHex(a.id, b.id);
}
