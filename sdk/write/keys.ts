import type { Scalar } from '../../protocol/codec/index.ts';
import { coerceScalar, type Column, type Table } from '../../protocol/schema/index.ts';
import { sdkFaults } from '../errors.ts';

/** A key as people write it: one value, a list in key order, or an object by column name. Throws SDK_BAD_PARAMETER, ROW_*. */
export function keyFrom(table: Table, key: unknown): readonly Scalar[] {
  const columns = table.primaryKey.map((position) => table.columns[position] as Column);
  return columnValues(table, columns, key);
}

/** The same for the first columns of a key: bounds of a range. */
export function prefixFrom(table: Table, columns: readonly Column[], key: unknown): readonly Scalar[] {
  if (key === undefined) return [];
  const count = Array.isArray(key) ? key.length : 1;
  return columnValues(table, columns.slice(0, isPlain(key) ? Object.keys(key).length : count), key);
}

function columnValues(table: Table, columns: readonly Column[], key: unknown): readonly Scalar[] {
  const values = Array.isArray(key) ? key : isPlain(key) ? columns.map(({ name }) => key[name]) : [key];
  if (values.length !== columns.length || values.includes(undefined)) {
    throw sdkFaults.badParameter({ table: table.name, key: columns.map(({ name }) => name).join(', '), given: values.length });
  }
  return columns.map((column, i) => coerceScalar(table.name, column, dateless(values[i])));
}

function dateless(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Date);
}
