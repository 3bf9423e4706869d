import { bytesOf, hexOf, type Address, type Hash32, type Hex, type Signature, type Timestamp } from '../types/index.ts';
import { codecFaults } from './codec-faults.ts';
import type { Codec } from './codec.ts';

/** A value that SQL can hold: what a column contains. */
export type Scalar = null | bigint | number | string | Uint8Array;

const integer = (bits: number): Codec<bigint> => ({
  exact: true,
  toCbor: (value) => value,
  fromCbor(raw) {
    const value = typeof raw === 'number' && Number.isSafeInteger(raw) ? BigInt(raw) : raw;
    if (typeof value !== 'bigint' || value < 0n || value >= 1n << BigInt(bits)) throw shape(`uint${bits}`, raw);
    return value;
  },
});

const fixedHex = <T extends Hex>(length: number, name: string): Codec<T> => ({
  exact: true,
  toCbor: (value) => bytesOf(value),
  fromCbor(raw) {
    if (!(raw instanceof Uint8Array) || raw.length !== length) throw shape(name, raw);
    return hexOf(raw) as T;
  },
});

export const u32: Codec<number> = {
  exact: true,
  toCbor: (value) => value,
  fromCbor(raw) {
    if (typeof raw !== 'number' || !Number.isInteger(raw) || raw < 0 || raw > 0xffffffff) throw shape('uint32', raw);
    return raw;
  },
};
export const u64: Codec<bigint> = integer(64);
/** A whole number of either sign that JavaScript holds exactly. */
export const signedInteger: Codec<number> = {
  exact: true,
  toCbor: (value) => value,
  fromCbor(raw) {
    if (typeof raw !== 'number' || !Number.isSafeInteger(raw)) throw shape('a whole number', raw);
    return raw;
  },
};
/** CBOR has no integers above 64 bits here: wide ones travel as 32 big-endian bytes. */
export const u256: Codec<bigint> = {
  exact: true,
  toCbor: (value) => bytesOf(`0x${value.toString(16).padStart(64, '0')}`),
  fromCbor(raw) {
    if (!(raw instanceof Uint8Array) || raw.length !== 32) throw shape('uint256', raw);
    return BigInt(hexOf(raw));
  },
};
/** uint96 as 12 big-endian bytes. */
export const timestamp: Codec<Timestamp> = {
  exact: true,
  toCbor: (value) => bytesOf(`0x${value.toString(16).padStart(24, '0')}`),
  fromCbor(raw) {
    if (!(raw instanceof Uint8Array) || raw.length !== 12) throw shape('timestamp', raw);
    return BigInt(hexOf(raw)) as Timestamp;
  },
};
export const hash32: Codec<Hash32> = fixedHex<Hash32>(32, 'hash32');
export const address: Codec<Address> = fixedHex<Address>(20, 'address');
export const signature: Codec<Signature> = fixedHex<Signature>(65, 'signature');

export const bool: Codec<boolean> = {
  exact: true,
  toCbor: (value) => value,
  fromCbor(raw) {
    if (typeof raw !== 'boolean') throw shape('bool', raw);
    return raw;
  },
};

export function text(maxBytes: number): Codec<string> {
  return {
    exact: true,
    toCbor: (value) => value,
    fromCbor(raw) {
      if (typeof raw !== 'string' || raw.length > maxBytes) throw shape(`text(${maxBytes})`, raw);
      return raw;
    },
  };
}

export function bytes(maxBytes: number): Codec<Uint8Array> {
  return {
    exact: true,
    toCbor: (value) => value,
    fromCbor(raw) {
      if (!(raw instanceof Uint8Array) || raw.length > maxBytes) throw shape(`bytes(${maxBytes})`, raw);
      return raw;
    },
  };
}

/** Variable-length bytes carried as hex. */
export function hexBytes(maxBytes: number): Codec<Hex> {
  const inner = bytes(maxBytes);
  return { exact: true, toCbor: (value) => bytesOf(value), fromCbor: (raw) => hexOf(inner.fromCbor(raw)) };
}

/** SQL values. Integers travel as integers, reals as floats, so 1 and 1.0 stay distinct. */
export const scalar: Codec<Scalar> = {
  exact: true,
  toCbor: (value) => (typeof value === 'number' ? ['f', floatBytes(value)] : value),
  fromCbor(raw) {
    if (raw === null || typeof raw === 'string' || raw instanceof Uint8Array || typeof raw === 'bigint') return raw;
    if (typeof raw === 'number' && Number.isSafeInteger(raw)) return BigInt(raw);
    if (Array.isArray(raw) && raw.length === 2 && raw[0] === 'f') return floatFrom(raw[1]);
    throw shape('scalar', raw);
  },
};

/** One of a closed list of words, as its place in the list. Append words, never reorder. */
export function choice<const W extends readonly string[]>(words: W): Codec<W[number]> {
  return {
    exact: true,
    toCbor: (value) => words.indexOf(value),
    fromCbor(raw) {
      const word = typeof raw === 'number' ? words[raw] : undefined;
      if (word === undefined) throw shape(`one of ${words.join(', ')}`, raw);
      return word;
    },
  };
}

export function list<T>(item: Codec<T>, maxItems: number): Codec<readonly T[]> {
  return {
    ...exactIf([item]),
    toCbor: (values) => values.map((value) => item.toCbor(value)),
    fromCbor(raw) {
      if (!Array.isArray(raw) || raw.length > maxItems) throw shape(`list(${maxItems})`, raw);
      return raw.map((entry) => item.fromCbor(entry));
    },
  };
}

export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return {
    ...exactIf([inner]),
    toCbor: (value) => (value === null ? null : inner.toCbor(value)),
    fromCbor: (raw) => (raw === null ? null : inner.fromCbor(raw)),
  };
}

type Fields = Readonly<Record<string, Codec<any>>>;
type RecordOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Codec<infer T> ? T : never };

/** An array with the fields in the order they are declared. */
export function record<F extends Fields>(fields: F): Codec<RecordOf<F>> {
  const entries = Object.entries(fields);
  return {
    ...exactIf(Object.values(fields)),
    toCbor: (value) => entries.map(([name, codec]) => codec.toCbor((value as Record<string, unknown>)[name])),
    fromCbor(raw) {
      if (!Array.isArray(raw) || raw.length !== entries.length) throw shape('record', raw);
      const out: Record<string, unknown> = {};
      entries.forEach(([name, codec], i) => (out[name] = codec.fromCbor(raw[i])));
      return out as RecordOf<F>;
    },
  };
}

export function tuple<A, B>(first: Codec<A>, second: Codec<B>): Codec<readonly [A, B]> {
  return {
    ...exactIf([first, second]),
    toCbor: ([a, b]) => [first.toCbor(a), second.toCbor(b)],
    fromCbor(raw) {
      if (!Array.isArray(raw) || raw.length !== 2) throw shape('tuple', raw);
      return [first.fromCbor(raw[0]), second.fromCbor(raw[1])];
    },
  };
}

type Variants = Readonly<Record<string, Codec<any>>>;
type UnionOf<V extends Variants> = {
  [K in keyof V]: { readonly kind: K } & (V[K] extends Codec<infer T> ? T : never);
}[keyof V];

/** A closed union on `kind`: [index of the variant, its record]. Append variants, never reorder. */
export function union<V extends Variants>(variants: V): Codec<UnionOf<V>> {
  const names = Object.keys(variants);
  return {
    ...exactIf(Object.values(variants)),
    toCbor(value) {
      const kind = (value as { kind: string }).kind;
      return [names.indexOf(kind), (variants[kind] as Codec<unknown>).toCbor(value)];
    },
    fromCbor(raw) {
      const name = Array.isArray(raw) && raw.length === 2 && typeof raw[0] === 'number' ? names[raw[0]] : undefined;
      if (name === undefined) throw shape('union', raw);
      const body = (variants[name] as Codec<object>).fromCbor((raw as unknown[])[1]);
      return { kind: name, ...body } as UnionOf<V>;
    },
  };
}

/** A composition is exact when its parts are. */
function exactIf(parts: readonly Codec<any>[]): { readonly exact?: true } {
  return parts.every(({ exact }) => exact === true) ? { exact: true } : {};
}

function floatBytes(value: number): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setFloat64(0, Object.is(value, -0) ? 0 : value);
  return out;
}

function floatFrom(raw: unknown): number {
  if (!(raw instanceof Uint8Array) || raw.length !== 8) throw shape('float64', raw);
  const value = new DataView(raw.buffer, raw.byteOffset, 8).getFloat64(0);
  if (!Number.isFinite(value) || Object.is(value, -0)) throw shape('finite float64 with one zero', raw);
  return value;
}

function shape(expected: string, got: unknown): Error {
  return codecFaults.wrongShape({ expected, got: got === null ? 'null' : Array.isArray(got) ? 'array' : typeof got });
}
