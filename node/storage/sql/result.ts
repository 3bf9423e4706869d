import type { Scalar } from '../../../protocol/codec/index.ts';

/** The canonical form of a result: what `Statement.resultHash` is over (protocol/query). */
export interface ResultSet {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Scalar[])[];
}
