import { list, record, scalar, text, union, type Codec, type Scalar } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import type { Row } from '../schema/index.ts';

/**
 * What a row is after the transaction: one sub-record of the capsule record (DCS §4.1; D-4.1-subrecord).
 * `key` is the primary key; `row` holds every column, canonical (`trimRow`), key columns included.
 */
export type Mutation =
  | { readonly kind: 'put'; readonly table: string; readonly key: readonly Scalar[]; readonly row: Row }
  | { readonly kind: 'remove'; readonly table: string; readonly key: readonly Scalar[] };

export const keyC: Codec<readonly Scalar[]> = list(scalar, limits.columnsPerTable);
export const rowC: Codec<Row> = list(scalar, limits.scalarsPerRow);

const tableName = text(limits.identifierBytes);

export const mutationC: Codec<Mutation> = union({
  put: record({ table: tableName, key: keyC, row: rowC }),
  remove: record({ table: tableName, key: keyC }),
});

export function put(table: string, key: readonly Scalar[], row: Row): Mutation {
  return { kind: 'put', table, key, row };
}

export function remove(table: string, key: readonly Scalar[]): Mutation {
  return { kind: 'remove', table, key };
}
