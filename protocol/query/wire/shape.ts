import {
  address as addressC, bool as boolC, codecFaults, decode, encode, hash32 as hash32C, hexBytes as hexBytesC, scalar as scalarC,
  signature as signatureC, signedInteger as signedIntegerC, text as textC, timestamp as timestampC, u256 as u256C, u32 as u32C, u64 as u64C, type Codec, type Scalar,
} from '../../codec/index.ts';
import { bytesOf, hexOf, isHex, type Address, type Hash32, type Hex, type Signature, type Timestamp } from '../../types/index.ts';

/** The subset of JSON Schema that describes a message in OpenAPI. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * One definition, three forms: canonical CBOR (compact, what the SDK speaks), JSON (what a person with
 * curl speaks) and its JSON Schema (what OpenAPI prints).
 */
export interface Shape<T> extends Codec<T> {
  toJson(value: T): unknown;
  /** Throws CODEC_WRONG_SHAPE with the expectation. */
  fromJson(raw: unknown): T;
  readonly schema: JsonSchema;
  /** Stands in for a field that a JSON request leaves out. */
  readonly absent?: T;
}

export type Shaped<S> = S extends Shape<infer T> ? T : never;

export function wrongShape(expected: string, raw: unknown): Error {
  return codecFaults.wrongShape({ expected, got: raw === null ? 'null' : Array.isArray(raw) ? 'array' : typeof raw });
}

function hexShape<T extends Hex>(codec: Codec<T>, byteLength: number, name: string): Shape<T> {
  return {
    ...codec,
    toJson: (value) => value,
    fromJson(raw) {
      const value = typeof raw === 'string' ? raw.toLowerCase() : raw;
      if (!isHex(value, byteLength)) throw wrongShape(name, raw);
      return value as T;
    },
    schema: { type: 'string', pattern: `^0x[0-9a-fA-F]{${2 * byteLength}}$`, description: name },
  };
}

function decimal<T extends bigint>(codec: Codec<T>, bits: number): Shape<T> {
  return {
    ...codec,
    toJson: (value) => value.toString(),
    fromJson(raw) {
      const text = typeof raw === 'number' && Number.isSafeInteger(raw) ? String(raw) : raw;
      if (typeof text !== 'string' || !/^(?:0|[1-9][0-9]{0,77})$/.test(text)) throw wrongShape(`uint${bits} as decimal text`, raw);
      const value = BigInt(text);
      if (value >= 1n << BigInt(bits)) throw wrongShape(`uint${bits}`, raw);
      return value as T;
    },
    schema: { type: 'string', pattern: '^(0|[1-9][0-9]*)$', description: `uint${bits}, decimal` },
  };
}

function plain<T>(codec: Codec<T>, schema: JsonSchema): Shape<T> {
  return { ...codec, toJson: (value) => value, fromJson: (raw) => codec.fromCbor(raw), schema };
}

export const hash32: Shape<Hash32> = hexShape(hash32C, 32, '32 bytes as hex');
export const address: Shape<Address> = hexShape(addressC, 20, 'address');
export const signature: Shape<Signature> = hexShape(signatureC, 65, 'signature r ‖ s ‖ v');
export const u64: Shape<bigint> = decimal(u64C, 64);
export const u256: Shape<bigint> = decimal(u256C, 256);
export const timestamp: Shape<Timestamp> = decimal(timestampC, 96);
export const u32: Shape<number> = plain(u32C, { type: 'integer', minimum: 0, maximum: 0xffffffff });
export const signedInteger: Shape<number> = plain(signedIntegerC, { type: 'integer' });
export const bool: Shape<boolean> = plain(boolC, { type: 'boolean' });
export const text = (maxBytes: number): Shape<string> => plain(textC(maxBytes), { type: 'string', maxLength: maxBytes });

/** Variable-length bytes, hex in JSON. */
export function hexBytes(maxBytes: number): Shape<Hex> {
  return {
    ...hexBytesC(maxBytes),
    toJson: (value) => value,
    fromJson(raw) {
      if (!isHex(raw) || raw.length > 2 + 2 * maxBytes) throw wrongShape(`hex of at most ${maxBytes} bytes`, raw);
      return raw;
    },
    schema: { type: 'string', pattern: '^0x([0-9a-f]{2})*$', maxLength: 2 + 2 * maxBytes },
  };
}

/** A value of a lower room with its own codec: in JSON the hex of its canonical CBOR. */
export function embedded<T>(codec: Codec<T>, name: string, maxBytes?: number): Shape<T> {
  return {
    ...codec,
    toJson: (value) => hexOf(encode(codec, value)),
    fromJson(raw) {
      if (!isHex(raw)) throw wrongShape(`${name} as hex of CBOR`, raw);
      return decode(codec, bytesOf(raw), maxBytes);
    },
    schema: { type: 'string', pattern: '^0x([0-9a-f]{2})*$', description: `${name}: hex of its canonical CBOR` },
  };
}

/**
 * SQL values in JSON: null, text and safe integers as they are; other integers {"integer": "…"},
 * reals {"real": …} (so 1.0 stays a real), bytes {"blob": "0x…"}. A plain 1.5 is read as a real.
 */
export const scalar: Shape<Scalar> = {
  ...scalarC,
  toJson: scalarToJson,
  fromJson: scalarFromJson,
  schema: { description: 'null | text | integer | {"integer": "decimal"} | {"real": number} | {"blob": "0x…"}' },
};

const INT64 = 1n << 63n;

function scalarToJson(value: Scalar): unknown {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number') return { real: value };
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : { integer: value.toString() };
  return { blob: hexOf(value) };
}

function scalarFromJson(raw: unknown): Scalar {
  if (raw === null || typeof raw === 'string') return raw;
  if (typeof raw === 'number' && Number.isFinite(raw)) return Number.isSafeInteger(raw) ? BigInt(raw) : raw;
  if (typeof raw !== 'object' || Array.isArray(raw)) throw wrongShape('SQL value', raw);
  const entries = Object.entries(raw as object);
  const [tag, inner] = entries.length === 1 ? (entries[0] as [string, unknown]) : ['', undefined];
  if (tag === 'real' && typeof inner === 'number' && Number.isFinite(inner)) return inner;
  if (tag === 'blob' && isHex(inner)) return bytesOf(inner);
  if (tag === 'integer' && typeof inner === 'string' && /^-?[0-9]{1,19}$/.test(inner)) {
    const value = BigInt(inner);
    if (value >= -INT64 && value < INT64) return value;
  }
  throw wrongShape('SQL value', raw);
}
