import { traverse, type Expr, type InsertStmt, type Select } from 'sqlite3-parser';
import type { Scalar } from '../../protocol/codec/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { rowFrom, type Row, type Table } from '../../protocol/schema/index.ts';
import { sdkFaults } from '../errors.ts';
import { isLiteral, literalValue, parameterSource } from '../sql/literals.ts';
import { partAt, type Statement } from '../sql/statement.ts';
import { runQuery } from '../read/query.ts';
import type { Writing } from './commit.ts';

const SAFE_IDS = 1n << 53n;

/** Rows that an INSERT brings, complete and typed. */
export interface Incoming {
  readonly table: Table;
  readonly rows: readonly Row[];
}

/**
 * Computes the rows of INSERT … VALUES and INSERT … SELECT in the client. Literals and placeholders need nothing else;
 * other expressions run in the private SQLite; a SELECT over tables is asked of f + 1 nodes.
 */
export async function incomingRows(writing: Writing, statement: Statement, ast: InsertStmt): Promise<Incoming> {
  const table = writing.home.table(ast.tblName.objName.text);
  const names = ast.columns?.map(({ text }) => text) ?? table.columns.map(({ name }) => name);
  const grid = await valuesOf(writing, statement, ast);
  const rows = grid.map((values) => {
    if (values.length !== names.length) throw sdkFaults.badValue({ reason: `${values.length} values for ${names.length} columns`, table: table.name });
    return rowFrom(table, withId(table, Object.fromEntries(names.map((name, i) => [name, values[i] as Scalar]))));
  });
  return { table, rows };
}

/** An integer key that is left out gets a random one: a counter would make all inserts wait for each other. */
export function withId(table: Table, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const [only, ...more] = table.primaryKey;
  const column = only === undefined ? undefined : table.columns[only];
  if (column === undefined || more.length > 0 || column.type !== 'INTEGER' || column.default !== null) return { ...values };
  const given = Object.keys(values).find((name) => name.toLowerCase() === column.name.toLowerCase());
  if (given !== undefined && values[given] !== null && values[given] !== undefined) return { ...values };
  const id = (crypto.getRandomValues(new BigUint64Array(1))[0] as bigint) % SAFE_IDS;
  return { ...values, [given ?? column.name]: id };
}

async function valuesOf(writing: Writing, statement: Statement, ast: InsertStmt): Promise<readonly (readonly Scalar[])[]> {
  if (ast.body.type === 'DefaultValuesInsertBody') return [[]];
  const { select } = ast.body;
  const literal = literalGrid(statement, select);
  if (literal !== undefined) return literal;
  const part = partAt(statement, select.span);
  if (readsTables(select)) {
    if (select.with !== undefined || ast.with !== undefined) throw sdkFaults.unsupportedSql({ statement: 'INSERT … WITH', hint: 'run the SELECT first' });
    const result = await runQuery(writing.client, writing.home, { ...part, asOf: 0n as never, minTimestamp: writing.own.bookmark, assurance: 'quorum' });
    return result.rows;
  }
  return computed(writing, part.sql, part.params);
}

/** VALUES with nothing but literals and placeholders. */
function literalGrid(statement: Statement, select: Select): Scalar[][] | undefined {
  const rows = select.select.type === 'SelectValues' && select.compounds === undefined ? select.select.values : undefined;
  if (rows === undefined || !rows.every(({ values }) => values.every(isLiteral))) return undefined;
  if (rows.length > limits.mutationsPerTransaction) throw sdkFaults.tooManyRows({ rows: rows.length, most: limits.mutationsPerTransaction });
  const params = parameterSource(statement.params);
  return rows.map(({ values }) => values.map((expr: Expr) => literalValue(expr, params) as Scalar));
}

function readsTables(select: Select): boolean {
  let found = false;
  traverse(select, { nodes: { FromClause: () => { found = true; return 'break'; } } });
  return found;
}

function computed({ client }: Writing, sql: string, params: readonly Scalar[]): readonly (readonly Scalar[])[] {
  if (client.localSql === undefined) throw sdkFaults.noLocalSql();
  const database = client.localSql.open();
  try {
    return database.run(sql, params).rows;
  } finally {
    database.close();
  }
}
