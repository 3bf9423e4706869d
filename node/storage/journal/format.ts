import { crc32 } from 'node:zlib';
import { limits } from '../../../protocol/limits/index.ts';

/*
 * header: "PICOLOJ1" ‖ first sequence number (8) ‖ CRC-32 of both (4)
 * record: payload length (4) ‖ CRC-32 of sequence number ‖ length ‖ payload (4) ‖ payload
 * All numbers big-endian. The sequence number is in the checksum, not in the record: a record that
 * stands at another place than it was written for does not verify.
 */
const MAGIC = new TextEncoder().encode('PICOLOJ1');
export const HEADER_BYTES = 20;
const RECORD_HEADER_BYTES = 8;

export interface ParsedJournal {
  readonly records: Uint8Array[];
  readonly firstSequence: bigint;
  /** Length of the part that verifies; whatever follows is torn. */
  readonly soundBytes: number;
}

/** Records one after another, behind a header when they start a file. */
export function encodeRecords(records: readonly Uint8Array[], firstSequence: bigint, startsFile: boolean): Uint8Array {
  let at = startsFile ? HEADER_BYTES : 0;
  const out = new Uint8Array(records.reduce((sum, record) => sum + RECORD_HEADER_BYTES + record.length, at));
  if (startsFile) putHeader(out, firstSequence);
  records.forEach((record, i) => {
    at = putRecord(out, at, firstSequence + BigInt(i), record);
  });
  return out;
}

function putHeader(out: Uint8Array, firstSequence: bigint): void {
  const view = new DataView(out.buffer);
  out.set(MAGIC);
  view.setBigUint64(8, firstSequence);
  view.setUint32(16, crc32(out.subarray(0, 16)));
}

function putRecord(out: Uint8Array, at: number, sequence: bigint, payload: Uint8Array): number {
  const view = new DataView(out.buffer);
  view.setUint32(at, payload.length);
  view.setUint32(at + 4, checksum(sequence, payload));
  out.set(payload, at + RECORD_HEADER_BYTES);
  return at + RECORD_HEADER_BYTES + payload.length;
}

/** Reads up to the first record that does not verify (consensus §2.14: recovery stops there). */
export function parseJournal(file: Uint8Array): ParsedJournal {
  const firstSequence = firstSequenceOf(file);
  if (firstSequence === undefined) return { records: [], firstSequence: 0n, soundBytes: 0 };
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const records: Uint8Array[] = [];
  let at = HEADER_BYTES;
  while (at + RECORD_HEADER_BYTES <= file.length) {
    const length = view.getUint32(at);
    const end = at + RECORD_HEADER_BYTES + length;
    if (length > limits.journalRecordBytes || end > file.length) break;
    const payload = file.slice(at + RECORD_HEADER_BYTES, end);
    if (view.getUint32(at + 4) !== checksum(firstSequence + BigInt(records.length), payload)) break;
    records.push(payload);
    at = end;
  }
  return { records, firstSequence, soundBytes: at };
}

function firstSequenceOf(file: Uint8Array): bigint | undefined {
  if (file.length < HEADER_BYTES) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const known = MAGIC.every((byte, i) => file[i] === byte);
  return known && view.getUint32(16) === crc32(file.subarray(0, 16)) ? view.getBigUint64(8) : undefined;
}

function checksum(sequence: bigint, payload: Uint8Array): number {
  const prefix = new Uint8Array(12);
  const view = new DataView(prefix.buffer);
  view.setBigUint64(0, sequence);
  view.setUint32(8, payload.length);
  return crc32(payload, crc32(prefix));
}
