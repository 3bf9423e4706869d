/**
 * Typed tables (Picolo §1; P-1-typed). DDL statements make immutable `Schema` values; every replica
 * parses, checks and stores the same canonical statements, and judges a row the same way. Rows are lists
 * of scalars in column order: INTEGER and TIMESTAMP (milliseconds) as bigint, BOOLEAN as 0n or 1n, REAL as
 * number, TEXT as string, BLOB as bytes.
 *
 * @example
 *   const schema = schemaOf(['CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE, balance INTEGER DEFAULT 0)']);
 *   const table = findTable(schema, 'account') as Table;
 *   const row = rowFrom(table, { id: 7, owner: 'ada' });     // [7n, 'ada', 0n], validated
 *   const next = applyDdl(schema, parseDdl('CREATE INDEX by_balance ON account (balance)'));
 *   schemaFromRow(schemaRow(next));                          // how `_schema` stores it
 */
export { rowFaults, schemaFaults } from './faults.ts';
export { emptySchema } from './types.ts';
export type {
  Column, ColumnType, DdlStatement, ForeignKey, Index, ReferenceDefinition, Row, Schema, Table, TableDefinition,
} from './types.ts';
export { findIndex, findTable, quoted } from './names.ts';
export { parseDdl, parseDdlScript } from './parse.ts';
export { applyDdl, schemaOf } from './apply.ts';
export { canonicalStatements, schemaFromRow, schemaRow } from './stored.ts';
export { checkTransition, schemaEffects, type SchemaEffects } from './transition.ts';
export { sqliteAddColumn, sqliteDdl, sqliteIndex, sqliteTable } from './sqlite.ts';
export { checkScalar, expandRow, keyOf, pick, sameScalar, trimRow, validateKey, validateRow } from './values.ts';
export { coerceScalar, recordOf, rowFrom } from './coerce.ts';
