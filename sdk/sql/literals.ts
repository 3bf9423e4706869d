import type { Expr } from 'sqlite3-parser';
import type { Scalar } from '../../protocol/codec/index.ts';
import { sdkFaults } from '../errors.ts';

/** Takes the values of placeholders in the order they are met. */
export interface ParameterSource {
  next(): Scalar;
}

export function parameterSource(params: readonly Scalar[]): ParameterSource {
  let at = 0;
  return {
    next() {
      if (at >= params.length) throw sdkFaults.missingParameter({ values: params.length });
      return params[at++] as Scalar;
    },
  };
}

/** Value of a literal or placeholder; undefined when the expression has to be computed. */
export function literalValue(expr: Expr, params: ParameterSource): Scalar | undefined {
  switch (expr.type) {
    case 'VariableExpr': return params.next();
    case 'NullLiteral': return null;
    case 'StringLiteral': return expr.value;
    case 'BlobLiteral': return new Uint8Array(expr.bytes);
    case 'NumericLiteral': return numberOf(expr.value);
    case 'Id': return /^true$/i.test(expr.name) ? 1n : /^false$/i.test(expr.name) ? 0n : undefined;
    case 'UnaryExpr': return signedOf(expr.op, expr.expr, params);
    default: return undefined;
  }
}

/** True for what `literalValue` can do, without taking parameters. */
export function isLiteral(expr: Expr): boolean {
  if (expr.type === 'UnaryExpr') return (expr.op === 'Negative' || expr.op === 'Positive') && expr.expr.type === 'NumericLiteral';
  if (expr.type === 'Id') return /^(?:true|false)$/i.test(expr.name);
  return ['VariableExpr', 'NullLiteral', 'StringLiteral', 'BlobLiteral', 'NumericLiteral'].includes(expr.type);
}

function signedOf(op: string, inner: Expr, params: ParameterSource): Scalar | undefined {
  if (inner.type !== 'NumericLiteral' || (op !== 'Negative' && op !== 'Positive')) return undefined;
  const value = literalValue(inner, params);
  if (op === 'Positive' || value === undefined || value === null) return value;
  return typeof value === 'bigint' ? -value : typeof value === 'number' ? -value : undefined;
}

/** Integers beyond 64 bits become reals, as in SQLite. */
function numberOf(text: string): Scalar {
  const digits = text.replaceAll('_', '');
  if (/^0x/i.test(digits)) return BigInt.asIntN(64, BigInt(digits));
  if (!/^\d+$/.test(digits)) return Number(digits);
  const value = BigInt(digits);
  return value <= 1n << 63n ? value : Number(digits);
}
