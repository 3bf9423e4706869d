import type { Scalar } from '../../protocol/codec/index.ts';
import type { IntegerMode } from '../client.ts';
import { sdkFaults } from '../errors.ts';

/** What a caller may bind: dates are stored as milliseconds (TIMESTAMP), booleans as 0 or 1. */
export type Bindable = null | boolean | number | bigint | string | Uint8Array | Date;
/** What a caller gets back. */
export type Value = null | number | bigint | string | Uint8Array;
export type Row = Record<string, Value>;

const INT64 = 1n << 63n;

/** A JavaScript value as an SQL scalar. Throws SDK_BAD_PARAMETER. */
export function scalarOf(value: unknown, at?: number): Scalar {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value instanceof Date && Number.isFinite(value.getTime())) return BigInt(value.getTime());
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value === 'bigint' && value >= -INT64 && value < INT64) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return Number.isSafeInteger(value) ? BigInt(value) : value;
  throw sdkFaults.badParameter({ at, type: typeof value, value: String(value).slice(0, 40) });
}

export function valueOf(scalar: Scalar, integers: IntegerMode): Value {
  if (typeof scalar !== 'bigint' || integers === 'bigint') return scalar;
  const number = Number(scalar);
  return Number.isSafeInteger(number) ? number : scalar;
}

/** Rows by column name; of two columns with one name the last one stands, as in SQLite drivers. */
export function rowsOf(columns: readonly string[], rows: readonly (readonly Scalar[])[], integers: IntegerMode): Row[] {
  return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, valueOf(row[i] ?? null, integers)])));
}

/** Joins a template's text with placeholders; values never become part of the text. */
export function tagged(strings: TemplateStringsArray, values: readonly unknown[]): { sql: string; params: Scalar[] } {
  return { sql: strings.join('?'), params: values.map((value, i) => scalarOf(value, i)) };
}
