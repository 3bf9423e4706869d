import Sqlite from 'better-sqlite3';
import { signStruct, type Domain, type Scalar } from '../../../protocol/codec/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import { createHlc, tick } from '../../../protocol/hlc/index.ts';
import { configHashOf, detailHashOf, rosterOf, type CertifiedCheckpoint, type Roster } from '../../../protocol/membership/index.ts';
import {
  changedSchema, changesOf, checkTransaction, createdDatabase, entryIdOf, leafChangesOf, rowProofOf, txIdOf, verifyTransaction,
  type Before, type DatabaseMetadata, type KeyRef, type SignedTransaction,
} from '../../../protocol/rows/index.ts';
import { emptySchema, expandRow, keyOf, quoted, schemaEffects, sqliteAddColumn, sqliteDdl, type Row, type Schema } from '../../../protocol/schema/index.ts';
import { createTree, type TreeRoot } from '../../../protocol/state-tree/index.ts';
import {
  bytesOf, ZERO_HASH, type Address, type ClusterId, type DatabaseId, type EntryId, type GroupId, type Hash32, type Hex, type Path, type Timestamp,
} from '../../../protocol/types/index.ts';
import { storedRowHash } from '../../../protocol/query/index.ts';
import { installNativeCrypto } from '../../../node/crypto/index.ts';
import { receiptFor } from './receipts.ts';

await installNativeCrypto(); // hundreds of signatures a test

export interface Leaf {
  readonly version: EntryId;
  readonly ts: Timestamp;
  readonly key: readonly Scalar[];
  readonly content: Row | null;
  readonly tx: SignedTransaction;
}

export interface Outcome {
  readonly outcome: 'applied' | 'aborted';
  readonly ts: Timestamp;
  readonly entryId: EntryId;
  readonly receipt: Hex;
}

interface Held {
  readonly metadata: DatabaseMetadata;
  schema: Schema;
  readonly sqlite: Sqlite.Database;
}

const hash = (byte: number): Hash32 => `0x${byte.toString(16).padStart(2, '0').repeat(32)}` as Hash32;

/**
 * One replica group in a process, built on the real rooms (rows, schema, state tree, SQLite) with agreement replaced by a single
 * thread: what four honest nodes would hold. Nodes in front of it (`nodes.ts`) can lie.
 */
export class World {
  readonly domain: Domain = { chainId: 31337n, verifyingContract: '0x00000000000000000000000000000000000000aa' as Address };
  readonly group = hash(7) as GroupId;
  readonly cluster = hash(8) as ClusterId;
  readonly keys: readonly Uint8Array[];
  readonly roster: Roster;
  readonly leaves = new Map<Path, Leaf>();
  readonly databases = new Map<DatabaseId, Held>();
  readonly tree = createTree();
  root: TreeRoot;
  height = 1n;
  /** Roots of the heights below. */
  readonly past: { readonly height: bigint; readonly stateRoot: Hash32 }[] = [];
  closeTs = 0n as Timestamp;
  submitted = 0;
  aborts = 0;
  private readonly outcomes = new Map<Hash32, Outcome>();
  private readonly clock = createHlc(0);
  private readonly written = new Map<string, Row>();
  private readonly schemas = new Map<EntryId, Schema>();

  constructor(size = 4) {
    const keys = Array.from({ length: size }, (_, i) => bytesOf(hash(i + 1))).toSorted((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1));
    this.keys = keys;
    this.roster = rosterOf(this.group, 1n, keys.map(addressOf));
    this.root = this.tree.build([]);
  }

  /** Executes like a replica: aborts when a key of the footprint moved on. */
  submit(tx: SignedTransaction): Outcome {
    const known = this.outcomes.get(txIdOf(this.domain, tx.header));
    if (known !== undefined) return known;
    this.submitted += 1;
    const verdict = verifyTransaction(this.domain, tx);
    if (verdict !== 'valid') throw verdict.fault;
    const ts = tick(this.clock, Date.now());
    const txId = txIdOf(this.domain, tx.header);
    const entryId = entryIdOf(txId, ts, tx.header.footprintRoot);
    const before = this.root.hash;
    const moved = tx.body.items.some(({ path, version }) => (this.leaves.get(path)?.version ?? ZERO_HASH) !== version);
    if (moved) this.aborts += 1;
    else this.apply(tx, entryId, ts);
    this.past.push({ height: this.height, stateRoot: before });
    this.closeTs = ts;
    this.height += 1n;
    const decided = { txId, entryId, ts, footprintRoot: tx.header.footprintRoot, outcome: moved ? 'aborted' : 'applied' } as const;
    const outcome: Outcome = { outcome: decided.outcome, ts, entryId, receipt: receiptFor(this, decided) };
    this.outcomes.set(txId, outcome);
    return outcome;
  }

  certified(): CertifiedCheckpoint {
    const detail = {
      closeTs: this.closeTs, rowCount: this.tree.count(this.root), capsuleHead: ZERO_HASH, previous: ZERO_HASH, configHash: configHashOf(this.roster),
    };
    const checkpoint = { group: this.group, epoch: 1n, height: this.height, stateRoot: this.root.hash, detail: detailHashOf(detail) };
    const signatures = this.keys.slice(0, 3).map((key, replica) => ({ replica, signature: signStruct(this.domain, 'Checkpoint', checkpoint, key) }));
    return { checkpoint, detail, signatures };
  }

  query(database: DatabaseId, sql: string, params: readonly Scalar[]): { columns: string[]; rows: Scalar[][] } {
    const { sqlite } = this.databases.get(database) as Held;
    const statement = sqlite.prepare(sql);
    const rows = statement.raw(true).all(...params.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value))) as Scalar[][];
    return { columns: statement.columns().map(({ name }) => name), rows: rows.map((row) => row.map((v) => (v instanceof Uint8Array ? new Uint8Array(v) : v))) };
  }

  private apply(tx: SignedTransaction, entryId: EntryId, ts: Timestamp): void {
    const { database } = tx.header;
    const created = createdDatabase(tx.body.mutations);
    const held = this.databases.get(database as DatabaseId);
    const schema = held?.schema ?? emptySchema;
    const verdict = checkTransaction(tx, {
      metadata: () => held?.metadata,
      schemaAt: (version) => this.schemas.get(version),
      contentAt: (ref, version) => this.written.get(`${ref.path}/${version}`),
    });
    if (verdict === 'unresolved') throw new Error('unresolved in a world where everything is here');
    if (verdict !== 'valid') throw verdict.fault;
    const before = this.before();
    const changes = changesOf(schema, tx, before);
    const leafChanges = leafChangesOf(schema, tx, before, { entryId, ts });
    for (const { path, rowHash } of leafChanges) if (rowHash === null) this.leaves.delete(path);
    for (const { ref, content } of changes) this.keep(ref, content, tx, entryId, ts);
    const nonce = leafChanges.at(-1) as { path: Path };
    this.leaves.set(nonce.path, { version: entryId, ts, key: [bytesOf(tx.header.writer), tx.header.nonce], content: null, tx });
    const next = this.tree.apply(this.root, leafChanges);
    this.tree.release(this.root);
    this.root = next;
    this.mirror(tx, created, schema, entryId);
  }

  private keep(ref: KeyRef, content: Row | null, tx: SignedTransaction, entryId: EntryId, ts: Timestamp): void {
    if (content === null) return;
    this.leaves.set(ref.path, { version: entryId, ts, key: ref.key, content, tx });
    this.written.set(`${ref.path}/${entryId}`, content);
  }

  private before(): Before {
    return { versionOf: ({ path }) => this.leaves.get(path)?.version ?? ZERO_HASH as EntryId, contentOf: ({ path }) => this.leaves.get(path)?.content ?? undefined };
  }

  private mirror(tx: SignedTransaction, created: DatabaseMetadata | undefined, schema: Schema, entryId: EntryId): void {
    const database = tx.header.database as DatabaseId;
    if (created !== undefined) {
      const sqlite = new Sqlite(':memory:');
      sqlite.defaultSafeIntegers(true);
      this.databases.set(database, { metadata: created, schema: emptySchema, sqlite });
    }
    const held = this.databases.get(database) as Held;
    const next = changedSchema(tx.body.mutations);
    if (next !== undefined) {
      const effects = schemaEffects(schema, next);
      for (const { name } of effects.droppedTables) held.sqlite.exec(`DROP TABLE ${quoted(name)}`);
      for (const table of effects.createdTables) held.sqlite.exec(sqliteDdl({ version: 1, tables: [table] }).join(';'));
      for (const { table, column } of effects.addedColumns) held.sqlite.exec(sqliteAddColumn(table, column));
      held.schema = next;
      this.schemas.set(entryId, next);
      return;
    }
    const tables = tx.body.mutations.flatMap(({ table }) => held.schema.tables.find(({ name }) => name === table) ?? []);
    const at = (row: Row, i: number): Scalar => { const value = row[i] as Scalar; return value instanceof Uint8Array ? Buffer.from(value) : value; };
    tx.body.mutations.forEach((mutation, i) => {
      const table = tables[i];
      if (table === undefined) return;
      const where = table.primaryKey.map((p) => `${quoted(table.columns[p]?.name ?? '')} IS ?`).join(' AND ');
      held.sqlite.prepare(`DELETE FROM ${quoted(table.name)} WHERE ${where}`).run(...mutation.key.map((_, k) => at(mutation.key, k)));
    });
    tx.body.mutations.forEach((mutation, i) => {
      const table = tables[i];
      if (table === undefined || mutation.kind !== 'put') return;
      const row = expandRow(table, mutation.row);
      held.sqlite.prepare(`INSERT INTO ${quoted(table.name)} VALUES (${row.map(() => '?').join(',')})`).run(...row.map((_, k) => at(row, k)));
      if (keyOf(table, row).length === 0) throw new Error('a table without key');
    });
  }
}

export function provenanceOf(leaf: Leaf, path: Path): ReturnType<typeof rowProofOf> {
  return rowProofOf(leaf.tx, leaf.ts, path);
}

/** All replicas agree to change one row behind its writer's back: the tree, the certificate and the SQL stay consistent. */
export function collude(world: World, path: Path, content: Row): void {
  const leaf = world.leaves.get(path) as Leaf;
  const altered = { ...leaf, content };
  world.leaves.set(path, altered);
  const rowHash = storedRowHash({ version: leaf.version, writtenAt: leaf.ts, key: leaf.key, values: content });
  world.root = world.tree.apply(world.root, [{ path, rowHash }]);
  world.height += 1n;
}
