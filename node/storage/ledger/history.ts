import { addMs, MAX_TIMESTAMP } from '../../../protocol/hlc/index.ts';
import type { Height, Timestamp } from '../../../protocol/types/index.ts';
import { tsBlob } from '../file/bytes.ts';
import type { Entries } from './entries.ts';
import type { Leaves } from './leaves.ts';
import { readPosition, writePosition } from './positions.ts';
import type { RowStore } from './row-store.ts';
import type { Store } from './store.ts';

export interface HistoryParts {
  readonly store: Store;
  readonly rows: RowStore;
  readonly leaves: Leaves;
  readonly entries: Entries;
  /** How far back AS OF and catch-up by replay reach. */
  readonly historyMs: number;
}

// a bounded bite per checkpoint: pruning must not stall the node, and checkpoints come every second
const BITE = 5_000n;

/** Lets go of what nobody may ask for any more (consensus §2.11): superseded rows, blocks, dropped tables. */
export class History {
  readonly #parts: HistoryParts;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
  }

  /** Inside a transaction. `oldestRoot`: closed timestamp of the oldest checkpoint that is still read. */
  prune(certified: Height, oldestRoot: Timestamp | undefined): void {
    const { store, leaves } = this.#parts;
    const position = readPosition(store);
    const wanted = position.closeTs === MAX_TIMESTAMP ? position.historyFrom : addMs(position.closeTs, -this.#parts.historyMs);
    // never above a checkpoint that is read: its rows come from the history too
    const until = [wanted, oldestRoot ?? wanted].reduce((a, b) => (a < b ? a : b));
    if (oldestRoot !== undefined) leaves.prune(oldestRoot, BITE);
    if (until <= position.historyFrom) return;
    writePosition(store, { ...position, historyFrom: until });
    store.run(`DELETE FROM blocks WHERE height < ? AND close_ts < ? AND height < (${TAIL_END})`, certified, tsBlob(until), tsBlob(oldestRoot ?? until));
    this.#pruneRows(until);
    this.#pruneTables(until);
  }

  #pruneRows(until: Timestamp): void {
    const { store, rows, entries } = this.#parts;
    let left = BITE;
    for (const { id } of store.all<{ id: bigint }>(ROW_SPACES)) {
      if (left <= 0n) return;
      const gone = rows.prune(id, until, left);
      for (const entry of gone) entries.count(entry, -1n);
      left -= BigInt(gone.length);
    }
  }

  #pruneTables(until: Timestamp): void {
    const { store, rows } = this.#parts;
    const over = store.all<{ id: bigint; index_name: string; name: string }>(
      'SELECT id, name, index_name FROM spaces WHERE dropped_ts < ? AND id NOT IN (SELECT space FROM old_leaves)', tsBlob(until),
    );
    for (const { id, index_name: index } of over) {
      if (index === '' && store.get(`SELECT 1 FROM h${id} LIMIT 1`) !== undefined) continue;
      if (index === '') rows.drop(id);
      store.run('DELETE FROM spaces WHERE id = ?', id);
    }
  }
}

/** A checkpoint is of use with its tail only (U-2): down to the first block whose timestamps it has closed. */
const TAIL_END = 'SELECT max(height) FROM blocks WHERE max_ts <= ?';
const ROW_SPACES = "SELECT id FROM spaces WHERE index_name = '' AND substr(name, 1, 1) <> '_'";
