import type { DeleteStmt, Expr, UpdateStmt } from 'sqlite3-parser';
import type { Scalar } from '../../protocol/codec/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { coerceScalar, expandRow, keyOf, quoted, type Row, type Table } from '../../protocol/schema/index.ts';
import type { Timestamp } from '../../protocol/types/index.ts';
import { sdkFaults } from '../errors.ts';
import { runQuery } from '../read/query.ts';
import { isLiteral, literalValue, parameterSource } from '../sql/literals.ts';
import { hasSubquery, partAt, partBetween, type Part, type Statement } from '../sql/statement.ts';
import type { Writing } from './commit.ts';
import type { Draft } from './draft.ts';
import type { Known } from './known.ts';
import type { LocalResult } from './local-sql.ts';
import { runLocally } from './local-table.ts';

export interface Changed {
  readonly changes: number;
  readonly returned: LocalResult;
}

/**
 * UPDATE and DELETE (architecture §4 "A write"): f + 1 nodes name the rows that match, each row is read with its
 * proof, the statement runs on them in the client, and the difference joins the draft.
 */
export async function planChange(
  writing: Writing, known: Known, draft: Draft, statement: Statement, ast: UpdateStmt | DeleteStmt,
): Promise<Changed> {
  refuseParts(ast);
  const table = writing.home.table(ast.tblName.objName.text);
  const pending = draft.touched(table);
  const remote = ast.whereClause !== undefined && hasSubquery(ast.whereClause);
  if (remote && pending.length > 0) {
    throw sdkFaults.unsupportedSql({ statement: 'a subquery in WHERE over rows this transaction changed', hint: 'run the SELECT first' });
  }
  const keys = await matchingKeys(writing, table, statement, ast);
  const rows = await rowsBefore(known, draft, table, keys);
  const local = remote ? withoutWhere(statement, ast) : statement;
  const { schema } = writing.home.current;
  const { result, changed, removed, touched } = runLocally(writing.client, schema, table, rows, local.sql, local.params);
  for (const key of removed) draft.remove(table, key);
  for (const row of changed) {
    const old = rows.some((before) => draft.path(table, keyOf(table, before)) === draft.path(table, keyOf(table, row)));
    if (old) draft.put(table, row);
    else draft.insert(table, row);
  }
  return { changes: touched, returned: result };
}

function refuseParts(ast: UpdateStmt | DeleteStmt): void {
  const from = ast.type === 'UpdateStmt' ? ast.from : undefined;
  if (ast.with !== undefined || from !== undefined || ast.orderBy !== undefined || ast.limit !== undefined) {
    throw sdkFaults.unsupportedSql({ statement: `${ast.type} with WITH, FROM, ORDER BY or LIMIT`, hint: 'run the SELECT first, then change rows by key' });
  }
  if (ast.type === 'UpdateStmt' && ast.sets.some(({ expr }) => hasSubquery(expr))) {
    throw sdkFaults.unsupportedSql({ statement: 'a subquery in SET', hint: 'run the SELECT first and pass its value' });
  }
}

/** Keys of the committed rows that match: straight from `pk = …` when the condition is just that. */
async function matchingKeys(writing: Writing, table: Table, statement: Statement, ast: UpdateStmt | DeleteStmt): Promise<readonly (readonly Scalar[])[]> {
  const point = ast.whereClause === undefined ? undefined : keyInCondition(table, statement, ast.whereClause);
  if (point !== undefined) return [point];
  const where: Part = ast.whereClause === undefined ? { sql: '1', params: [] } : partAt(statement, ast.whereClause.span);
  const { offset, length } = ast.tblName.span;
  const columns = table.primaryKey.map((at) => quoted(table.columns[at]?.name ?? '')).join(', ');
  const most = Math.min(limits.mutationsPerTransaction, limits.queryRows - 1);
  const sql = `SELECT ${columns} FROM ${statement.sql.slice(offset, offset + length)} WHERE ${where.sql} LIMIT ${most + 1}`;
  const asked = { sql, params: where.params, asOf: 0n as Timestamp, minTimestamp: writing.own.bookmark, assurance: 'quorum' } as const;
  const { rows } = await runQuery(writing.client, writing.home, asked);
  if (rows.length > most) throw sdkFaults.tooManyRows({ most });
  return rows;
}

/** The key that a conjunction of `column = literal` over all key columns (and perhaps others) names. */
export function keyInCondition(table: Table, statement: Statement, where: Expr): readonly Scalar[] | undefined {
  const values = new Map<string, Scalar>();
  for (const expr of conjuncts(where)) {
    if (expr.type !== 'BinaryExpr' || expr.op !== 'Equals') continue;
    const [name, other] = expr.left.type === 'Id' ? [expr.left, expr.right] : [expr.right, expr.left];
    if (name.type !== 'Id' || !isLiteral(other) || /^(?:true|false)$/i.test(name.name)) continue;
    const value = literalValue(other, parameterSource(partAt(statement, other.span).params));
    if (value !== undefined && value !== null) values.set(name.name.toLowerCase(), value);
  }
  const key: Scalar[] = [];
  for (const position of table.primaryKey) {
    const column = table.columns[position];
    const value = column === undefined ? undefined : values.get(column.name.toLowerCase());
    if (column === undefined || value === undefined) return undefined;
    try {
      key.push(coerceScalar(table.name, column, value));
    } catch {
      return undefined; // SQLite may convert where Picolo does not: let it find the rows
    }
  }
  return key;
}

function conjuncts(expr: Expr): Expr[] {
  if (expr.type === 'BinaryExpr' && expr.op === 'And') return [...conjuncts(expr.left), ...conjuncts(expr.right)];
  const [only, ...more] = expr.type === 'ParenthesizedExpr' ? expr.exprs : [];
  return only !== undefined && more.length === 0 ? conjuncts(only) : [expr];
}

/** Proven rows of these keys, with what the transaction itself already made of them. */
export async function rowsBefore(known: Known, draft: Draft, table: Table, keys: readonly (readonly Scalar[])[]): Promise<Row[]> {
  const paths = [...new Set(keys.map((key) => draft.path(table, key)))].filter((path) => draft.at(path) === undefined);
  await known.fetch(paths, paths);
  const committed = paths.map((path) => known.contentAt(path));
  const pending = draft.touched(table).map(({ row }) => row);
  return [...committed, ...pending].filter((row): row is Row => row !== undefined).map((row) => expandRow(table, row));
}

/** All rows that were loaded match: the nodes evaluated the condition. */
function withoutWhere(statement: Statement, ast: UpdateStmt | DeleteStmt): Part {
  const { offset, length } = ast.whereClause?.span ?? { offset: 0, length: 0 };
  const keyword = statement.sql.slice(0, offset).toLowerCase().lastIndexOf('where');
  const head = partBetween(statement, 0, keyword);
  const tail = partBetween(statement, offset + length, statement.sql.length);
  return { sql: `${head.sql} ${tail.sql}`, params: [...head.params, ...tail.params] };
}
