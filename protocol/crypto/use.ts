import { bytesOf, hexOf, type Address, type Digest, type Hash32, type Hex, type Signature } from '../types/index.ts';
import type { CryptoBackend } from './backend.ts';
import { pureCrypto } from './pure.ts';

let backend: CryptoBackend = pureCrypto;

/** Composition roots only; returns the backend that was in use. */
export function installCrypto(next: CryptoBackend): CryptoBackend {
  const previous = backend;
  backend = next;
  return previous;
}

export function sha256(data: Uint8Array): Uint8Array {
  return backend.sha256(data);
}

export function sha256Hex(data: Uint8Array): Hash32 {
  return `0x${backend.sha256Hex(data)}` as Hash32;
}

/** Batch hash of 64-byte blocks; `output` may not overlap `input`. */
export function hashPairs(input: Uint8Array, output: Uint8Array): void {
  backend.hashPairs(input, output);
}

export function keccak256(data: Uint8Array): Uint8Array {
  return backend.keccak256(data);
}

export function signDigest(digest: Digest, privateKey: Uint8Array): Signature {
  const { compact, recovery } = backend.sign(bytesOf(digest), privateKey);
  const out = new Uint8Array(65);
  out.set(compact);
  out[64] = 27 + recovery;
  return hexOf(out) as Signature;
}

// half of the group order: a larger s is the malleated twin of a valid signature
const HALF_ORDER: Hex = '0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0';

/** Address that signed the digest, or undefined for any malformed, malleated or invalid signature. */
export function recoverSigner(digest: Digest, signature: Signature): Address | undefined {
  if (signature.length !== 132) return undefined;
  const v = Number.parseInt(signature.slice(130), 16);
  if (v !== 27 && v !== 28) return undefined;
  if (`0x${signature.slice(66, 130)}` > HALF_ORDER) return undefined;
  const key = backend.recover(bytesOf(digest), bytesOf(signature).subarray(0, 64), v - 27);
  return key === undefined ? undefined : addressOfPublicKey(key);
}

/** 64 bytes r ‖ yParityAndS (ERC-2098) of a valid signature: the recovery bit rides in the top bit of s. */
export function compactSignature(signature: Signature): Uint8Array {
  const bytes = bytesOf(signature);
  const out = bytes.slice(0, 64);
  if (bytes[64] === 28) out[32] = (out[32] as number) | 0x80;
  return out;
}

/** @param publicKey 64 bytes, uncompressed without prefix */
export function addressOfPublicKey(publicKey: Uint8Array): Address {
  return hexOf(backend.keccak256(publicKey).subarray(12)) as Address;
}

/** 64 bytes x ‖ y of a private key's point. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return backend.publicKey(privateKey);
}

export function addressOf(privateKey: Uint8Array): Address {
  return addressOfPublicKey(backend.publicKey(privateKey));
}

/** One level of a binary Merkle path: the sibling and whether it stands on the left. */
export interface MerkleStep {
  readonly sibling: Hash32;
  readonly left: boolean;
}

/*
 * Fixed-position binary Merkle tree used for batches, footprints and mutations (consensus §2.3):
 * leaf = H(0x00 ‖ data), node = H(0x01 ‖ l ‖ r), padded with 32 zero bytes to a power of two.
 */
const PADDING = new Uint8Array(32);

/** Root over `leaves` (arbitrary bytes each); the empty list has the padding leaf as root. */
export function merkleRoot(leaves: readonly Uint8Array[]): Hash32 {
  let level = baseLevel(leaves);
  while (level.length > 1) level = parents(level);
  return hexOf(level[0] as Uint8Array) as Hash32;
}

/** Path from leaf `index` to the root, bottom first. */
export function merklePath(leaves: readonly Uint8Array[], index: number): MerkleStep[] {
  return merkleTree(leaves).pathOf(index);
}

/** The whole tree, hashed once, for who needs several of its paths. */
export function merkleTree(leaves: readonly Uint8Array[]): { readonly root: Hash32; pathOf(index: number): MerkleStep[] } {
  const levels = [baseLevel(leaves)];
  for (let top = levels[0] as Uint8Array[]; top.length > 1; levels.push(top)) top = parents(top);
  const [root] = levels.pop() as [Uint8Array];
  return {
    root: hexOf(root) as Hash32,
    pathOf: (index) => levels.map((level, depth) => ({
      sibling: hexOf(level[(index >> depth) ^ 1] as Uint8Array) as Hash32, left: ((index >> depth) & 1) === 1,
    })),
  };
}

/** The steps of a path from the place of its leaf: bit `d` of the index says on which side level `d` has its sibling. */
export function stepsAt(index: number, siblings: readonly Hash32[]): MerkleStep[] {
  return siblings.map((sibling, depth) => ({ sibling, left: Math.floor(index / 2 ** depth) % 2 === 1 }));
}

/** Root that a leaf and its path lead to; compare it with the signed one. */
export function rootOfPath(leaf: Uint8Array, path: readonly MerkleStep[]): Hash32 {
  let at = tagged(0, leaf);
  for (const { sibling, left } of path) {
    at = left ? tagged(1, bytesOf(sibling), at) : tagged(1, at, bytesOf(sibling));
  }
  return hexOf(at) as Hash32;
}

function baseLevel(leaves: readonly Uint8Array[]): Uint8Array[] {
  const level = leaves.map((leaf) => tagged(0, leaf));
  let width = 1;
  while (width < level.length) width *= 2;
  while (level.length < width) level.push(PADDING);
  return level;
}

function parents(level: readonly Uint8Array[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) out.push(tagged(1, level[i] as Uint8Array, level[i + 1] as Uint8Array));
  return out;
}

/** Inputs of tagged hashes by length, used again and again: a fresh array costs more than the hash of what is in it. */
const inputs: Uint8Array[] = [];
const MOST_KEPT_BYTES = 256;

function inputOf(length: number): Uint8Array {
  if (length > MOST_KEPT_BYTES) return new Uint8Array(length);
  return (inputs[length] ??= new Uint8Array(length));
}

function tagged(tag: number, a: Uint8Array, b?: Uint8Array): Uint8Array {
  const input = inputOf(1 + a.length + (b?.length ?? 0));
  input[0] = tag;
  input.set(a, 1);
  if (b) input.set(b, 1 + a.length);
  return backend.sha256(input);
}
