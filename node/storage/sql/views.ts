import Database from 'better-sqlite3';
import { quoted, type Schema, type Table } from '../../../protocol/schema/index.ts';
import type { Timestamp } from '../../../protocol/types/index.ts';
import { tsBlob } from '../file/bytes.ts';
import { columnNames } from '../file/layout.ts';
import { installClockFunctions } from './clock-functions.ts';

/**
 * `current`: nothing newer than the snapshot was applied, so the tables are the state, indexes and all.
 * `past`: current rows that are old enough, and superseded rows that were current then.
 */
export type ViewForm = 'current' | 'past';

/** A read-only connection on which the tables of one database, at one schema version, have their own names. */
export interface Window {
  readonly connection: Database.Database;
  setSnapshot(ts: Timestamp): void;
}

/**
 * Temporary views stand in front of everything else an unqualified name could mean, also inside CTEs and
 * subqueries; the first gate refuses qualified names. After them the connection can write nothing.
 */
export function openWindow(path: string, schema: Schema, tableIds: ReadonlyMap<string, number>, form: ViewForm): Window {
  const connection = new Database(path, { readonly: true, fileMustExist: true });
  let snapshot: Uint8Array = Buffer.alloc(12);
  connection.function('picolo_as_of', { deterministic: true }, () => snapshot);
  installClockFunctions(connection);
  connection.pragma('temp_store = MEMORY');
  connection.pragma('trusted_schema = OFF');
  for (const table of schema.tables) connection.exec(viewSql(table, tableIds.get(tableKey(table)) as number, form));
  connection.pragma('query_only = ON');
  return { connection, setSnapshot: (ts) => void (snapshot = tsBlob(ts)) };
}

export function tableKey({ name, since }: Pick<Table, 'name' | 'since'>): string {
  return `${since}/${name}`;
}

function viewSql(table: Table, id: number, form: ViewForm): string {
  const columns = columnNames(table.columns.length).map((column, i) => `${column} AS ${quoted(table.columns[i]?.name ?? '')}`).join(', ');
  const now = `SELECT ${columns} FROM main.t${id}`;
  const body = form === 'current' ? now : `${now} WHERE _ts <= picolo_as_of()
    UNION ALL SELECT ${columns} FROM main.h${id} WHERE _ts <= picolo_as_of() AND _to > picolo_as_of()`;
  return `CREATE TEMP VIEW ${quoted(table.name)} AS ${body}`;
}
