import type { Path, Timestamp } from '../../../protocol/types/index.ts';
import { MAX_TIMESTAMP, ZERO_TIMESTAMP } from '../../../protocol/hlc/index.ts';
import { blobOf, hashFrom, tsBlob, tsFrom } from '../file/bytes.ts';
import type { Store } from './store.ts';

/**
 * Keys that outlive nothing but a moment: nonces, marks of parts, decisions about plans. Each leaves the state with the first checkpoint whose
 * closed timestamp is past its time (of a nonce: `nonceUntil`): nobody can execute that transaction any
 * more, and a function of the closed timestamp is the same on every replica (consensus §2.11).
 */
export class Nonces {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  add(path: Path, ts: Timestamp, until: Timestamp): void {
    this.#store.run('INSERT INTO nonces VALUES (?, ?, ?)', blobOf(path), tsBlob(ts), tsBlob(until));
  }

  /** True when a checkpoint at `closeTs` would no longer hold the nonce that was consumed at `ts`. */
  isExpired(path: Path, ts: Timestamp, closeTs: Timestamp): boolean {
    if (ts > closeTs || closeTs === MAX_TIMESTAMP) return false;
    const row = this.#store.get<{ not_after: Buffer }>('SELECT not_after FROM nonces WHERE path = ? AND ts = ?', blobOf(path), tsBlob(ts));
    return row !== undefined && tsFrom(row.not_after) < closeTs;
  }

  /** Takes out what expires at a checkpoint. A path may have been consumed again above the closed timestamp. */
  expire(closeTs: Timestamp): Path[] {
    const gone = this.#store.all<{ path: Buffer }>(
      'DELETE FROM nonces WHERE not_after < ? AND ts <= ? RETURNING path', tsBlob(closeTs), tsBlob(closeTs),
    );
    return gone.map(({ path }) => hashFrom(path)).toSorted();
  }
}

interface Used {
  readonly writtenAt: Timestamp;
  readonly readAt: Timestamp;
}

/**
 * Timestamps of keys without a version: removed, or read while absent; and of reads in general. Small, because the
 * closed timestamp prunes it, and asked for with every item of every command: so it stands in memory, and a block's
 * changes are written once.
 */
export class Recent {
  readonly #store: Store;
  readonly #used = new Map<Path, Used>();
  readonly #changed = new Set<Path>();

  constructor(store: Store) {
    this.#store = store;
    this.forget();
  }

  get(path: Path): Used | undefined {
    return this.#used.get(path);
  }

  read(path: Path, ts: Timestamp): void {
    const { writtenAt, readAt } = this.#used.get(path) ?? { writtenAt: ZERO_TIMESTAMP, readAt: ZERO_TIMESTAMP };
    if (ts > readAt) this.#set(path, { writtenAt, readAt: ts });
  }

  /** A write forgets earlier reads; of a removal the timestamp stays. */
  written(path: Path, ts: Timestamp, removed: boolean): void {
    if (removed) this.#set(path, { writtenAt: ts, readAt: ZERO_TIMESTAMP });
    else if (this.#used.delete(path)) this.#changed.add(path);
  }

  /** An intent on the key was resolved and its version is back: intent and resolution count as a write and a read of it (X-RESOLVE). */
  restored(path: Path, preparedAt: Timestamp, ts: Timestamp): void {
    this.#set(path, { writtenAt: preparedAt, readAt: ts });
  }

  /** At or below the closed timestamp nothing executes any more, so nothing needs to be refused there. */
  prune(closeTs: Timestamp): void {
    for (const [path, { writtenAt, readAt }] of this.#used) {
      if (writtenAt > closeTs || readAt > closeTs) continue;
      this.#used.delete(path);
      this.#changed.add(path);
    }
  }

  /** Writes what the running transaction changed. */
  settle(): void {
    for (const path of this.#changed) {
      const used = this.#used.get(path);
      if (used === undefined) this.#store.run('DELETE FROM recent WHERE path = ?', blobOf(path));
      else this.#store.run('INSERT OR REPLACE INTO recent VALUES (?, ?, ?)', blobOf(path), tsBlob(used.writtenAt), tsBlob(used.readAt));
    }
    this.#changed.clear();
  }

  /** Reads the file again: at the start, after a failed transaction, and when everything was replaced. */
  forget(): void {
    this.#used.clear();
    this.#changed.clear();
    for (const row of this.#store.all<{ path: Buffer; written_ts: Buffer; read_ts: Buffer }>('SELECT * FROM recent')) {
      this.#used.set(hashFrom(row.path), { writtenAt: tsFrom(row.written_ts), readAt: tsFrom(row.read_ts) });
    }
  }

  #set(path: Path, used: Used): void {
    this.#used.set(path, used);
    this.#changed.add(path);
  }
}
