import type { Hash32, Path } from '../types/index.ts';

export interface Leaf {
  readonly path: Path;
  readonly rowHash: Hash32;
}

/** Sets the row hash of a path; null removes the leaf (removing an absent one changes nothing). */
export interface LeafChange {
  readonly path: Path;
  readonly rowHash: Hash32 | null;
}

/** Changes as values, or as bytes: 64 per change, path ‖ row hash, where a zero row hash removes. */
export type Changes = readonly LeafChange[] | Uint8Array;

/** One branching above a leaf. The side is no field: it is the leaf's own bit at `depth`. */
export interface ProofStep {
  /** Index of the bit that the node branches on, 0..255, 0 = first. */
  readonly depth: number;
  readonly sibling: Hash32;
  /** Leaves under the sibling, at least 1. */
  readonly siblingCount: bigint;
}

/** Inclusion of `terminal`, or absence of a key that ends at it; null = the tree is empty. Steps go from the leaf to the root. */
export interface TreeProof {
  readonly terminal: Leaf | null;
  readonly steps: readonly ProofStep[];
}

/**
 * Frame around consecutive leaves: the neighbours just outside the range and the subtrees to the
 * left of the first and to the right of the last leaf. What lies between follows from the paths.
 */
export interface RangeProof {
  /** Last leaf below the range; null when the range starts the tree. */
  readonly before: Leaf | null;
  /** First leaf above the range; null when the range ends the tree or the limit cut it. */
  readonly after: Leaf | null;
  /** Siblings to the left, from the root down. */
  readonly left: readonly ProofStep[];
  /** Siblings to the right, from the leaf up. */
  readonly right: readonly ProofStep[];
}

export interface RangeAnswer {
  readonly leaves: readonly Leaf[];
  readonly proof: RangeProof;
}
