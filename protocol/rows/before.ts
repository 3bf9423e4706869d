import { ZERO_HASH, type EntryId } from '../types/index.ts';
import type { Row } from '../schema/index.ts';
import { txFaults } from './faults.ts';
import { isPicoloError } from '../errors/index.ts';
import type { KeyRef } from './path.ts';

/**
 * The state a transaction builds on, one key at a time. A client answers from what it read with proofs, a
 * replica from the versions the transaction names, an engine that executes from what it holds.
 */
export interface Before {
  /** Zero when the key is absent. */
  versionOf(ref: KeyRef): EntryId;
  /**
   * Content of the key at that version: a row, the counter of a reference (`[count]`), the `_schema` row.
   * Asked only when the version is not zero; undefined = not known here (TX_UNRESOLVED).
   */
  contentOf(ref: KeyRef): Row | undefined;
}

/** Content of a key, undefined when the key is absent; throws TX_UNRESOLVED when it is present but not here. */
export function contentBefore(before: Before, ref: KeyRef): Row | undefined {
  if (before.versionOf(ref) === ZERO_HASH) return undefined;
  const content = before.contentOf(ref);
  if (content === undefined) throw txFaults.unresolved({ table: ref.table, index: ref.index, path: ref.path });
  return content;
}

export function isAbsent(before: Before, ref: KeyRef): boolean {
  return before.versionOf(ref) === ZERO_HASH;
}

/**
 * Computes a value for each item although contents may be missing, then throws the first TX_UNRESOLVED. A client that lacks several
 * contents so learns of all of them in one round instead of one per round.
 */
export function resolveEach<T, U>(items: Iterable<T>, compute: (item: T) => U): U[] {
  const values: U[] = [];
  let missing: unknown;
  for (const item of items) {
    try {
      values.push(compute(item));
    } catch (error) {
      const unresolved = isPicoloError(error) && error.code === 'TX_UNRESOLVED';
      if (missing === undefined && !unresolved) throw error;
      missing ??= error;
    }
  }
  if (missing !== undefined) throw missing;
  return values;
}
