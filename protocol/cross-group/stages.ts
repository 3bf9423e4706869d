import { bytes, choice, decode, encode, hash32, list, record, timestamp, union, type Codec } from '../codec/index.ts';
import { receiptC, type CommandReader, type Receipt } from '../consensus/index.ts';
import { ZERO_TIMESTAMP } from '../hlc/index.ts';
import { limits } from '../limits/index.ts';
import { bytesOf, uintBytes, type DatabaseId, type EntryId, type Hash32, type Timestamp, type TxId } from '../types/index.ts';
import { named, planC, type Plan } from './plan.ts';

/** What a group executed for a part: with outcome applied, its intents are there. */
export interface Prepared {
  readonly database: DatabaseId;
  readonly part: TxId;
  readonly receipt: Receipt;
}

/** `commit` at the highest timestamp of the prepares; `prevented`: one of them was aborted; `timeout`: after `decideBy`. */
export type Verdict = 'commit' | 'prevented' | 'timeout';

export interface Decision {
  readonly verdict: Verdict;
  /** Zero unless the verdict is `commit`. */
  readonly ts: Timestamp;
  /** The prepares by participant; empty unless the verdict is `commit`. */
  readonly prepared: readonly EntryId[];
}

/** A decision with the coordinator group's proof that it was executed: all that a participant needs. */
export interface Decided extends Decision {
  readonly receipt: Receipt;
}

export interface Prepare {
  readonly kind: 'prepare';
  readonly plan: Plan;
  readonly database: DatabaseId;
  /** The signed transaction. */
  readonly part: Uint8Array;
}

export interface Decide {
  readonly kind: 'decide';
  readonly plan: Plan;
  readonly decision: Decision;
  /** `commit`: one per participant; `prevented`: the one that was aborted; `timeout`: none. */
  readonly proofs: readonly Prepared[];
}

export interface Resolve {
  readonly kind: 'resolve';
  readonly plan: Plan;
  readonly database: DatabaseId;
  readonly part: Uint8Array;
  /** This group's own prepare. */
  readonly prepared: Receipt;
  readonly decided: Decided;
}

/** What the commands of a cross-group transaction carry. */
export type Payload = Prepare | Decide | Resolve;

const part = bytes(limits.transactionBytes);
const decisionFields = {
  verdict: choice(['commit', 'prevented', 'timeout']), ts: timestamp, prepared: list(hash32, limits.participantsPerPlan),
};
export const preparedC: Codec<Prepared> = record({ database: hash32, part: hash32, receipt: receiptC });
export const decidedC = record({ ...decisionFields, receipt: receiptC }) as Codec<Decided>;

const payloadC = union({
  prepare: record({ plan: planC, database: hash32, part }),
  decide: record({ plan: planC, decision: record(decisionFields), proofs: list(preparedC, limits.participantsPerPlan) }),
  resolve: record({ plan: planC, database: hash32, part, prepared: receiptC, decided: decidedC }),
}) as unknown as Codec<Payload>;

export function encodePayload(payload: Payload): Uint8Array {
  return encode(payloadC, payload);
}

/** Throws CODEC_*. */
export function decodePayload(data: Uint8Array): Payload {
  return decode(payloadC, data, limits.frameBytes);
}

/** A list of two in CBOR; a signed transaction is a list of three. */
export function isPayload(data: Uint8Array): boolean {
  return data[0] === 0x82;
}

export const VERDICTS: readonly Verdict[] = ['commit', 'prevented', 'timeout'];

/** The command id of a decision. It names all that the decision does, so a proof of the one is no proof of another. */
export function decisionIdOf(planId: Hash32, { verdict, ts, prepared }: Decision): TxId {
  return named(0x12, bytesOf(planId), uintBytes(VERDICTS.indexOf(verdict), 1), uintBytes(ts, 12), ...prepared.map(bytesOf));
}

/** The commit that these prepares allow (P-5.3.1-2pc-max-ts): at the highest of their timestamps. */
export function commitOf(proofs: readonly Prepared[]): Decision {
  const ts = proofs.reduce((max, { receipt }) => (receipt.ts > max ? receipt.ts : max), ZERO_TIMESTAMP);
  return { verdict: 'commit', ts, prepared: proofs.map(({ receipt }) => receipt.entry) };
}

export function abortFor(verdict: 'prevented' | 'timeout'): Decision {
  return { verdict, ts: ZERO_TIMESTAMP, prepared: [] };
}

export type PartReader = CommandReader;
