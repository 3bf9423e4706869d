import type { Domain } from '../codec/index.ts';
import type { CertifiedCheckpoint, Roster } from '../membership/index.ts';
import type { Leaf, TreeProof } from '../state-tree/index.ts';
import type { Address, Hash32, Height, Path } from '../types/index.ts';
import type { Expectation, FalseAnswer, MalformedReason, PoqAnswer, RowReply, RowVerdict, Verdict } from './examine.ts';

export interface PoqConfig {
  readonly domain: Domain;
  /** This replica's signer; a member of the roster. */
  readonly self: Address;
  readonly roster: Roster;
  readonly intervalMs: number;
}

/** One open challenge. */
export interface Asked {
  readonly expected: Omit<Expectation, 'local'>;
  readonly index: bigint;
  /** From 1. */
  readonly attempt: number;
  readonly deadlineMs: number;
}

/** A false answer whose row is being fetched before it is reported. */
export interface Escalation {
  readonly expected: Expectation;
  readonly verdict: FalseAnswer;
  readonly leaf: Leaf | null;
  readonly deadlineMs: number;
}

export interface TargetState {
  /** Slot of the last challenge; a new one is asked when the slot changes. */
  readonly slot: bigint;
  readonly asked: Asked | null;
  readonly escalation: Escalation | null;
  /** Challenges in a row that ended without an answer, and when the first of them did. */
  readonly failures: number;
  readonly failingSinceMs: number;
}

export interface PoqState {
  readonly config: PoqConfig;
  readonly beacon: { readonly blockNumber: bigint; readonly blockHash: Hash32 } | null;
  readonly certified: CertifiedCheckpoint | null;
  readonly targets: ReadonlyMap<Address, TargetState>;
}

export type PoqInput =
  | { readonly kind: 'tick'; readonly nowMs: number }
  /** A newer finalized block; older ones are ignored. */
  | { readonly kind: 'beacon'; readonly blockNumber: bigint; readonly blockHash: Hash32 }
  /** A newer certified checkpoint, already verified. */
  | { readonly kind: 'checkpoint'; readonly certified: CertifiedCheckpoint }
  /** `local`: our own proof of the challenged rank at the challenged height, null when that tree is gone. */
  | {
      readonly kind: 'answer'; readonly nowMs: number; readonly target: Address; readonly request: Hash32; readonly reply: PoqAnswer;
      readonly local: TreeProof | null;
    }
  /** The target says that it cannot answer (a damaged row it repairs, overload, …). */
  | { readonly kind: 'refused'; readonly nowMs: number; readonly target: Address; readonly request: Hash32 }
  | { readonly kind: 'timeout'; readonly nowMs: number; readonly target: Address; readonly request: Hash32 }
  /** The row asked for by `fetchRow`; null when the target did not give it. */
  | { readonly kind: 'row'; readonly nowMs: number; readonly target: Address; readonly request: Hash32; readonly reply: RowReply | null };

/** A question on its way: answer it from the state at `minHeight` or newer, and name `request`. */
export interface Question {
  readonly target: Address;
  readonly rank: bigint;
  readonly request: Hash32;
  readonly minHeight: Height;
  readonly index: bigint;
  readonly attempt: number;
  readonly deadlineMs: number;
}

export type PoqEffect =
  | ({ readonly kind: 'ask' } & Question)
  /** The same question once more. */
  | ({ readonly kind: 'repeat' } & Question)
  /** Fetch the whole row with its writer's signature and key (P-6.1-ppoq-escalate). */
  | { readonly kind: 'fetchRow'; readonly target: Address; readonly path: Path; readonly request: Hash32; readonly deadlineMs: number }
  /** Everything an accusation needs; `row` is null when the target kept the row back. */
  | {
      readonly kind: 'report'; readonly target: Address; readonly falseAnswer: FalseAnswer; readonly row: RowReply | null;
      readonly rowVerdict: RowVerdict | null;
    }
  /** How a challenge ended, for the health page and the trust level. */
  | {
      readonly kind: 'mark'; readonly target: Address; readonly index: bigint; readonly nowMs: number;
      readonly outcome: Verdict['kind']; readonly reason: MalformedReason | 'timeout' | 'refused' | null;
    }
  /** Ask for file-system statistics: tells a broken disk, which is replaced, from malice (Picolo §6.2). */
  | { readonly kind: 'statistics'; readonly target: Address }
  /** Unanswered challenges in a row; grounds for a challenge on the chain, whose clock alone proves silence. */
  | { readonly kind: 'silent'; readonly target: Address; readonly failures: number; readonly sinceMs: number };

export interface PoqStep {
  readonly state: PoqState;
  readonly effects: readonly PoqEffect[];
}
