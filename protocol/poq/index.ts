/**
 * Proof-of-Query (Picolo §6.1): replicas ask each other every ten seconds for the row at a random rank of a
 * certified checkpoint, and clients may ask too. Which rank follows from a public beacon, so nobody can know it
 * ahead and everybody can recompute it; what the target signs is compared with the certified tree, and a lie comes
 * back with everything an accusation needs, as plain values. Pure rules and a step machine: no clock, no network.
 *
 * @example
 *   let { state } = step(createPoq({ domain, self, roster, intervalMs: POQ_INTERVAL_MS }), { kind: 'beacon', blockNumber, blockHash });
 *   ({ state, effects } = step(state, { kind: 'tick', nowMs }));      // [{ kind: 'ask', target, rank, request, … }]
 *   examine(reply, expectation);                                    // { kind: 'agrees' | 'falseAnswer' | 'unavailable' | 'malformed', … }
 */
export { challengeFor, requestFor, type ChallengeSeed } from './challenge.ts';
export { POQ_INTERVAL_MS, schedule, type Slot } from './schedule.ts';
export { challengesForProbability, detectionProbability, expectedChallenges, expectedDetectionMs, type Odds } from './odds.ts';
export {
  examine, examineRow, type Expectation, type FalseAnswer, type MalformedReason, type PoqAnswer, type RowReply, type RowVerdict,
  type Verdict,
} from './examine.ts';
export { createPoq, step } from './loop.ts';
export type { Asked, Escalation, PoqConfig, PoqEffect, PoqInput, PoqState, PoqStep, Question, TargetState } from './loop-types.ts';
export { poqFaults } from './faults.ts';
