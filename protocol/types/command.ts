import type { Address, EntryId, Hash32, Path, Timestamp, TxId } from './ids.ts';

/** How a command uses a key version: it must still be current (R), or be current and be replaced (W). */
export type ItemMode = 'R' | 'W';

/** One key of a footprint; `version` zero means the key must be absent (consensus §2.2). */
export interface Item {
  readonly path: Path;
  readonly version: EntryId;
  readonly mode: ItemMode;
}

/** What consensus orders: a client-signed transaction, opaque but for its footprint. */
export interface Command {
  readonly id: TxId;
  readonly client: Address;
  /** Not executed at a timestamp above it. */
  readonly notAfter: Timestamp;
  readonly footprintRoot: Hash32;
  readonly items: readonly Item[];
  /** The W item that makes the command execute once; consumed on abort too (consensus §2.2). */
  readonly noncePath: Path;
  /** Schema changes and other commands that only a leader may order. */
  readonly classicOnly: boolean;
  /** The encoded signed transaction. */
  readonly bytes: Uint8Array;
}

/** State of one key: who wrote it, when, and the latest timestamp that read it. */
export interface KeyVersion {
  readonly version: EntryId;
  readonly writtenAt: Timestamp;
  readonly readAt: Timestamp;
}
