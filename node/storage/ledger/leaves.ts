import { LRUCache } from 'lru-cache';
import { decode, encode, type Scalar } from '../../../protocol/codec/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { contentHashOf, keyHashOf, rowC, rowHashOf, type EntryRef } from '../../../protocol/rows/index.ts';
import type { Row } from '../../../protocol/schema/index.ts';
import { ZERO_HASH, type Hash32, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import { blobOf, hashFrom, tsBlob, tsFrom } from '../file/bytes.ts';
import type { Entries } from './entries.ts';
import type { RowStore } from './row-store.ts';
import { holdsRows, type Space, type Spaces } from './spaces.ts';
import type { Store } from './store.ts';

/** A leaf as the index of leaves names it. Its content is read separately, because that is what may be damaged. */
export interface LeafRecord {
  readonly path: Path;
  /** What the state tree was given. */
  readonly hash: Hash32;
  readonly entry: bigint;
  readonly space: Space;
  readonly key: readonly Scalar[];
  /** Null for rows (their table holds it) and nonces (they have none). */
  readonly content: Row | null;
  readonly mutation: bigint | null;
  /** When it was superseded; undefined for a current leaf. */
  readonly to: Timestamp | undefined;
}

/** What is written to a key, and by whom. */
export interface LeafWrite {
  readonly path: Path;
  readonly space: Space;
  readonly key: readonly Scalar[];
  /** Null for a nonce: a leaf without content. */
  readonly content: Row | null;
  readonly entry: bigint;
  readonly by: EntryRef;
  readonly mutation: bigint | null;
}

interface RawLeaf {
  path: Buffer; hash: Buffer; entry: bigint; space: bigint; key: Buffer; content: Buffer | null; mutation: bigint | null; to_ts?: Buffer;
}

const COLUMNS = 'path, hash, entry, space, key, content, mutation';

/** What consensus asks about a key: who wrote it last. */
export interface LeafVersion extends EntryRef {
  readonly space: Space;
}

/** Every key of the newest state, and recently superseded ones. */
export class Leaves {
  /** Every item of every command is asked about in each phase of consensus; null = no leaf. */
  readonly #versions = new LRUCache<Path, { readonly is: LeafVersion | null }>({ max: limits.versionsCached });
  readonly #store: Store;
  readonly #spaces: Spaces;
  readonly #rows: RowStore;
  readonly #entries: Entries;

  constructor(store: Store, spaces: Spaces, rows: RowStore, entries: Entries) {
    this.#store = store;
    this.#spaces = spaces;
    this.#rows = rows;
    this.#entries = entries;
  }

  /** Cached; the cache dies with a failed transaction. */
  version(path: Path): LeafVersion | undefined {
    let known = this.#versions.get(path);
    if (known === undefined) {
      const leaf = this.current(path);
      known = { is: leaf === undefined ? null : { ...this.#entries.ref(leaf.entry), space: leaf.space } };
      this.#versions.set(path, known);
    }
    return known.is ?? undefined;
  }

  forget(): void {
    this.#versions.clear();
  }

  current(path: Path): LeafRecord | undefined {
    if (this.#versions.get(path)?.is === null) return undefined;
    const raw = this.#store.get<RawLeaf>(`SELECT ${COLUMNS} FROM leaves WHERE path = ?`, blobOf(path));
    return raw === undefined ? undefined : this.#record(raw);
  }

  /** The leaf that was current at `ts`; exact while `ts` is at or above the oldest kept checkpoint. */
  asOf(path: Path, ts: Timestamp): LeafRecord | undefined {
    const current = this.current(path);
    if (current !== undefined && this.#entries.ref(current.entry).ts <= ts) return current;
    const raw = this.#store.get<RawLeaf>(
      `SELECT ${COLUMNS}, to_ts FROM old_leaves WHERE path = ? AND to_ts > ? ORDER BY to_ts LIMIT 1`, blobOf(path), tsBlob(ts),
    );
    if (raw === undefined || this.#entries.ref(raw.entry).ts > ts) return undefined;
    return this.#record(raw);
  }

  /** Content from where it really stands; undefined when it is not there. */
  contentOf(leaf: LeafRecord): Row | null | undefined {
    if (!holdsRows(leaf.space)) return leaf.content;
    return this.rowOf(leaf)?.row;
  }

  rowOf({ space, key, to }: LeafRecord): ReturnType<RowStore['read']> {
    const table = this.#spaces.definition(space);
    return to === undefined ? this.#rows.read(space.id, table, key) : this.#rows.readOld(space.id, table, key, to);
  }

  /** Puts a leaf in place of what is there; returns its hash. */
  put(write: LeafWrite, before: LeafRecord | undefined): Hash32 {
    if (before !== undefined) this.remove(before, write.by.ts);
    const { path, space, key, content, entry, by, mutation } = write;
    const hash = rowHashOf(by, keyHashOf(key), content === null ? ZERO_HASH : contentHashOf(content));
    const ownTable = content !== null && holdsRows(space);
    if (ownTable) {
      const mark = { entry, ts: by.ts, mutation: mutation ?? -1n, checksum: checksumOf(hash) };
      this.#rows.put(space.id, this.#spaces.definition(space), content, mark);
    }
    this.#store.run(
      `INSERT INTO leaves (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      blobOf(path), blobOf(hash), entry, space.id, encode(rowC, key), content === null || ownTable ? null : encode(rowC, content), mutation,
    );
    this.#entries.count(entry, 1n);
    this.#versions.set(path, { is: { ...by, space } });
    return hash;
  }

  /** Supersedes a current leaf at `to`. It stays readable as of earlier timestamps. */
  remove(leaf: LeafRecord, to: Timestamp): void {
    this.#store.run(
      `INSERT INTO old_leaves (${COLUMNS}, to_ts) SELECT ${COLUMNS}, ? FROM leaves WHERE path = ?`, tsBlob(to), blobOf(leaf.path),
    );
    this.#store.run('DELETE FROM leaves WHERE path = ?', blobOf(leaf.path));
    this.#versions.delete(leaf.path);
    if (!holdsRows(leaf.space)) return;
    this.#rows.supersede(leaf.space.id, this.#spaces.definition(leaf.space), leaf.key, to);
    this.#entries.count(leaf.entry, 1n); // the superseded row counts beside the superseded leaf
  }

  /** Current leaves of one space, in path order. */
  inSpace(space: Space, first: Path, last: Path): LeafRecord[] {
    return this.#store.all<RawLeaf>(
      `SELECT ${COLUMNS} FROM leaves WHERE path BETWEEN ? AND ? AND space = ?`, blobOf(first), blobOf(last), space.id,
    ).map((raw) => this.#record(raw));
  }

  *hashes(): Generator<{ path: Path; rowHash: Hash32 }> {
    for (const { path, hash } of this.#store.iterate<RawLeaf>('SELECT path, hash FROM leaves ORDER BY path')) {
      yield { path: hashFrom(path), rowHash: hashFrom(hash) };
    }
  }

  /** Forgets superseded leaves that ended at or before `until`. */
  prune(until: Timestamp, limit: bigint): number {
    const some = 'SELECT path, to_ts FROM old_leaves WHERE to_ts <= ? LIMIT ?';
    const gone = this.#store.all<{ entry: bigint }>(`DELETE FROM old_leaves WHERE (path, to_ts) IN (${some}) RETURNING entry`, tsBlob(until), limit);
    for (const { entry } of gone) this.#entries.count(entry, -1n);
    return gone.length;
  }

  #record(raw: RawLeaf): LeafRecord {
    return {
      path: hashFrom(raw.path), hash: hashFrom(raw.hash), entry: raw.entry, space: this.#spaces.byId(raw.space), key: decode(rowC, raw.key),
      content: raw.content === null ? null : decode(rowC, raw.content), mutation: raw.mutation,
      to: raw.to_ts === undefined ? undefined : tsFrom(raw.to_ts),
    };
  }
}

/** First four bytes of the row hash. */
export function checksumOf(hash: Hash32): bigint {
  return BigInt(hash.slice(0, 10));
}
