import type { Scalar } from '../../../protocol/codec/index.ts';
import { invariant } from '../../../protocol/errors/index.ts';
import {
  changedSchema, changesOf, indexKeyOf, keyRef, nonceRef, nonceUntil, pathOf, pathRange, SCHEMA_TABLE,
  type Before, type Change, type EntryRef, type KeyRef, type SignedTransaction,
} from '../../../protocol/rows/index.ts';
import { keyOf, schemaEffects, type Index, type Schema, type Table } from '../../../protocol/schema/index.ts';
import { ZERO_HASH, type DatabaseId, type EntryId, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import type { AppliedEntry } from '../../ports/index.ts';
import { tsBlob } from '../file/bytes.ts';
import type { Changed, PendingChanges } from './changes.ts';
import { mutationHashes, type Entries } from './entries.ts';
import type { LeafRecord, Leaves } from './leaves.ts';
import type { Nonces, Recent } from './nonces.ts';
import type { RowStore } from './row-store.ts';
import { GROUP_LEVEL, type Space, type Spaces } from './spaces.ts';
import type { Store } from './store.ts';

export interface ApplyParts {
  readonly store: Store;
  readonly spaces: Spaces;
  readonly rows: RowStore;
  readonly leaves: Leaves;
  readonly entries: Entries;
  readonly nonces: Nonces;
  readonly recent: Recent;
  readonly pending: PendingChanges;
}

interface LeafParts extends KeyRef {
  readonly content: readonly Scalar[];
}

/** It leaves the state with the first checkpoint past `until`. */
interface Expiring extends LeafParts {
  readonly until: Timestamp;
}

/** How the intents of a part end. */
export interface Resolution {
  readonly commits: boolean;
  readonly preparedAt: Timestamp;
  readonly mark: Expiring;
}

/** One entry being executed: who writes, and what has changed so far. */
interface Run {
  readonly tx: SignedTransaction;
  readonly database: DatabaseId;
  readonly by: EntryRef;
  readonly entry: bigint;
  readonly changes: Changed[];
}

/** Effects of a committed entry on what is stored (consensus §2.9). Consensus has decided the outcome; this computes nothing anew. */
export class Applier {
  readonly #parts: ApplyParts;

  constructor(parts: ApplyParts) {
    this.#parts = parts;
  }

  /** Inside the block's transaction. */
  apply(applied: AppliedEntry, tx: SignedTransaction, planned?: readonly Change[]): void {
    const by = { entryId: applied.entryId, ts: applied.ts };
    const isApplied = applied.outcome === 'applied';
    const run = this.#begin(by, tx, isApplied);
    if (isApplied) this.#execute(run, planned);
    this.#consumeNonce(run);
    if (isApplied) this.#remember(run);
    this.#parts.pending.add({ ...by, applied: isApplied, changes: run.changes });
  }

  /** X-PREPARE: the part's nonce is used up, whatever comes of the part. */
  prepare(by: EntryRef, tx: SignedTransaction, outcome: AppliedEntry['outcome']): void {
    const run = this.#begin(by, tx, outcome === 'applied'); // as the part's commit, if that comes at the same timestamp
    this.#consumeNonce(run);
    if (outcome === 'applied') for (const { path, mode } of tx.body.items) if (mode === 'R') this.#parts.recent.read(path, by.ts);
    this.#parts.pending.add({ ...by, applied: false, changes: run.changes });
  }

  /** X-RESOLVE: the part at the decided timestamp, or nothing of it; in both cases its mark stays. */
  resolve(by: EntryRef, tx: SignedTransaction, { mark, preparedAt, commits }: Resolution): void {
    const run = this.#begin(by, tx, commits);
    if (commits) this.#execute(run);
    this.#put(run, mark, mark.content, null, undefined);
    this.#parts.nonces.add(mark.path, by.ts, mark.until);
    this.#remember(run, { preparedAt, commits, mark: mark.path });
    this.#parts.pending.add({ ...by, applied: commits, changes: run.changes });
  }

  /** X-ONCE: a leaf that nobody signed. */
  decide(by: EntryRef, { path, table, key, content, until }: Expiring): void {
    const { spaces, entries, leaves, nonces, pending } = this.#parts;
    const space = spaces.of(GROUP_LEVEL, { table, index: '' });
    const entry = entries.add({ ...by, vouch: null, mutations: new Uint8Array(0) });
    const before = leaves.current(path); // one may stand there only when it has expired
    const after = leaves.put({ path, space, key, content, entry, by, mutation: null }, before);
    nonces.add(path, by.ts, until);
    pending.add({ ...by, applied: false, changes: [{ path, before: before?.hash ?? null, after }] });
  }

  #begin(by: EntryRef, tx: SignedTransaction, writes: boolean): Run {
    const { header, signature } = tx;
    const mutations = writes ? mutationHashes(tx) : new Uint8Array(0);
    const entry = this.#parts.entries.add({ ...by, vouch: { header, signature }, mutations });
    return { tx, database: header.database, by, entry, changes: [] };
  }

  /** @param planned its changes, as they were found when it was checked; an applied entry builds on just those versions */
  #execute(run: Run, planned?: readonly Change[]): void {
    const { tx, database } = run;
    const before = this.#parts.spaces.schema(database);
    const seen = new Map<Path, LeafRecord | undefined>();
    const changes = planned ?? changesOf(before, tx, this.#before(seen));
    const places = new Map(tx.body.mutations.map(({ table, key }, i) => [pathOf(database, table, '', key), BigInt(i)]));
    const schema = changedSchema(tx.body.mutations);
    if (schema !== undefined) this.#leaveSchema(run, before, schema);
    for (const change of changes) this.#change(run, change, places.get(change.ref.path) ?? null, seen);
    if (schema !== undefined) this.#enterSchema(run, before, schema);
  }

  /** Current state; every key is looked up once per entry. */
  #before(seen: Map<Path, LeafRecord | undefined>): Before {
    const { leaves, entries } = this.#parts;
    return {
      versionOf: ({ path }) => {
        const leaf = this.#current(path, seen);
        return leaf === undefined ? (ZERO_HASH as EntryId) : entries.ref(leaf.entry).entryId;
      },
      contentOf: ({ path }) => {
        const leaf = this.#current(path, seen);
        return leaf === undefined ? undefined : leaves.contentOf(leaf) ?? undefined;
      },
    };
  }

  #current(path: Path, seen: Map<Path, LeafRecord | undefined>): LeafRecord | undefined {
    if (!seen.has(path)) seen.set(path, this.#parts.leaves.current(path));
    return seen.get(path);
  }

  /** A path is written once per entry, so what was seen while planning still stands. */
  #change(run: Run, { ref, content }: Change, mutation: bigint | null, seen: Map<Path, LeafRecord | undefined>): void {
    const before = this.#current(ref.path, seen);
    if (before !== undefined) invariant(this.#parts.entries.ref(before.entry).ts < run.by.ts, 'ledger-versions-ascend', { path: ref.path });
    if (content !== null) this.#put(run, ref, content, mutation, before);
    else if (before !== undefined) this.#remove(run, before);
  }

  #put(run: Run, ref: KeyRef, content: Change['content'], mutation: bigint | null, before: LeafRecord | undefined): void {
    const { leaves, spaces } = this.#parts;
    const { entry, by, database } = run;
    const after = leaves.put({ path: ref.path, space: spaces.of(database, ref), key: ref.key, content, entry, by, mutation }, before);
    run.changes.push({ path: ref.path, before: before?.hash ?? null, after });
  }

  #remove(run: Run, leaf: LeafRecord): void {
    this.#parts.leaves.remove(leaf, run.by.ts);
    run.changes.push({ path: leaf.path, before: leaf.hash, after: null });
  }

  #consumeNonce(run: Run): void {
    const { leaves, nonces } = this.#parts;
    const { database, writer, nonce, notAfter } = run.tx.header;
    const ref = nonceRef(database, writer, nonce);
    this.#put(run, ref, null, null, leaves.current(ref.path)); // one may stand there only when it has expired
    nonces.add(ref.path, run.by.ts, nonceUntil(notAfter as EntryRef['ts']));
  }

  /** Timestamps that later entries of this window may not get below. */
  #remember({ tx, by, changes }: Run, after?: { readonly preparedAt: Timestamp; readonly commits: boolean; readonly mark: Path }): void {
    const { recent } = this.#parts;
    const removed = new Set<Path>(changes.filter((change) => change.after === null).map(({ path }) => path));
    const nonce = nonceRef(tx.header.database, tx.header.writer, tx.header.nonce).path;
    for (const { path, mode } of tx.body.items) {
      const back = after !== undefined && !after.commits && path !== nonce && path !== after.mark;
      if (mode === 'R') recent.read(path, by.ts);
      else if (back) recent.restored(path, after.preparedAt, by.ts);
      else recent.written(path, by.ts, removed.has(path));
    }
  }

  /** While tables still have their old shape: what is dropped leaves the state. */
  #leaveSchema(run: Run, before: Schema, after: Schema): void {
    const { store, spaces, rows } = this.#parts;
    const { droppedTables, droppedIndexes } = schemaEffects(before, after);
    for (const table of droppedTables) {
      for (const space of spaces.ofTable(run.database, table)) {
        this.#removeAll(run, space);
        store.run('UPDATE spaces SET dropped_ts = ? WHERE id = ?', tsBlob(run.by.ts), space.id);
      }
    }
    for (const { table, index } of droppedIndexes) {
      this.#removeAll(run, spaces.of(run.database, { table: table.name, index: index.name }));
      rows.dropIndex(this.#rowSpace(run, table).id, index);
    }
  }

  #removeAll(run: Run, space: Space): void {
    const { first, last } = pathRange(run.database, space.table, space.index);
    for (const leaf of this.#parts.leaves.inSpace(space, first, last)) this.#remove(run, leaf);
  }

  #enterSchema(run: Run, before: Schema, after: Schema): void {
    const { spaces, rows } = this.#parts;
    const row = run.tx.body.mutations.find(({ table }) => table === SCHEMA_TABLE);
    invariant(row?.kind === 'put', 'ledger-schema-mutation');
    spaces.setSchema(run.database, row.row, run.by.entryId, run.by.ts);
    const { createdTables, addedColumns, createdIndexes } = schemaEffects(before, after);
    for (const table of createdTables) this.createTable(run.database, table);
    for (const { table, column } of addedColumns) rows.addColumn(this.#rowSpace(run, table).id, table, column);
    for (const { table, index } of createdIndexes) this.#createIndex(run, table, index);
  }

  /** Also used when a snapshot is installed. */
  createTable(database: DatabaseId, table: Table): void {
    const { spaces, rows } = this.#parts;
    const { id } = spaces.of(database, { table: table.name, index: '' });
    rows.create(id, table);
    for (const index of table.indexes) rows.createIndex(id, index);
  }

  /** Rows that stand there get their leaf from the entry that made the index. */
  #createIndex(run: Run, table: Table, index: Index): void {
    const { rows } = this.#parts;
    const { id } = this.#rowSpace(run, table);
    rows.createIndex(id, index);
    for (const row of rows.all(id, table)) {
      const ref = keyRef(run.database, table.name, index.name, indexKeyOf(table, index, row).key);
      this.#put(run, ref, keyOf(table, row), null, undefined);
    }
  }

  #rowSpace(run: Run, table: Table): Space {
    return this.#parts.spaces.of(run.database, { table: table.name, index: '' });
  }
}
