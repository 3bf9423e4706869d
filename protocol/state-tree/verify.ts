import { hashPairs } from '../crypto/index.ts';
import { bytesOf, hexOf, ZERO_HASH, type Hash32, type Path } from '../types/index.ts';
import { treeFaults } from './faults.ts';
import type { Leaf, ProofStep, TreeProof } from './types.ts';

export type Membership =
  | { readonly kind: 'present'; readonly rowHash: Hash32; readonly rank: bigint; readonly count: bigint }
  | { readonly kind: 'absent'; readonly rank: bigint; readonly count: bigint };

const COUNT_LIMIT = 1n << 64n;

/**
 * What a root says about a path. Shares no code with the tree itself, and is the twin of the
 * Solidity verifier: both replay test/vectors/state-tree.json.
 *
 * @returns present with row hash and rank, or absent with the rank the path would have; `count` = leaves in the tree
 * @throws TREE_* when the proof does not show either
 */
export function verifyProof(rootHash: Hash32, path: Path, proof: TreeProof): Membership {
  if (proof.terminal === null) return emptyTree(rootHash, proof);
  const terminal = bytesOf(proof.terminal.path);
  const count = climb(rootHash, proof.terminal, terminal, proof.steps);
  if (path === proof.terminal.path) {
    return { kind: 'present', rowHash: proof.terminal.rowHash, rank: leavesBelow(terminal, proof.steps, 256), count };
  }
  return { kind: 'absent', rank: rankOfAbsent(path, terminal, proof.steps), count };
}

/** The leaf that a root has at `rank`. @throws TREE_*, TREE_WRONG_RANK when the proof is about another one */
export function verifyRank(rootHash: Hash32, rank: bigint, proof: TreeProof): { readonly leaf: Leaf; readonly count: bigint } {
  if (proof.terminal === null) throw treeFaults.wrongRank({ rank });
  const found = verifyProof(rootHash, proof.terminal.path, proof);
  if (found.rank !== rank) throw treeFaults.wrongRank({ rank, got: found.rank });
  return { leaf: proof.terminal, count: found.count };
}

/** Number of leaves between two paths, both inclusive, from a proof for each. @throws TREE_* */
export function verifyCount(rootHash: Hash32, from: Path, to: Path, proofs: { readonly from: TreeProof; readonly to: TreeProof }): bigint {
  if (from > to) throw treeFaults.rangeReversed({ from, to });
  const end = verifyProof(rootHash, to, proofs.to);
  return end.rank + (end.kind === 'present' ? 1n : 0n) - verifyProof(rootHash, from, proofs.from).rank;
}

function emptyTree(rootHash: Hash32, proof: TreeProof): Membership {
  if (rootHash !== ZERO_HASH || proof.steps.length > 0) throw treeFaults.notEmpty({ rootHash });
  return { kind: 'absent', rank: 0n, count: 0n };
}

/** Hashes from the leaf to the root and compares; returns the number of leaves. */
function climb(rootHash: Hash32, leaf: Leaf, path: Uint8Array, steps: readonly ProofStep[]): bigint {
  const block = new Uint8Array(64);
  const hash = new Uint8Array(32);
  hashLeaf(leaf, block, hash);
  let count = 1n;
  let below = 256;
  for (const step of steps) {
    checkStep(step);
    if (step.depth >= below) throw treeFaults.depthOrder({ depth: step.depth, below });
    below = step.depth;
    count += step.siblingCount;
    if (count >= COUNT_LIMIT) throw treeFaults.badCount({ count });
    const onRight = bitOf(path, step.depth) === 1;
    block.set(onRight ? bytesOf(step.sibling) : hash, 0);
    block.set(onRight ? hash : bytesOf(step.sibling), 32);
    hashInner(block, step.depth, count, hash);
  }
  if (hexOf(hash) !== rootHash) throw treeFaults.wrongRoot({ rootHash });
  return count;
}

/**
 * A path is absent when the first bit in which it differs from a proven leaf is no branching above
 * that leaf: then the whole subtree around the leaf shares the leaf's bit there. If it is one, the
 * path belongs to the sibling's side, about which the proof says nothing.
 */
function rankOfAbsent(path: Path, terminal: Uint8Array, steps: readonly ProofStep[]): bigint {
  const wanted = bytesOf(path);
  let exit = 0;
  while (bitOf(wanted, exit) === bitOf(terminal, exit)) exit++;
  if (steps.some((step) => step.depth === exit)) throw treeFaults.absenceUnproven({ path, depth: exit });
  const before = leavesBelow(terminal, steps, exit);
  if (bitOf(wanted, exit) === 0) return before;
  return steps.reduce((sum, step) => (step.depth > exit ? sum + step.siblingCount : sum), before + 1n);
}

/** Leaves in the left siblings of all steps above bit `exit`. */
function leavesBelow(terminal: Uint8Array, steps: readonly ProofStep[], exit: number): bigint {
  return steps.reduce((sum, step) => (step.depth < exit && bitOf(terminal, step.depth) === 1 ? sum + step.siblingCount : sum), 0n);
}

// The functions below are shared by the verifiers of single proofs and of ranges.

export function bitOf(path: Uint8Array, depth: number): number {
  return ((path[depth >> 3] as number) >> (7 - (depth & 7))) & 1;
}

export function checkStep(step: ProofStep): void {
  if (!Number.isInteger(step.depth) || step.depth < 0 || step.depth > 255) throw treeFaults.badDepth({ depth: step.depth });
  if (step.siblingCount < 1n || step.siblingCount >= COUNT_LIMIT) throw treeFaults.badCount({ count: step.siblingCount });
}

/**
 * H(path ‖ rowHash). Without the refusal of row hashes that end in 22 zero bytes, the two halves of an
 * inner node's hash input would pass as a leaf, and any key could be "proven" absent.
 */
export function hashLeaf(leaf: Leaf, block: Uint8Array, out: Uint8Array): void {
  block.set(bytesOf(leaf.path), 0);
  block.set(bytesOf(leaf.rowHash), 32);
  if (block.subarray(42).every((byte) => byte === 0)) throw treeFaults.rowHash({ path: leaf.path, rowHash: leaf.rowHash });
  hashPairs(block, out);
}

/** H( H(left ‖ right) ‖ meta ); `block` holds left ‖ right and is overwritten. */
export function hashInner(block: Uint8Array, depth: number, count: bigint, out: Uint8Array): void {
  hashPairs(block, out);
  block.set(out, 0);
  block.fill(0, 32);
  const view = new DataView(block.buffer, block.byteOffset);
  view.setUint16(32, depth);
  view.setBigUint64(34, count);
  hashPairs(block, out);
}
