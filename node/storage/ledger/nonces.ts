import type { Path, Timestamp } from '../../../protocol/types/index.ts';
import { MAX_TIMESTAMP, ZERO_TIMESTAMP } from '../../../protocol/hlc/index.ts';
import { blobOf, hashFrom, tsBlob, tsFrom } from '../file/bytes.ts';
import type { Store } from './store.ts';

/**
 * Keys that outlive nothing but a moment. A nonce leaf leaves the state with the first checkpoint whose
 * closed timestamp is past its transaction's `notAfter`: nobody can execute that transaction any
 * more, and a function of the closed timestamp is the same on every replica (consensus §2.11).
 */
export class Nonces {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  add(path: Path, ts: Timestamp, notAfter: Timestamp): void {
    this.#store.run('INSERT INTO nonces VALUES (?, ?, ?)', blobOf(path), tsBlob(ts), tsBlob(notAfter));
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

/** Timestamps of keys without a version: removed, or read while absent; and of reads in general. */
export class Recent {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  get(path: Path): { readonly writtenAt: Timestamp; readonly readAt: Timestamp } | undefined {
    const row = this.#store.get<{ written_ts: Buffer; read_ts: Buffer }>('SELECT written_ts, read_ts FROM recent WHERE path = ?', blobOf(path));
    return row === undefined ? undefined : { writtenAt: tsFrom(row.written_ts), readAt: tsFrom(row.read_ts) };
  }

  read(path: Path, ts: Timestamp): void {
    this.#store.run(
      'INSERT INTO recent VALUES (?, ?, ?) ON CONFLICT (path) DO UPDATE SET read_ts = max(read_ts, excluded.read_ts)',
      blobOf(path), tsBlob(ZERO_TIMESTAMP), tsBlob(ts),
    );
  }

  /** A write forgets earlier reads; of a removal the timestamp stays. */
  written(path: Path, ts: Timestamp, removed: boolean): void {
    if (removed) this.#store.run('INSERT OR REPLACE INTO recent VALUES (?, ?, ?)', blobOf(path), tsBlob(ts), tsBlob(ZERO_TIMESTAMP));
    else this.#store.run('DELETE FROM recent WHERE path = ?', blobOf(path));
  }

  /** At or below the closed timestamp nothing executes any more, so nothing needs to be refused there. */
  prune(closeTs: Timestamp): void {
    this.#store.run('DELETE FROM recent WHERE written_ts <= ? AND read_ts <= ?', tsBlob(closeTs), tsBlob(closeTs));
  }
}
