import type { EntryId, Hash32, Hex, Timestamp, TxId } from '../../../protocol/types/index.ts';
import type { World } from './world.ts';

export function receiptFor(_world: World, _entry: { txId: TxId; entryId: EntryId; ts: Timestamp; footprintRoot: Hash32 }): Hex {
  return '0x';
}
