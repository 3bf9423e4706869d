import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { hexOf } from '../types/index.ts';
import type { CryptoBackend } from './backend.ts';

/** Runs anywhere JavaScript runs; 10-20 times slower on signatures than the native backend. */
export const pureCrypto: CryptoBackend = {
  name: 'noble',
  sha256: (data) => sha256(data),
  sha256Hex: (data) => hexOf(sha256(data)).slice(2),
  hashPairs(input, output) {
    for (let at = 0, to = 0; at < input.length; at += 64, to += 32) {
      output.set(sha256(input.subarray(at, at + 64)), to);
    }
  },
  keccak256: (data) => keccak_256(data),
  sign(digest, privateKey) {
    const raw = secp256k1.sign(digest, privateKey, { prehash: false, lowS: true, format: 'recovered' });
    return { compact: raw.slice(1), recovery: raw[0] as number };
  },
  recover(digest, compact, recovery) {
    try {
      const raw = new Uint8Array(65);
      raw[0] = recovery;
      raw.set(compact, 1);
      const point = secp256k1.recoverPublicKey(raw, digest, { prehash: false });
      return secp256k1.Point.fromBytes(point).toBytes(false).slice(1);
    } catch {
      return undefined; // not a point of the curve: the signature is simply not valid
    }
  },
  publicKey: (privateKey) => secp256k1.getPublicKey(privateKey, false).slice(1),
};
