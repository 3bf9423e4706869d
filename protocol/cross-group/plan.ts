import { address, encode, hash32, list, record, timestamp, u64, type Codec } from '../codec/index.ts';
import { sha256Hex } from '../crypto/index.ts';
import { addMs } from '../hlc/index.ts';
import { limits } from '../limits/index.ts';
import {
  bytesOf, compareHex, concatBytes, ZERO_HASH, type Address, type DatabaseId, type EntryId, type Epoch, type GroupId, type Hash32, type Item, type Path,
  type Timestamp, type TxId,
} from '../types/index.ts';
import { crossGroupFaults } from './faults.ts';

export interface Participant {
  readonly database: DatabaseId;
  /** Home of the database. */
  readonly group: GroupId;
  /** Epoch of the group when the writer signed: the prepare counts in this one only. */
  readonly epoch: Epoch;
}

/** What the parts of one transaction have in common; the footprint of each part names it, so the writer signed it with each. */
export interface Plan {
  readonly writer: Address;
  /** Any 32 bytes that this writer never used before. */
  readonly salt: Hash32;
  /** Ascending by database. */
  readonly participants: readonly Participant[];
  /** From then on anybody may decide to abort. No part runs later. */
  readonly decideBy: Timestamp;
}

export const planC: Codec<Plan> = record({
  writer: address, salt: hash32,
  participants: list(record({ database: hash32, group: hash32, epoch: u64 }), limits.participantsPerPlan),
  decideBy: timestamp,
});

/** Throws CROSS_GROUP_BAD_PLAN unless several groups take part, every database once. */
export function checkPlan(plan: Plan): Plan {
  if (!isPlan(plan)) throw crossGroupFaults.badPlan({ participants: plan.participants.length });
  return plan;
}

export function isPlan({ participants }: Plan): boolean {
  const ascending = participants.every(({ database }, i) => i === 0 || compareHex(participants[i - 1]?.database as DatabaseId, database) < 0);
  return ascending && new Set(participants.map(({ group }) => group)).size >= 2;
}

/** The name of the whole transaction. */
export function planIdOf(plan: Plan): Hash32 {
  return named(0x10, encode(planC, plan));
}

/** Chosen by the name, so that the writer cannot choose it and the work spreads. */
export function coordinatorOf(plan: Plan): Participant {
  const pick = Number.parseInt(planIdOf(plan).slice(-8), 16) % plan.participants.length;
  return plan.participants[pick] as Participant;
}

export function participantOf(plan: Plan, database: DatabaseId): Participant | undefined {
  return plan.participants.find((each) => each.database === database);
}

/** Timeouts are executed up to here, so a decision to commit must stand as long (X-DECIDE). */
export function lastDecisionOf({ decideBy }: Pick<Plan, 'decideBy'>): Timestamp {
  return addMs(decideBy, limits.decisionMs);
}

const INTENT_PREFIX = sha256Hex(new TextEncoder().encode('picolo _intent')).slice(0, 18);

/** The key that a part names at version zero: binds it to its plan, and makes it run once (X-PART). */
export function intentPathOf(planId: Hash32, database: DatabaseId): Path {
  return `${INTENT_PREFIX}${named(0x14, bytesOf(planId), bytesOf(database)).slice(18)}` as Path;
}

/** True for the marks of parts: a command that names one runs under its plan or not at all. */
export function isIntentPath(path: Path): boolean {
  return path.startsWith(INTENT_PREFIX);
}

/** The key that every decision about the plan uses up (X-ONCE). */
export function decisionPathOf(planId: Hash32): Path {
  return named(0x15, bytesOf(planId)) as Path;
}

/** Footprint of what needs one key at version zero and nothing else. */
export function usesAlone(path: Path): readonly Item[] {
  return [{ path, version: ZERO_HASH as EntryId, mode: 'W' }];
}

/** The key that the resolution of a prepare uses up. */
export function resolutionPathOf(prepared: EntryId): Path {
  return named(0x16, bytesOf(prepared)) as Path;
}

export function prepareIdOf(planId: Hash32, database: DatabaseId, part: TxId): TxId {
  return named(0x11, bytesOf(planId), bytesOf(database), bytesOf(part));
}

/** SHA-256 over a tag and what is named: no two kinds share a name. */
export function named(tag: number, ...parts: readonly Uint8Array[]): Hash32 {
  return sha256Hex(concatBytes(Uint8Array.of(tag), ...parts));
}
