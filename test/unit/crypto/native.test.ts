import { expect } from 'chai';
import fc from 'fast-check';
import { installNativeCrypto, loadNativeCrypto } from '../../../node/crypto/index.ts';
import {
  addressOf, installCrypto, keccak256, pureCrypto, recoverSigner, signDigest, type CryptoBackend,
} from '../../../protocol/crypto/index.ts';
import { bytesOf, hexOf, type Digest, type Signature } from '../../../protocol/types/index.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const keys = fc.bigInt({ min: 1n, max: ORDER - 1n }).map((k) => bytesOf(`0x${k.toString(16).padStart(64, '0')}`));

describe('native crypto', () => {
  let native: CryptoBackend;
  before(async () => {
    native = await loadNativeCrypto();
  });

  it('hashes like the pure backend', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (data) => {
      expect(hexOf(native.sha256(data))).to.equal(hexOf(pureCrypto.sha256(data)));
      expect(native.sha256Hex(data)).to.equal(hexOf(pureCrypto.sha256(data)).slice(2));
      expect(pureCrypto.sha256Hex(data)).to.equal(native.sha256Hex(data));
      expect(hexOf(native.keccak256(data))).to.equal(hexOf(pureCrypto.keccak256(data)));
    }));
  });

  it('hashes pairs like the pure backend, on views and into larger outputs', () => {
    fc.assert(fc.property(fc.nat(9), fc.nat(3), fc.infiniteStream(fc.nat(255)), (pairs, offset, stream) => {
      const backing = Uint8Array.from({ length: pairs * 64 + offset }, () => stream.next().value as number);
      const input = backing.subarray(offset);
      const run = (b: CryptoBackend): string => {
        const output = new Uint8Array(pairs * 32 + 7);
        b.hashPairs(input, output);
        return hexOf(output);
      };
      expect(run(native)).to.equal(run(pureCrypto));
    }));
  });

  it('signs, recovers and derives keys like the pure backend', () => {
    fc.assert(fc.property(bytes(32), keys, (digest, key) => {
      const ours = native.sign(digest, key);
      const theirs = pureCrypto.sign(digest, key);
      expect(hexOf(ours.compact)).to.equal(hexOf(theirs.compact));
      expect(ours.recovery).to.equal(theirs.recovery);
      const publicKey = hexOf(native.publicKey(key));
      expect(publicKey).to.equal(hexOf(pureCrypto.publicKey(key)));
      expect(hexOf(native.recover(digest, ours.compact, ours.recovery) as Uint8Array)).to.equal(publicKey);
    }), { numRuns: 25 });
  });

  it('refuses what the pure backend refuses: random, zero and overflowing signatures', () => {
    const edge = [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, (1n << 256n) - 1n];
    const words = fc.oneof(fc.constantFrom(...edge), fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }))
      .map((w) => w.toString(16).padStart(64, '0'));
    fc.assert(fc.property(bytes(32), words, words, fc.nat(1), (digest, r, s, recovery) => {
      const compact = bytesOf(`0x${r}${s}`);
      const show = (b: CryptoBackend): string => {
        const key = b.recover(digest, compact, recovery);
        return key === undefined ? 'none' : hexOf(key);
      };
      expect(show(native)).to.equal(show(pureCrypto));
    }), { numRuns: 60 });
  });

  it('leaves bytes that do not change when the next hash is computed', () => {
    const first = native.keccak256(new Uint8Array([1]));
    const copy = hexOf(first);
    native.keccak256(new Uint8Array([2]));
    expect(hexOf(first)).to.equal(copy);
    expect(native.sha256(new Uint8Array([1])).constructor).to.equal(Uint8Array);
  });

  it('installs itself for the whole process and refuses malleated signatures', async () => {
    const previous = installCrypto(pureCrypto);
    try {
      expect(await installNativeCrypto()).to.equal('native');
      const key = new Uint8Array(32).fill(7);
      const digest = hexOf(keccak256(new Uint8Array([1]))) as Digest;
      const good = signDigest(digest, key);
      expect(recoverSigner(digest, good)).to.equal(addressOf(key));
      const s = ORDER - BigInt(`0x${good.slice(66, 130)}`);
      const flipped = good.endsWith('1b') ? '1c' : '1b';
      const twin = `${good.slice(0, 66)}${s.toString(16).padStart(64, '0')}${flipped}` as Signature;
      expect(recoverSigner(digest, twin)).to.equal(undefined);
    } finally {
      installCrypto(previous);
    }
  });
});
