import type { Scalar } from '../codec/index.ts';
import { keyOf, pick, type Index, type Row, type Table } from '../schema/index.ts';
import type { DatabaseId } from '../types/index.ts';
import type { Change } from './leaf.ts';
import { keyRef } from './path.ts';

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

/**
 * The leaf of a row in an index: what a new index gets for every row that is already there, written by the
 * entry that made the index (`schemaEffects`). Its content is the primary key.
 */
export function indexEntryOf(database: DatabaseId, table: Table, index: Index, row: Row): Change {
  return { ref: keyRef(database, table.name, index.name, indexKeyOf(table, index, row).key), content: keyOf(table, row) };
}
