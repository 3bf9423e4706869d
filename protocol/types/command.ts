import type { Address, EntryId, Hash32, Path, Timestamp, TxId } from './ids.ts';

/** How a command uses a key version: it must still be current (R), or be current and be replaced (W). */
export type ItemMode = 'R' | 'W';

/** One key of a footprint; `version` zero means the key must be absent (consensus §2.2). */
export interface Item {
  readonly path: Path;
  readonly version: EntryId;
  readonly mode: ItemMode;
}

/**
 * What a command does for a transaction over several groups (`protocol/cross-group`). It follows from the command's bytes, and
 * the command's id binds all of it.
 */
export type Stage =
  /** Leaves intents on the keys it writes and holds those it only reads (`holdsReads`); without effect up to `notBefore`. */
  | { readonly kind: 'prepare'; readonly notBefore: Timestamp; readonly holdsReads: boolean }
  /** Uses up the key of the decision; without effect up to `notBefore`. */
  | { readonly kind: 'decide'; readonly notBefore: Timestamp }
  /** Ends the intents and holds of one prepare, at the decided timestamp (undefined: the leader's stamp); `restores`: versions that come back. */
  | {
    readonly kind: 'resolve'; readonly intent: EntryId; readonly ts: Timestamp | undefined; readonly restores: ReadonlyMap<Path, EntryId>;
  };

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
  /** Only in commands of a cross-group transaction. */
  readonly stage?: Stage;
}

/** State of one key: who wrote it, when, and the latest timestamp that read it. */
export interface KeyVersion {
  readonly version: EntryId;
  readonly writtenAt: Timestamp;
  readonly readAt: Timestamp;
  /** The version is an intent: only its own resolution may use the key. */
  readonly intent?: true;
  /** Prepares that read the key and are not resolved: nobody writes it meanwhile. Never empty. */
  readonly heldBy?: readonly EntryId[];
}
