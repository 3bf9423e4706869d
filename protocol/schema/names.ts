import { limits } from '../limits/index.ts';
import { schemaFaults } from './faults.ts';
import type { Column, Index, Schema, Table } from './types.ts';

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]*$/;

/**
 * Returns the name unchanged or throws SCHEMA_BAD_NAME. ASCII only, so that every engine folds case the
 * same way; a leading underscore is the mark of Picolo's own tables.
 */
export function checkedName(name: string, what: string): string {
  const allowed = IDENTIFIER.test(name) && name.length <= limits.identifierBytes && !/^sqlite_/i.test(name);
  if (!allowed) throw schemaFaults.badName({ what, name: name.slice(0, 80) });
  return name;
}

/** SQL compares identifiers without case; the declared spelling is the one that is signed. */
export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** By name, any case. */
export function findTable(schema: Schema, name: string): Table | undefined {
  return schema.tables.find((table) => sameName(table.name, name));
}

export function findIndex(schema: Schema, name: string): { readonly table: Table; readonly index: Index } | undefined {
  for (const table of schema.tables) {
    const index = table.indexes.find((candidate) => sameName(candidate.name, name));
    if (index !== undefined) return { table, index };
  }
  return undefined;
}

/** Position of a column by name, any case; throws SCHEMA_UNKNOWN_COLUMN. */
export function columnPosition(table: string, columns: readonly Column[], name: string): number {
  const position = columns.findIndex((column) => sameName(column.name, name));
  if (position < 0) throw schemaFaults.unknownColumn({ table, column: name.slice(0, 80) });
  return position;
}

export function quoted(name: string): string {
  return `"${name}"`; // checkedName admits no quote
}

/** True for the index of a UNIQUE constraint, whose name no user can write. */
export function isConstraint({ name }: Index): boolean {
  return name.includes(':');
}
