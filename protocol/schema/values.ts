import type { Scalar } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { equalBytes } from '../types/index.ts';
import { rowFaults } from './faults.ts';
import type { Column, Row, Table } from './types.ts';

const INT_MIN = -(1n << 63n);
const INT_MAX = (1n << 63n) - 1n;
// what a value of each column type is in memory; BOOLEAN is 0 or 1, TIMESTAMP integer milliseconds
const HOLDS = { INTEGER: 'bigint', BOOLEAN: 'bigint', TIMESTAMP: 'bigint', REAL: 'number', TEXT: 'string', BLOB: 'object' } as const;

/** Throws ROW_* unless the value may stand in the column (P-1-typed): the same verdict on every replica. */
export function checkScalar(table: string, column: Column, value: Scalar): void {
  const where = { table, column: column.name };
  if (value === null) {
    if (column.notNull) throw rowFaults.missing(where);
    return;
  }
  if (typeof value !== HOLDS[column.type]) throw rowFaults.wrongType({ ...where, type: column.type, got: nameOf(value) });
  if (typeof value === 'bigint') checkInteger(where, column, value);
  else if (typeof value === 'number') checkReal(where, value);
  else if (typeof value === 'string') checkText(where, value);
}

/** Throws ROW_* unless `row` is a canonical row of the table: typed, complete, trimmed, within its limits. */
export function validateRow(table: Table, row: Row): void {
  if (row.length < table.baseColumns || row.length > table.columns.length) {
    throw rowFaults.wrongWidth({ table: table.name, expected: table.columns.length, got: row.length });
  }
  let bytes = 0;
  row.forEach((value, i) => {
    checkScalar(table.name, table.columns[i] as Column, value);
    bytes += sizeOf(value);
  });
  if (bytes > limits.rowBytes) throw rowFaults.tooLong({ table: table.name, bytes, maxBytes: limits.rowBytes });
  if (trimmedWidth(table, row) !== row.length) throw rowFaults.notCanonical({ table: table.name });
}

/** Throws ROW_* unless `key` has the number and types of the table's primary key. */
export function validateKey(table: Table, key: readonly Scalar[]): void {
  if (key.length !== table.primaryKey.length) {
    throw rowFaults.wrongWidth({ table: table.name, expected: table.primaryKey.length, got: key.length });
  }
  table.primaryKey.forEach((position, i) => checkScalar(table.name, table.columns[position] as Column, key[i] as Scalar));
}

/**
 * Canonical form of a full row: added columns at the end that hold their default are left off. A row
 * written before ALTER TABLE and one written after it then have one hash for one content.
 */
export function trimRow(table: Table, row: Row): Row {
  return row.slice(0, trimmedWidth(table, row));
}

/** Every column's value, defaults of added columns filled in. */
export function expandRow(table: Table, row: Row): Row {
  if (row.length === table.columns.length) return row;
  return table.columns.map((column, i) => (i < row.length ? (row[i] as Scalar) : column.default));
}

/** Values of the given columns; works on trimmed rows. */
export function pick(table: Table, row: Row, positions: readonly number[]): readonly Scalar[] {
  return positions.map((i) => (i < row.length ? (row[i] as Scalar) : (table.columns[i] as Column).default));
}

/** Primary key of a row. */
export function keyOf(table: Table, row: Row): readonly Scalar[] {
  return pick(table, row, table.primaryKey);
}

export function sameScalar(a: Scalar, b: Scalar): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return equalBytes(a, b);
  return a === b;
}

function trimmedWidth(table: Table, row: Row): number {
  let width = row.length;
  while (width > table.baseColumns && sameScalar(row[width - 1] as Scalar, (table.columns[width - 1] as Column).default)) width -= 1;
  return width;
}

type Where = { readonly table: string; readonly column: string };

function checkInteger(where: Where, column: Column, value: bigint): void {
  const inRange = column.type === 'BOOLEAN' ? value === 0n || value === 1n : value >= INT_MIN && value <= INT_MAX;
  if (!inRange) throw rowFaults.outOfRange({ ...where, value });
}

function checkReal(where: Where, value: number): void {
  if (!Number.isFinite(value)) throw rowFaults.outOfRange({ ...where, value: String(value) });
}

function checkText(where: Where, value: string): void {
  if (!value.isWellFormed()) throw rowFaults.badText(where);
  const bytes = sizeOf(value);
  if (bytes > limits.textBytes) throw rowFaults.tooLong({ ...where, bytes, maxBytes: limits.textBytes });
}

const utf8 = new TextEncoder();

/** Counts without encoding while every character is one byte. */
function utf8Length(value: string): number {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0x7f) return utf8.encode(value).length;
  return value.length;
}

function sizeOf(value: Scalar): number {
  if (typeof value === 'string') return utf8Length(value);
  return value instanceof Uint8Array ? value.length : 8;
}

function nameOf(value: Scalar): string {
  if (typeof value === 'bigint') return 'integer';
  if (typeof value === 'number') return 'real';
  return typeof value === 'string' ? 'text' : 'blob';
}
