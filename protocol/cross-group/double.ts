import type { ReplicaIndex } from '../types/index.ts';
import { coordinatorOf, planIdOf, type Plan } from './plan.ts';
import { decisionIdOf, type Decided } from './stages.ts';
import { isDecided, type ProofParts } from './verify.ts';

/** Two decisions about one plan, both proven: more than f members of the coordinator group broke the protocol (X-DOUBLE). */
export interface DoubleDecision {
  readonly plan: Plan;
  readonly first: Decided;
  readonly second: Decided;
  /** Who voted for both commits; f + 1 members or more when both proofs are of one epoch. */
  readonly signers: readonly ReplicaIndex[];
}

/** Undefined unless both are proven, of one epoch, and not the same decision. Two decisions to abort contradict nothing. */
export function doubleDecision(parts: ProofParts, plan: Plan, first: Decided, second: Decided): DoubleDecision | undefined {
  const planId = planIdOf(plan);
  if (decisionIdOf(planId, first) === decisionIdOf(planId, second)) return undefined;
  if (first.verdict !== 'commit' && second.verdict !== 'commit') return undefined;
  if (!isDecided(parts, plan, first) || !isDecided(parts, plan, second)) return undefined;
  const [a, b] = [first.receipt, second.receipt];
  if (a.kind !== 'classic' || b.kind !== 'classic' || a.headers[0]?.epoch !== coordinatorOf(plan).epoch || b.headers[0]?.epoch !== a.headers[0]?.epoch) return undefined;
  const others = new Set(b.qc.votes.map(({ signer }) => signer));
  return { plan, first, second, signers: a.qc.votes.map(({ signer }) => signer).filter((signer) => others.has(signer)) };
}
