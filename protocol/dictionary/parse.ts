import { parseStmt, type Expr, type Select, type SelectFrom } from 'sqlite3-parser';
import type { Scalar } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { dictionaryFaults as faults } from './faults.ts';
import { checkQuery, type Condition, type Operator, type Query, type Term } from './query.ts';

/** A query written as SQL over keywords, and the number of rows it asks for (null: the caller decides). */
export interface ParsedQuery {
  readonly query: Query;
  readonly limit: number | null;
}

/**
 * `SELECT lastname FROM users WHERE city = ? LIMIT 20`, where the names are keywords and not columns.
 * One entity, plain columns or `*`, comparisons with values joined by AND; everything else is refused,
 * because strangers' schemas cannot promise more.
 * @param params values of `?`, in order (or by number for `?1`)
 * @throws DICTIONARY_BAD_SQL, DICTIONARY_UNSUPPORTED, DICTIONARY_BAD_PARAMETERS
 */
export function parseQuery(sql: string, params: readonly Scalar[] = []): ParsedQuery {
  if (sql.length > limits.mxQueryBytes) throw faults.badSql({ bytes: sql.length, maxBytes: limits.mxQueryBytes });
  const parsed = parseStmt(sql);
  if (parsed.status !== 'ok') throw faults.badSql({ reason: parsed.errors[0]?.message });
  if (parsed.root.type !== 'SelectStmt') throw faults.unsupported({ statement: parsed.root.type });
  const values = createValues(params);
  const { body } = parsed.root;
  const from = plainSelect(body);
  const query = checkQuery({ entity: entityOf(from), select: columnsOf(from), where: conditionsOf(from.whereClause, values) });
  const limit = limitOf(body, values);
  values.finish();
  return { query, limit };
}

/** Reads values from literals and parameters and knows at the end whether every parameter was used. */
interface Values {
  of(expr: Expr): Scalar;
  finish(): void;
}

function plainSelect(body: Select): SelectFrom {
  if (body.with || body.compounds) throw faults.unsupported({ clause: body.with ? 'WITH' : 'UNION' });
  if (body.orderBy) throw faults.unsupported({ clause: 'ORDER BY' });
  const { select } = body;
  if (select.type !== 'SelectFrom') throw faults.unsupported({ clause: 'VALUES' });
  if (select.distinctness) throw faults.unsupported({ clause: 'DISTINCT' });
  if (select.groupBy || select.having) throw faults.unsupported({ clause: 'GROUP BY' });
  if (select.windowClause) throw faults.unsupported({ clause: 'WINDOW' });
  return select;
}

function entityOf(select: SelectFrom): Term {
  const table = select.from?.select;
  if (table === undefined) throw faults.unsupported({ missing: 'FROM' });
  if (table.type !== 'TableSelectTable' || table.tblName.dbName || select.from?.joins?.length) throw faults.unsupported({ clause: 'FROM' });
  return term(table.tblName.objName.text);
}

function columnsOf(select: SelectFrom): Term[] {
  const first = select.columns[0];
  if (select.columns.length === 1 && first !== undefined && first.type !== 'ExprResultColumn') return [];
  return select.columns.map((column) => {
    if (column.type !== 'ExprResultColumn') throw faults.unsupported({ column: '*' });
    if (column.alias !== undefined) throw faults.unsupported({ clause: 'AS' });
    return columnOf(column.expr);
  });
}

function columnOf(expr: Expr): Term {
  const name = columnName(expr);
  if (name === undefined) throw faults.unsupported({ expression: expr.type });
  return term(name);
}

function columnName(expr: Expr): string | undefined {
  if (expr.type === 'Id') return expr.name;
  if (expr.type === 'QualifiedExpr') return expr.column.text; // the table is the only one there is
  return expr.type === 'NameExpr' ? expr.name.text : undefined;
}

function term(name: string): Term {
  if (name === '' || name.length > limits.keywordBytes) throw faults.badSql({ name: name.slice(0, 80) });
  return [name];
}

function conditionsOf(expr: Expr | undefined, values: Values): Condition[] {
  if (expr === undefined) return [];
  if (expr.type === 'ParenthesizedExpr' && expr.exprs.length === 1) return conditionsOf(expr.exprs[0], values);
  if (expr.type === 'BinaryExpr' && expr.op === 'And') return [...conditionsOf(expr.left, values), ...conditionsOf(expr.right, values)];
  return conditionOf(expr, values);
}

const comparisons: Readonly<Record<string, readonly [op: Operator, flipped: Operator]>> = {
  Equals: ['=', '='], NotEquals: ['<>', '<>'], Less: ['<', '>'], LessEquals: ['<=', '>='], Greater: ['>', '<'], GreaterEquals: ['>=', '<='],
};

function conditionOf(expr: Expr, values: Values): Condition[] {
  switch (expr.type) {
    case 'BinaryExpr':
      return [comparison(expr.op, expr.left, expr.right, values)];
    case 'IsNullExpr':
    case 'NotNullExpr':
      return [{ term: columnOf(expr.expr), op: expr.type === 'IsNullExpr' ? 'is null' : 'is not null', values: [] }];
    case 'InListExpr':
      return [{ term: columnOf(expr.lhs), op: expr.not ? 'not in' : 'in', values: (expr.rhs ?? []).map((item) => values.of(item)) }];
    case 'LikeExpr':
      if (expr.op !== 'Like' || expr.escape !== undefined) throw faults.unsupported({ operator: expr.op });
      return [{ term: columnOf(expr.lhs), op: expr.not ? 'not like' : 'like', values: [values.of(expr.rhs)] }];
    case 'BetweenExpr': {
      if (expr.not) throw faults.unsupported({ operator: 'NOT BETWEEN' });
      const column = columnOf(expr.lhs);
      return [{ term: column, op: '>=', values: [values.of(expr.start)] }, { term: column, op: '<=', values: [values.of(expr.end)] }];
    }
    default:
      throw faults.unsupported({ expression: expr.type });
  }
}

function comparison(op: string, left: Expr, right: Expr, values: Values): Condition {
  if (op === 'Is' || op === 'IsNot') {
    if (right.type !== 'NullLiteral') throw faults.unsupported({ operator: op });
    return { term: columnOf(left), op: op === 'Is' ? 'is null' : 'is not null', values: [] };
  }
  const ops = comparisons[op];
  if (ops === undefined) throw faults.unsupported({ operator: op });
  if (columnName(left) !== undefined) return { term: columnOf(left), op: ops[0], values: [values.of(right)] };
  return { term: columnOf(right), op: ops[1], values: [values.of(left)] };
}

function limitOf(body: Select, values: Values): number | null {
  if (body.limit === undefined) return null;
  if (body.limit.offset !== undefined) throw faults.unsupported({ clause: 'OFFSET' });
  const limit = values.of(body.limit.expr);
  if (typeof limit !== 'bigint' || limit < 1n || limit > BigInt(limits.mxResults)) throw faults.unsupported({ limit: String(limit) });
  return Number(limit);
}

function createValues(params: readonly Scalar[]): Values {
  const used = new Set<number>();
  let next = 0;
  const parameter = (name: string): Scalar => {
    const at = name === '?' ? next : /^\?\d+$/.test(name) ? Number(name.slice(1)) - 1 : -1;
    next = Math.max(next, at + 1);
    const value = params[at];
    if (value === undefined) throw faults.badParameters({ parameter: name, given: params.length });
    used.add(at);
    return value;
  };
  return {
    of: (expr) => (expr.type === 'VariableExpr' ? parameter(expr.name) : literal(expr)),
    finish() {
      if (used.size !== params.length) throw faults.badParameters({ given: params.length, used: used.size });
    },
  };
}

function literal(expr: Expr): Scalar {
  switch (expr.type) {
    case 'NullLiteral': return null;
    case 'StringLiteral': return expr.value;
    case 'BlobLiteral': return expr.bytes;
    case 'NumericLiteral': return numeric(expr.value, false);
    case 'UnaryExpr':
      if (expr.op === 'Negative' && expr.expr.type === 'NumericLiteral') return numeric(expr.expr.value, true);
      throw faults.unsupported({ operator: expr.op });
    case 'Id': {
      const word = expr.name.toLowerCase();
      if (word === 'true' || word === 'false') return word === 'true' ? 1n : 0n;
      throw faults.unsupported({ comparison: 'of two columns', column: expr.name });
    }
    default: throw faults.unsupported({ expression: expr.type });
  }
}

/** SQLite's rule: an integer that does not fit 64 bits is a real. */
function numeric(source: string, negative: boolean): Scalar {
  const digits = source.replaceAll('_', '');
  if (/^(?:\d+|0x[0-9a-f]+)$/i.test(digits)) {
    const value = negative ? -BigInt(digits) : BigInt(digits);
    if (value >= -(1n << 63n) && value < 1n << 63n) return value;
  }
  const real = Number(digits);
  if (!Number.isFinite(real)) throw faults.badSql({ number: source.slice(0, 80) });
  return negative ? -real : real;
}
