import { defineFaults } from '../errors/index.ts';
import type { Address, Hash32, Hex, Signature } from './ids.ts';

const faults = defineFaults('TYPE', {
  badHex: ['not a hex value of the expected length', 'send 0x followed by lower-case hex digits'],
});

const HEX = /^0x(?:[0-9a-f]{2})*$/;
const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** Value of a digit by its character code; NO_DIGIT for all others. */
const NO_DIGIT = 255;
const DIGIT_VALUES = new Uint8Array(128).fill(NO_DIGIT);
HEX_DIGITS.forEach((code, value) => (DIGIT_VALUES[code] = value));
const ascii = new TextDecoder();
const SCRATCH = new Uint8Array(2 + 2 * 65); // up to a signature; fresh arrays of that size cost more than the digits

export function isHex(value: unknown, byteLength?: number): value is Hex {
  return typeof value === 'string' && HEX.test(value) && (byteLength === undefined || value.length === 2 + 2 * byteLength);
}

/** Bytes to `0x` hex. */
export function hexOf(bytes: Uint8Array): Hex {
  const length = 2 + 2 * bytes.length;
  const out = length <= SCRATCH.length ? SCRATCH : new Uint8Array(length);
  out[0] = 48;
  out[1] = 120;
  for (let i = 0, to = 2; i < bytes.length; i++, to += 2) {
    const byte = bytes[i] as number;
    out[to] = HEX_DIGITS[byte >> 4] as number;
    out[to + 1] = HEX_DIGITS[byte & 15] as number;
  }
  return ascii.decode(length === out.length ? out : out.subarray(0, length)) as Hex;
}

/** `0x` hex to bytes; throws TYPE_BAD_HEX. */
export function bytesOf(hex: Hex): Uint8Array {
  if ((hex.length & 1) !== 0 || hex.charCodeAt(1) !== 120) throw faults.badHex({ value: hex.slice(0, 80) });
  const out = new Uint8Array((hex.length - 2) >> 1);
  let seen = 0;
  for (let i = 0, from = 2; i < out.length; i++, from += 2) {
    const hi = DIGIT_VALUES[hex.charCodeAt(from)] ?? NO_DIGIT;
    const lo = DIGIT_VALUES[hex.charCodeAt(from + 1)] ?? NO_DIGIT;
    seen |= hi | lo;
    out[i] = (hi << 4) | lo;
  }
  if (seen > 15) throw faults.badHex({ value: hex.slice(0, 80) });
  return out;
}

export function hash32From(value: unknown): Hash32 {
  return fixed(value, 32) as Hash32;
}

export function addressFrom(value: unknown): Address {
  return fixed(typeof value === 'string' ? value.toLowerCase() : value, 20) as Address;
}

export function signatureFrom(value: unknown): Signature {
  return fixed(value, 65) as Signature;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Byte order of two hex values of equal length. */
export function compareHex(a: Hex, b: Hex): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Big-endian unsigned integer of `length` bytes; throws TYPE_BAD_HEX when it does not fit. */
export function uintBytes(value: bigint | number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let rest = BigInt(value);
  let word = 0;
  for (let at = length; rest !== 0n && at > 0;) {
    word = Number(BigInt.asUintN(32, rest)); // 32 bits at a time: each operation on a bigint makes a new one
    rest >>= 32n;
    for (let i = 0; i < 4 && at > 0; i++, word >>>= 8) out[--at] = word;
  }
  if (rest !== 0n || word !== 0) throw faults.badHex({ value, length });
  return out;
}

/** A 32-byte big-endian word. */
export function wordOf(value: bigint | number): Uint8Array {
  return uintBytes(value, 32);
}

function fixed(value: unknown, length: number): Hex {
  if (!isHex(value, length)) throw faults.badHex({ value: String(value).slice(0, 80), length });
  return value;
}
