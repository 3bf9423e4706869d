import { invariant } from '../errors/index.ts';
import { literalSql } from './literal.ts';
import { isConstraint, quoted } from './names.ts';
import type { Column, ForeignKey, Index, Schema, Table } from './types.ts';

/** One spelling per meaning: these statements are stored, hashed and compared. */
export function tableSql(schema: Schema, table: Table): string {
  const base = table.columns.slice(0, table.baseColumns);
  const parts = [
    ...base.map(columnSql),
    `PRIMARY KEY (${columnList(table, table.primaryKey)})`,
    ...table.indexes.filter(isConstraint).map(({ columns }) => `UNIQUE (${columnList(table, columns)})`),
    ...table.foreignKeys.filter((key) => !isAdded(table, key)).map((key) => foreignKeySql(schema, table, key)),
  ];
  return `CREATE TABLE ${quoted(table.name)} (${parts.join(', ')})`;
}

/** One ALTER TABLE per column added since the table was created. */
export function addedColumnsSql(schema: Schema, table: Table): readonly string[] {
  return table.columns.slice(table.baseColumns).map((column, i) => {
    const key = table.foreignKeys.find(({ columns }) => columns[0] === table.baseColumns + i && columns.length === 1);
    const reference = key === undefined ? '' : ` ${referenceSql(schema, key)}`;
    return `ALTER TABLE ${quoted(table.name)} ADD COLUMN ${columnSql(column)}${reference}`;
  });
}

/** The user's indexes; those of UNIQUE constraints are part of the table. */
export function indexesSql(table: Table, unique: boolean): readonly string[] {
  return table.indexes.filter((index) => !isConstraint(index) && index.unique === unique).map((index) => indexSql(table, index));
}

export function indexSql(table: Table, { name, columns, unique }: Index): string {
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${quoted(name)} ON ${quoted(table.name)} (${columnList(table, columns)})`;
}

export function columnList(table: Table, positions: readonly number[]): string {
  return positions.map((i) => quoted((table.columns[i] as Column).name)).join(', ');
}

function columnSql({ name, type, notNull, default: fallback }: Column): string {
  const missing = fallback === null ? '' : ` DEFAULT ${literalSql(fallback, type)}`;
  return `${quoted(name)} ${type}${notNull ? ' NOT NULL' : ''}${missing}`;
}

/** Added by ALTER TABLE: it uses a column the table did not start with. */
function isAdded(table: Table, { columns }: ForeignKey): boolean {
  return columns.some((column) => column >= table.baseColumns);
}

function foreignKeySql(schema: Schema, table: Table, key: ForeignKey): string {
  return `FOREIGN KEY (${columnList(table, key.columns)}) ${referenceSql(schema, key)}`;
}

function referenceSql(schema: Schema, { parent, target }: ForeignKey): string {
  const table = schema.tables.find(({ name }) => name === parent);
  invariant(table !== undefined, 'schema-parent-exists', { parent });
  const columns = target === '' ? table.primaryKey : table.indexes.find(({ name }) => name === target)?.columns;
  invariant(columns !== undefined, 'schema-reference-target-exists', { parent, target });
  return `REFERENCES ${quoted(parent)} (${columnList(table, columns)})`;
}
