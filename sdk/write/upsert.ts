import type { InsertStmt } from 'sqlite3-parser';
import type { Scalar } from '../../protocol/codec/index.ts';
import { indexKeyOf, pathOf } from '../../protocol/rows/index.ts';
import { expandRow, keyOf, quoted, type Row, type Table } from '../../protocol/schema/index.ts';
import { sdkFaults } from '../errors.ts';
import { partBetween, type Part, type Statement } from '../sql/statement.ts';
import { rowsBefore, type Changed } from './change.ts';
import type { Writing } from './commit.ts';
import type { Draft } from './draft.ts';
import { incomingRows, type Incoming } from './insert.ts';
import type { Known } from './known.ts';
import type { LocalResult } from './local-sql.ts';
import { nameOf, runLocally } from './local-table.ts';

const NOTHING: LocalResult = { columns: [], rows: [] };

/** INSERT in all its forms. A plain one needs no read at all; with a conflict clause the rows in the way are read first. */
export async function planInsert(writing: Writing, known: Known, draft: Draft, statement: Statement, ast: InsertStmt): Promise<Changed> {
  const incoming = await incomingRows(writing, statement, ast);
  const resolving = ast.orConflict === 'Replace' || ast.orConflict === 'Ignore' || (ast.body.type === 'SelectInsertBody' && ast.body.upsert !== undefined);
  if (resolving) return planUpsert(writing, known, draft, statement, ast, incoming);
  for (const row of incoming.rows) draft.insert(incoming.table, row);
  return { changes: incoming.rows.length, returned: ast.returning === undefined ? NOTHING : returning(writing, statement, ast, incoming) };
}

/**
 * OR REPLACE, OR IGNORE, ON CONFLICT: SQLite decides in the client, over the proven rows that share a key with
 * the new ones; the statement is rewritten to carry the computed rows.
 */
async function planUpsert(
  writing: Writing, known: Known, draft: Draft, statement: Statement, ast: InsertStmt, { table, rows }: Incoming,
): Promise<Changed> {
  const keys = [...rows.map((row) => keyOf(table, row)), ...await uniqueNeighbours(writing, known, table, rows)];
  const before = await rowsBefore(known, draft, table, keys);
  const { sql, params } = rewritten(statement, ast, { table, rows });
  const { result, changed, removed, touched } = runLocally(writing.client, writing.home.current.schema, table, before, sql, params);
  const existing = new Set(before.map((row) => nameOf(keyOf(table, row))));
  for (const key of removed) draft.remove(table, key);
  for (const row of changed) {
    if (existing.has(nameOf(keyOf(table, row)))) draft.put(table, row);
    else draft.insert(table, row);
  }
  return { changes: touched, returned: result };
}

/** Keys of rows that hold a unique value that a new row wants. */
async function uniqueNeighbours({ home }: Writing, known: Known, table: Table, rows: readonly Row[]): Promise<readonly (readonly Scalar[])[]> {
  const paths = rows.flatMap((row) => table.indexes.filter((index) => index.unique).flatMap((index) => {
    const { key, exclusive } = indexKeyOf(table, index, row);
    return exclusive ? [pathOf(home.database, table.name, index.name, key)] : [];
  }));
  if (paths.length === 0) return [];
  await known.fetch(paths, paths);
  // the content of a unique entry is the primary key of its row
  return paths.flatMap((path) => {
    const key = known.contentAt(path);
    return key === undefined ? [] : [key];
  });
}

/** The same INSERT with its rows as plain values: `INSERT … INTO t (all columns) VALUES (?, …) ON CONFLICT … RETURNING …`. */
function rewritten(statement: Statement, ast: InsertStmt, { table, rows }: Incoming): Part {
  const head = ast.orConflict === undefined ? 'INSERT' : `INSERT OR ${ast.orConflict}`;
  const columns = table.columns.map(({ name }) => quoted(name)).join(', ');
  const tuple = `(${table.columns.map(() => '?').join(', ')})`;
  const values = rows.map(() => tuple).join(', ');
  const params = rows.flatMap((row) => expandRow(table, row));
  if (params.length > MOST_LOCAL_PARAMETERS) throw sdkFaults.tooManyRows({ rows: rows.length, hint: 'use table().insertMany' });
  const tail = tailOf(statement, ast);
  const name = statement.sql.slice(ast.tblName.span.offset, ast.tblName.span.offset + ast.tblName.span.length);
  return { sql: `${head} INTO ${name} (${columns}) VALUES ${values} ${tail.sql}`, params: [...params, ...tail.params] };
}

/** SQLite's own bound on placeholders. */
const MOST_LOCAL_PARAMETERS = 32_000;

/** ON CONFLICT … RETURNING …, if any. */
function tailOf(statement: Statement, ast: InsertStmt): Part {
  if (ast.body.type === 'DefaultValuesInsertBody') return { sql: '', params: [] };
  const { select, upsert } = ast.body;
  if (upsert === undefined && ast.returning === undefined) return { sql: '', params: [] };
  const pattern = upsert === undefined ? /\breturning\b/ig : /\bon\s+conflict\b/ig;
  pattern.lastIndex = select.span.offset + select.span.length;
  const at = pattern.exec(statement.sql)?.index ?? statement.sql.length;
  return partBetween(statement, at, statement.sql.length);
}

/** RETURNING of a plain INSERT, evaluated over the new rows in the private SQLite. */
function returning(writing: Writing, statement: Statement, ast: InsertStmt, incoming: Incoming): LocalResult {
  const { sql, params } = rewritten(statement, ast, incoming);
  return runLocally(writing.client, writing.home.current.schema, incoming.table, [], sql, params).result;
}
