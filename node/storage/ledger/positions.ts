import { invariant } from '../../../protocol/errors/index.ts';
import type { BlockHash, Timestamp } from '../../../protocol/types/index.ts';
import type { ChainPosition } from '../../ports/index.ts';
import { blobOf, hashFrom, tsBlob, tsFrom } from '../file/bytes.ts';
import type { Store } from './store.ts';

/** The place in the chain, with what AS OF needs to know. */
export interface StoredPosition extends ChainPosition {
  /** Highest timestamp of any applied entry. */
  readonly maxTs: Timestamp;
  /** Oldest timestamp whose state is still complete. */
  readonly historyFrom: Timestamp;
}

interface Row {
  epoch: bigint; height: bigint; hash: Buffer; close_ts: Buffer; max_ts: Buffer; history_from: Buffer;
}

export function readPosition(store: Store): StoredPosition {
  const row = store.get<Row>('SELECT epoch, height, hash, close_ts, max_ts, history_from FROM position');
  invariant(row !== undefined, 'ledger-has-position');
  return {
    epoch: row.epoch, height: row.height, blockHash: hashFrom(row.hash) as BlockHash, closeTs: tsFrom(row.close_ts),
    maxTs: tsFrom(row.max_ts), historyFrom: tsFrom(row.history_from),
  };
}

export function writePosition(store: Store, { epoch, height, blockHash, closeTs, maxTs, historyFrom }: StoredPosition): void {
  store.run(
    'INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?, ?, ?, ?)',
    epoch, height, blobOf(blockHash), tsBlob(closeTs), tsBlob(maxTs), tsBlob(historyFrom),
  );
}
