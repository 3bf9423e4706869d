import { parseStmt, traverse, type Expr, type Stmt } from 'sqlite3-parser';
import type { Scalar } from '../../protocol/codec/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { sdkFaults } from '../errors.ts';

type Span = Expr['span'];
export type StatementKind = 'select' | 'insert' | 'update' | 'delete' | 'ddl';

/** One parsed statement whose placeholders are all `?`, one value each, in order. */
export interface Statement {
  readonly kind: StatementKind;
  readonly sql: string;
  readonly params: readonly Scalar[];
  /** Undefined for a SELECT with clauses beyond SQLite's grammar (AS OF), which the node reads. */
  readonly ast: Stmt | undefined;
}

/** A part of a statement that stands on its own, with the values of its own placeholders. */
export interface Part {
  readonly sql: string;
  readonly params: readonly Scalar[];
}

const KINDS: Readonly<Record<string, StatementKind>> = {
  SelectStmt: 'select', InsertStmt: 'insert', UpdateStmt: 'update', DeleteStmt: 'delete',
  CreateTableStmt: 'ddl', CreateIndexStmt: 'ddl', AlterTableStmt: 'ddl', DropTableStmt: 'ddl', DropIndexStmt: 'ddl',
};

/** Parses exactly one statement and matches its values. Throws SDK_SYNTAX, SDK_UNSUPPORTED_SQL, SDK_MISSING_PARAMETER. */
export function statementOf(sql: string, params: readonly Scalar[]): Statement {
  const text = sql.trim().replace(/;\s*$/, '');
  if (text === '') throw sdkFaults.oneStatement();
  if (text.length > limits.sqlBytes) throw sdkFaults.syntax({ reason: 'longer than the limit', most: limits.sqlBytes });
  const parsed = parseStmt(text);
  if (parsed.status === 'error') {
    if (/^(?:select|with|values)\b/i.test(text) && /\bas\s+of\b/i.test(text)) return { kind: 'select', sql: text, params, ast: undefined };
    const [first] = parsed.errors;
    throw sdkFaults.syntax({ reason: first?.message, line: first?.span.line, column: first?.span.col });
  }
  const kind = KINDS[parsed.root.type];
  if (kind === undefined) throw sdkFaults.unsupportedSql({ statement: parsed.root.type });
  return unnumbered(kind, text, params, parsed.root);
}

interface Placeholder {
  readonly name: string;
  readonly span: Span;
}

export function placeholdersIn(root: Stmt | Expr): Placeholder[] {
  const found: Placeholder[] = [];
  traverse(root, { nodes: { VariableExpr: (node) => void found.push(node) } });
  return found.toSorted((a, b) => a.span.offset - b.span.offset);
}

/** `?` and `?3` alike become `?` with the value at their place, so that parts can be cut out and run alone. */
function unnumbered(kind: StatementKind, sql: string, params: readonly Scalar[], root: Stmt): Statement {
  const placeholders = placeholdersIn(root);
  let highest = 0;
  const indexes = placeholders.map(({ name }) => {
    const number = name === '?' ? highest + 1 : /^\?\d{1,4}$/.test(name) ? Number(name.slice(1)) : 0;
    if (number === 0) throw sdkFaults.unsupportedSql({ statement: `placeholder ${name}`, hint: 'use ?' });
    highest = Math.max(highest, number);
    return number - 1;
  });
  if (params.length !== highest) throw sdkFaults.missingParameter({ placeholders: highest, values: params.length });
  const values = indexes.map((index) => params[index] as Scalar);
  if (placeholders.every(({ name }) => name === '?')) return { kind, sql, params: values, ast: root };
  const plain = placeholders.reduceRight((text, { span }) => `${text.slice(0, span.offset)}?${text.slice(span.offset + span.length)}`, sql);
  const again = parseStmt(plain);
  if (again.status === 'error') throw sdkFaults.syntax({ reason: 'placeholders' });
  return { kind, sql: plain, params: values, ast: again.root };
}

/** The text of one expression of the statement with its values. */
export function partAt(statement: Statement, span: Span): Part {
  return partBetween(statement, span.offset, span.offset + span.length);
}

export function partBetween(statement: Statement, from: number, to: number): Part {
  const before = placeholdersIn(statement.ast as Stmt);
  const params = statement.params.filter((_value, i) => {
    const at = (before[i] as Placeholder).span.offset;
    return at >= from && at < to;
  });
  return { sql: statement.sql.slice(from, to), params };
}

/** True when the expression asks other rows than the one it stands on. */
export function hasSubquery(root: Expr | Stmt): boolean {
  let found = false;
  traverse(root, { nodes: { Select: () => { found = true; return 'break'; }, InTableExpr: () => { found = true; return 'break'; } } });
  return found;
}
