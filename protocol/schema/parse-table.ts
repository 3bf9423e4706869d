import type {
  ColumnConstraint, ColumnDefinition, ColumnsAndConstraintsCreateTableBody, ForeignKeyClause, TableConstraint, Type,
} from 'sqlite3-parser';
import type { Scalar } from '../codec/index.ts';
import { schemaFaults } from './faults.ts';
import { defaultOf } from './literal.ts';
import { columnNames, nameOf } from './parse-names.ts';
import type { Column, ColumnType, ReferenceDefinition, TableDefinition } from './types.ts';

export interface ParsedColumn {
  readonly column: Column;
  readonly primaryKey: boolean;
  readonly unique: boolean;
  readonly references: readonly ReferenceDefinition[];
}

const TYPES: Readonly<Record<string, ColumnType>> = {
  INTEGER: 'INTEGER', INT: 'INTEGER', REAL: 'REAL', TEXT: 'TEXT', BLOB: 'BLOB', BOOLEAN: 'BOOLEAN', BOOL: 'BOOLEAN', TIMESTAMP: 'TIMESTAMP',
};

/** What a CREATE TABLE says, names not yet looked up. STRICT and WITHOUT ROWID say nothing new: every table is both. */
export function tableOf(name: string, body: ColumnsAndConstraintsCreateTableBody): TableDefinition {
  const parsed = body.columns.map((definition) => columnOf(name, definition));
  const primaryKeys = parsed.filter(({ primaryKey }) => primaryKey).map(({ column }) => [column.name] as readonly string[]);
  const uniques = parsed.filter(({ unique }) => unique).map(({ column }) => [column.name] as readonly string[]);
  const references = parsed.flatMap((column) => column.references);
  for (const { constraint } of body.constraints ?? []) readConstraint(name, constraint, { primaryKeys, uniques, references });
  const [primaryKey, second] = primaryKeys;
  if (primaryKey === undefined) throw schemaFaults.noPrimaryKey({ table: name });
  if (second !== undefined) throw schemaFaults.unsupported({ part: 'two primary keys', table: name });
  return { name, columns: parsed.map(({ column }) => column), primaryKey, uniques, references };
}

export function columnOf(table: string, definition: ColumnDefinition): ParsedColumn {
  const name = nameOf(definition.colName, 'column');
  const type = typeOf(table, name, definition.colType);
  const constraints = definition.constraints.map(({ constraint }) => constraint);
  constraints.forEach((constraint) => refuseUnsupported(table, name, constraint));
  const notNull = constraints.some((constraint) => constraint.type === 'NotNullColumnConstraint' && !constraint.nullable);
  const primaryKey = constraints.some(({ type: kind }) => kind === 'PrimaryKeyColumnConstraint');
  const bare = { name, type, notNull: notNull || primaryKey };
  return {
    column: { ...bare, default: defaultIn(table, bare, constraints) },
    primaryKey,
    unique: constraints.some(({ type: kind }) => kind === 'UniqueColumnConstraint'),
    references: constraints.flatMap((constraint) =>
      constraint.type === 'ForeignKeyColumnConstraint' ? [referenceOf(table, [name], constraint.clause)] : []),
  };
}

function defaultIn(table: string, column: Omit<Column, 'default'>, constraints: readonly ColumnConstraint[]): Scalar {
  const found = constraints.filter((constraint) => constraint.type === 'DefaultColumnConstraint');
  if (found.length > 1) throw schemaFaults.badDefault({ table, column: column.name, defaults: found.length });
  return found[0] === undefined ? null : defaultOf(found[0].expr, table, column);
}

interface Collected {
  readonly primaryKeys: (readonly string[])[];
  readonly uniques: (readonly string[])[];
  readonly references: ReferenceDefinition[];
}

function readConstraint(table: string, constraint: TableConstraint, into: Collected): void {
  switch (constraint.type) {
    case 'PrimaryKeyTableConstraint':
      if (constraint.autoIncrement) throw noAutoIncrement(table);
      refuseConflictClause(table, constraint.conflictClause);
      into.primaryKeys.push(columnNames(constraint.columns));
      return;
    case 'UniqueTableConstraint':
      refuseConflictClause(table, constraint.conflictClause);
      into.uniques.push(columnNames(constraint.columns));
      return;
    case 'ForeignKeyTableConstraint':
      into.references.push(referenceOf(table, constraint.columns.map(({ colName }) => colName.text), constraint.clause));
      return;
    case 'CheckTableConstraint': throw noCheck(table);
  }
}

/** RESTRICT and NO ACTION mean the same here: references hold when the transaction is over. */
function referenceOf(table: string, columns: readonly string[], clause: ForeignKeyClause): ReferenceDefinition {
  for (const arg of clause.args) {
    const refused = arg.type === 'MatchRefArg' ? arg.name.text : arg.action;
    if (refused !== 'Restrict' && refused !== 'NoAction') {
      throw schemaFaults.unsupported({ part: `foreign key action ${refused}; only RESTRICT and NO ACTION`, table });
    }
  }
  return { columns, parent: nameOf(clause.tblName, 'table'), parentColumns: (clause.columns ?? []).map(({ colName }) => colName.text) };
}

function refuseUnsupported(table: string, column: string, constraint: ColumnConstraint): void {
  switch (constraint.type) {
    case 'CheckColumnConstraint': throw noCheck(table, column);
    case 'GeneratedColumnConstraint': throw schemaFaults.unsupported({ part: 'generated columns', table, column });
    case 'CollateColumnConstraint':
      if (constraint.collationName.text.toUpperCase() === 'BINARY') return;
      throw schemaFaults.unsupported({ part: 'COLLATE other than BINARY: keys sort by their bytes', table, column });
    case 'PrimaryKeyColumnConstraint':
      if (constraint.autoIncrement) throw noAutoIncrement(table);
      if (constraint.order === 'Desc') {
        throw schemaFaults.unsupported({ part: 'PRIMARY KEY DESC: keys are read in both directions', table, column });
      }
      refuseConflictClause(table, constraint.conflictClause);
      return;
    case 'NotNullColumnConstraint':
    case 'UniqueColumnConstraint':
      refuseConflictClause(table, constraint.conflictClause);
      return;
    default:
  }
}

function typeOf(table: string, column: string, type: Type | undefined): ColumnType {
  const known = type === undefined ? undefined : TYPES[type.name.toUpperCase()];
  if (known === undefined) throw schemaFaults.badType({ table, column, type: type?.name.slice(0, 80) });
  if (type?.size !== undefined) throw schemaFaults.unsupported({ part: 'sizes of column types: the network limits apply', table, column });
  return known;
}

function refuseConflictClause(table: string, clause: string | undefined): void {
  if (clause !== undefined) throw schemaFaults.unsupported({ part: 'ON CONFLICT in a constraint', table });
}

// A CHECK would have to be evaluated by every replica, SQL expressions included, bit for bit alike.
function noCheck(table: string, column?: string): Error {
  return schemaFaults.unsupported({ part: 'CHECK constraints: check in the application before you sign', table, column });
}

// Two clients that are offline to each other cannot count the same sequence.
function noAutoIncrement(table: string): Error {
  return schemaFaults.unsupported({ part: 'AUTOINCREMENT: make keys in the client, for example random or time-ordered ones', table });
}
