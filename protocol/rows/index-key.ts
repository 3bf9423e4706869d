import type { Scalar } from '../codec/index.ts';
import { keyOf, pick, type Index, type Row, type Table } from '../schema/index.ts';

export interface IndexKey {
  readonly key: readonly Scalar[];
  /** At most one row may have this key: then its path is locked by whoever takes or frees it. */
  readonly exclusive: boolean;
}

/**
 * Key of a row's leaf in an index. A unique index: the indexed values. Any other, and a unique one where
 * a value is NULL (SQL lets those repeat): indexed values ‖ primary key, which only writers of that row touch.
 */
export function indexKeyOf(table: Table, index: Index, row: Row): IndexKey {
  const values = pick(table, row, index.columns);
  const exclusive = index.unique && !values.includes(null);
  return { key: exclusive ? values : [...values, ...keyOf(table, row)], exclusive };
}
