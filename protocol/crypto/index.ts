/**
 * Hashes and signatures (architecture §3). The pure implementation serves browsers; a process that
 * has the native libraries injects them once at start (`installCrypto`). Both give the same bytes.
 *
 * SHA-256 for ids, content and trees; keccak only inside EIP-712; secp256k1 because `ecrecover`
 * judges it on chain. Signatures are 65 bytes, low s, v in {27, 28}; anything else is refused.
 */
export type { CryptoBackend } from './backend.ts';
export { pureCrypto } from './pure.ts';
export {
  addressOf, addressOfPublicKey, compactSignature, hashPairs, installCrypto, keccak256, merklePath, merkleRoot, merkleTree, publicKeyOf,
  recoverSigner, rootOfPath, sha256, sha256Hex, signDigest, stepsAt,
  type MerkleStep,
} from './use.ts';
export { sharedPoint } from './shared-point.ts';
