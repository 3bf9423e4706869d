import { limits } from '../limits/index.ts';
import { bytesOf, compareHex, hexOf, ZERO_HASH, type Hash32, type Path } from '../types/index.ts';
import { treeFaults } from './faults.ts';
import type { Leaf, ProofStep, RangeProof } from './types.ts';
import { bitOf, checkStep, COUNT_LIMIT, hashInner, hashLeaf } from './verify-hash.ts';

export interface VerifiedRange {
  /** No leaf between the bounds is missing from the answer. */
  readonly complete: boolean;
  /** Up to and including this path no leaf is missing: `to` when complete, else the last leaf's path. */
  readonly through: Path;
  /** Rank of the first leaf, or the rank one would have. */
  readonly rank: bigint;
  /** Leaves in the tree. */
  readonly count: bigint;
}

/** A subtree or leaf in order; `gap` is the depth of the branching between it and the previous one. */
interface Piece {
  readonly hash: Uint8Array;
  readonly count: bigint;
  readonly gap: number;
}

/**
 * Checks that `leaves` are all leaves of the tree between two paths (inclusive), or the first ones
 * of them. The paths of neighbouring leaves fix the branchings between them, so the leaves and the
 * siblings outside rebuild the root; the boundary leaves show that nothing was cut off.
 *
 * @throws TREE_* when the answer is not exactly that
 */
export function verifyRange(rootHash: Hash32, from: Path, to: Path, proof: RangeProof, leaves: readonly Leaf[]): VerifiedRange {
  if (compareHex(from, to) > 0) throw treeFaults.rangeReversed({ from, to });
  const shown = framed(from, to, proof, leaves);
  if (shown.length === 0) return emptyTree(rootHash, proof, to);
  const rank = sumOf(proof.left) + (proof.before === null ? 0n : 1n);
  const root = fold([...leftPieces(proof, shown), ...leafPieces(shown, proof), ...rightPieces(proof, shown)]);
  if (hexOf(root.hash) !== rootHash) throw treeFaults.wrongRoot({ rootHash });
  const through = reach(to, proof, leaves);
  return { complete: through === to, through, rank, count: root.count };
}

/** Boundary leaves and leaves in one row, checked to be strictly ascending and on the right side of the bounds. */
function framed(from: Path, to: Path, proof: RangeProof, leaves: readonly Leaf[]): readonly Leaf[] {
  if (leaves.length > limits.rangeRows) throw treeFaults.limit({ leaves: leaves.length, most: limits.rangeRows });
  const { before, after } = proof;
  if (before !== null && before.path >= from) throw treeFaults.outsideRange({ before: before.path });
  if (after !== null && after.path <= to) throw treeFaults.outsideRange({ after: after.path });
  for (const { path } of leaves) if (path < from || path > to) throw treeFaults.outsideRange({ path });
  const shown = [...(before ? [before] : []), ...leaves, ...(after ? [after] : [])];
  for (let i = 1; i < shown.length; i++) {
    if ((shown[i - 1] as Leaf).path >= (shown[i] as Leaf).path) throw treeFaults.leafOrder({ path: (shown[i] as Leaf).path });
  }
  return shown;
}

function emptyTree(rootHash: Hash32, proof: RangeProof, to: Path): VerifiedRange {
  if (rootHash !== ZERO_HASH || proof.left.length + proof.right.length > 0) throw treeFaults.notEmpty({ rootHash });
  return { complete: true, through: to, rank: 0n, count: 0n };
}

/**
 * On the left the tree must end or a boundary leaf must stand. On the right the same, or else the
 * answer was cut by a limit and is complete up to its last leaf.
 */
function reach(to: Path, proof: RangeProof, leaves: readonly Leaf[]): Path {
  if (proof.before === null && proof.left.length > 0) throw treeFaults.boundaryMissing({ side: 'left' });
  if (proof.after !== null || proof.right.length === 0) return to;
  const last = leaves.at(-1);
  if (last === undefined) throw treeFaults.noProgress();
  return last.path;
}

function leftPieces(proof: RangeProof, shown: readonly Leaf[]): Piece[] {
  const first = bytesOf((shown[0] as Leaf).path);
  checkSteps(proof.left);
  return proof.left.map((step, i) => {
    if (bitOf(first, step.depth) !== 1) throw treeFaults.wrongSide({ depth: step.depth });
    if (i > 0 && (proof.left[i - 1] as ProofStep).depth >= step.depth) throw treeFaults.depthOrder({ depth: step.depth });
    return { hash: bytesOf(step.sibling), count: step.siblingCount, gap: i === 0 ? 0 : (proof.left[i - 1] as ProofStep).depth };
  });
}

function leafPieces(shown: readonly Leaf[], proof: RangeProof): Piece[] {
  return shown.map((leaf, i) => ({
    hash: hashLeaf(leaf), count: 1n, gap: i === 0 ? (proof.left.at(-1)?.depth ?? 0) : parting((shown[i - 1] as Leaf).path, leaf.path),
  }));
}

function rightPieces(proof: RangeProof, shown: readonly Leaf[]): Piece[] {
  const last = bytesOf((shown.at(-1) as Leaf).path);
  checkSteps(proof.right);
  return proof.right.map((step, i) => {
    if (bitOf(last, step.depth) !== 0) throw treeFaults.wrongSide({ depth: step.depth });
    if (i > 0 && (proof.right[i - 1] as ProofStep).depth <= step.depth) throw treeFaults.depthOrder({ depth: step.depth });
    return { hash: bytesOf(step.sibling), count: step.siblingCount, gap: step.depth };
  });
}

/** Rebuilds the tree over the pieces: the branching with the smallest depth is the topmost. */
function fold(pieces: readonly Piece[]): Piece {
  const stack: Piece[] = [];
  const close = (): void => {
    const right = stack.pop() as Piece;
    const left = stack.pop() as Piece;
    const count = left.count + right.count;
    if (count >= COUNT_LIMIT) throw treeFaults.badCount({ count });
    stack.push({ hash: hashInner(left.hash, right.hash, right.gap, count), count, gap: left.gap });
  };
  for (const piece of pieces) {
    while (stack.length > 1 && (stack.at(-1) as Piece).gap > piece.gap) close();
    if (stack.length > 1 && (stack.at(-1) as Piece).gap === piece.gap) throw treeFaults.depthOrder({ depth: piece.gap });
    stack.push(piece);
  }
  while (stack.length > 1) close();
  return stack[0] as Piece;
}

function checkSteps(steps: readonly ProofStep[]): void {
  if (steps.length > limits.proofSteps) throw treeFaults.tooManySteps({ steps: steps.length });
  steps.forEach(checkStep);
}

/** First differing bit of two different paths. */
function parting(a: Path, b: Path): number {
  const x = bytesOf(a);
  const y = bytesOf(b);
  let depth = 0;
  while (bitOf(x, depth) === bitOf(y, depth)) depth++;
  return depth;
}

function sumOf(steps: readonly ProofStep[]): bigint {
  return steps.reduce((sum, step) => sum + step.siblingCount, 0n);
}
