import { limits } from '../limits/index.ts';
import { parseDdlScript } from './parse.ts';
import { schemaFaults } from './faults.ts';
import { checkedName, findIndex, findTable, sameName } from './names.ts';
import { foreignKeyOf, indexOf, tableFrom } from './build.ts';
import { emptySchema, type Column, type DdlStatement, type ReferenceDefinition, type Schema, type Table } from './types.ts';

/**
 * The next version of a schema: all statements together are one version, as they are one transaction.
 * Returns the same object when nothing changes (IF EXISTS, IF NOT EXISTS). Throws SCHEMA_*.
 */
export function applyDdl(schema: Schema, ddl: DdlStatement | readonly DdlStatement[]): Schema {
  const statements: readonly DdlStatement[] = 'kind' in ddl ? [ddl] : ddl;
  const next = schema.version + 1;
  const tables = statements.reduce<readonly Table[]>((current, statement) => applied(current, statement, next), schema.tables);
  return tables === schema.tables ? schema : Object.freeze({ version: next, tables });
}

/** Version 1 of a schema: what these statements make of an empty database. */
export function schemaOf(statements: readonly (DdlStatement | string)[]): Schema {
  return applyDdl(emptySchema, statements.flatMap((ddl) => (typeof ddl === 'string' ? parseDdlScript(ddl) : [ddl])));
}

/** @param version the schema version the statement belongs to; tables it creates carry it */
export function applied(tables: readonly Table[], statement: DdlStatement, version: number): readonly Table[] {
  switch (statement.kind) {
    case 'createTable': return createTable(tables, statement, version);
    case 'createIndex': return createIndex(tables, statement, version);
    case 'addColumn': return addColumn(tables, statement, version);
    case 'dropTable': return dropTable(tables, statement);
    case 'dropIndex': return dropIndex(tables, statement);
  }
}

type Statement<K extends DdlStatement['kind']> = Extract<DdlStatement, { kind: K }>;

function createTable(tables: readonly Table[], { table, ifNotExists }: Statement<'createTable'>, version: number): readonly Table[] {
  if (ifNotExists && findTable({ version, tables }, table.name)) return tables;
  refuseTaken(tables, table.name);
  atMost('tablesPerDatabase', tables.length + 1, table.name);
  return [...tables, tableFrom(table, tables, version)];
}

function createIndex(tables: readonly Table[], statement: Statement<'createIndex'>, version: number): readonly Table[] {
  const table = existing(tables, statement.table);
  if (statement.ifNotExists && findIndex({ version, tables }, statement.name)) return tables;
  refuseTaken(tables, statement.name);
  if (statement.unique && table.since !== version) throw schemaFaults.uniqueOnExisting({ table: table.name, index: statement.name });
  atMost('indexesPerTable', table.indexes.length + 1, table.name);
  const index = indexOf(table.name, table.columns, checkedName(statement.name, 'index'), statement.columns, statement.unique);
  // unique ones first: they may be made only with the table, so this order survives storing and reading back
  const indexes = [...table.indexes, index].toSorted((a, b) => Number(b.unique) - Number(a.unique));
  return replaced(tables, { ...table, indexes });
}

function addColumn(tables: readonly Table[], statement: Statement<'addColumn'>, version: number): readonly Table[] {
  const table = existing(tables, statement.table);
  const { column, reference } = statement;
  const taken = table.columns.some(({ name }) => sameName(name, column.name));
  if (taken) throw schemaFaults.duplicate({ table: table.name, column: column.name });
  if (column.notNull && column.default === null) throw schemaFaults.columnNeedsDefault({ table: table.name, column: column.name });
  atMost('columnsPerTable', table.columns.length + 1, table.name);
  const columns = [...table.columns, column];
  // a table of the same transaction has no rows yet: the column belongs to it from the start
  const baseColumns = table.since === version ? columns.length : table.baseColumns;
  const widened = { ...table, columns, baseColumns };
  return replaced(tables, reference === null ? widened : withReference(widened, column, reference, tables));
}

function withReference(table: Table, column: Column, reference: ReferenceDefinition, tables: readonly Table[]): Table {
  // existing rows hold the default and no transaction has proven that such a parent exists
  if (column.default !== null) {
    throw schemaFaults.badReference({ table: table.name, column: column.name, reason: 'an added reference must default to NULL' });
  }
  atMost('foreignKeysPerTable', table.foreignKeys.length + 1, table.name);
  return { ...table, foreignKeys: [...table.foreignKeys, foreignKeyOf(table, reference, tables, table.foreignKeys.length)] };
}

function dropTable(tables: readonly Table[], { name, ifExists }: Statement<'dropTable'>): readonly Table[] {
  const table = findTable({ version: 0, tables }, name);
  if (table === undefined && ifExists) return tables;
  if (table === undefined) throw schemaFaults.unknownTable({ table: name });
  const child = tables.find((other) => other !== table && other.foreignKeys.some(({ parent }) => parent === table.name));
  if (child !== undefined) throw schemaFaults.stillReferenced({ table: table.name, by: child.name });
  return tables.filter((other) => other !== table);
}

function dropIndex(tables: readonly Table[], { name, ifExists }: Statement<'dropIndex'>): readonly Table[] {
  const found = findIndex({ version: 0, tables }, name);
  if (found === undefined && ifExists) return tables;
  if (found === undefined) throw schemaFaults.unknownIndex({ index: name });
  const { table, index } = found;
  const child = tables.find((other) => other.foreignKeys.some(({ parent, target }) => parent === table.name && target === index.name));
  if (child !== undefined) throw schemaFaults.stillReferenced({ index: index.name, by: child.name });
  return replaced(tables, { ...table, indexes: table.indexes.filter((other) => other !== index) });
}

function existing(tables: readonly Table[], name: string): Table {
  const table = findTable({ version: 0, tables }, name);
  if (table === undefined) throw schemaFaults.unknownTable({ table: name });
  return table;
}

function replaced(tables: readonly Table[], table: Table): readonly Table[] {
  return tables.map((other) => (other.name === table.name ? table : other));
}

/** Tables and indexes share one name space, as in SQLite. */
function refuseTaken(tables: readonly Table[], name: string): void {
  const schema = { version: 0, tables };
  if (findTable(schema, name) || findIndex(schema, name)) throw schemaFaults.duplicate({ name });
}

type Bound = 'tablesPerDatabase' | 'indexesPerTable' | 'columnsPerTable' | 'foreignKeysPerTable';

function atMost(limit: Bound, count: number, table: string): void {
  if (count > limits[limit]) throw schemaFaults.tooMany({ limit, table, most: limits[limit] });
}

