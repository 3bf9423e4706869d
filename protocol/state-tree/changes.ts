import type { Hex } from '../types/index.ts';
import { LEAF_WORDS } from './nodes.ts';
import { treeFaults } from './faults.ts';
import type { LeafChange } from './types.ts';

/** Changes as bytes: 64 per change (path ‖ rowHash), strictly ascending by path. */
export interface PackedChanges {
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** 1 where the leaf goes away. */
  readonly removed: Uint8Array;
}

/** Sorts by path; of several changes to one path the last one counts. */
export function packChanges(changes: readonly LeafChange[]): PackedChanges {
  const order = sortedOrder(changes);
  const out = emptyPack(order.length);
  for (let i = 0; i < order.length; i++) {
    const { path, rowHash } = changes[order[i] as number] as LeafChange;
    readHex(path, out.bytes, i * 64);
    if (rowHash === null) {
      out.removed[i] = 1;
    } else {
      readHex(rowHash, out.bytes, i * 64 + 32);
      if (looksLikeMeta(out.bytes, i * 64 + 32)) throw treeFaults.rowHash({ path, rowHash });
    }
  }
  return out;
}

/**
 * Row hashes whose last 22 bytes are zero are refused everywhere: with one, `path ‖ rowHash` could
 * be the hash input of an inner node, and a proof could pass an inner node off as a leaf.
 */
export function looksLikeMeta(bytes: Uint8Array, at: number): boolean {
  for (let i = at + 10; i < at + 32; i++) if (bytes[i] !== 0) return false;
  return true;
}

function emptyPack(length: number): PackedChanges {
  const words = new Int32Array(length * LEAF_WORDS);
  return { length, words, bytes: new Uint8Array(words.buffer), removed: new Uint8Array(length) };
}

// paths are lower-case hex of equal length, so string order is byte order
function sortedOrder(changes: readonly LeafChange[]): number[] {
  const order: number[] = [];
  let ascending = true;
  for (let i = 0; i < changes.length; i++) {
    order.push(i);
    if (i > 0 && (changes[i - 1] as LeafChange).path >= (changes[i] as LeafChange).path) ascending = false;
  }
  if (ascending) return order;
  order.sort((a, b) => {
    const left = (changes[a] as LeafChange).path;
    const right = (changes[b] as LeafChange).path;
    return left < right ? -1 : left > right ? 1 : a - b;
  });
  return order.filter((at, i) => i + 1 === order.length || (changes[at] as LeafChange).path !== (changes[order[i + 1] as number] as LeafChange).path);
}

const NIBBLE = new Uint8Array(128);
for (let i = 0; i < 16; i++) NIBBLE[i.toString(16).charCodeAt(0)] = i;

/** 32 bytes of a `Hash32`, whose digits its brand has vouched for. */
export function readHex(hex: Hex, into: Uint8Array, at: number): void {
  for (let i = 0, from = 2; i < 32; i++, from += 2) {
    into[at + i] = ((NIBBLE[hex.charCodeAt(from)] as number) << 4) | (NIBBLE[hex.charCodeAt(from + 1)] as number);
  }
}
