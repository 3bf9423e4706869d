/**
 * The rules that keep groups together, each with a switch. Everything but the mutation tests runs with `ALL_RULES`; those
 * prove that the checkers notice each one missing.
 */
export interface CrossGroupRules {
  /** X-DECIDE: a decision to commit carries the proof of every prepare. */
  readonly proofs: boolean;
  /** X-EPOCH: a prepare is proven by the members its group has now. */
  readonly presentEpoch: boolean;
  /** X-ONCE: all decisions about a plan use up one key. */
  readonly oneDecisionKey: boolean;
  /** X-RESOLVE: a resolution carries the proof of the decision. */
  readonly decisionProof: boolean;
  /** X-LOCK: keys that are only read are held against writers. */
  readonly holdsReads: boolean;
}

export const ALL_RULES: CrossGroupRules = Object.freeze({
  proofs: true, presentEpoch: true, oneDecisionKey: true, decisionProof: true, holdsReads: true,
});
