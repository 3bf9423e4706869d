import { expect } from 'chai';
import fc from 'fast-check';
import type { Scalar } from '../../../protocol/codec/index.ts';
import { compareKeys, orderedKey, pathOf, pathRange } from '../../../protocol/rows/index.ts';
import type { DatabaseId } from '../../../protocol/types/index.ts';

const database = `0x${'11'.repeat(32)}` as DatabaseId;
const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const real = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x));
const text = fc.string({ unit: 'binary', maxLength: 12 });
const blob = fc.uint8Array({ maxLength: 12 });
const columns: readonly fc.Arbitrary<Scalar>[] = [int64, real, text, blob];

/** SQL order of two values of one column, written without any encoding. */
function order(a: Scalar, b: Scalar): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (typeof a === 'string' || a instanceof Uint8Array) return Math.sign(Buffer.compare(Buffer.from(a as string), Buffer.from(b as string)));
  return a < (b as bigint) ? -1 : a > (b as bigint) ? 1 : 0;
}

const sameType = fc.constantFrom(...columns).chain((column) => {
  const value = fc.oneof({ weight: 9, arbitrary: column }, { weight: 1, arbitrary: fc.constant(null) });
  return fc.tuple(value, value);
});
const keys = fc.array(sameType, { minLength: 1, maxLength: 4 });

describe('rows: key order', () => {
  it('the order of encodings is the order of composite keys', () => {
    fc.assert(fc.property(keys, (pairs) => {
      const first = pairs.map(([a]) => a);
      const second = pairs.map(([, b]) => b);
      const expected = pairs.map(([a, b]) => order(a, b)).find((sign) => sign !== 0) ?? 0;
      expect(Math.sign(compareKeys(first, second))).to.equal(expected);
    }), { numRuns: 3000 });
  });

  it('a prefix sorts before what it is a prefix of, zero bytes included', () => {
    const sorted: Scalar[][] = [[null], [''], ['\u0000'], ['\u0000\u0000'], ['\u0000a'], ['a'], ['a\u0000'], ['a\u0000b'], ['aa'], ['b']];
    for (let i = 1; i < sorted.length; i++) expect(compareKeys(sorted[i - 1]!, sorted[i]!)).to.be.below(0);
  });

  it('text sorts by UTF-8 bytes, not by UTF-16 units', () => {
    expect(compareKeys(['\uffff'], ['\u{10000}'])).to.be.below(0);
  });

  it('minus zero is zero', () => {
    expect(orderedKey([-0])).to.deep.equal(orderedKey([0]));
  });

  it('refuses integers beyond 64 bits and reals that are not finite', () => {
    for (const bad of [1n << 63n, -(1n << 63n) - 1n, Number.NaN, Infinity]) {
      expect(() => orderedKey([bad])).to.throw().with.property('code', 'ROW_OUT_OF_RANGE');
    }
  });

  it('paths keep the order of their keys as far as 12 bytes tell them apart', () => {
    fc.assert(fc.property(keys, (pairs) => {
      const first = pairs.map(([a]) => a);
      const second = pairs.map(([, b]) => b);
      const [low, high] = compareKeys(first, second) <= 0 ? [first, second] : [second, first];
      const place = (key: readonly Scalar[]): string => pathOf(database, 't', '', key).slice(0, 2 + 2 * 16);
      expect(place(low) <= place(high)).to.equal(true);
    }), { numRuns: 500 });
  });

  it('paths of integer keys are strictly ordered', () => {
    fc.assert(fc.property(int64, int64, (a, b) => {
      expect(pathOf(database, 't', '', [a]) < pathOf(database, 't', '', [b])).to.equal(a < b);
    }), { numRuns: 500 });
  });

  it('a path range holds exactly the keys between its ends, up to ties in 12 bytes', () => {
    fc.assert(fc.property(int64, int64, int64, (a, b, c) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      const { first, last } = pathRange(database, 't', '', [low], [high]);
      const path = pathOf(database, 't', '', [c]);
      expect(path >= first && path <= last).to.equal(c >= low && c <= high);
    }), { numRuns: 500 });
    const { first, last } = pathRange(database, 't', 'i', ['ab']);
    const path = pathOf(database, 't', 'i', ['ab', 5n]);
    expect(path >= first && path <= last).to.equal(true);
  });
});
