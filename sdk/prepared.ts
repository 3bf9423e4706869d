import type { Scalar } from '../protocol/codec/index.ts';
import type { Database } from './database.ts';
import { sdkFaults } from './errors.ts';
import type { Result } from './result.ts';
import { scalarOf, type Row, type Value } from './sql/values.ts';

/** The answer shape people know from D1, with what Picolo adds in `meta`. */
export interface D1Result<T = Row> {
  readonly success: true;
  readonly results: T[];
  readonly meta: {
    /** Milliseconds in the client, network included. */
    readonly duration: number;
    readonly changes: number;
    readonly changed_db: boolean;
    readonly rows_read: number;
    readonly rows_written: number;
    readonly assurance: Result['assurance'];
    readonly bookmark: string;
    readonly receipt: Result['receipt'];
  };
}

/** A statement with placeholders; `bind` makes a new one, so one prepared statement serves many calls. */
export class PreparedStatement {
  readonly sql: string;
  readonly params: readonly Scalar[];
  private readonly database: Database;

  constructor(database: Database, sql: string, params: readonly Scalar[] = []) {
    this.database = database;
    this.sql = sql;
    this.params = params;
  }

  /** True when it was prepared by this database: a batch is one transaction of one database. */
  belongsTo(database: Database): boolean {
    return this.database === database;
  }

  bind(...values: readonly unknown[]): PreparedStatement {
    return new PreparedStatement(this.database, this.sql, values.map((value, i) => scalarOf(value, i)));
  }

  async all<T = Row>(): Promise<D1Result<T>> {
    const started = performance.now();
    const result = await this.database.run(this.sql, this.params);
    return d1Result<T>(result, performance.now() - started, this.database.bookmark);
  }

  run<T = Row>(): Promise<D1Result<T>> {
    return this.all<T>();
  }

  /** First row, or one column of it; null when there is none. */
  async first<T = Row>(column?: string): Promise<T | null> {
    const [row] = await this.database.run(this.sql, this.params);
    if (row === undefined) return null;
    if (column === undefined) return row as T;
    if (!Object.hasOwn(row, column)) throw sdkFaults.unknownColumn({ column: column.slice(0, 80) });
    return row[column] as T;
  }

  /** Rows as lists, the column names first if asked for. */
  async raw(options: { readonly columnNames?: boolean } = {}): Promise<Value[][]> {
    const result = await this.database.run(this.sql, this.params);
    const rows = result.map((row) => result.columns.map((column) => row[column] ?? null));
    return options.columnNames === true ? [[...result.columns], ...rows] : rows;
  }
}

export function d1Result<T>(result: Result, durationMs: number, bookmark: string): D1Result<T> {
  return {
    success: true,
    results: [...result] as T[],
    meta: {
      duration: durationMs, changes: result.changes, changed_db: result.receipt !== undefined, rows_read: result.length,
      rows_written: result.changes, assurance: result.assurance, bookmark, receipt: result.receipt,
    },
  };
}
