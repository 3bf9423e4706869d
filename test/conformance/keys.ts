import { sha256 } from '../../protocol/crypto/index.ts';

/** A private key per number, the same in every run. */
export function privateKeyOf(seed: number): Uint8Array {
  return sha256(new TextEncoder().encode(`picolo test key ${seed}`));
}
