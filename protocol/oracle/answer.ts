import { encode, list, scalar, type Scalar } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { packCheckpoint, type CertifiedCheckpoint, type Roster } from '../membership/index.ts';
import { packEntry, packRange, type RangeProof, type TreeProof } from '../state-tree/index.ts';
import { bytesOf, concatBytes, uintBytes, type Hash32, type Height, type Path, type Timestamp } from '../types/index.ts';
import { oracleFaults } from './faults.ts';
import type { Question } from './question.ts';

/** The state an answer is about: a checkpoint that comes along, or one that is anchored and so known by its height. */
export type AnswerState =
  | { readonly kind: 'certified'; readonly roster: Roster; readonly certified: CertifiedCheckpoint }
  | { readonly kind: 'anchored'; readonly height: Height };

/** A row as its leaf commits to it. */
export interface LeafContent {
  readonly version: Hash32;
  readonly writtenAt: Timestamp;
  readonly key: readonly Scalar[];
  /** Null for leaves without content. */
  readonly values: readonly Scalar[] | null;
}

const scalarsC = list(scalar, limits.scalarsPerRow);
const MAX_LENGTH = 0xffff;

/** Answer to a question about one key; `row` null when it is absent. @throws ORACLE_TOO_LONG */
export function packRowAnswer(state: AnswerState, { from }: Question, proof: TreeProof, row: LeafContent | null): Uint8Array {
  return concatBytes(packState(state), packEntry(from, proof), row === null ? new Uint8Array() : packContent(row));
}

/** Answer to a question how many: a proof for each end. */
export function packCountAnswer(state: AnswerState, { from, to }: Question, first: TreeProof, last: TreeProof): Uint8Array {
  return concatBytes(packState(state), packEntry(from, first), packEntry(to, last));
}

/** Answer to a question about a range, complete. @throws ORACLE_TOO_MANY_ROWS, ORACLE_TOO_LONG */
export function packRangeAnswer(state: AnswerState, proof: RangeProof, rows: readonly (LeafContent & { readonly path: Path })[]): Uint8Array {
  const cut = proof.after === null && proof.right.length > 0;
  if (cut || rows.length > limits.oracleRows) throw oracleFaults.tooManyRows({ most: limits.oracleRows });
  const packed = rows.map((row) => concatBytes(bytesOf(row.path), counted(encode(scalarsC, row.key)), packContent(row)));
  return concatBytes(packState(state), packRange(proof, packed));
}

function packState(state: AnswerState): Uint8Array {
  if (state.kind === 'anchored') return concatBytes(Uint8Array.of(0), uintBytes(state.height, 8));
  return concatBytes(Uint8Array.of(1), counted(packCheckpoint(state.roster, state.certified)));
}

function packContent({ version, writtenAt, values }: LeafContent): Uint8Array {
  const content = values === null ? new Uint8Array() : encode(scalarsC, values);
  return concatBytes(bytesOf(version), uintBytes(writtenAt, 12), counted(content));
}

/** length(2) ‖ bytes */
function counted(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_LENGTH) throw oracleFaults.tooLong({ bytes: bytes.length, most: MAX_LENGTH });
  return concatBytes(uintBytes(bytes.length, 2), bytes);
}
