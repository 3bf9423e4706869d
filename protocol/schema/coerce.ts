import type { Scalar } from '../codec/index.ts';
import { sameName } from './names.ts';
import { rowFaults } from './faults.ts';
import type { Column, Row, Table } from './types.ts';
import { checkScalar, expandRow, trimRow, validateRow } from './values.ts';

/**
 * A plain JavaScript value as the scalar of a column: whole numbers for INTEGER and TIMESTAMP, booleans
 * for BOOLEAN, any number or bigint for REAL. Text is never parsed. Throws ROW_*.
 */
export function coerceScalar(table: string, column: Column, value: unknown): Scalar {
  const scalar = convert(column, value ?? null);
  if (scalar === undefined) throw rowFaults.wrongType({ table, column: column.name, type: column.type, got: typeof value });
  checkScalar(table, column, scalar);
  return scalar;
}

/** A row from values by column name; columns left out get their default. Canonical and validated. */
export function rowFrom(table: Table, values: Readonly<Record<string, unknown>>): Row {
  const given = new Map(Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]));
  const row = table.columns.map((column) => {
    const name = column.name.toLowerCase();
    return coerceScalar(table.name, column, given.has(name) ? given.get(name) : column.default);
  });
  const stray = Object.keys(values).find((name) => !table.columns.some((column) => sameName(column.name, name)));
  if (stray !== undefined) throw rowFaults.unknownColumn({ table: table.name, column: stray.slice(0, 80) });
  const trimmed = trimRow(table, row);
  validateRow(table, trimmed);
  return trimmed;
}

/** Values by column name, as declared. */
export function recordOf(table: Table, row: Row): Record<string, Scalar> {
  const full = expandRow(table, row);
  return Object.fromEntries(table.columns.map((column, i) => [column.name, full[i] as Scalar]));
}

function convert(column: Column, value: unknown): Scalar | undefined {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value;
  if (typeof value === 'boolean') return column.type === 'BOOLEAN' ? BigInt(value) : undefined;
  if (typeof value === 'number') {
    if (column.type === 'REAL') return value;
    return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  }
  if (typeof value === 'bigint') return column.type === 'REAL' ? Number(value) : value;
  return undefined;
}
