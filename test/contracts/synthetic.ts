import { sha256 } from '../../protocol/crypto/index.ts';
import type { ProofStep, TreeProof } from '../../protocol/state-tree/index.ts';
import { bytesOf, concatBytes, hexOf, uintBytes, type Hash32, type Path } from '../../protocol/types/index.ts';
import { h } from './cases.ts';

/**
 * Proof and root as a tree of 2^levels rows has them, without building it: one branching per level, halves of
 * equal size. Independent of protocol/state-tree, so it also checks that room's format.
 */
export function syntheticProof(path: Path, rowHash: Hash32, levels: number): { readonly root: Hash32; readonly proof: TreeProof; readonly rank: bigint } {
  let node = sha256(concatBytes(bytesOf(path), bytesOf(rowHash)));
  let count = 1n;
  let rank = 0n;
  const steps: ProofStep[] = [];
  for (let depth = levels - 1; depth >= 0; depth--) {
    const sibling = bytesOf(h(`sibling ${depth}`));
    const right = (BigInt(path) >> BigInt(255 - depth)) & 1n;
    steps.push({ depth, sibling: hexOf(sibling) as Hash32, siblingCount: count });
    if (right === 1n) rank += count;
    count *= 2n;
    const inner = sha256(right === 1n ? concatBytes(sibling, node) : concatBytes(node, sibling));
    node = sha256(concatBytes(inner, uintBytes(depth, 2), uintBytes(count, 8), new Uint8Array(22)));
  }
  return { root: hexOf(node) as Hash32, proof: { terminal: { path, rowHash }, steps }, rank };
}
