import type { Scalar } from '../protocol/codec/index.ts';
import { timestampOf, ZERO_TIMESTAMP } from '../protocol/hlc/index.ts';
import type { DatabaseMetadata } from '../protocol/rows/index.ts';
import type { Schema } from '../protocol/schema/index.ts';
import type { DatabaseId, Timestamp } from '../protocol/types/index.ts';
import { auditNodes, type AuditReport } from './audit.ts';
import { challengeNodes, type Challenge, type ChallengeReport } from './challenge.ts';
import type { Client } from './client.ts';
import { sdkFaults } from './errors.ts';
import type { Home } from './home.ts';
import { d1Result, PreparedStatement, type D1Result } from './prepared.ts';
import { runQuery, type QueryAssurance } from './read/query.ts';
import { queryResult, writeResult, type Result } from './result.ts';
import { statementOf, type Statement } from './sql/statement.ts';
import { scalarOf, tagged } from './sql/values.ts';
import { TableHandle, type PointRead, type RangeOptions } from './table.ts';
import { commit, type Writing } from './write/commit.ts';
import { Draft } from './write/draft.ts';
import { OwnWrites } from './write/own-writes.ts';
import type { Receipt } from './write/receipt.ts';
import { isDdl, runDdl, runWrites } from './write/run.ts';
import { Transaction } from './write/transaction.ts';

export interface QueryOptions {
  /** 'quorum' (default): f + 1 nodes signed the same rows. 'signed': one node did; faster, and it answers for it. */
  readonly assurance?: QueryAssurance;
  /** The state at a time: a date, milliseconds, or a bookmark. */
  readonly asOf?: Date | number | string;
}

const LAST_IN_MS = 0xffff;
const LAST_GATEWAY = 0xffff_ffff;

/** One database and one session in it: reads see the session's own writes (causal token, consensus §2.10). */
export class Database {
  private readonly writing: Writing;

  constructor(client: Client, home: Home, own: OwnWrites) {
    this.writing = { client, home, own };
  }

  /** For transactions over several databases. */
  static writingOf(database: Database): Writing {
    return database.writing;
  }

  get id(): DatabaseId {
    return this.writing.home.database;
  }

  get metadata(): DatabaseMetadata {
    return this.writing.home.metadata;
  }

  /** Newest schema this client knows. */
  get schema(): Schema {
    return this.writing.home.current.schema;
  }

  /** Everything this session did so far; give it to another session, process or device to continue from there. */
  get bookmark(): string {
    return this.writing.own.bookmark.toString();
  }

  /** A session of its own, from a bookmark on or from nothing. */
  session(bookmark?: string): Database {
    return new Database(this.writing.client, this.writing.home, new OwnWrites(bookmark === undefined ? ZERO_TIMESTAMP : timestampIn(bookmark)));
  }

  /** Reads the schema again after somebody else changed it. */
  async refresh(): Promise<this> {
    await this.writing.home.refresh(this.writing.own.bookmark);
    return this;
  }

  /**
   * One statement; `${values}` are bound, never pasted into the text. SELECT returns rows that f + 1 nodes signed; INSERT,
   * UPDATE, DELETE and DDL return once q replicas acknowledged the signed transaction.
   */
  sql(strings: TemplateStringsArray, ...values: unknown[]): Promise<Result> {
    const { sql, params } = tagged(strings, values);
    return this.run(sql, params);
  }

  /** A SELECT with a chosen assurance or time. */
  async query(sql: string, params: readonly unknown[] = [], options: QueryOptions = {}): Promise<Result> {
    const statement = statementOf(sql, params.map((value, i) => scalarOf(value, i)));
    if (statement.kind !== 'select') throw sdkFaults.unsupportedSql({ statement: statement.kind, hint: 'query is for SELECT; use sql or run' });
    return this.select(statement, options);
  }

  /** Any one statement with its values. */
  async run(sql: string, params: readonly unknown[] = []): Promise<Result> {
    if (isDdl(sql)) return this.exec(sql);
    const statement = statementOf(sql, params.map((value, i) => scalarOf(value, i)));
    if (statement.kind === 'select') return this.select(statement, {});
    const { results, receipt } = await runWrites(this.writing, [statement]);
    const [{ changes, returned } = { changes: 0, returned: { columns: [], rows: [] } }] = results;
    return writeResult(receipt, changes, returned, this.writing.own.bookmark, this.writing.client.integers);
  }

  /** A script of DDL statements as one schema change. */
  async exec(script: string): Promise<Result> {
    const { changed, receipt } = await runDdl(this.writing, script);
    return writeResult(receipt, changed.changes, changed.returned, this.writing.own.bookmark, this.writing.client.integers);
  }

  prepare(sql: string): PreparedStatement {
    return new PreparedStatement(this, sql);
  }

  /** Writes of the batch are one signed transaction: all or nothing. SELECTs answer from before it. */
  async batch(statements: readonly PreparedStatement[]): Promise<D1Result[]> {
    const started = performance.now();
    for (const statement of statements) if (!statement.belongsTo(this)) throw sdkFaults.notPrepared();
    const parsed = statements.map(({ sql, params }) => statementOf(sql, params));
    if (parsed.some(({ kind }) => kind === 'ddl')) throw sdkFaults.unsupportedSql({ statement: 'DDL in a batch', hint: 'use exec' });
    const selects = await Promise.all(parsed.map((statement) => (statement.kind === 'select' ? this.select(statement, {}) : undefined)));
    const { results, receipt } = await runWrites(this.writing, parsed.filter(({ kind }) => kind !== 'select'));
    let at = 0;
    return parsed.map((_statement, i) => {
      const write = selects[i] === undefined ? results[at++] : undefined;
      const { own, client } = this.writing;
      const result = selects[i] ?? writeResult(receipt, write?.changes ?? 0, write?.returned ?? { columns: [], rows: [] }, own.bookmark, client.integers);
      return d1Result(result, performance.now() - started, this.bookmark);
    });
  }

  /**
   * Collects the writes of `work` into one signed transaction. When somebody else changed one of its rows meanwhile, `work` runs
   * again on fresh rows; it should have no other effects. Returns what `work` returned.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<{ readonly value: T; readonly receipt: Receipt | undefined }> {
    return commit(this.writing, async (known) => {
      const draft = new Draft(this.id);
      const tx = new Transaction(this.writing, known, draft);
      try {
        return { draft, value: await work(tx) };
      } finally {
        tx.close();
      }
    });
  }

  table(name: string): TableHandle {
    return new TableHandle(this.writing, name);
  }

  /** A row by key, proven present or absent. */
  get(table: string, key: unknown): Promise<PointRead> {
    return this.table(table).get(key);
  }

  /** Rows of a key range, proven complete. */
  range(table: string, from?: unknown, to?: unknown, options: RangeOptions = {}): Promise<Result & { readonly complete: boolean }> {
    return this.table(table).range(from, to, options);
  }

  /** Proof-of-Query: asks nodes for random rows and checks them against certified state and writers' signatures (P-6.1-cpoq). */
  challenge(options: Challenge = {}): Promise<ChallengeReport> {
    return challengeNodes(this.writing.client, this.writing.home, options);
  }

  /**
   * Lazy auditing (Vidigueira §4.3.6): asks nodes for signed lists of the roots they know, and compares them with the certificates
   * that this client has met and with each other. A client that suspects it is kept in another history calls it.
   * @param urls all known nodes when left out
   */
  audit(urls?: readonly string[]): Promise<AuditReport> {
    return auditNodes(this.writing.client, this.writing.home.group, urls);
  }

  private async select(statement: Statement, options: QueryOptions): Promise<Result> {
    const { client, home, own } = this.writing;
    const asOf = options.asOf === undefined ? ZERO_TIMESTAMP : pointIn(options.asOf);
    const minTimestamp = asOf === ZERO_TIMESTAMP ? own.bookmark : ZERO_TIMESTAMP;
    const params: readonly Scalar[] = statement.params;
    const result = await runQuery(client, home, { sql: statement.sql, params, asOf, minTimestamp, assurance: options.assurance ?? 'quorum' });
    return queryResult(result, client.integers);
  }
}

function timestampIn(bookmark: string): Timestamp {
  if (!/^(?:0|[1-9]\d{0,28})$/.test(bookmark)) throw sdkFaults.badParameter({ bookmark: bookmark.slice(0, 40) });
  return BigInt(bookmark) as Timestamp;
}

/** A moment in milliseconds means all that happened in it. */
function pointIn(asOf: Date | number | string): Timestamp {
  if (typeof asOf === 'string') return timestampIn(asOf);
  const ms = typeof asOf === 'number' ? asOf : asOf.getTime();
  if (!Number.isSafeInteger(ms) || ms < 0) throw sdkFaults.badParameter({ asOf: String(asOf) });
  return timestampOf(ms, LAST_IN_MS, LAST_GATEWAY);
}
