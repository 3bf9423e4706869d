import { crc32 } from 'node:zlib';
import {
  address, bytes, decode, encode, hash32, list, record, signature, text, u32, u64, u256, union, type Decoded, type Domain,
} from '../../protocol/codec/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { concatBytes, uintBytes, type Address } from '../../protocol/types/index.ts';
import { signerFaults } from './faults.ts';

/*
 * The guard log is a chain of batches, one per write:
 *   magic(4) ‖ length(4) ‖ crc32(4) ‖ seq(8) ‖ flushed(8) ‖ payload     crc over seq ‖ flushed ‖ payload
 * Batch 0 is the header. `flushed` is how much of the file was on disk when the batch was written: a bad batch below
 * what a good one behind it calls flushed is damage; any other was lost with the power before its flush.
 */
const MAGIC = Uint8Array.of(0x50, 0x47, 0x55, 0x31); // "PGU1"
const BATCH_HEADER_BYTES = 28;
const FORMAT = 2;

const headerC = record({
  format: u32, signer: address, chainId: u256, verifyingContract: address, instance: bytes(16), inode: u64,
});
export type GuardHeader = Decoded<typeof headerC>;

const slotText = text(limits.guardSlotBytes);
const guardRecordC = union({
  signed: record({ statement: text(64), slot: slotText, digest: hash32, signature }),
  forgotten: record({ statement: text(64), below: slotText }),
});
export type GuardRecord = Decoded<typeof guardRecordC>;
const guardRecordsC = list(guardRecordC, 2 * limits.guardSlots);

export interface GuardScan {
  readonly header: GuardHeader;
  readonly records: readonly GuardRecord[];
  /** Bytes up to the end of the last good batch. */
  readonly goodBytes: number;
  readonly nextSeq: bigint;
  /** Something that was never flushed is unreadable. What can be read behind it is among the records. */
  readonly torn: boolean;
}

export function headerFor(signer: Address, domain: Domain, instance: Uint8Array, inode: bigint): GuardHeader {
  return { format: FORMAT, signer, chainId: domain.chainId, verifyingContract: domain.verifyingContract, instance, inode };
}

export function headerBatch(header: GuardHeader): Uint8Array {
  return batch(0n, 0, encode(headerC, header));
}

export function recordBatch(seq: bigint, flushedBytes: number, records: readonly GuardRecord[]): Uint8Array {
  return batch(seq, flushedBytes, encode(guardRecordsC, records));
}

/** Reads the whole log. Throws SIGNER_GUARD_DAMAGED when more than the tail is unreadable. */
export function scanGuard(data: Uint8Array): GuardScan {
  const first = readBatch(data, 0, 0n);
  if (first === undefined) throw signerFaults.guardDamaged({ at: 0, bytes: data.length });
  const header = decodeHeader(first.payload);
  const records: GuardRecord[] = [];
  let at = first.end;
  let seq = 1n;
  for (let next = readBatch(data, at, seq); next !== undefined; next = readBatch(data, at, seq)) {
    records.push(...recordsOf(next));
    at = next.end;
    seq += 1n;
  }
  for (const later of laterBatches(data, at, seq)) {
    if (later.flushed > at) throw signerFaults.guardDamaged({ at, bytes: data.length });
    records.push(...recordsOf(later));
  }
  return { header, records, goodBytes: at, nextSeq: seq, torn: at < data.length };
}

function recordsOf({ payload }: Batch): readonly GuardRecord[] {
  return decode(guardRecordsC, payload, Number.MAX_SAFE_INTEGER);
}

function decodeHeader(payload: Uint8Array): GuardHeader {
  const header = decode(headerC, payload);
  if (header.format !== FORMAT) throw signerFaults.guardForeign({ format: header.format, supported: FORMAT });
  return header;
}

function batch(seq: bigint, flushedBytes: number, payload: Uint8Array): Uint8Array {
  const body = concatBytes(uintBytes(seq, 8), uintBytes(BigInt(flushedBytes), 8), payload);
  return concatBytes(MAGIC, uintBytes(payload.length, 4), uintBytes(crc32(body), 4), body);
}

interface Batch {
  readonly flushed: number;
  readonly payload: Uint8Array;
  readonly end: number;
}

function readBatch(data: Uint8Array, at: number, minSeq: bigint, exact = true): Batch | undefined {
  if (data.length - at < BATCH_HEADER_BYTES || MAGIC.some((byte, i) => data[at + i] !== byte)) return undefined;
  const view = new DataView(data.buffer, data.byteOffset + at);
  const end = at + BATCH_HEADER_BYTES + view.getUint32(4);
  const seq = view.getBigUint64(12);
  if (end > data.length || (exact ? seq !== minSeq : seq < minSeq)) return undefined;
  if (crc32(data.subarray(at + 12, end)) !== view.getUint32(8)) return undefined;
  return { flushed: Number(view.getBigUint64(20)), payload: data.subarray(at + BATCH_HEADER_BYTES, end), end };
}

/** Good batches anywhere behind the first bad one. */
function* laterBatches(data: Uint8Array, from: number, seq: bigint): Generator<Batch> {
  for (let at = data.indexOf(MAGIC[0] as number, from + 1); at >= 0;) {
    const found = readBatch(data, at, seq + 1n, false);
    if (found !== undefined) yield found;
    at = data.indexOf(MAGIC[0] as number, found?.end ?? at + 1);
  }
}
