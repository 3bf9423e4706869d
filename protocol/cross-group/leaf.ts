import type { Scalar } from '../codec/index.ts';
import { entryIdOf, footprintRootOf } from '../rows/index.ts';
import { bytesOf, concatBytes, hexOf, uintBytes, type EntryId, type Hash32, type Timestamp } from '../types/index.ts';
import { crossGroupFaults } from './faults.ts';
import { decisionPathOf, lastDecisionOf, usesAlone } from './plan.ts';
import { decisionIdOf, VERDICTS, type Decision, type Verdict } from './stages.ts';

/** Leaves of the state tree that outlive a plan's intents (X-LEAF). */
export const MARK_TABLE = '_mark';
export const DECISION_TABLE = '_decision';

/** Key and content of a leaf; its table follows from the function that made it. */
export interface StageLeaf {
  readonly key: readonly Scalar[];
  readonly content: readonly Scalar[];
}

/** What a decision's leaf says. */
export interface DecisionLeaf extends Decision {
  readonly plan: Hash32;
  readonly decideBy: Timestamp;
}

const TS_BYTES = 12;
const HASH_BYTES = 32;

/** That the part of a database was resolved: no other part may be prepared under this plan until it is out of date. */
export function markLeafOf(plan: Hash32, decideBy: Timestamp): StageLeaf {
  return { key: [bytesOf(plan)], content: [uintBytes(decideBy, TS_BYTES)] };
}

/** Throws CROSS_GROUP_BAD_LEAF. */
export function readMarkLeaf({ key, content }: StageLeaf): { readonly plan: Hash32; readonly decideBy: Timestamp } {
  return { plan: hashAt(key[0]), decideBy: timestampAt(content[0]) };
}

/** The decision itself (X-ONCE). */
export function decisionLeafOf({ plan, verdict, ts, prepared, decideBy }: DecisionLeaf): StageLeaf {
  return { key: [bytesOf(plan)], content: [verdict, uintBytes(ts, TS_BYTES), concatBytes(...prepared.map(bytesOf)), uintBytes(decideBy, TS_BYTES)] };
}

/** Throws CROSS_GROUP_BAD_LEAF. */
export function readDecisionLeaf({ key, content }: StageLeaf): DecisionLeaf {
  const [verdict, ts, packed, decideBy] = content;
  if (!(packed instanceof Uint8Array) || packed.length % HASH_BYTES !== 0 || !VERDICTS.includes(verdict as Verdict)) throw crossGroupFaults.badLeaf();
  const prepared = Array.from({ length: packed.length / HASH_BYTES }, (_, i) => hashAt(packed.subarray(HASH_BYTES * i, HASH_BYTES * (i + 1))));
  return { plan: hashAt(key[0]), verdict: verdict as Verdict, ts: timestampAt(ts), prepared, decideBy: timestampAt(decideBy) };
}

/** With the first checkpoint past this time the leaf leaves the state: no other decision about its plan can be executed any more (X-LEAF). */
export function decisionExpiryOf({ verdict, decideBy }: Pick<DecisionLeaf, 'verdict' | 'decideBy'>): Timestamp {
  return verdict === 'commit' ? lastDecisionOf({ decideBy }) : decideBy;
}

/** Version of a decision's leaf: nobody signs decisions, so it follows from the leaf itself. */
export function decisionEntryOf(leaf: DecisionLeaf, ts: Timestamp): EntryId {
  return entryIdOf(decisionIdOf(leaf.plan, leaf), ts, footprintRootOf(usesAlone(decisionPathOf(leaf.plan))));
}

function hashAt(value: Scalar | undefined): Hash32 {
  if (!(value instanceof Uint8Array) || value.length !== HASH_BYTES) throw crossGroupFaults.badLeaf();
  return hexOf(value) as Hash32;
}

function timestampAt(value: Scalar | undefined): Timestamp {
  if (!(value instanceof Uint8Array) || value.length !== TS_BYTES) throw crossGroupFaults.badLeaf();
  return BigInt(hexOf(value)) as Timestamp;
}
