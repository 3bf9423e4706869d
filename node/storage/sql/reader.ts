import Database from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type { SelectStmt } from 'sqlite3-parser';
import { isPicoloError } from '../../../protocol/errors/index.ts';
import type { Scalar } from '../../../protocol/codec/index.ts';
import { resultHashOf } from '../../../protocol/query/index.ts';
import type { DatabaseId, Hash32, Timestamp } from '../../../protocol/types/index.ts';
import { parseSelect } from './allow.ts';
import { splitAsOf, type SplitQuery } from './as-of.ts';
import { loadSchema, loadTableIds, resolveSnapshot, type Snapshot } from './catalogue.ts';
import { sqlFaults } from './faults.ts';
import { createMirror, type Mirror } from './mirror.ts';
import { totalOrder } from './order.ts';
import { bindingsOf } from './parameters.ts';
import type { ResultSet } from './result.ts';
import { openWindow, type Window } from './views.ts';

export interface QueryJob {
  readonly database: DatabaseId;
  readonly sql: string;
  readonly params: readonly Scalar[];
  /** Zero: the newest closed timestamp, unless the text has an AS OF clause. */
  readonly asOf: Timestamp;
  readonly maxRows: number;
  readonly maxBytes: number;
}

export interface QueryOutcome extends ResultSet {
  readonly resultHash: Hash32;
  readonly epoch: bigint;
  readonly height: bigint;
  /** The result is exactly the state at this timestamp. */
  readonly snapshot: Timestamp;
}

interface Pane extends Window {
  readonly mirror: Mirror;
  /** Statements that passed both gates, in their total order, by text. */
  readonly statements: LRUCache<string, Select>;
}

interface Parsed extends SplitQuery {
  readonly root: SelectStmt;
}

const MOST_STATEMENTS = 64;

const MOST_PANES = 8;
const MOST_TRIES = 5;

/** Runs inside the child process. One query at a time, all gates included, so that a kill ends whatever is stuck. */
export class Reader {
  readonly #path: string;
  readonly #probe: Database.Database;
  readonly #panes = new Map<string, Pane>();
  readonly #parsed = new LRUCache<string, Parsed>({ max: MOST_STATEMENTS });

  constructor(path: string) {
    this.#path = path;
    this.#probe = new Database(path, { readonly: true, fileMustExist: true });
  }

  /** @throws SQL_* */
  run(job: QueryJob): QueryOutcome {
    const { sql, asOf, root } = this.#parse(job.sql);
    if (asOf !== undefined && job.asOf !== 0n && asOf !== job.asOf) throw sqlFaults.badAsOf({ first: asOf, second: job.asOf });
    const bindings = bindingsOf(root, job.params);
    return this.#atSnapshot(job.database, asOf ?? job.asOf, (pane, { epoch, height, ts }) => {
      const result = collect(statementIn(pane, sql, root), bindings, job);
      return { ...result, resultHash: resultHashOf(result.columns, result.rows), epoch, height, snapshot: ts };
    });
  }

  #parse(text: string): Parsed {
    let parsed = this.#parsed.get(text);
    if (parsed === undefined) {
      const split = splitAsOf(text);
      parsed = { ...split, root: parseSelect(split.sql) };
      this.#parsed.set(text, parsed);
    }
    return parsed;
  }

  close(): void {
    for (const pane of this.#panes.values()) closePane(pane);
    this.#panes.clear();
    this.#probe.close();
  }

  /** The views are chosen before the read transaction fixes what it sees; a block in between means choosing again. */
  #atSnapshot<R>(database: DatabaseId, asOf: Timestamp, read: (pane: Pane, snapshot: Snapshot) => R): R {
    for (let i = 0; i < MOST_TRIES; i++) {
      const expected = resolveSnapshot(this.#probe, database, asOf);
      const pane = this.#pane(expected);
      pane.connection.exec('BEGIN');
      try {
        const snapshot = resolveSnapshot(pane.connection, database, asOf);
        if (paneKey(snapshot) !== paneKey(expected)) continue;
        pane.setSnapshot(snapshot.ts);
        return read(pane, snapshot);
      } finally {
        pane.connection.exec('COMMIT');
      }
    }
    throw sqlFaults.overloaded({ reason: 'the schema kept changing' });
  }

  #pane(snapshot: Snapshot): Pane {
    const key = paneKey(snapshot);
    const known = this.#panes.get(key);
    if (known !== undefined) {
      this.#panes.delete(key); // least recently used first
      this.#panes.set(key, known);
      return known;
    }
    const schema = loadSchema(this.#probe, snapshot.databaseKey, snapshot.ts);
    const ids = loadTableIds(this.#probe, snapshot.databaseKey);
    const statements = new LRUCache<string, Select>({ max: MOST_STATEMENTS });
    const pane = { ...openWindow(this.#path, schema, ids, snapshot.form), mirror: createMirror(schema), statements };
    this.#panes.set(key, pane);
    const [oldest] = this.#panes;
    if (this.#panes.size > MOST_PANES && oldest !== undefined) {
      this.#panes.delete(oldest[0]);
      closePane(oldest[1]);
    }
    return pane;
  }
}

function paneKey({ databaseKey, schemaVersion, form }: Snapshot): string {
  return `${databaseKey}/${schemaVersion}/${form}`;
}

function closePane(pane: Pane): void {
  pane.connection.close();
  pane.mirror.close();
}

type Select = Database.Statement<unknown[], Scalar[]>;

function statementIn({ connection, mirror, statements }: Pane, sql: string, root: SelectStmt): Select {
  let statement = statements.get(sql);
  if (statement === undefined) {
    mirror.check(sql);
    const ordered = totalOrder(sql, root.body, prepare(connection, sql).columns().length);
    mirror.check(ordered);
    statement = prepare(connection, ordered);
    statements.set(sql, statement);
  }
  return statement;
}

function prepare(connection: Database.Database, sql: string): Select {
  const statement = attempt(() => connection.prepare<unknown[], Scalar[]>(sql));
  // the third look: SQLite's own opinion on what it compiled
  if (!statement.reader || !statement.readonly) throw sqlFaults.notSelect();
  return statement.raw().safeIntegers();
}

function collect(statement: Select, bindings: readonly unknown[], { maxRows, maxBytes }: QueryJob): ResultSet {
  const columns = statement.columns().map(({ name }) => name);
  const rows: Scalar[][] = [];
  let bytes = columns.reduce((sum, name) => sum + name.length, 0);
  attempt(() => {
    for (const row of statement.iterate(...bindings)) {
      if (rows.length === maxRows) throw sqlFaults.rowLimit({ maxRows });
      bytes += row.reduce<number>((sum, value) => sum + sizeOf(value), 0);
      if (bytes > maxBytes) throw sqlFaults.byteLimit({ maxBytes });
      rows.push(row.map(plain));
    }
  });
  return { columns, rows };
}

function sizeOf(value: Scalar): number {
  if (typeof value === 'string') return value.length * 3; // at most, in UTF-8
  return value instanceof Uint8Array ? value.length : 9;
}

function plain(value: Scalar): Scalar {
  if (typeof value === 'number' && !Number.isFinite(value)) throw sqlFaults.notFinite({ value: String(value) });
  if (typeof value === 'string') return value.toWellFormed();
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}

function attempt<R>(action: () => R): R {
  try {
    return action();
  } catch (error) {
    if (isPicoloError(error)) throw error;
    const code = (error as { code?: string }).code ?? '';
    if (code === 'SQLITE_NOMEM' || code === 'SQLITE_TOOBIG') throw sqlFaults.memoryLimit({ code });
    throw sqlFaults.refused({ reason: error instanceof Error ? error.message : 'unknown' });
  }
}
