import { invariant } from '../../../protocol/errors/index.ts';
import type { LeafChange } from '../../../protocol/state-tree/index.ts';
import { bytesOf, concatBytes, type EntryId, type Hash32, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import { blobOf, hashFrom, tsBlob, tsFrom } from '../file/bytes.ts';
import type { Store } from './store.ts';

/** One leaf that an entry changed; null = absent. */
export interface Changed {
  readonly path: Path;
  readonly before: Hash32 | null;
  readonly after: Hash32 | null;
}

/** Everything one entry changed, until a certified checkpoint has taken it in. */
export interface PendingEntry {
  readonly ts: Timestamp;
  readonly entryId: EntryId;
  /** Aborted entries are no part of the capsule. */
  readonly applied: boolean;
  readonly changes: readonly Changed[];
}

interface Row {
  id: bigint; ts: Buffer; entry: Buffer; applied: bigint; changes: Buffer;
}

const WIDTH = 96;
const ABSENT = new Uint8Array(32); // no row hash is zero

/**
 * The changes between the newest certified checkpoint and the newest row. The state tree stands at a
 * checkpoint, SQLite at the last block: with what was there before, a restart finds its way back.
 */
export class PendingChanges {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  add({ ts, entryId, applied, changes }: PendingEntry, folded: bigint | null = null): void {
    const packed = concatBytes(...changes.flatMap(({ path, before, after }) => [bytesOf(path), packedHash(before), packedHash(after)]));
    const sql = 'INSERT INTO pending (ts, entry, applied, changes, folded) VALUES (?, ?, ?, ?, ?)';
    this.#store.run(sql, tsBlob(ts), blobOf(entryId), applied ? 1n : 0n, packed, folded);
  }

  /** Not yet in any checkpoint, up to a timestamp, in the order in which checkpoints take them: timestamp, then entry. */
  upTo(closeTs: Timestamp): PendingEntry[] {
    return this.#store.all<Row>('SELECT * FROM pending WHERE folded IS NULL AND ts <= ? ORDER BY ts, entry', tsBlob(closeTs)).map(entryFrom);
  }

  /** What the checkpoint at `height` took in, as applied; its own removals of expired nonces come last. */
  foldedAt(height: bigint): PendingEntry[] {
    return this.#store.all<Row>('SELECT * FROM pending WHERE folded = ? ORDER BY id', height).map(entryFrom);
  }

  markFolded(height: bigint, closeTs: Timestamp): void {
    this.#store.run('UPDATE pending SET folded = ? WHERE folded IS NULL AND ts <= ?', height, tsBlob(closeTs));
  }

  /** A forgotten checkpoint's share goes to the next one. */
  refold(from: bigint, to: bigint): void {
    this.#store.run('UPDATE pending SET folded = ? WHERE folded = ?', to, from);
  }

  /** What the certified checkpoint covers needs no way back. */
  drop(certified: bigint): void {
    this.#store.run('DELETE FROM pending WHERE folded <= ?', certified);
  }

  /** State of every touched key as of the newest certified checkpoint. */
  originals(): Map<Path, Hash32 | null> {
    const out = new Map<Path, Hash32 | null>();
    for (const row of this.#store.iterate<Row>('SELECT * FROM pending ORDER BY id')) {
      for (const { path, before } of entryFrom(row).changes) if (!out.has(path)) out.set(path, before);
    }
    return out;
  }
}

/** Changes of several entries as one step of the tree: the last one on a path counts. */
export function treeChanges(entries: readonly PendingEntry[]): LeafChange[] {
  return entries.flatMap(({ changes }) => changes.map(({ path, after }) => ({ path, rowHash: after })));
}

function packedHash(hash: Hash32 | null): Uint8Array {
  return hash === null ? ABSENT : bytesOf(hash);
}

function unpackedHash(bytes: Uint8Array): Hash32 | null {
  return bytes.every((byte) => byte === 0) ? null : hashFrom(bytes);
}

function entryFrom({ ts, entry, applied, changes }: Row): PendingEntry {
  invariant(changes.length % WIDTH === 0, 'ledger-pending-width');
  const unpacked: Changed[] = [];
  for (let at = 0; at < changes.length; at += WIDTH) {
    unpacked.push({
      path: hashFrom(changes.subarray(at, at + 32)), before: unpackedHash(changes.subarray(at + 32, at + 64)),
      after: unpackedHash(changes.subarray(at + 64, at + 96)),
    });
  }
  return { ts: tsFrom(ts), entryId: hashFrom(entry), applied: applied === 1n, changes: unpacked };
}
