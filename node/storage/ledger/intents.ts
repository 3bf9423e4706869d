import { ZERO_TIMESTAMP } from '../../../protocol/hlc/index.ts';
import { ZERO_HASH, type EntryId, type KeyVersion, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import { blobOf, hashFrom, tsBlob, tsFrom } from '../file/bytes.ts';
import type { Store } from './store.ts';

interface Held {
  readonly version: EntryId;
  readonly ts: Timestamp;
  /** An intent; otherwise a key that was used up and has no leaf with this version. */
  readonly open: boolean;
}

/**
 * Keys of transactions over several groups whose version no leaf tells (X-LOCK): intents, until they are resolved, and what
 * resolutions used up, until time is closed above it; and keys that open parts have only read. Few, and asked for with every item of every command: so they stand in
 * memory beside the file.
 */
export class Intents {
  readonly #store: Store;
  readonly #held = new Map<Path, Held>();
  readonly #holds = new Map<Path, readonly EntryId[]>();

  constructor(store: Store) {
    this.#store = store;
    this.forget();
  }

  /** What the leaves say of a key, and what stands over it. */
  over(path: Path, leaf: (path: Path) => KeyVersion | undefined): KeyVersion | undefined {
    const at = this.#versionOf(path) ?? leaf(path);
    const heldBy = this.#holds.get(path);
    return heldBy === undefined ? at : { version: ZERO_HASH as EntryId, writtenAt: ZERO_TIMESTAMP, readAt: ZERO_TIMESTAMP, ...at, heldBy };
  }

  #versionOf(path: Path): KeyVersion | undefined {
    const held = this.#held.get(path);
    if (held === undefined) return undefined;
    const { version, ts, open } = held;
    return { version, writtenAt: ts, readAt: ZERO_TIMESTAMP, ...(open ? { intent: true as const } : {}) };
  }

  /** Timestamp of the oldest open intent. */
  oldest(): Timestamp | undefined {
    let oldest: Timestamp | undefined;
    for (const { ts, open } of this.#held.values()) if (open && (oldest === undefined || ts < oldest)) oldest = ts;
    return oldest;
  }

  open(path: Path, version: EntryId, ts: Timestamp): void {
    this.#set(path, { version, ts, open: true });
  }

  used(path: Path, version: EntryId, ts: Timestamp): void {
    this.#set(path, { version, ts, open: false });
  }

  /** Nothing happens when the prepare was below the snapshot that this ledger began with. */
  end(path: Path): void {
    if (this.#held.delete(path)) this.#store.run('DELETE FROM intents WHERE path = ?', blobOf(path));
  }

  /** The part of this prepare has only read the key: nobody writes it before it is resolved. */
  hold(path: Path, prepare: EntryId): void {
    this.#holds.set(path, [...this.#holds.get(path) ?? [], prepare]);
    this.#store.run('INSERT INTO holds VALUES (?, ?)', blobOf(path), blobOf(prepare));
  }

  /** Nothing happens when the prepare was below the snapshot that this ledger began with. */
  release(path: Path, prepare: EntryId): void {
    const others = (this.#holds.get(path) ?? []).filter((each) => each !== prepare);
    if (others.length === 0) this.#holds.delete(path);
    else this.#holds.set(path, others);
    this.#store.run('DELETE FROM holds WHERE path = ? AND prepare = ?', blobOf(path), blobOf(prepare));
  }

  /** Nothing executes at or below the closed timestamp, so nobody can try to use a key up twice there. */
  prune(closeTs: Timestamp): void {
    for (const [path, { ts, open }] of this.#held) if (!open && ts <= closeTs) this.end(path);
  }

  /** Reads the file again: at the start, after a failed transaction, and when everything was replaced. */
  forget(): void {
    this.#held.clear();
    this.#holds.clear();
    for (const row of this.#store.all<{ path: Buffer; prepare: Buffer }>('SELECT * FROM holds')) {
      const path: Path = hashFrom(row.path);
      this.#holds.set(path, [...this.#holds.get(path) ?? [], hashFrom(row.prepare)]);
    }
    for (const row of this.#store.all<{ path: Buffer; version: Buffer; ts: Buffer; open: bigint }>('SELECT * FROM intents')) {
      this.#held.set(hashFrom(row.path), { version: hashFrom(row.version), ts: tsFrom(row.ts), open: row.open === 1n });
    }
  }

  #set(path: Path, held: Held): void {
    this.#held.set(path, held);
    this.#store.run('INSERT OR REPLACE INTO intents VALUES (?, ?, ?, ?)', blobOf(path), blobOf(held.version), tsBlob(held.ts), held.open ? 1n : 0n);
  }
}
