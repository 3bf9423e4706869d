import type { Scalar } from '../../../protocol/codec/index.ts';
import { expandRow, trimRow, type Column, type Index, type Row, type Table } from '../../../protocol/schema/index.ts';
import type { Timestamp } from '../../../protocol/types/index.ts';
import { tsBlob } from '../file/bytes.ts';
import { addColumnSql, columnNames, createIndexSql, createTableSql, indexName } from '../file/layout.ts';
import type { Store } from './store.ts';

/** Where a row came from, beside its columns. */
export interface RowMark {
  readonly entry: bigint;
  readonly ts: Timestamp;
  /** Place among the mutations of its transaction. */
  readonly mutation: bigint;
  /** First bytes of the row hash as it was written: tells bit rot from a deliberate change (DOORS 11). */
  readonly checksum: bigint;
}

export interface MarkedRow {
  readonly row: Row;
  readonly checksum: bigint;
}

/** Users' tables: typed columns that strangers' SELECTs read, and superseded rows with the time they ended. */
export class RowStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  create(id: bigint, table: Table): void {
    this.#store.exec(createTableSql(Number(id), table));
  }

  addColumn(id: bigint, table: Table, column: Column): void {
    this.#store.exec(addColumnSql(Number(id), table, column));
  }

  createIndex(id: bigint, index: Index): void {
    this.#store.exec(createIndexSql(Number(id), index.name, index.columns));
  }

  dropIndex(id: bigint, index: Index): void {
    this.#store.exec(`DROP INDEX ${indexName(Number(id), index.name)}`);
  }

  /** When its history is over too. */
  drop(id: bigint): void {
    this.#store.exec(`DROP TABLE IF EXISTS t${id}; DROP TABLE IF EXISTS h${id}`);
  }

  put(id: bigint, table: Table, row: Row, mark: RowMark): void {
    const names = columnNames(table.columns.length);
    this.#store.run(
      `INSERT INTO t${id} (${names.join(', ')}, _entry, _ts, _mutation, _checksum) VALUES (${names.map(() => '?').join(', ')}, ?, ?, ?, ?)`,
      ...expandRow(table, row), mark.entry, tsBlob(mark.ts), mark.mutation, mark.checksum,
    );
  }

  read(id: bigint, table: Table, key: readonly Scalar[]): MarkedRow | undefined {
    return this.#row(table, this.#store.get(`${select('t', id, table)} WHERE ${keyMatch(table)}`, ...key));
  }

  /** The row that ended at `to`. */
  readOld(id: bigint, table: Table, key: readonly Scalar[], to: Timestamp): MarkedRow | undefined {
    return this.#row(table, this.#store.get(`${select('h', id, table)} WHERE ${keyMatch(table)} AND _to = ?`, ...key, tsBlob(to)));
  }

  /** Moves the current row to the history. */
  supersede(id: bigint, table: Table, key: readonly Scalar[], to: Timestamp): void {
    const names = [...columnNames(table.columns.length), '_entry', '_ts', '_mutation', '_checksum'].join(', ');
    this.#store.run(`INSERT INTO h${id} (${names}, _to) SELECT ${names}, ? FROM t${id} WHERE ${keyMatch(table)}`, tsBlob(to), ...key);
    this.#store.run(`DELETE FROM t${id} WHERE ${keyMatch(table)}`, ...key);
  }

  all(id: bigint, table: Table): Row[] {
    return this.#store.all<RawRow>(select('t', id, table)).map((raw) => this.#row(table, raw)?.row as Row);
  }

  /** Superseded rows that ended at or before `until`, at most `limit`: their entries, one per row deleted. */
  prune(id: bigint, until: Timestamp, limit: bigint): bigint[] {
    const some = `SELECT rowid FROM h${id} WHERE _to <= ? ORDER BY _to LIMIT ?`;
    const gone = this.#store.all<{ entry: bigint }>(`DELETE FROM h${id} WHERE rowid IN (${some}) RETURNING _entry AS entry`, tsBlob(until), limit);
    return gone.map(({ entry }) => entry);
  }

  #row(table: Table, raw: unknown): MarkedRow | undefined {
    if (raw === undefined) return undefined;
    const values = raw as RawRow;
    const row = table.columns.map((_, i) => plain(values[`c${i}`] as Scalar));
    return { row: trimRow(table, row), checksum: values._checksum as bigint };
  }
}

type RawRow = Readonly<Record<string, Scalar>>;

/** Bytes without Node's Buffer around them: rows are hashed, compared and sent. */
function plain(value: Scalar): Scalar {
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}

function select(kind: 't' | 'h', id: bigint, table: Table): string {
  return `SELECT ${columnNames(table.columns.length).join(', ')}, _checksum FROM ${kind}${id}`;
}

function keyMatch(table: Table): string {
  return table.primaryKey.map((position) => `c${position} = ?`).join(' AND ');
}
