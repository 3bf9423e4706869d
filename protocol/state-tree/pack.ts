import { bytesOf, concatBytes, uintBytes, type Path } from '../types/index.ts';
import { treeFaults } from './faults.ts';
import type { Leaf, ProofStep, RangeProof, TreeProof } from './types.ts';

/*
 * Packed forms that contracts read from calldata (contracts/libraries/{PrefixTree,TreeEntry,PicoloSql}.sol): counts of five
 * bytes, lengths of one, no tags.
 */
const MAX_STEPS = 255;
const COUNT_BYTES = 5;
const FORM = { present: 0, absent: 1, empty: 2 } as const;

/**
 * What a root says about `path`: form(1), then for an absent one the path of the other leaf, then its row hash and steps.
 * @throws TREE_TOO_MANY_STEPS, TREE_BAD_COUNT for proofs that no tree of a contract's size has
 */
export function packEntry(path: Path, { terminal, steps }: TreeProof): Uint8Array {
  if (terminal === null) return Uint8Array.of(FORM.empty);
  const walk = concatBytes(bytesOf(terminal.rowHash), packSteps(steps));
  if (terminal.path === path) return concatBytes(Uint8Array.of(FORM.present), walk);
  return concatBytes(Uint8Array.of(FORM.absent), bytesOf(terminal.path), walk);
}

/** A range proof around `rows`, which are packed already and stand between its two halves. */
export function packRange({ before, after, left, right }: RangeProof, rows: readonly Uint8Array[]): Uint8Array {
  const flags = (before === null ? 0 : 1) | (after === null ? 0 : 2);
  return concatBytes(
    Uint8Array.of(flags), packLeaf(before), packSteps(left), Uint8Array.of(rows.length), ...rows, packLeaf(after), packSteps(right),
  );
}

function packLeaf(leaf: Leaf | null): Uint8Array {
  return leaf === null ? new Uint8Array() : concatBytes(bytesOf(leaf.path), bytesOf(leaf.rowHash));
}

function packSteps(steps: readonly ProofStep[]): Uint8Array {
  if (steps.length > MAX_STEPS) throw treeFaults.tooManySteps({ steps: steps.length });
  return concatBytes(Uint8Array.of(steps.length), ...steps.map(packStep));
}

function packStep({ depth, sibling, siblingCount }: ProofStep): Uint8Array {
  if (siblingCount >= 1n << BigInt(8 * COUNT_BYTES)) throw treeFaults.badCount({ count: siblingCount });
  return concatBytes(Uint8Array.of(depth), uintBytes(siblingCount, COUNT_BYTES), bytesOf(sibling));
}
