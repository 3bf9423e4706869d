import type { Scalar } from '../../protocol/codec/index.ts';
import { sdkFaults } from '../errors.ts';

export interface LocalResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Scalar[])[];
}

/** A private in-memory database for one statement. */
export interface LocalDatabase {
  exec(sql: string): void;
  /** Runs one statement; rows of a SELECT or RETURNING, integers as bigint. */
  run(sql: string, params: readonly Scalar[]): LocalResult;
  close(): void;
}

/** SQLite in the client: better-sqlite3 in Node; in a browser any build that offers these three calls. */
export interface LocalSql {
  open(): LocalDatabase;
}

interface NativeStatement {
  readonly reader: boolean;
  columns(): { readonly name: string }[];
  raw(on: boolean): NativeStatement;
  all(...params: unknown[]): unknown[];
  run(...params: unknown[]): unknown;
}
interface NativeDatabase {
  defaultSafeIntegers(on: boolean): void;
  exec(sql: string): void;
  prepare(sql: string): NativeStatement;
  close(): void;
}

/** better-sqlite3, if it can be loaded here; undefined in a browser. */
export async function nodeLocalSql(): Promise<LocalSql | undefined> {
  // by variable, so that bundlers for the browser leave it out
  const name = 'better-sqlite3';
  try {
    const { default: Database } = await import(name) as { default: new (file: string) => NativeDatabase };
    return { open: () => opened(new Database(':memory:')) };
  } catch {
    return undefined;
  }
}

function opened(database: NativeDatabase): LocalDatabase {
  database.defaultSafeIntegers(true);
  return {
    exec: (sql) => guarded(() => database.exec(sql)),
    run: (sql, params) => guarded(() => {
      const statement = database.prepare(sql);
      const values = params.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
      if (!statement.reader) {
        statement.run(...values);
        return { columns: [], rows: [] };
      }
      const columns = statement.columns().map(({ name }) => name);
      const rows = statement.raw(true).all(...values) as Scalar[][];
      return { columns, rows: rows.map((row) => row.map((value) => (value instanceof Uint8Array ? new Uint8Array(value) : value))) };
    }),
    close: () => database.close(),
  };
}

/** SQLite's own complaints, typed; a row that exists is the one most callers want to tell apart. */
function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? '');
    const reason = error instanceof Error ? error.message : 'unknown';
    if (/CONSTRAINT_(?:PRIMARYKEY|UNIQUE|ROWID)/.test(code)) throw sdkFaults.alreadyExists({ reason }, error);
    if (code.startsWith('SQLITE_CONSTRAINT')) throw sdkFaults.badValue({ reason }, error);
    throw sdkFaults.syntax({ reason }, error);
  }
}
