import { decode as cborDecode, encode as cborEncode } from 'cborg';
import { defineFaults } from '../errors/index.ts';
import { equalBytes } from '../types/index.ts';
import { limits } from '../limits/index.ts';

export const codecFaults = defineFaults('CODEC', {
  malformed: ['the bytes are not a well-formed message', 'send the canonical encoding of the message'],
  notCanonical: ['the bytes are not the canonical encoding of what they say', 'send the canonical encoding'],
  wrongShape: ['a field has the wrong type or is out of range', 'compare the message with docs/spec'],
  oversized: ['the message is longer than the limit', 'split it'],
});

/** Translates between a typed value and the plain CBOR data model. */
export interface Codec<T> {
  toCbor(value: T): unknown;
  fromCbor(raw: unknown): T;
}

export type Decoded<C> = C extends Codec<infer T> ? T : never;

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  return cborEncode(codec.toCbor(value));
}

/** Throws CODEC_*; never returns a value whose canonical encoding is not `data`. */
export function decode<T>(codec: Codec<T>, data: Uint8Array, maxBytes: number = limits.frameBytes): T {
  if (data.length > maxBytes) throw codecFaults.oversized({ bytes: data.length, maxBytes });
  let raw: unknown;
  try {
    raw = cborDecode(data, { strict: true, allowIndefinite: false, allowUndefined: false, allowNaN: false, allowInfinity: false });
  } catch (error) {
    throw codecFaults.malformed({ reason: error instanceof Error ? error.message : 'unknown' });
  }
  const value = codec.fromCbor(raw);
  if (!equalBytes(cborEncode(codec.toCbor(value)), data)) throw codecFaults.notCanonical();
  return value;
}
