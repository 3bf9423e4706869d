import type { Scalar } from '../../protocol/codec/index.ts';
import { expandRow, keyOf, quoted, sqliteDdl, trimRow, type Row, type Schema, type Table } from '../../protocol/schema/index.ts';
import type { Client } from '../client.ts';
import { sdkFaults } from '../errors.ts';
import type { LocalDatabase, LocalResult } from './local-sql.ts';

/** Rows before and after a statement ran on them, by key. */
export interface Difference {
  readonly result: LocalResult;
  /** Rows that are new or have other values. */
  readonly changed: readonly Row[];
  readonly removed: readonly (readonly Scalar[])[];
  /** Rows the statement touched, as SQLite counts them. */
  readonly touched: number;
}

/**
 * Runs one statement in a private in-memory SQLite that holds the schema and just these rows of one table, and tells what it
 * changed. Nobody else sees the statement; what leaves the client is signed rows (architecture §4 "A write").
 */
export function runLocally(
  client: Client, schema: Schema, table: Table, rows: readonly Row[], sql: string, params: readonly Scalar[],
): Difference {
  if (client.localSql === undefined) throw sdkFaults.noLocalSql();
  const database = client.localSql.open();
  try {
    for (const ddl of sqliteDdl(schema)) database.exec(ddl);
    fill(database, table, rows);
    const before = new Map(rows.map((row) => [nameOf(keyOf(table, row)), trimRow(table, row)]));
    const countBefore = totalChanges(database);
    const result = database.run(sql, params);
    const touched = totalChanges(database) - countBefore;
    return { result, touched, ...compare(table, before, allRows(database, table)) };
  } finally {
    database.close();
  }
}

function fill(database: LocalDatabase, table: Table, rows: readonly Row[]): void {
  const columns = table.columns.map(({ name }) => quoted(name)).join(', ');
  const sql = `INSERT INTO ${quoted(table.name)} (${columns}) VALUES (${table.columns.map(() => '?').join(', ')})`;
  database.exec('BEGIN');
  for (const row of rows) database.run(sql, expandRow(table, row));
  database.exec('COMMIT');
}

function allRows(database: LocalDatabase, table: Table): Row[] {
  const columns = table.columns.map(({ name }) => quoted(name)).join(', ');
  return database.run(`SELECT ${columns} FROM ${quoted(table.name)}`, []).rows.map((row) => trimRow(table, row));
}

function compare(table: Table, before: ReadonlyMap<string, Row>, after: readonly Row[]): Pick<Difference, 'changed' | 'removed'> {
  const left = new Map(before);
  const changed = after.filter((row) => {
    const name = nameOf(keyOf(table, row));
    const old = left.get(name);
    left.delete(name);
    return old === undefined || nameOf(old) !== nameOf(row);
  });
  return { changed, removed: [...left.values()].map((row) => keyOf(table, row)) };
}

function totalChanges(database: LocalDatabase): number {
  return Number(database.run('SELECT total_changes()', []).rows[0]?.[0] ?? 0);
}

/** Text that is equal for equal scalars only. */
export function nameOf(values: readonly Scalar[]): string {
  return JSON.stringify(values.map((value) => {
    if (typeof value === 'bigint') return ['i', value.toString()];
    if (value instanceof Uint8Array) return ['b', ...value];
    return typeof value === 'number' ? ['r', value] : value;
  }));
}
