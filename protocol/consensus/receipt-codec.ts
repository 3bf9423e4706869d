import { bool, decode, encode, hash32, list, record, signature, timestamp, u256, u32, u64, union, type Codec } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { OUTCOMES } from './block.ts';
import type { Receipt } from './receipt.ts';
import { headerC, oneOf, qcC } from './wire.ts';

const path = list(record({ sibling: hash32, left: bool }), 32);
const common = { command: hash32, entry: hash32, ts: timestamp, footprintRoot: hash32 };

export const receiptC: Codec<Receipt> = union({
  fast: record({
    ...common, view: u64, batchRoot: hash32, index: u32, path,
    acks: list(record({ signer: u32, acked: u256, ackSeq: u64, ackHead: hash32, signature }), limits.replicasPerGroup),
  }),
  classic: record({ ...common, outcome: oneOf(OUTCOMES), path, headers: list(headerC, limits.headersPerReceipt), qc: qcC }),
}) as unknown as Codec<Receipt>;

export function encodeReceipt(receipt: Receipt): Uint8Array {
  return encode(receiptC, receipt);
}

/** Throws CODEC_* for anything but the canonical bytes of one receipt. */
export function decodeReceipt(data: Uint8Array): Receipt {
  return decode(receiptC, data);
}
