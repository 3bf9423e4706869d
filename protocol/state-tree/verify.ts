import { bytesOf, hexOf, ZERO_HASH, type Hash32, type Path } from '../types/index.ts';
import { treeFaults } from './faults.ts';
import { bitOf, checkStep, COUNT_LIMIT, hashInner, hashLeaf, type Block } from './verify-hash.ts';
import type { Leaf, ProofStep, TreeProof } from './types.ts';

export type Membership =
  | { readonly kind: 'present'; readonly rowHash: Hash32; readonly rank: bigint; readonly count: bigint }
  | { readonly kind: 'absent'; readonly rank: bigint; readonly count: bigint };

/**
 * What a root says about a path. Shares no code with the tree itself, and is the twin of the
 * Solidity verifier: both replay test/vectors/state-tree.json.
 *
 * @returns present with row hash and rank, or absent with the rank the path would have; `count` = leaves in the tree
 * @throws TREE_* when the proof does not show either
 */
export function verifyProof(rootHash: Hash32, path: Path, proof: TreeProof): Membership {
  const { terminal, steps } = proof;
  if (terminal === null) return emptyTree(rootHash, proof);
  const at = bytesOf(terminal.path);
  const count = climb(rootHash, terminal, at, steps);
  if (path === terminal.path) return { kind: 'present', rowHash: terminal.rowHash, rank: leavesBelow(at, steps, 256), count };
  return { kind: 'absent', rank: rankOfAbsent(path, at, steps), count };
}

/**
 * The root that a proof leads to, the rank of its leaf, and whether `path` is proven absent. For who compares the root by other
 * means: evidence leaves it out, because a signature over it is checked anyway.
 * @throws TREE_* when the proof is no proof of any tree
 */
export function rootOfProof(
  path: Path, { terminal, steps }: TreeProof & { readonly terminal: Leaf },
): { readonly root: Hash32; readonly excludes: boolean; readonly rank: bigint } {
  const at = bytesOf(terminal.path);
  const { hash } = rise(terminal, at, steps);
  const exit = path === terminal.path ? undefined : exitOf(bytesOf(path), at);
  const excludes = exit !== undefined && steps.every(({ depth }) => depth !== exit);
  return { root: hexOf(hash) as Hash32, excludes, rank: leavesBelow(at, steps, 256) };
}

/** The leaf that a root has at `rank`. @throws TREE_*, TREE_WRONG_RANK when the proof is about another one */
export function verifyRank(rootHash: Hash32, rank: bigint, proof: TreeProof): { readonly leaf: Leaf; readonly count: bigint } {
  const { leaf, rank: got, count } = rankOfLeaf(rootHash, proof);
  if (got !== rank) throw treeFaults.wrongRank({ rank, got });
  return { leaf, count };
}

/** The leaf that a proof ends at, and its rank. @throws TREE_*, TREE_WRONG_RANK when there is none */
export function rankOfLeaf(rootHash: Hash32, proof: TreeProof): { readonly leaf: Leaf; readonly rank: bigint; readonly count: bigint } {
  if (proof.terminal === null) throw treeFaults.wrongRank({ got: 'an empty tree' });
  const { rank, count } = verifyProof(rootHash, proof.terminal.path, proof);
  return { leaf: proof.terminal, rank, count };
}

/** Number of leaves between two paths, both inclusive, from a proof for each. @throws TREE_* */
export function verifyCount(rootHash: Hash32, from: Path, to: Path, proofs: { readonly from: TreeProof; readonly to: TreeProof }): bigint {
  if (from > to) throw treeFaults.rangeReversed({ from, to });
  const end = verifyProof(rootHash, to, proofs.to);
  return end.rank + (end.kind === 'present' ? 1n : 0n) - verifyProof(rootHash, from, proofs.from).rank;
}

function emptyTree(rootHash: Hash32, { steps }: TreeProof): Membership {
  if (rootHash !== ZERO_HASH || steps.length > 0) throw treeFaults.notEmpty({ rootHash });
  return { kind: 'absent', rank: 0n, count: 0n };
}

/** Hashes from the leaf to the root and compares; returns the number of leaves. */
function climb(rootHash: Hash32, leaf: Leaf, path: Uint8Array, steps: readonly ProofStep[]): bigint {
  const { hash, count } = rise(leaf, path, steps);
  if (hexOf(hash) !== rootHash) throw treeFaults.wrongRoot({ rootHash });
  return count;
}

function rise(leaf: Leaf, path: Uint8Array, steps: readonly ProofStep[]): { readonly hash: Block; readonly count: bigint } {
  let hash: Block = hashLeaf(leaf);
  let count = 1n;
  let below = 256;
  for (const step of steps) {
    checkStep(step);
    if (step.depth >= below) throw treeFaults.depthOrder({ depth: step.depth, below });
    below = step.depth;
    count += step.siblingCount;
    if (count >= COUNT_LIMIT) throw treeFaults.badCount({ count });
    const sibling = bytesOf(step.sibling);
    hash = bitOf(path, step.depth) === 1 ? hashInner(sibling, hash, step.depth, count) : hashInner(hash, sibling, step.depth, count);
  }
  return { hash, count };
}

/** The first bit in which two paths differ. */
function exitOf(wanted: Uint8Array, terminal: Uint8Array): number {
  let exit = 0;
  while (bitOf(wanted, exit) === bitOf(terminal, exit)) exit++;
  return exit;
}

/**
 * A path is absent when the first bit in which it differs from a proven leaf is no branching above
 * that leaf: then the whole subtree around the leaf shares the leaf's bit there. If it is one, the
 * path belongs to the sibling's side, about which the proof says nothing.
 */
function rankOfAbsent(path: Path, terminal: Uint8Array, steps: readonly ProofStep[]): bigint {
  const wanted = bytesOf(path);
  const exit = exitOf(wanted, terminal);
  if (steps.some((step) => step.depth === exit)) throw treeFaults.absenceUnproven({ path, depth: exit });
  const before = leavesBelow(terminal, steps, exit);
  if (bitOf(wanted, exit) === 0) return before;
  return steps.reduce((sum, step) => (step.depth > exit ? sum + step.siblingCount : sum), before + 1n);
}

/** Leaves in the left siblings of all steps above bit `exit`. */
function leavesBelow(terminal: Uint8Array, steps: readonly ProofStep[], exit: number): bigint {
  let sum = 0n;
  for (const step of steps) if (step.depth < exit && bitOf(terminal, step.depth) === 1) sum += step.siblingCount;
  return sum;
}
