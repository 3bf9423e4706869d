import { pathOf, pathRange } from '../rows/index.ts';
import type { Scalar } from '../codec/index.ts';
import { bytesOf, hexOf, type DatabaseId, type GroupId, type Hash32, type Hex, type Path } from '../types/index.ts';
import { oracleFaults } from './faults.ts';

/** `row`: one key; `count`: leaves from one path to another; `range`: their rows. */
export type QuestionKind = 'row' | 'count' | 'range';

/** What a contract asks through ERC-3668, and where: both ends inclusive, equal for a row. */
export interface Question {
  readonly kind: QuestionKind;
  readonly group: GroupId;
  readonly database: DatabaseId;
  readonly from: Path;
  readonly to: Path;
}

/** Where a question is asked. */
export interface TablePlace {
  readonly group: GroupId;
  readonly database: DatabaseId;
  readonly table: string;
}

const kinds: readonly QuestionKind[] = ['row', 'count', 'range'];
const QUESTION_BYTES = 1 + 4 * 32;

export function rowQuestion({ group, database, table }: TablePlace, key: readonly Scalar[]): Question {
  const path = pathOf(database, table, '', key);
  return { kind: 'row', group, database, from: path, to: path };
}

/** Keys that begin with `from` up to keys that begin with `to`; nothing for the whole table. */
export function rangeQuestion(
  kind: 'count' | 'range', { group, database, table }: TablePlace, from: readonly Scalar[] = [], to: readonly Scalar[] = from,
): Question {
  const { first, last } = pathRange(database, table, '', from, to);
  return { kind, group, database, from: first, to: last };
}

/** kind(1) ‖ group(32) ‖ database(32) ‖ from(32) ‖ to(32): the call data of OffchainLookup. */
export function encodeQuestion({ kind, group, database, from, to }: Question): Hex {
  return `0x0${kinds.indexOf(kind)}${[group, database, from, to].map((part) => part.slice(2)).join('')}`;
}

/** @throws ORACLE_MALFORMED */
export function decodeQuestion(data: Hex): Question {
  const bytes = bytesOf(data);
  const kind = kinds[bytes[0] as number];
  if (bytes.length !== QUESTION_BYTES || kind === undefined) throw oracleFaults.malformed({ bytes: bytes.length, kind: bytes[0] });
  const [group, database, from, to] = [0, 1, 2, 3].map((i) => hexOf(bytes.subarray(1 + 32 * i, 33 + 32 * i)) as Hash32);
  const question = { kind, group: group as GroupId, database: database as DatabaseId, from: from as Path, to: to as Path };
  if (question.from > question.to || (kind === 'row' && from !== to)) throw oracleFaults.malformed({ kind, reason: 'the ends do not fit' });
  return question;
}
