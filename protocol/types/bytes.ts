import { defineFaults } from '../errors/index.ts';
import type { Address, Hash32, Hex, Signature } from './ids.ts';

const faults = defineFaults('TYPE', {
  badHex: ['not a hex value of the expected length', 'send 0x followed by lower-case hex digits'],
});

const HEX = /^0x(?:[0-9a-f]{2})*$/;
const digits = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

export function isHex(value: unknown, byteLength?: number): value is Hex {
  return typeof value === 'string' && HEX.test(value) && (byteLength === undefined || value.length === 2 + 2 * byteLength);
}

/** Bytes to `0x` hex. */
export function hexOf(bytes: Uint8Array): Hex {
  let out = '0x';
  for (let i = 0; i < bytes.length; i++) out += digits[bytes[i] as number];
  return out as Hex;
}

/** `0x` hex to bytes; throws TYPE_BAD_HEX. */
export function bytesOf(hex: Hex): Uint8Array {
  if ((hex.length & 1) !== 0 || hex.charCodeAt(1) !== 120) throw faults.badHex({ value: hex.slice(0, 80) });
  const out = new Uint8Array((hex.length - 2) >> 1);
  for (let i = 0, j = 2; i < out.length; i++, j += 2) {
    const hi = nibble(hex.charCodeAt(j));
    const lo = nibble(hex.charCodeAt(j + 1));
    if (hi < 0 || lo < 0) throw faults.badHex({ value: hex.slice(0, 80) });
    out[i] = (hi << 4) | lo;
  }
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

/** Big-endian unsigned integer of `length` bytes. */
export function uintBytes(value: bigint | number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let rest = BigInt(value);
  for (let i = length - 1; i >= 0; i--) {
    out[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  if (rest !== 0n) throw faults.badHex({ value, length });
  return out;
}

/** A 32-byte big-endian word. */
export function wordOf(value: bigint | number): Uint8Array {
  return uintBytes(value, 32);
}

function nibble(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  return -1;
}

function fixed(value: unknown, length: number): Hex {
  if (!isHex(value, length)) throw faults.badHex({ value: String(value).slice(0, 80), length });
  return value;
}
