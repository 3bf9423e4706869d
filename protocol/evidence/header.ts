import type { StructValue } from '../codec/index.ts';
import { sha256Hex } from '../crypto/index.ts';
import { bytesOf, concatBytes, hexOf, uintBytes, type Hash32, type Hex } from '../types/index.ts';
import { evidenceFaults } from './faults.ts';

/** Tag of a block header before its first field (consensus §2.3). */
const TAG = 3;
/** group(32) ‖ epoch(8) ‖ view(8) after the tag. */
const BEFORE = 49;
const EFFECTS = 154;
const LENGTH = 282;

export interface HeaderParts {
  /** round to entriesRoot, 105 bytes. */
  readonly before: Hex;
  /** outcomeRoot to next, 96 bytes. */
  readonly after: Hex;
}

/**
 * A header without what evidence has elsewhere: group, epoch and view, and the root of the effects.
 * @throws EVIDENCE_INCONSISTENT when it is not the header of the block voted for
 */
export function flattenEffect(header: Hex, vote: StructValue<'BlockVote'>): HeaderParts {
  const bytes = bytesOf(header);
  if (bytes.length !== LENGTH || sha256Hex(bytes) !== vote.blockHash) {
    throw evidenceFaults.inconsistent({ what: 'header of the block', first: sha256Hex(bytes), second: vote.blockHash });
  }
  return { before: hexOf(bytes.subarray(BEFORE, EFFECTS)), after: hexOf(bytes.subarray(EFFECTS + 32)) };
}

/** Hash of the block whose header is put together again, and the round in it. */
export function blockOf(
  place: { readonly group: Hex; readonly epoch: bigint; readonly view: bigint }, { before, after }: HeaderParts, effectsRoot: Hash32,
): { readonly round: number; readonly blockHash: Hash32 } {
  const head = concatBytes(Uint8Array.of(TAG), bytesOf(place.group), uintBytes(place.epoch, 8), uintBytes(place.view, 8));
  const blockHash = sha256Hex(concatBytes(head, bytesOf(before), bytesOf(effectsRoot), bytesOf(after)));
  return { round: Number(BigInt(before.slice(0, 10))), blockHash };
}
