import { encode, list, record, scalar, text, type Scalar } from '../../../protocol/codec/index.ts';
import { sha256Hex } from '../../../protocol/crypto/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import type { Hash32 } from '../../../protocol/types/index.ts';

export interface ResultSet {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Scalar[])[];
}

const MOST_COLUMNS = limits.columnsPerTable * 8;

/** The canonical form of a result: `Statement.resultHash` is the SHA-256 of its encoding. */
export const resultC = record({
  columns: list(text(limits.sqlBytes), MOST_COLUMNS),
  rows: list(list(scalar, MOST_COLUMNS), limits.queryRows),
});

export function resultHashOf(result: ResultSet): Hash32 {
  return sha256Hex(encode(resultC, result));
}
