import { hashPairs } from '../crypto/index.ts';
import { bytesOf } from '../types/index.ts';
import { treeFaults } from './faults.ts';
import type { Leaf, ProofStep } from './types.ts';

/** 32 bytes. */
export type Block = Uint8Array;

export const COUNT_LIMIT = 1n << 64n;

// inputs are built in place; the 22 zero bytes behind the meta are never written
const pair = new Uint8Array(64);
const meta = new Uint8Array(64);
const metaView = new DataView(meta.buffer);

export function bitOf(path: Uint8Array, depth: number): number {
  return ((path[depth >> 3] as number) >> (7 - (depth & 7))) & 1;
}

export function checkStep({ depth, siblingCount }: ProofStep): void {
  if (!Number.isInteger(depth) || depth < 0 || depth > 255) throw treeFaults.badDepth({ depth });
  if (siblingCount < 1n || siblingCount >= COUNT_LIMIT) throw treeFaults.badCount({ count: siblingCount });
}

/**
 * H(path ‖ rowHash). Without the refusal of row hashes that end in 22 zero bytes, the two halves of an
 * inner node's hash input would pass as a leaf, and any key could be "proven" absent.
 */
export function hashLeaf({ path, rowHash }: Leaf): Block {
  pair.set(bytesOf(path), 0);
  pair.set(bytesOf(rowHash), 32);
  let last = 63;
  while (last >= 42 && pair[last] === 0) last--;
  if (last < 42) throw treeFaults.rowHash({ path, rowHash });
  const out = new Uint8Array(32);
  hashPairs(pair, out);
  return out;
}

/** H( H(left ‖ right) ‖ uint16 depth ‖ uint64 count ‖ zeros ). */
export function hashInner(left: Block, right: Block, depth: number, count: bigint): Block {
  pair.set(left, 0);
  pair.set(right, 32);
  const out = new Uint8Array(32);
  hashPairs(pair, out);
  meta.set(out, 0);
  metaView.setUint16(32, depth);
  metaView.setBigUint64(34, count);
  hashPairs(meta, out);
  return out;
}
