import { hash } from 'node:crypto';
import { createRequire } from 'node:module';
import { hashInto } from '@chainsafe/hashtree';
import { createKeccak, type IHasher } from 'hash-wasm';
import type { CryptoBackend } from '../../protocol/crypto/index.ts';
import { cryptoFaults } from './faults.ts';

/** What we use of the native addon; its package ships no types. */
interface NativeSecp256k1 {
  ecdsaSign(digest: Uint8Array, key: Uint8Array): { readonly signature: Uint8Array; readonly recid: number };
  ecdsaRecover(compact: Uint8Array, recovery: number, digest: Uint8Array, compressed: boolean): Uint8Array;
  publicKeyCreate(key: Uint8Array, compressed: boolean): Uint8Array;
}

/**
 * Loads the native libraries. Throws CRYPTO_NO_NATIVE when the addon is missing; it never returns a
 * backend that is secretly JavaScript (`require('secp256k1')` would fall back without a word).
 */
export async function loadNativeCrypto(): Promise<CryptoBackend> {
  return nativeBackend(loadSecp256k1(), await createKeccak(256));
}

function loadSecp256k1(): NativeSecp256k1 {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings.js') as NativeSecp256k1;
  } catch (error) {
    throw cryptoFaults.noNative({ platform: process.platform, arch: process.arch }, error);
  }
}

function nativeBackend(curve: NativeSecp256k1, keccak: IHasher): CryptoBackend {
  return {
    name: 'native',
    sha256: (data) => bytesIn(hash('sha256', data, 'binary')),
    sha256Hex: (data) => hash('sha256', data, 'hex'),
    hashPairs(input, output) {
      if (input.length > 0) hashInto(input, output.subarray(0, input.length / 2));
    },
    keccak256: (data) => keccak.init().update(data).digest('binary'),
    sign(digest, privateKey) {
      const { signature, recid } = curve.ecdsaSign(digest, privateKey); // RFC 6979, low s
      return { compact: signature, recovery: recid };
    },
    recover(digest, compact, recovery) {
      try {
        return curve.ecdsaRecover(compact, recovery, digest, false).subarray(1);
      } catch {
        return undefined; // not a point of the curve: the signature is simply not valid
      }
    },
    publicKey: (privateKey) => curve.publicKeyCreate(privateKey, false).subarray(1),
  };
}

/** A digest as text of one byte per character costs a third of one in a Buffer: no memory outside the heap. */
function bytesIn(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < out.length; i++) out[i] = text.charCodeAt(i);
  return out;
}
