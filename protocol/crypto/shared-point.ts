import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concatBytes, hexOf } from '../types/index.ts';

/**
 * Diffie-Hellman on the curve of the signatures: x ‖ y of privateKey · point, or undefined when either is not valid. Rare
 * enough (one per purchase) that the pure library serves every process.
 * @param point 64 bytes x ‖ y
 */
export function sharedPoint(privateKey: Uint8Array, point: Uint8Array): Uint8Array | undefined {
  try {
    const given = secp256k1.Point.fromBytes(concatBytes(Uint8Array.of(4), point));
    return given.multiply(BigInt(hexOf(privateKey))).toBytes(false).slice(1);
  } catch {
    return undefined; // no point of the curve, or no key
  }
}
