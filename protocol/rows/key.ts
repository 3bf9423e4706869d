import type { Scalar } from '../codec/index.ts';
import { rowFaults } from '../schema/index.ts';
import { concatBytes } from '../types/index.ts';

const utf8 = new TextEncoder();
const INT_MIN = -(1n << 63n);
const INT_MAX = (1n << 63n) - 1n;
const SIGN = 1n << 63n;
// Tags keep the order of SQL: null before every value. Columns have one type, so numbers never meet text.
const TAG = { null: 0, integer: 1, real: 2, text: 3, blob: 4 } as const;

/**
 * Key scalars to bytes whose lexicographic order is the order of the keys (architecture §3): column by
 * column, null first, integers and reals by value, text by its UTF-8 bytes, blobs by their bytes.
 * Throws ROW_OUT_OF_RANGE.
 */
export function orderedKey(key: readonly Scalar[]): Uint8Array {
  return concatBytes(...key.map(orderedScalar));
}

/** Byte order of two keys, the order of their rows in the state tree and in SQL. */
export function compareKeys(a: readonly Scalar[], b: readonly Scalar[]): number {
  const left = orderedKey(a);
  const right = orderedKey(b);
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const difference = (left[i] as number) - (right[i] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function orderedScalar(value: Scalar): Uint8Array {
  if (value === null) return Uint8Array.of(TAG.null);
  if (typeof value === 'bigint') return tagged(TAG.integer, integerWord(value));
  if (typeof value === 'number') return tagged(TAG.real, realWord(value));
  if (typeof value === 'string') return tagged(TAG.text, terminated(utf8.encode(value)));
  return tagged(TAG.blob, terminated(value));
}

/** The sign bit flipped: negative numbers come first. */
function integerWord(value: bigint): Uint8Array {
  if (value < INT_MIN || value > INT_MAX) throw rowFaults.outOfRange({ value });
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, (value + SIGN) & 0xffff_ffff_ffff_ffffn);
  return out;
}

/** IEEE 754 order: positive numbers get the sign bit, negative ones are inverted. Zero has one form. */
function realWord(value: number): Uint8Array {
  if (!Number.isFinite(value)) throw rowFaults.outOfRange({ value: String(value) });
  const out = new Uint8Array(8);
  const view = new DataView(out.buffer);
  view.setFloat64(0, value === 0 ? 0 : value);
  const bits = view.getBigUint64(0);
  view.setBigUint64(0, (bits & SIGN) === 0n ? bits | SIGN : ~bits & 0xffff_ffff_ffff_ffffn);
  return out;
}

/** Zero bytes become 00 FF and 00 ends the value: a prefix sorts first, and no tag that may follow is FF. */
function terminated(data: Uint8Array): Uint8Array {
  let zeros = 0;
  for (const byte of data) if (byte === 0) zeros += 1;
  const out = new Uint8Array(data.length + zeros + 1);
  let at = 0;
  for (const byte of data) {
    out[at++] = byte;
    if (byte === 0) out[at++] = 0xff;
  }
  return out;
}

function tagged(tag: number, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(1 + data.length);
  out[0] = tag;
  out.set(data, 1);
  return out;
}
