import { limits } from '../limits/index.ts';
import { equalBytes } from '../types/index.ts';
import { fromCborBytes, toCborBytes } from './cbor.ts';
import { codecFaults } from './codec-faults.ts';

/** Translates between a typed value and the plain CBOR data model. */
export interface Codec<T> {
  toCbor(value: T): unknown;
  fromCbor(raw: unknown): T;
  /**
   * True when `fromCbor` takes nothing but what `toCbor` gives, so that canonical bytes need no second look. Derived for
   * everything made of the shapes of this room; a codec of one's own says it only if it is so.
   */
  readonly exact?: boolean;
}

export type Decoded<C> = C extends Codec<infer T> ? T : never;

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  return toCborBytes(codec.toCbor(value));
}

/** Throws CODEC_*; never returns a value whose canonical encoding is not `data`. */
export function decode<T>(codec: Codec<T>, data: Uint8Array, maxBytes: number = limits.frameBytes): T {
  if (data.length > maxBytes) throw codecFaults.oversized({ bytes: data.length, maxBytes });
  const value = codec.fromCbor(fromCborBytes(data));
  if (codec.exact !== true && !equalBytes(encode(codec, value), data)) throw codecFaults.notCanonical();
  return value;
}
