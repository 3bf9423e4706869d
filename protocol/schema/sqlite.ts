import { literalSql } from './literal.ts';
import { isConstraint, quoted } from './names.ts';
import { columnList, indexSql } from './print.ts';
import type { Column, ColumnType, Index, Schema, Table } from './types.ts';

const STORED: Readonly<Record<ColumnType, string>> = {
  INTEGER: 'INTEGER', REAL: 'REAL', TEXT: 'TEXT', BLOB: 'BLOB', BOOLEAN: 'INTEGER', TIMESTAMP: 'INTEGER',
};

/**
 * The statements that build the schema in SQLite, STRICT. References are left out: footprints keep them
 * (`rows`), and an engine that holds part of the rows could not.
 */
export function sqliteDdl(schema: Schema): readonly string[] {
  return schema.tables.flatMap((table) => [
    sqliteTable(table), ...table.indexes.filter((index) => !isConstraint(index)).map((index) => sqliteIndex(table, index)),
  ]);
}

/**
 * An integer key of one column is SQLite's row id; other tables are stored by their key (WITHOUT ROWID).
 * Within one transaction apply removals and replaced rows before new ones: unique values may change hands.
 */
export function sqliteTable(table: Table): string {
  const [key, ...more] = table.primaryKey;
  const rowId = more.length === 0 && STORED[(table.columns[key as number] as Column).type] === 'INTEGER';
  const parts = [
    ...table.columns.map((column, i) => columnSql(column, rowId && i === key)),
    ...(rowId ? [] : [`PRIMARY KEY (${columnList(table, table.primaryKey)})`]),
    ...table.indexes.filter(isConstraint).map(({ columns }) => `UNIQUE (${columnList(table, columns)})`),
  ];
  return `CREATE TABLE ${quoted(table.name)} (${parts.join(', ')}) STRICT${rowId ? '' : ', WITHOUT ROWID'}`;
}

export function sqliteIndex(table: Table, index: Index): string {
  return indexSql(table, index);
}

export function sqliteAddColumn(table: Table, column: Column): string {
  return `ALTER TABLE ${quoted(table.name)} ADD COLUMN ${columnSql(column, false)}`;
}

function columnSql({ name, type, notNull, default: fallback }: Column, isRowId: boolean): string {
  const missing = fallback === null ? '' : ` DEFAULT ${storedLiteral({ type, fallback })}`;
  return `${quoted(name)} ${STORED[type]}${isRowId ? ' PRIMARY KEY' : ''}${notNull ? ' NOT NULL' : ''}${missing}`;
}

function storedLiteral({ type, fallback }: { readonly type: ColumnType; readonly fallback: Column['default'] }): string {
  return literalSql(fallback, type === 'BOOLEAN' ? 'INTEGER' : type);
}
