import { signStruct } from '../../../protocol/codec/index.ts';
import { ackValue } from '../../../protocol/consensus/receipt.ts';
import {
  batchRootOf, blockHashOf, encodeReceipt, outcomeLeaf, type BlockHeader, type Receipt,
} from '../../../protocol/consensus/index.ts';
import { merkleRoot } from '../../../protocol/crypto/index.ts';
import {
  hexOf, ZERO_HASH, type BlockHash, type EntryId, type Hash32, type Hex, type Timestamp, type TxId,
} from '../../../protocol/types/index.ts';
import type { World } from './world.ts';

interface Decided {
  readonly txId: TxId;
  readonly entryId: EntryId;
  readonly ts: Timestamp;
  readonly footprintRoot: Hash32;
  readonly outcome: 'applied' | 'aborted';
}

/** What a gateway hands out: acknowledgements for what was applied, a committed block for what was not. */
export function receiptFor(world: World, decided: Decided): Hex {
  return hexOf(encodeReceipt(decided.outcome === 'applied' ? fastReceipt(world, decided) : classicReceipt(world, decided)));
}

function fastReceipt(world: World, { txId, entryId, ts, footprintRoot }: Decided): Receipt {
  const batchRoot = batchRootOf([entryId]);
  const place = { group: world.group, epoch: 1n, view: 0n, batchRoot };
  const acks = world.keys.slice(0, 3).map((key, signer) => {
    const ack = { signer, acked: 1n, ackSeq: 1n, ackHead: ZERO_HASH };
    return { ...ack, signature: signStruct(world.domain, 'FastAck', ackValue(place, { ...ack, signature: '0x' as never }), key) };
  });
  return { kind: 'fast', command: txId, entry: entryId, ts, footprintRoot, view: 0n, batchRoot, index: 0, path: [], acks };
}

/** A committed block of one entry, signed by three of the group's keys. */
export function classicReceipt(world: Pick<World, 'domain' | 'group' | 'keys'>, { txId, entryId, ts, footprintRoot, outcome }: Decided): Receipt {
  const header = (round: number, parent: BlockHash, outcomeRoot: Hash32): BlockHeader => ({
    group: world.group, epoch: 1n, view: 0n, round, height: BigInt(round), parent, kind: 'normal', closeTs: ts, maxTs: ts, count: 1,
    entriesRoot: ZERO_HASH, effectsRoot: ZERO_HASH, outcomeRoot, tcRoot: ZERO_HASH, next: ZERO_HASH,
  });
  const first = header(1, ZERO_HASH as BlockHash, merkleRoot([outcomeLeaf(entryId, outcome)]));
  const second = header(2, blockHashOf(first), ZERO_HASH);
  const blockHash = blockHashOf(second);
  const votes = world.keys.slice(0, 3).map((key, signer) => {
    const vote = { group: world.group, epoch: 1n, view: 0n, round: 2, blockHash, qcView: 0n, qcRound: 1 };
    return { signer, qcView: 0n, qcRound: 1, signature: signStruct(world.domain, 'BlockVote', vote, key) };
  });
  return {
    kind: 'classic', command: txId, entry: entryId, ts, footprintRoot, outcome, path: [], headers: [first, second],
    qc: { view: 0n, round: 2, blockHash, votes },
  };
}
