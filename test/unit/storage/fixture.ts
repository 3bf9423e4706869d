import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { encode, type Scalar } from '../../../protocol/codec/index.ts';
import { rowC } from '../../../protocol/rows/index.ts';
import { schemaOf, schemaRow, type Schema } from '../../../protocol/schema/index.ts';
import type { DatabaseId, Timestamp } from '../../../protocol/types/index.ts';
import { createIndexSql, createTableSql, layout } from '../../../node/storage/file/layout.ts';

const folders: string[] = [];

/** A folder that is removed when the run ends. */
export function scratchFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'picolo-storage-'));
  folders.push(path);
  return path;
}
process.on('exit', () => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));

export const databaseId = (byte: number): DatabaseId => `0x${byte.toString(16).padStart(2, '0').repeat(32)}` as DatabaseId;
export const at = (ms: number): Timestamp => (BigInt(ms) << 48n) as Timestamp;
const blob = (hex: string): Buffer => Buffer.from(hex, 'hex');
const tsBlob = (ts: Timestamp): Buffer => blob(ts.toString(16).padStart(24, '0'));

/** A ledger file written by hand, so that the SQL room is tested without the ledger. */
export class FileFixture {
  readonly path = join(scratchFolder(), 'group.sqlite');
  readonly #file: Database.Database;
  readonly #tables = new Map<string, { id: number; key: readonly number[]; width: number }>();
  #max = 0n;

  constructor() {
    this.#file = new Database(this.path);
    this.#file.pragma('journal_mode = WAL');
    this.#file.exec(layout);
    this.#file.prepare('INSERT INTO position VALUES (1, 1, 0, zeroblob(32), zeroblob(12), zeroblob(12), zeroblob(12))').run();
  }

  database(id: DatabaseId, ddl: readonly string[], ms = 0): Schema {
    const schema = schemaOf(ddl);
    const known = this.#file.prepare('INSERT INTO databases (database) VALUES (?)').run(blob(id.slice(2)));
    const key = Number(known.lastInsertRowid);
    this.#file.prepare('INSERT INTO schemas VALUES (?, ?, ?, zeroblob(32), ?)').run(key, tsBlob(at(ms)), schema.version, encode(rowC, schemaRow(schema)));
    for (const table of schema.tables) {
      const made = this.#file.prepare(`INSERT INTO spaces (database, name, index_name, since) VALUES (?, ?, '', ?)`)
        .run(key, table.name, table.since);
      const tableId = Number(made.lastInsertRowid);
      this.#file.exec(createTableSql(tableId, table));
      table.indexes.forEach((index) => this.#file.exec(createIndexSql(tableId, index.name, index.columns)));
      this.#tables.set(`${id}/${table.name}`, { id: tableId, key: table.primaryKey, width: table.columns.length });
    }
    return schema;
  }

  /** Writes a row at `ms`, or removes it when `row` is its key only. */
  put(database: DatabaseId, table: string, row: readonly Scalar[], ms: number): void {
    const { id, key, width } = this.#tables.get(`${database}/${table}`) as { id: number; key: readonly number[]; width: number };
    const where = key.map((position) => `c${position} = ?`).join(' AND ');
    const keys = row.length === width ? key.map((position) => row[position] as Scalar) : row;
    this.#file.prepare(`INSERT INTO h${id} SELECT *, ? FROM t${id} WHERE ${where}`).run(tsBlob(at(ms)), ...keys);
    this.#file.prepare(`DELETE FROM t${id} WHERE ${where}`).run(...keys);
    if (row.length === width) this.#file.prepare(`INSERT INTO t${id} VALUES (${'?, '.repeat(width)}1, ?, 0, 0)`).run(...row, tsBlob(at(ms)));
    this.#max = at(ms) > this.#max ? at(ms) : this.#max;
  }

  close(ms: number, historyFromMs = 0): void {
    this.#file.prepare('UPDATE position SET height = height + 1, close_ts = ?, max_ts = ?, history_from = ?')
      .run(tsBlob(at(ms)), tsBlob(this.#max as Timestamp), tsBlob(at(historyFromMs)));
  }

  atomically(action: () => void): void {
    this.#file.transaction(action)();
  }

  end(): void {
    this.#file.close();
  }
}
