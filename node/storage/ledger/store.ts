import Database from 'better-sqlite3';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { invariant } from '../../../protocol/errors/index.ts';
import type { GroupId } from '../../../protocol/types/index.ts';
import { blobOf } from '../file/bytes.ts';
import { layout, layoutVersion } from '../file/layout.ts';
import { ledgerFaults } from './faults.ts';

type Value = bigint | number | string | Uint8Array | null;
type Statement = Database.Statement<Value[], unknown>;

const CACHE_KIB = 65_536;
const MOST_STATEMENTS = 2_000;

/**
 * The one writing connection of a group's file. Integers are bigints. In WAL with synchronous=NORMAL a power
 * cut may lose the newest transactions but never tears one; the flushed journal replays them.
 */
export class Store {
  readonly path: string;
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Statement>();

  constructor(path: string, group: GroupId) {
    this.path = path;
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    this.#database = new Database(path);
    this.#database.defaultSafeIntegers(true);
    this.#database.pragma('journal_mode = WAL');
    this.#database.pragma('synchronous = NORMAL');
    this.#database.pragma('temp_store = MEMORY');
    this.#database.pragma(`cache_size = -${CACHE_KIB}`);
    this.#database.pragma('trusted_schema = OFF');
    try {
      this.#claim(group);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  get isNew(): boolean {
    return this.get('SELECT 1 FROM position') === undefined;
  }

  run(sql: string, ...values: Value[]): Database.RunResult {
    return this.#prepare(sql).run(...values);
  }

  get<R>(sql: string, ...values: Value[]): R | undefined {
    return this.#prepare(sql).get(...values) as R | undefined;
  }

  all<R>(sql: string, ...values: Value[]): R[] {
    return this.#prepare(sql).all(...values) as R[];
  }

  /** Do not write while iterating. */
  iterate<R>(sql: string, ...values: Value[]): IterableIterator<R> {
    return this.#prepare(sql).iterate(...values) as IterableIterator<R>;
  }

  /** DDL; compiled statements follow by themselves. */
  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** All or nothing. */
  atomically<R>(action: () => R): R {
    invariant(!this.#database.inTransaction, 'ledger-no-nested-transaction');
    return this.#database.transaction(action).immediate();
  }

  /** One commit with synchronous=FULL flushes the whole write-ahead log, i.e. everything before it. */
  sync(): void {
    this.#database.pragma('synchronous = FULL');
    try {
      this.run("INSERT INTO meta VALUES ('syncs', 1) ON CONFLICT DO UPDATE SET value = value + 1");
    } finally {
      this.#database.pragma('synchronous = NORMAL');
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
      statement = this.#database.prepare<Value[], unknown>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** A new file becomes this group's; an old one must be. */
  #claim(group: GroupId): void {
    const known = this.get("SELECT 1 FROM sqlite_schema WHERE name = 'meta'");
    if (known === undefined) {
      this.atomically(() => {
        this.exec(layout);
        this.run("INSERT INTO meta VALUES ('format', ?), ('group', ?)", layoutVersion, blobOf(group));
      });
      return;
    }
    const value = (name: string): unknown => this.get<{ value: unknown }>('SELECT value FROM meta WHERE name = ?', name)?.value;
    if (value('format') !== layoutVersion) throw ledgerFaults.wrongFormat({ found: String(value('format')), expected: layoutVersion });
    const owner = value('group');
    if (!(owner instanceof Uint8Array) || !blobOf(group).equals(owner)) throw ledgerFaults.wrongFile({ path: this.path, group });
  }
}
