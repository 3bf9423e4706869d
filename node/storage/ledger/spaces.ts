import { LRUCache } from 'lru-cache';
import { decode, encode } from '../../../protocol/codec/index.ts';
import { DECISION_TABLE, MARK_TABLE } from '../../../protocol/cross-group/index.ts';
import { DATABASE_TABLE, NONCE_TABLE, rowC, SCHEMA_TABLE, type KeyRef } from '../../../protocol/rows/index.ts';
import { emptySchema, findTable, schemaFromRow, type Row, type Schema, type Table } from '../../../protocol/schema/index.ts';
import { invariant } from '../../../protocol/errors/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { ZERO_HASH, type DatabaseId, type EntryId, type Timestamp } from '../../../protocol/types/index.ts';
import { blobOf, hashFrom, tsBlob } from '../file/bytes.ts';
import type { Store } from './store.ts';

/** One kind of leaf: a table's rows, an index of it, the counters of a reference, or a reserved table. */
export interface Space {
  readonly id: bigint;
  readonly databaseKey: bigint;
  readonly database: DatabaseId;
  readonly table: string;
  readonly index: string;
  readonly since: bigint;
}

export const reservedTables: ReadonlySet<string> = new Set([SCHEMA_TABLE, DATABASE_TABLE, NONCE_TABLE, MARK_TABLE, DECISION_TABLE]);
/** Their leaves leave the state when nothing can depend on them any more (consensus §2.11). */
export const expiringTables: ReadonlySet<string> = new Set([NONCE_TABLE, MARK_TABLE, DECISION_TABLE]);
/** Where leaves stand that belong to the group and to none of its databases. */
export const GROUP_LEVEL: DatabaseId = ZERO_HASH;

/** True when the leaf's content stands in a table of its own. */
export function holdsRows({ table, index }: Pick<Space, 'table' | 'index'>): boolean {
  return index === '' && !reservedTables.has(table);
}

/** Names to numbers: databases, schemas in all their versions, spaces. Cached; the cache dies with a failed transaction. */
export class Spaces {
  readonly #store: Store;
  readonly #databases = new Map<DatabaseId, bigint>();
  readonly #schemas = new Map<bigint, Schema>();
  readonly #schemasBy = new LRUCache<string, Schema>({ max: limits.schemasCached });
  readonly #byName = new Map<string, Space>();
  readonly #byId = new Map<bigint, Space>();
  readonly #definitions = new Map<bigint, Table>();

  constructor(store: Store) {
    this.#store = store;
  }

  forget(): void {
    for (const cache of [this.#databases, this.#schemas, this.#schemasBy, this.#byName, this.#byId, this.#definitions]) cache.clear();
  }

  databaseKey(database: DatabaseId): bigint | undefined {
    let key = this.#databases.get(database);
    if (key === undefined) {
      key = this.#store.get<{ id: bigint }>('SELECT id FROM databases WHERE database = ?', blobOf(database))?.id;
      if (key !== undefined) this.#databases.set(database, key);
    }
    return key;
  }

  addDatabase(database: DatabaseId): bigint {
    const known = this.databaseKey(database);
    if (known !== undefined) return known;
    const added = BigInt(this.#store.run('INSERT INTO databases (database) VALUES (?)', blobOf(database)).lastInsertRowid);
    this.#databases.set(database, added);
    return added;
  }

  databases(): DatabaseId[] {
    const sql = 'SELECT database FROM databases WHERE database <> ? ORDER BY id';
    return this.#store.all<{ database: Buffer }>(sql, blobOf(GROUP_LEVEL)).map((row) => hashFrom(row.database));
  }

  /** Newest schema. */
  schema(database: DatabaseId): Schema {
    const key = this.databaseKey(database);
    if (key === undefined) return emptySchema;
    let schema = this.#schemas.get(key);
    if (schema === undefined) {
      schema = this.#schemaFrom('SELECT row FROM schemas WHERE database = ? ORDER BY ts DESC LIMIT 1', key) ?? emptySchema;
      this.#schemas.set(key, schema);
    }
    return schema;
  }

  /** The schema that an entry wrote. */
  schemaBy(database: DatabaseId, version: EntryId): Schema | undefined {
    const key = this.databaseKey(database);
    if (key === undefined) return undefined;
    const name = `${key}/${version}`;
    const known = this.#schemasBy.get(name);
    if (known !== undefined) return known;
    const schema = this.#schemaFrom('SELECT row FROM schemas WHERE database = ? AND entry = ?', key, blobOf(version));
    if (schema !== undefined) this.#schemasBy.set(name, schema);
    return schema;
  }

  setSchema(database: DatabaseId, row: Row, version: EntryId, ts: Timestamp): Schema {
    const schema = schemaFromRow(row);
    const key = this.addDatabase(database);
    this.#store.run('INSERT OR REPLACE INTO schemas VALUES (?, ?, ?, ?, ?)', key, tsBlob(ts), schema.version, blobOf(version), encode(rowC, row));
    this.#schemas.set(key, schema);
    this.#definitions.clear();
    return schema;
  }

  /** The table that a space of rows holds, as its newest schema describes it; dropped ones included. */
  definition(space: Space): Table {
    const known = this.#definitions.get(space.id);
    if (known !== undefined) return known;
    const rows = this.#store.all<{ row: Buffer }>('SELECT row FROM schemas WHERE database = ? ORDER BY ts DESC', space.databaseKey);
    for (const { row } of rows) {
      const table = findTable(schemaFromRow(decode(rowC, row)), space.table);
      if (table === undefined || BigInt(table.since) !== space.since) continue;
      this.#definitions.set(space.id, table);
      return table;
    }
    invariant(false, 'ledger-table-was-defined', { table: space.table, since: space.since });
  }

  /** Space of a key, made when it is met for the first time. */
  of(database: DatabaseId, { table, index }: Pick<KeyRef, 'table' | 'index'>): Space {
    const since = reservedTables.has(table) ? 0n : BigInt(this.table(database, table).since);
    const name = `${database}/${since}/${table}/${index}`;
    let space = this.#byName.get(name);
    if (space === undefined) {
      space = this.#find(this.addDatabase(database), table, index, since) ?? this.#add(database, table, index, since);
      this.#byName.set(name, space);
    }
    return space;
  }

  byId(id: bigint): Space {
    let space = this.#byId.get(id);
    if (space === undefined) {
      const row = this.#store.get<SpaceRow>(`${SELECT} WHERE spaces.id = ?`, id);
      invariant(row !== undefined, 'ledger-space-exists', { id });
      space = spaceFrom(row);
      this.#byId.set(id, space);
    }
    return space;
  }

  /** Spaces of one table: its rows first, then everything under it. */
  ofTable(database: DatabaseId, { name, since }: Pick<Table, 'name' | 'since'>): Space[] {
    const key = this.addDatabase(database);
    const sql = `${SELECT} WHERE spaces.database = ? AND name = ? AND since = ? ORDER BY index_name`;
    return this.#store.all<SpaceRow>(sql, key, name, since).map(spaceFrom);
  }

  table(database: DatabaseId, name: string): Table {
    const table = findTable(this.schema(database), name);
    invariant(table !== undefined, 'ledger-table-exists', { database, name });
    return table;
  }

  #find(databaseKey: bigint, table: string, index: string, since: bigint): Space | undefined {
    const row = this.#store.get<SpaceRow>(
      `${SELECT} WHERE spaces.database = ? AND name = ? AND index_name = ? AND since = ?`, databaseKey, table, index, since,
    );
    return row === undefined ? undefined : spaceFrom(row);
  }

  #add(database: DatabaseId, table: string, index: string, since: bigint): Space {
    const databaseKey = this.addDatabase(database);
    const sql = 'INSERT INTO spaces (database, name, index_name, since) VALUES (?, ?, ?, ?)';
    const added = this.#store.run(sql, databaseKey, table, index, since);
    return { id: BigInt(added.lastInsertRowid), databaseKey, database, table, index, since };
  }

  #schemaFrom(sql: string, ...values: (bigint | Buffer)[]): Schema | undefined {
    const found = this.#store.get<{ row: Buffer }>(sql, ...values);
    return found === undefined ? undefined : schemaFromRow(decode(rowC, found.row));
  }
}

const SELECT = `SELECT spaces.id, spaces.database AS key, databases.database, name, index_name, since
  FROM spaces JOIN databases ON databases.id = spaces.database`;

interface SpaceRow {
  id: bigint; key: bigint; database: Buffer; name: string; index_name: string; since: bigint;
}

function spaceFrom(row: SpaceRow): Space {
  return { id: row.id, databaseKey: row.key, database: hashFrom(row.database), table: row.name, index: row.index_name, since: row.since };
}
