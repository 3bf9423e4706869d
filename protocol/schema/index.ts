/**
 * Typed tables (Picolo §1; P-1-typed).
 */
export { rowFaults, schemaFaults } from './faults.ts';
export { emptySchema } from './types.ts';
export type {
  Column, ColumnType, DdlStatement, ForeignKey, Index, ReferenceDefinition, Row, Schema, Table, TableDefinition,
} from './types.ts';
