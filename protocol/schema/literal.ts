import type { Expr } from 'sqlite3-parser';
import type { Scalar } from '../codec/index.ts';
import { isPicoloError } from '../errors/index.ts';
import { hexOf } from '../types/index.ts';
import { schemaFaults } from './faults.ts';
import type { Column, ColumnType } from './types.ts';
import { checkScalar } from './values.ts';

const INTEGER = /^[0-9]+$/;
const DECIMAL = /^[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?$/;

/** Value of a DEFAULT clause; literals only, because every replica must fill in the same value. */
export function defaultOf(expr: Expr, table: string, column: Omit<Column, 'default'>): Scalar {
  const inner = expr.type === 'ParenthesizedExpr' && expr.exprs.length === 1 ? (expr.exprs[0] as Expr) : expr;
  const value = literalOf(inner, column.type);
  // a zero byte would end the statement in the C engines that run it
  if (value === undefined || (typeof value === 'string' && value.includes('\u0000'))) {
    throw schemaFaults.badDefault({ table, column: column.name, type: column.type });
  }
  if (value !== null) checkDefault(value, table, column);
  return value;
}

/** The literal that reads back as the same value. */
export function literalSql(value: Scalar, type: ColumnType): string {
  if (value === null) return 'NULL';
  if (type === 'BOOLEAN') return value === 1n ? 'TRUE' : 'FALSE';
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (value instanceof Uint8Array) return `x'${hexOf(value).slice(2)}'`;
  if (typeof value === 'bigint') return value.toString();
  const digits = String(value);
  return /[.e]/.test(digits) ? digits : `${digits}.0`;
}

function checkDefault(value: Scalar, table: string, column: Omit<Column, 'default'>): void {
  try {
    checkScalar(table, { ...column, default: null }, value);
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    throw schemaFaults.badDefault({ table, column: column.name, type: column.type }, error);
  }
}

function literalOf(expr: Expr, type: ColumnType): Scalar | undefined {
  switch (expr.type) {
    case 'NullLiteral': return null;
    case 'StringLiteral': return expr.value;
    case 'BlobLiteral': return expr.bytes;
    case 'NumericLiteral': return numberOf(expr.value, type, false);
    case 'UnaryExpr': {
      const signed = expr.op === 'Negative' || expr.op === 'Positive';
      return signed && expr.expr.type === 'NumericLiteral' ? numberOf(expr.expr.value, type, expr.op === 'Negative') : undefined;
    }
    case 'Id': return type === 'BOOLEAN' ? booleanOf(expr.name) : undefined;
    default: return undefined;
  }
}

function numberOf(digits: string, type: ColumnType, negative: boolean): Scalar | undefined {
  if (type === 'REAL') {
    const value = DECIMAL.test(digits) ? Number(digits) : Number.NaN;
    if (!Number.isFinite(value)) return undefined;
    return negative && value !== 0 ? -value : value;
  }
  if (!INTEGER.test(digits) || digits.length > 20) return undefined;
  return negative ? -BigInt(digits) : BigInt(digits);
}

function booleanOf(word: string): Scalar | undefined {
  if (word.toLowerCase() === 'true') return 1n;
  return word.toLowerCase() === 'false' ? 0n : undefined;
}
