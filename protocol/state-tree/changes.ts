import type { Hex } from '../types/index.ts';
import { firstDifference } from './bits.ts';
import { treeFaults } from './faults.ts';
import type { Changes, LeafChange } from './types.ts';

/** Changes as bytes: 64 per change (path ‖ rowHash), strictly ascending by path. */
export interface PackedChanges {
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** 1 where the leaf goes away. */
  readonly removed: Uint8Array;
}

/** Sorts by path; of several changes to one path the last one counts. Throws TREE_ROW_HASH, TREE_CHANGES. */
export function packChanges(changes: Changes): PackedChanges {
  const raw = changes instanceof Uint8Array ? changes : bytesOfChanges(changes);
  if (raw.length % 64 !== 0) throw treeFaults.changes({ bytes: raw.length });
  const packed = inOrder(raw) ? raw : sorted(raw);
  const words = wordsOf(packed, packed === changes);
  const length = packed.length / 64;
  const removed = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    if (!looksLikeMeta(packed, i * 64 + 32)) continue;
    if (!isZero(packed, i * 64 + 32)) throw treeFaults.rowHash({ change: i });
    removed[i] = 1;
  }
  return { length, bytes: new Uint8Array(words.buffer, words.byteOffset, packed.length), words, removed };
}

/**
 * Row hashes whose last 22 bytes are zero are refused everywhere: with one, `path ‖ rowHash` could
 * be the hash input of an inner node, and a proof could pass an inner node off as a leaf.
 */
function looksLikeMeta(bytes: Uint8Array, at: number): boolean {
  for (let i = at + 31; i >= at + 10; i--) if (bytes[i] !== 0) return false;
  return true;
}

function isZero(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 32; i++) if (bytes[at + i] !== 0) return false;
  return true;
}

function bytesOfChanges(changes: readonly LeafChange[]): Uint8Array {
  const out = new Uint8Array(changes.length * 64);
  for (let i = 0; i < changes.length; i++) {
    const { path, rowHash } = changes[i] as LeafChange;
    readHex(path, out, i * 64);
    if (rowHash === null) continue; // stays zero: removes
    readHex(rowHash, out, i * 64 + 32);
    if (looksLikeMeta(out, i * 64 + 32)) throw treeFaults.rowHash({ path, rowHash });
  }
  return out;
}

function inOrder(raw: Uint8Array): boolean {
  for (let at = 64; at < raw.length; at += 64) if (comparePaths(raw, at - 64, at) >= 0) return false;
  return true;
}

function sorted(raw: Uint8Array): Uint8Array {
  const order = Array.from({ length: raw.length / 64 }, (_, i) => i * 64);
  order.sort((a, b) => comparePaths(raw, a, b) || a - b);
  const out = new Uint8Array(raw.length);
  let end = 0;
  for (let i = 0; i < order.length; i++) {
    const at = order[i] as number;
    if (i + 1 < order.length && comparePaths(raw, at, order[i + 1] as number) === 0) continue;
    out.set(raw.subarray(at, at + 64), end);
    end += 64;
  }
  return out.subarray(0, end);
}

function comparePaths(raw: Uint8Array, a: number, b: number): number {
  const where = firstDifference(raw, a, raw, b) >> 3;
  return where === 32 ? 0 : (raw[a + where] as number) - (raw[b + where] as number);
}

/** The same bytes as words; a caller's own buffer may be unaligned, and is not kept. */
function wordsOf(packed: Uint8Array, foreign: boolean): Int32Array {
  const own = foreign && packed.byteOffset % 4 !== 0 ? packed.slice() : packed;
  return new Int32Array(own.buffer, own.byteOffset, own.length / 4);
}

const NIBBLE = new Uint8Array(128);
for (let i = 0; i < 16; i++) NIBBLE[i.toString(16).charCodeAt(0)] = i;

/** 32 bytes of a `Hash32`, whose digits its brand has vouched for. */
export function readHex(hex: Hex, into: Uint8Array, at: number): void {
  for (let i = 0, from = 2; i < 32; i++, from += 2) {
    into[at + i] = ((NIBBLE[hex.charCodeAt(from)] as number) << 4) | (NIBBLE[hex.charCodeAt(from + 1)] as number);
  }
}
