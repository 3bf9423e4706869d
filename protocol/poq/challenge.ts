import { sha256, sha256Hex } from '../crypto/index.ts';
import { bytesOf, concatBytes, uintBytes, type Address, type Epoch, type GroupId, type Hash32, type Height } from '../types/index.ts';
import { poqFaults } from './faults.ts';

/** Everything a challenge follows from; all of it is public, so anyone can recompute who had to be asked what. */
export interface ChallengeSeed {
  /** Hash of a finalized block that is younger than the checkpoint: nobody could know it when the rows were stored. */
  readonly beacon: Hash32;
  readonly challenger: Address;
  readonly target: Address;
  readonly group: GroupId;
  readonly epoch: Epoch;
  /** Height of the certified checkpoint that is asked about. */
  readonly height: Height;
  /** Leaves of that checkpoint, from its signed details. */
  readonly rowCount: bigint;
  /** Running number of the challenge: the slot of the schedule, or a client's own counter. */
  readonly index: bigint;
}

const utf8 = new TextEncoder();
const RANK_TAG = utf8.encode('picolo/poq/rank');
const REQUEST_TAG = utf8.encode('picolo/poq/request');
const WORDS = 1n << 64n;

/**
 * The rank to ask for: floor(random * size) of Picolo §6.1 without its bias. A 64-bit draw beyond the
 * largest multiple of the row count is drawn again, so every rank has exactly the same chance.
 * Throws POQ_ROW_COUNT.
 */
export function challengeFor(seed: ChallengeSeed): bigint {
  if (seed.rowCount <= 0n || seed.rowCount >= WORDS) throw poqFaults.rowCount({ rowCount: seed.rowCount });
  const fair = WORDS - (WORDS % seed.rowCount);
  const prefix = concatBytes(RANK_TAG, seedBytes(seed));
  for (let attempt = 0; ; attempt++) {
    const digest = sha256(concatBytes(prefix, uintBytes(attempt, 4)));
    const draw = new DataView(digest.buffer, digest.byteOffset).getBigUint64(0);
    if (draw < fair) return draw % seed.rowCount;
  }
}

/** The `request` that the answer has to name: ties a signed answer to exactly this challenge. */
export function requestFor(seed: ChallengeSeed): Hash32 {
  return sha256Hex(concatBytes(REQUEST_TAG, seedBytes(seed)));
}

function seedBytes({ beacon, challenger, target, group, epoch, height, rowCount, index }: ChallengeSeed): Uint8Array {
  return concatBytes(
    bytesOf(beacon), bytesOf(challenger), bytesOf(target), bytesOf(group),
    uintBytes(epoch, 8), uintBytes(height, 8), uintBytes(rowCount, 8), uintBytes(index, 8),
  );
}
