import { ZERO_HASH, type EntryId } from '../types/index.ts';
import type { Row } from '../schema/index.ts';
import { txFaults } from './faults.ts';
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
