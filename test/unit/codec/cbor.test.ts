import { decode as referenceDecode, encode as reference } from 'cborg';
import { expect } from 'chai';
import fc from 'fast-check';
import { fromCborBytes, toCborBytes } from '../../../protocol/codec/cbor.ts';
import { decode, encode, list, nullable, record, scalar, u32, u64, type Codec } from '../../../protocol/codec/index.ts';

const leaf = fc.oneof(
  fc.maxSafeInteger(), fc.bigInt({ min: -(1n << 64n), max: (1n << 64n) - 1n }), fc.string({ unit: 'grapheme', maxLength: 80 }), fc.boolean(), fc.constant(null),
  fc.uint8Array({ maxLength: 300 }),
);
const { value: plain } = fc.letrec<{ value: unknown }>((tie) => ({ value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('value'), { maxLength: 30 })) }));

/** As the reader gives it: integers are numbers while they are exact. */
const read = (value: unknown): unknown => {
  if (typeof value === 'bigint' && value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  return Array.isArray(value) ? value.map(read) : value;
};

describe('codec: CBOR', () => {
  it('writes what the reference writes and reads it back', () => {
    fc.assert(fc.property(plain, (value) => {
      const bytes = toCborBytes(value);
      expect(bytes).to.deep.equal(new Uint8Array(reference(value)));
      expect(fromCborBytes(bytes)).to.deep.equal(read(value));
    }), { numRuns: 500 });
  });

  it('heads of every width, at both ends', () => {
    for (const size of [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      for (const value of [size, -size, BigInt(size), -1n - BigInt(size)]) {
        expect(toCborBytes(value), String(value)).to.deep.equal(new Uint8Array(reference(value)));
        expect(fromCborBytes(toCborBytes(value))).to.equal(read(value) === 0 ? 0 : read(value));
      }
    }
  });

  it('one value, one encoding: whatever it reads it would write', () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.tuple(plain, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
      const changed = toCborBytes(value);
      changed[at % changed.length] = byte;
      return changed;
    }));
    fc.assert(fc.property(bytes, (data) => {
      let value: unknown;
      try {
        value = fromCborBytes(data);
      } catch (error) {
        expect(String(error)).to.include('CODEC_MALFORMED');
        return;
      }
      expect(toCborBytes(value)).to.deep.equal(data);
      expect(read(referenceDecode(data))).to.deep.equal(value);
    }), { numRuns: 3_000 });
  });

  it('refuses what is not canonical, not finished or not of this subset', () => {
    const bad: Record<string, number[]> = {
      'nothing': [], 'long head': [0x18, 0x17], 'long 16': [0x19, 0, 0xff], 'long 32': [0x1a, 0, 0, 0xff, 0xff], 'long 64': [0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
      'long array': [0x98, 0x01, 0x00], 'indefinite array': [0x9f, 0xff], 'indefinite bytes': [0x5f, 0x41, 0, 0xff], 'map': [0xa0], 'tag': [0xc0, 0x60],
      'undefined': [0xf7], 'half': [0xf9, 0x3c, 0x00], 'double': [0xfb, 0, 0, 0, 0, 0, 0, 0, 0], 'simple': [0xf8, 0xf4], 'break': [0xff], 'cut bytes': [0x44, 1, 2],
      'cut array': [0x82, 0x01], 'huge array': [0x9a, 0xff, 0xff, 0xff, 0xff], 'huge bytes': [0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      'tail': [0x00, 0x00], 'overlong text': [0x62, 0xc0, 0x80], 'surrogate': [0x63, 0xed, 0xa0, 0x80], 'reserved': [0x1c],
      'deep': [...new Array<number>(70).fill(0x81), 0x00],
    };
    for (const [name, bytes] of Object.entries(bad)) expect(() => fromCborBytes(Uint8Array.from(bytes)), name).to.throw('CODEC_MALFORMED');
  });

  it('values it cannot hold have no encoding', () => {
    for (const value of [1.5, Number.NaN, 2 ** 53, 1n << 64n, -(1n << 64n) - 1n, undefined, {}, new Map()]) {
      expect(() => toCborBytes(value), String(value)).to.throw('CODEC_WRONG_SHAPE');
    }
  });

  it('gives plain bytes of their own, whatever it was given', () => {
    const input = Buffer.from(toCborBytes([Uint8Array.of(1, 2, 3)]));
    const [bytes] = fromCborBytes(input) as [Uint8Array];
    input.fill(0);
    expect(bytes.constructor).to.equal(Uint8Array);
    expect(bytes).to.deep.equal(Uint8Array.of(1, 2, 3));
  });

  it('keeps a byte order mark and long texts', () => {
    for (const text of ['\ufeffa', 'ä'.repeat(100), 'a'.repeat(49), 'a'.repeat(70_000), '\u0000']) expect(fromCborBytes(toCborBytes(text))).to.equal(text);
  });
});

describe('codec: shapes', () => {
  it('compositions of exact codecs are exact, and a codec that forgives is looked at twice', () => {
    const forgiving: Codec<number> = { toCbor: (value) => value, fromCbor: (raw) => u32.fromCbor(raw) & ~1 };
    expect(record({ a: u64, b: list(nullable(scalar), 9) }).exact).to.equal(true);
    const loose = record({ a: u64, b: forgiving });
    expect(loose.exact).to.equal(undefined);
    expect(decode(loose, encode(loose, { a: 1n, b: 2 })).b).to.equal(2);
    expect(() => decode(loose, toCborBytes([1, 3]))).to.throw('CODEC_NOT_CANONICAL');
  });

  it('a real has one zero', () => {
    const negativeZero = toCborBytes(['f', Uint8Array.from([0x80, 0, 0, 0, 0, 0, 0, 0])]);
    expect(() => decode(scalar, negativeZero)).to.throw('CODEC_WRONG_SHAPE');
    expect(decode(scalar, encode(scalar, -0))).to.equal(0);
  });
});
