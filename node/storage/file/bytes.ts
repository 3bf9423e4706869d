import { bytesOf, hexOf, uintBytes, type Hash32, type Hex, type Timestamp } from '../../../protocol/types/index.ts';

/** How values of the protocol stand in SQLite: hashes and timestamps as blobs, whose byte order is their order. */
export function blobOf(hex: Hex): Buffer {
  const bytes = bytesOf(hex);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function hashFrom(blob: Uint8Array): Hash32 {
  return hexOf(blob) as Hash32;
}

export function tsBlob(ts: Timestamp): Buffer {
  return Buffer.from(uintBytes(ts, 12));
}

export function tsFrom(blob: Uint8Array): Timestamp {
  return BigInt(hexOf(blob)) as Timestamp;
}
