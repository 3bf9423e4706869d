import { ALL_RULES as CONSENSUS_RULES } from '../../../protocol/consensus/rules.ts';
import { ALL_RULES, type CrossGroupRules } from '../../../protocol/cross-group/rules.ts';
import type { BankPlan } from './bank.ts';

/** A planted fault: one rule switched off, circumstances in which it matters, and how many seeds may pass unnoticed. */
export interface BankMutant {
  readonly name: string;
  readonly overrides: Partial<BankPlan>;
  /** The first seed to try: the ones before are known to show nothing. */
  readonly from?: number;
  readonly seeds: number;
}

const base: Partial<BankPlan> = {
  groups: 2, epochs: 0, crashEveryMs: 0, partitionEveryMs: 0, transfers: 20, idle: 0,
  durationMs: 1_000, patienceMs: 300, settleMs: 1_500,
};
const off = (name: keyof CrossGroupRules): CrossGroupRules => ({ ...ALL_RULES, [name]: false });

export const BANK_MUTANTS: readonly BankMutant[] = [
  {
    name: 'closed timestamps ignore intents (X-CLOSE)', seeds: 4,
    overrides: { ...base, vanish: 0.3, rules: { ...CONSENSUS_RULES, intentFloor: false } },
  },
  { name: 'a commit without proofs of the prepares (X-DECIDE)', seeds: 4, overrides: { ...base, vanish: 0.4, liars: 0.8, crossRules: off('proofs') } },
  { name: 'every decision has a key of its own (X-ONCE)', seeds: 4, overrides: { ...base, liars: 0.8, crossRules: off('oneDecisionKey') } },
  { name: 'a resolution without proof of the decision (X-RESOLVE)', seeds: 4, overrides: { ...base, vanish: 0.2, liars: 0.8, crossRules: off('decisionProof') } },
  {
    name: 'keys that are only read are not held (X-LOCK)', from: 7, seeds: 4,
    overrides: { ...base, reads: 1, accounts: 3, local: 0.6, crossRules: off('holdsReads') },
  },
  { name: 'a leader may leave time standing (V-STILL)', from: 2, seeds: 1, overrides: { rules: { ...CONSENSUS_RULES, stillTimers: false } } },
];
