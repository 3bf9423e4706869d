import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isHex, type Hex } from '../protocol/types/index.ts';
import type { Ballot } from '../sdk/operator/index.ts';
import { cliFaults } from './faults.ts';

interface Kept {
  readonly dispute: string;
  readonly round: number;
  readonly place: number;
  readonly vote: 'upheld' | 'rejected';
  readonly salt: Hex;
}

/** Ballots of a juror, in a file that only its owner can read: whoever loses it cannot reveal, and is fined for it. */
export function readBallots(path: string): readonly Ballot[] {
  if (!existsSync(path)) return [];
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as readonly Kept[];
    if (!kept.every(isKept)) throw cliFaults.badOption({ option: '--ballots', reason: 'a ballot is incomplete' });
    return kept.map(({ dispute, ...rest }) => ({ ...rest, dispute: BigInt(dispute) }));
  } catch (error) {
    throw cliFaults.badOption({ option: '--ballots', value: path, expected: 'a file of picolo dispute vote' }, error);
  }
}

/** Adds ballots to the file; before they are sent. */
export function keepBallots(path: string, more: readonly Ballot[]): void {
  const kept = [...readBallots(path), ...more].map((ballot) => ({ ...ballot, dispute: String(ballot.dispute) }));
  writeFileSync(path, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
}

function isKept({ dispute, round, place, vote, salt }: Partial<Kept>): boolean {
  return /^\d+$/.test(dispute ?? '') && Number.isInteger(round) && Number.isInteger(place) && (vote === 'upheld' || vote === 'rejected') && isHex(salt, 32);
}
