import type { MerkleStep } from '../../protocol/crypto/index.ts';
import type { Leaf } from '../../protocol/state-tree/index.ts';
import { bytesOf, concatBytes, hexOf, uintBytes, type Hash32, type Hex } from '../../protocol/types/index.ts';

/** A proof of the state tree; counts may be the decimal strings of a vector file. */
export interface RawProof {
  readonly terminal: Leaf | null;
  readonly steps: readonly { readonly depth: number; readonly sibling: Hash32; readonly siblingCount: bigint | string }[];
}

/** rowHash ‖ steps as in PrefixTree. */
export function packProof({ terminal, steps }: RawProof): Hex {
  const packed = steps.map((step) => concatBytes(uintBytes(step.depth, 1), uintBytes(BigInt(step.siblingCount), 5), bytesOf(step.sibling)));
  return hexOf(concatBytes(bytesOf(terminal!.rowHash), uintBytes(steps.length, 1), ...packed));
}

/** depth ‖ siblings as in BinaryMerkle. */
export const packPath = (steps: readonly MerkleStep[]): Hex =>
  hexOf(concatBytes(Uint8Array.of(steps.length), ...steps.map((step) => bytesOf(step.sibling))));
