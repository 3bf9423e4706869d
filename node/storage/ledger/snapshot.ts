import type { Domain } from '../../../protocol/codec/index.ts';
import { DATABASE_TABLE, SCHEMA_TABLE } from '../../../protocol/rows/index.ts';
import { decisionPathOf } from '../../../protocol/cross-group/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import type { EntryId, Hash32, Height, Path, Timestamp } from '../../../protocol/types/index.ts';
import type { ChainPosition, SnapshotChunk, StateCommitment } from '../../ports/index.ts';
import { blobOf, hashFrom } from '../file/bytes.ts';
import type { Applier } from './apply.ts';
import type { Checkpoints } from './checkpoints.ts';
import {
  databaseOf, decodeChunk, encodeChunk, entryIdFrom, expiryOf, FIRST_PATH, LAST_PATH, pathAfter, verifyChunk, type Chunk, type ChunkEntry, type ChunkLeaf,
} from './chunk.ts';
import type { Entries } from './entries.ts';
import { ledgerFaults } from './faults.ts';
import type { LeafRecord, Leaves } from './leaves.ts';
import type { Nonces } from './nonces.ts';
import type { Reads } from './reads.ts';
import type { RowStore } from './row-store.ts';
import type { Spaces } from './spaces.ts';
import type { Store } from './store.ts';

export interface SnapshotParts {
  readonly domain: Domain;
  readonly store: Store;
  readonly spaces: Spaces;
  readonly rows: RowStore;
  readonly leaves: Leaves;
  readonly entries: Entries;
  readonly nonces: Nonces;
  readonly checkpoints: Checkpoints;
  readonly reads: Reads;
  readonly applier: Applier;
}

interface StagedRow {
  from_path: Buffer; next: Buffer | null; bytes: Buffer;
}

const ENTRY_OVERHEAD = 600;
const LEAF_OVERHEAD = 120;

/** A certified state leaving and entering a ledger in verified pieces (consensus §2.12). */
export class Snapshots {
  readonly #parts: SnapshotParts;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  /** @throws LEDGER_UNKNOWN_CHECKPOINT, LEDGER_CORRUPT */
  exportChunk(height: Height, from: Path | null, maxBytes: number): SnapshotChunk {
    const { checkpoints, leaves } = this.#parts;
    const root = checkpoints.root(height);
    checkpoints.lease(height);
    const { closeTs } = checkpoints.get(height);
    const draft = new Draft(this.#parts);
    const start = from ?? FIRST_PATH;
    for (const { path, rowHash } of checkpoints.tree.leaves(root, start)) {
      const leaf = leaves.asOf(path, closeTs);
      if (leaf === undefined) throw ledgerFaults.corrupt({ height, path });
      if (!draft.add(leaf, rowHash, maxBytes)) break;
    }
    const { proof } = checkpoints.tree.proveRange(root, start, LAST_PATH, Math.max(1, draft.leaves.length));
    const last = draft.leaves.at(-1);
    const next = last === undefined || proof.after === null && proof.right.length === 0 ? null : pathAfter(last.path as Path);
    return { bytes: encodeChunk({ entries: draft.entries, leaves: draft.leaves, proof }), next };
  }

  /** Verifies and keeps a chunk; chunks survive a restart. @throws LEDGER_BAD_CHUNK */
  importChunk(height: Height, stateRoot: Hash32, from: Path | null, chunk: SnapshotChunk): void {
    const { domain, store } = this.#parts;
    verifyChunk(domain, stateRoot, from, chunk);
    store.atomically(() => {
      store.run('DELETE FROM staged WHERE height <> ?', height); // an older snapshot is not wanted any more
      const next = chunk.next === null ? null : blobOf(chunk.next);
      store.run('INSERT OR REPLACE INTO staged VALUES (?, ?, ?, ?)', height, blobOf(from ?? FIRST_PATH), next, chunk.bytes);
    });
  }

  /** Where to go on with a snapshot: the first path that is not staged; null when it is complete. */
  stagedUpTo(height: Height): Path | null {
    let at: Path = FIRST_PATH;
    for (;;) {
      const row = this.#stagedAt(height, at);
      if (row === undefined) return at;
      if (row.next === null) return null;
      at = hashFrom(row.next);
    }
  }

  /** Inside a transaction, so that a crash leaves the old state or the new one. @throws LEDGER_INCOMPLETE, LEDGER_BAD_CHUNK */
  install(position: ChainPosition, commitment: StateCommitment, certificate: Uint8Array): void {
    const { store, entries, checkpoints } = this.#parts;
    const missing = this.stagedUpTo(position.height);
    if (missing !== null) throw ledgerFaults.incomplete({ height: position.height, from: missing });
    this.#clear();
    store.exec('CREATE INDEX entries_by_id ON entries (entry)'); // only while several chunks may name one entry
    for (const reserved of [true, false]) for (const chunk of this.#staged(position.height)) this.#insert(chunk, reserved);
    store.exec('DROP INDEX entries_by_id');
    entries.settle();
    checkpoints.adopt({ ...commitment, height: position.height, closeTs: position.closeTs }, certificate);
    store.run('DELETE FROM staged');
    this.#dropProofs();
    checkpoints.reload(); // compares the root of what was inserted with the certified one
  }

  #stagedAt(height: Height, from: Path): StagedRow | undefined {
    return this.#parts.store.get<StagedRow>('SELECT * FROM staged WHERE height = ? AND from_path = ?', height, blobOf(from));
  }

  *#staged(height: Height): Generator<Chunk> {
    let at: Path | null = FIRST_PATH;
    while (at !== null) {
      const row = this.#stagedAt(height, at);
      if (row === undefined) throw ledgerFaults.incomplete({ height, from: at });
      yield decodeChunk(row.bytes);
      at = row.next === null ? null : hashFrom(row.next);
    }
  }

  /** Of decisions whose leaves expired while this replica was away. */
  #dropProofs(): void {
    const { store, leaves } = this.#parts;
    for (const { plan } of store.all<{ plan: Buffer }>('SELECT plan FROM decisions')) {
      if (leaves.current(decisionPathOf(hashFrom(plan))) === undefined) store.run('DELETE FROM decisions WHERE plan = ?', plan);
    }
  }

  #clear(): void {
    const { store, rows, spaces, entries, leaves } = this.#parts;
    for (const { id } of store.all<{ id: bigint }>('SELECT id FROM spaces')) rows.drop(id);
    for (const table of ['databases', 'schemas', 'spaces', 'entries', 'leaves', 'old_leaves', 'nonces', 'recent', 'intents', 'holds', 'pending', 'blocks']) {
      store.run(`DELETE FROM ${table}`);
    }
    for (const cache of [spaces, entries, leaves]) cache.forget();
  }

  /** Reserved leaves first: rows need their tables. */
  #insert(chunk: Chunk, reserved: boolean): void {
    const known = new Map<number, { readonly id: bigint; readonly by: { readonly entryId: EntryId; readonly ts: Timestamp } }>();
    for (const leaf of chunk.leaves) {
      if ((leaf.table === SCHEMA_TABLE || leaf.table === DATABASE_TABLE) !== reserved) continue;
      const entry = chunk.entries[leaf.entry] as ChunkEntry;
      let writer = known.get(leaf.entry);
      if (writer === undefined) {
        const by = { entryId: entryIdFrom(this.#parts.domain, entry, leaf), ts: entry.ts };
        known.set(leaf.entry, (writer = { id: this.#entryId(entry, by.entryId), by }));
      }
      this.#insertLeaf(leaf, entry, writer.id, writer.by);
    }
  }

  /** Several chunks may name one entry. */
  #entryId(entry: ChunkEntry, entryId: EntryId): bigint {
    const { store, entries } = this.#parts;
    const found = store.get<{ id: bigint }>('SELECT id FROM entries WHERE entry = ?', blobOf(entryId));
    return found?.id ?? entries.add({ ...entry, entryId });
  }

  #insertLeaf(leaf: ChunkLeaf, writer: ChunkEntry, entry: bigint, by: { entryId: EntryId; ts: Timestamp }): void {
    const { spaces, leaves, nonces, applier } = this.#parts;
    const database = databaseOf(writer);
    const path = leaf.path as Path;
    if (leaf.table === SCHEMA_TABLE && leaf.content !== null) {
      const schema = spaces.setSchema(database, leaf.content, by.entryId, by.ts);
      for (const table of schema.tables) applier.createTable(database, table);
    }
    const space = spaces.of(database, leaf);
    const mutation = leaf.mutation === null ? null : BigInt(leaf.mutation);
    leaves.put({ path, space, key: leaf.key, content: leaf.content, entry, by, mutation }, undefined);
    const expiry = expiryOf(writer, leaf);
    if (expiry !== undefined) nonces.add(path, by.ts, expiry);
  }
}

/** A chunk being filled up to a number of bytes. */
class Draft {
  readonly entries: ChunkEntry[] = [];
  readonly leaves: ChunkLeaf[] = [];
  readonly #places = new Map<bigint, number>();
  readonly #parts: SnapshotParts;
  #bytes = 0;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  /** False when the chunk is full. At least one leaf always fits. */
  add(leaf: LeafRecord, rowHash: Hash32, maxBytes: number): boolean {
    const stored = this.#parts.reads.storedKey(leaf);
    if (stored === undefined || stored.rowHash !== rowHash) throw ledgerFaults.corrupt({ path: leaf.path });
    const known = this.#places.get(leaf.entry);
    const entry = known === undefined ? this.#parts.entries.get(leaf.entry) : undefined;
    const entryBytes = entry === undefined ? 0 : ENTRY_OVERHEAD + entry.mutations.length;
    this.#bytes += LEAF_OVERHEAD + sizeOf(stored.key) + sizeOf(stored.values ?? []) + entryBytes;
    if (this.leaves.length === limits.rangeRows || (this.leaves.length > 0 && this.#bytes > maxBytes)) return false;
    const place = known ?? this.entries.length;
    if (entry !== undefined) {
      this.entries.push({ vouch: entry.vouch, ts: entry.ts, mutations: new Uint8Array(entry.mutations) });
      this.#places.set(leaf.entry, place);
    }
    const { path, table, index, key, values } = stored;
    this.leaves.push({ path, entry: place, table, index, key, content: values, mutation: leaf.mutation === null ? null : Number(leaf.mutation) });
    return true;
  }
}

function sizeOf(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => {
    if (typeof value === 'string') return sum + 3 * value.length;
    return sum + (value instanceof Uint8Array ? value.length : 9);
  }, 0);
}
