import { compareRank, type Rank } from '../types/index.ts';
import type { Position, Unsigned } from './message.ts';

/** Below everything that is signed in an epoch. */
export const LOWEST: Rank = { view: 0n, round: 0 };

export const NOTHING_SIGNED: Position = { ackSeq: 0n, voteSeq: 0n, voted: LOWEST };

const highest = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The further of two positions, number by number. */
export function further(a: Position, b: Position): Position {
  return { ackSeq: highest(a.ackSeq, b.ackSeq), voteSeq: highest(a.voteSeq, b.voteSeq), voted: compareRank(a.voted, b.voted) > 0 ? a.voted : b.voted };
}

/** After one more signature; its record is on disk. */
export function signing(position: Position, message: Unsigned): Position {
  switch (message.kind) {
    case 'fastVote': return { ...position, voteSeq: position.voteSeq + 1n };
    case 'fastAck': return further(position, { ...position, ackSeq: message.value.ackSeq });
    case 'blockVote': return further(position, { ...position, voted: { view: message.value.view, round: message.value.round } });
    default: return position;
  }
}

/** Number by number what more than `liars` of these say at least: one of them is honest. */
export function vouched(told: readonly Position[], liars: number): Position {
  const ranks = told.map(({ voted }) => voted).sort((a, b) => compareRank(b, a));
  const at = (pick: (position: Position) => bigint): bigint => told.map(pick).sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))[liars] ?? 0n;
  return { ackSeq: at(({ ackSeq }) => ackSeq), voteSeq: at(({ voteSeq }) => voteSeq), voted: ranks[liars] ?? LOWEST };
}
