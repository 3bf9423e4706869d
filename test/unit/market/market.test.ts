import { expect } from 'chai';
import fc from 'fast-check';
import type { Scalar } from '../../../protocol/codec/index.ts';
import { sha256 } from '../../../protocol/crypto/index.ts';
import {
  buyerKeyOf, complaintOf, hideKey, keyCommitOf, openCell, pointAddress, pointOf, policyHashOf, sealCell, uncoverKey, type CellPlace,
} from '../../../protocol/market/index.ts';
import { bytesOf, hexOf, type Hash32 } from '../../../protocol/types/index.ts';

const database = hexOf(sha256(Uint8Array.of(1))) as Hash32;
const key = sha256(Uint8Array.of(2));
const nonce = sha256(Uint8Array.of(3)).subarray(0, 24);
const place: CellPlace = { database, table: 'people', column: 'income', key: [7n] };
const purchase = hexOf(sha256(Uint8Array.of(4))) as Hash32;
const secretA = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => sha256(bytes));
const valueA: fc.Arbitrary<Scalar> = fc.oneof(
  fc.constant(null), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), fc.string({ unit: 'grapheme' }), fc.uint8Array(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
);

describe('market: sealed cells', () => {
  it('what was sealed opens at its place with its key', () => {
    fc.assert(fc.property(valueA, (value) => {
      expect(openCell(key, place, sealCell(key, place, value, nonce))).to.deep.equal(value);
    }), { numRuns: 200 });
  });

  it('P-5.4.3-cca2: an altered ciphertext is refused, never opened to something else', () => {
    const sealed = sealCell(key, place, 'a secret', nonce);
    for (let at = 0; at < sealed.length; at++) {
      for (const mask of [1, 128]) {
        const bent = sealed.map((byte, i) => (i === at ? byte ^ mask : byte));
        expect(() => openCell(key, place, bent)).to.throw('MARKET_ALTERED_CELL');
      }
    }
    for (let length = 0; length < sealed.length; length++) expect(() => openCell(key, place, sealed.subarray(0, length))).to.throw('MARKET_ALTERED_CELL');
  });

  it('a cell does not open with another key, nor in another row, column, table or database', () => {
    const sealed = sealCell(key, place, 1n, nonce);
    expect(() => openCell(sha256(key), place, sealed)).to.throw('MARKET_ALTERED_CELL');
    const elsewhere: Partial<CellPlace>[] = [{ key: [8n] }, { key: [7n, 7n] }, { column: 'name' }, { table: 'others' }, { database: purchase }];
    for (const change of elsewhere) expect(() => openCell(key, { ...place, ...change }, sealed)).to.throw('MARKET_ALTERED_CELL');
  });
});

describe('market: handing over a key', () => {
  it('the buyer uncovers what the provider hid, and nobody else', () => {
    fc.assert(fc.property(secretA, secretA, secretA, (provider, buyer, other) => {
      const cipher = hideKey(key, provider, pointOf(buyer), purchase);
      expect(uncoverKey(cipher, buyer, pointOf(provider), purchase, keyCommitOf(key))).to.deep.equal(key);
      fc.pre(hexOf(other) !== hexOf(buyer));
      expect(() => uncoverKey(cipher, other, pointOf(provider), purchase, keyCommitOf(key))).to.throw('MARKET_WRONG_KEY');
    }), { numRuns: 25 });
  });

  it('a wrong key, and a cipher of another purchase, are noticed', () => {
    const [provider, buyer] = [sha256(Uint8Array.of(5)), sha256(Uint8Array.of(6))];
    const uncover = (cipher: Hash32): unknown => uncoverKey(cipher, buyer, pointOf(provider), purchase, keyCommitOf(key));
    expect(() => uncover(hideKey(sha256(key), provider, pointOf(buyer), purchase))).to.throw('MARKET_WRONG_KEY');
    expect(() => uncover(hideKey(key, provider, pointOf(buyer), database))).to.throw('MARKET_WRONG_KEY');
  });

  it('both sides have one shared point, and a complaint shows the buyer\'s', () => {
    fc.assert(fc.property(secretA, secretA, (provider, buyer) => {
      const [a, b] = [complaintOf(buyer, pointOf(provider)), complaintOf(provider, pointOf(buyer))];
      expect([a.sharedX, a.sharedY]).to.deep.equal([b.sharedX, b.sharedY]);
      expect(a.secret).to.equal(BigInt(hexOf(buyer)));
      expect(pointAddress(pointOf(buyer))).to.equal(buyerKeyOf(buyer));
    }), { numRuns: 25 });
  });

  it('what is no point or no key is refused', () => {
    const point = pointOf(key);
    for (const bad of [{ ...point, y: point.y + 1n }, { x: 0n, y: 0n }, { x: (1n << 256n) - 1n, y: 1n }]) {
      expect(() => hideKey(key, key, bad, purchase)).to.throw('MARKET_BAD_POINT');
    }
    expect(() => hideKey(key, new Uint8Array(32), point, purchase)).to.throw('MARKET_BAD_POINT');
    expect(() => hideKey(key, bytesOf(`0x${'ff'.repeat(32)}`), point, purchase)).to.throw('MARKET_BAD_POINT');
  });

  it('every word of a policy is part of its hash', () => {
    const policy = { database, table: 'people', columns: ['income'], note: 'monthly' };
    const changes = [{}, { database: purchase }, { table: 'p' }, { columns: ['income', 'age'] }, { note: '' }];
    const hashes = changes.map((change) => policyHashOf({ ...policy, ...change }));
    expect(new Set(hashes).size).to.equal(hashes.length);
  });
});
