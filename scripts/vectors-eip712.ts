/**
 * Writes test/vectors/eip712.json (every signed struct: type, hash, digest, signature) and test/vectors/merkle.json (batch trees with
 * paths). TypeScript, ethers and Solidity replay them.
 *
 *   node scripts/vectors-eip712.ts
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { digestOf, structHash, structs, typeHash, typeString, type Domain, type StructName } from '../protocol/codec/index.ts';
import { addressOf, merklePath, merkleRoot, sha256, signDigest } from '../protocol/crypto/index.ts';
import { concatBytes, hexOf, uintBytes, type Address, type Hex } from '../protocol/types/index.ts';

const folder = new URL('../test/vectors/', import.meta.url);
export const files = { eip712: new URL('eip712.json', folder), merkle: new URL('merkle.json', folder) } as const;

const domains: readonly Domain[] = [
  { chainId: 31337n, verifyingContract: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512' as Address },
  { chainId: 1n, verifyingContract: `0x${'0f'.repeat(20)}` as Address },
];
const samples = 4;

const noise = (text: string): Uint8Array => sha256(new TextEncoder().encode(text));

/** Field values: all zero, all ones, then noise of the right width. */
function valueOf(name: StructName, sample: number): Record<string, Hex | bigint | number> {
  return Object.fromEntries(structs[name].map(([field, type]) => [field, fieldValue(type, sample, noise(`${name}.${field} ${sample}`))]));
}

function fieldValue(type: string, sample: number, random: Uint8Array): Hex | bigint | number {
  const width = type === 'bytes32' ? 32 : type === 'address' ? 20 : Number(type.slice(4)) / 8;
  const bytes = sample === 0 ? new Uint8Array(width) : sample === 1 ? new Uint8Array(width).fill(255) : random.subarray(0, width);
  if (!type.startsWith('uint')) return hexOf(bytes);
  return type === 'uint32' ? Number(hexOf(bytes)) : BigInt(hexOf(bytes));
}

export function eip712Vectors(): unknown {
  const key = noise('key');
  const cases = (Object.keys(structs) as StructName[]).map((name) => ({
    name, type: typeString(name), typeHash: hexOf(typeHash(name)),
    samples: Array.from({ length: samples }, (_, i) => {
      const value = valueOf(name, i) as never;
      const digests = domains.map((domain) => digestOf(domain, name, value));
      return { value, structHash: structHash(name, value), digests, signature: signDigest(digests[0] as never, key) };
    }),
  }));
  return { domains, privateKey: hexOf(key), signer: addressOf(key), structs: cases };
}

export function merkleVectors(): unknown {
  return [1, 2, 3, 5, 8, 250].map((size) => {
    const item = (i: number): Uint8Array => concatBytes(noise(`item ${i}`), noise('v'), uintBytes(i % 4 === 1 ? 1 : 0, 1));
    const leaves = Array.from({ length: size }, (_, i) => (i % 2 === 0 ? noise(`leaf ${size} ${i}`) : item(i)));
    const indexes = [...new Set([0, size >> 1, size - 1])];
    return {
      size, root: merkleRoot(leaves),
      paths: indexes.map((index) => ({ index, leaf: hexOf(leaves[index] as Uint8Array), steps: merklePath(leaves, index) })),
    };
  });
}

/** Big integers as decimal strings. */
export function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, (_key, entry) => (typeof entry === 'bigint' ? entry.toString() : entry), 1)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(files.eip712, jsonOf(eip712Vectors()));
  writeFileSync(files.merkle, jsonOf(merkleVectors()));
}
