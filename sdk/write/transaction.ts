import type { Scalar } from '../../protocol/codec/index.ts';
import { recordOf, rowFrom } from '../../protocol/schema/index.ts';
import { sdkFaults } from '../errors.ts';
import { statementOf } from '../sql/statement.ts';
import { runQuery } from '../read/query.ts';
import { queryResult, type Result } from '../result.ts';
import { rowsOf, tagged, valueOf, type Row } from '../sql/values.ts';
import type { Changed } from './change.ts';
import type { Writing } from './commit.ts';
import type { Draft } from './draft.ts';
import { withId } from './insert.ts';
import { keyFrom } from './keys.ts';
import type { Known } from './known.ts';
import { planStatement } from './run.ts';

/**
 * What `db.transaction` hands to its callback. Writes collect; they are signed and sent as one when the callback
 * returns. `get` sees the transaction's own writes and makes the row part of what is checked at commit; a SELECT
 * sees the committed state before the transaction.
 */
export class Transaction {
  private readonly writing: Writing;
  private readonly known: Known;
  private readonly draft: Draft;
  private open = true;

  constructor(writing: Writing, known: Known, draft: Draft) {
    this.writing = writing;
    this.known = known;
    this.draft = draft;
  }

  /** INSERT, UPDATE, DELETE join the transaction; SELECT answers at once. */
  async sql(strings: TemplateStringsArray, ...values: unknown[]): Promise<Row[]> {
    const { sql, params } = tagged(strings, values);
    return this.run(sql, params);
  }

  async run(sql: string, params: readonly Scalar[] = []): Promise<Row[]> {
    this.requireOpen();
    const statement = statementOf(sql, params);
    const { integers } = this.writing.client;
    if (statement.kind === 'select') return this.select(statement.sql, statement.params);
    if (statement.kind === 'ddl') throw sdkFaults.unsupportedSql({ statement: 'DDL in a transaction', hint: 'change the schema first' });
    const { returned }: Changed = await planStatement(this.writing, this.known, this.draft, statement);
    return rowsOf(returned.columns, returned.rows, integers);
  }

  /** The row as this transaction sees it; null when it does not exist. The commit fails over to a retry if it changed meanwhile. */
  async get(table: string, key: unknown): Promise<Row | null> {
    this.requireOpen();
    const found = this.writing.home.table(table);
    const scalars = keyFrom(found, key);
    const path = this.draft.path(found, scalars);
    const pending = this.draft.at(path);
    if (pending === undefined) {
      await this.known.fetch([path], [path]);
      this.draft.read(path, this.known.versionAt(path));
    }
    const row = pending === undefined ? this.known.contentAt(path) : pending.row;
    if (row === undefined) return null;
    const { integers } = this.writing.client;
    return Object.fromEntries(Object.entries(recordOf(found, row)).map(([name, value]) => [name, valueOf(value, integers)]));
  }

  insert(table: string, values: Readonly<Record<string, unknown>>): void {
    this.requireOpen();
    const found = this.writing.home.table(table);
    this.draft.insert(found, rowFrom(found, withId(found, values)));
  }

  /** The row is this afterwards, whether it existed or not. */
  put(table: string, values: Readonly<Record<string, unknown>>): void {
    this.requireOpen();
    const found = this.writing.home.table(table);
    this.draft.put(found, rowFrom(found, values));
  }

  /** Removes a row that exists; TX_NOTHING_TO_REMOVE at commit otherwise. */
  remove(table: string, key: unknown): void {
    this.requireOpen();
    const found = this.writing.home.table(table);
    this.draft.remove(found, keyFrom(found, key));
  }

  /** After the callback returned. */
  close(): void {
    this.open = false;
  }

  private async select(sql: string, params: readonly Scalar[]): Promise<Result> {
    const { client, home, own } = this.writing;
    return queryResult(await runQuery(client, home, { sql, params, asOf: 0n as never, minTimestamp: own.bookmark, assurance: 'quorum' }), client.integers);
  }

  private requireOpen(): void {
    if (!this.open) throw sdkFaults.transactionDone();
  }
}
