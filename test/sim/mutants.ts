import { ALL_RULES, type Rules } from '../../protocol/consensus/rules.ts';
import { CALM_CLOCKS, CALM_DISK as NO_FAULTS, CALM_NETWORK, type Overrides } from './plan.ts';

/** A planted fault: one rule switched off, circumstances in which it matters, and how many seeds may pass unnoticed. */
export interface Mutant {
  readonly name: string;
  readonly rules: Rules;
  readonly overrides: Overrides;
  readonly seeds: number;
}

const NET = { ...CALM_NETWORK, delayMs: 4, loss: 0.03, duplicate: 0.02, partitionEveryMs: 700 };
const CRASHES = { ...NO_FAULTS, flushMs: 2, crashEveryMs: 250, crashAll: 0.1 };
const CALM_DISK = { ...CRASHES, crashEveryMs: 0 };
const CONTENTION = { equivocation: 0.4, twoGateways: 0.3, reads: 0.4, removes: 0.05, invalid: 0 };
const base: Overrides = {
  replicas: 4, classicOnly: false, wire: false, keys: 6, commands: 220, durationMs: 2_500, calmMs: 2_500, viewDurationMs: 300,
  network: NET, disk: CALM_DISK, clocks: CALM_CLOCKS, workload: CONTENTION, epochs: 0, historyBlocks: 1_000_000, windowMs: 40, checkpointMs: 300, smallCore: false,
};
const byzantine = (...behaviours: readonly string[]): Overrides => ({ byzantine: new Map([[1, behaviours as never]]) });

const off = (name: keyof Rules): Rules => ({ ...ALL_RULES, [name]: false });

export const MUTANTS: readonly Mutant[] = [
  { name: 'quorum one short', rules: { ...ALL_RULES, quorumShort: 1 }, overrides: base, seeds: 5 },
  { name: 'fast-vote lock off (F-VOTE 4)', rules: off('fastLock'), overrides: base, seeds: 5 },
  {
    name: 'a certificate counts as final (§2.5)', rules: off('secondRound'),
    overrides: { ...base, ...byzantine('voteAll', 'lyingViewChange') }, seeds: 20,
  },
  { name: 'opening block carries nothing (§2.8)', rules: off('carryCertificates'), overrides: base, seeds: 20 },
  { name: 'validity over voted blocks off (F-ACK 1)', rules: off('validOverVoted'), overrides: { ...base, keys: 4 }, seeds: 40 },
  {
    name: 'replay check off (C-VOTE 4)', rules: off('replayCheck'),
    overrides: { ...base, ...byzantine('splitLeader', 'voteAll') }, seeds: 20,
  },
  {
    name: 'closed timestamps do not bind (C-VOTE 3)', rules: off('closeCheck'),
    overrides: { ...base, ...byzantine('highClose') }, seeds: 20,
  },
  {
    name: 'late rule off (§2.2)', rules: off('lateRule'),
    overrides: { ...base, byzantine: new Map([[0, ['hoard', 'lateCert'] as const]]), viewDurationMs: 60_000 }, seeds: 40,
  },
  {
    name: 'votes forgotten on restart (§2.14)', rules: off('durableVoted'),
    overrides: { ...base, disk: CRASHES }, seeds: 20,
  },
  {
    name: 'acknowledgements forgotten on restart (§2.14)', rules: off('durableAcked'),
    overrides: { ...base, keys: 200, disk: { ...CRASHES, crashAll: 1 }, network: { ...NET, partitionEveryMs: 0 } }, seeds: 60,
  },
  {
    name: 'second phase does not wait for the clock (T2)', rules: off('clockRelease'),
    overrides: { ...base, keys: 200, clocks: { ...CALM_CLOCKS, skewMs: 35 }, network: { ...NET, delayMs: 1, partitionEveryMs: 0 } }, seeds: 40,
  },
  {
    name: 'barrier off (§2.8)', rules: off('barrier'),
    overrides: {
      ...base, ...byzantine('secretQc'), network: { ...NET, loss: 0, partitionEveryMs: 0 }, drops: [{ kind: 'blockVote', view: 2n }], viewDurationMs: 300, keys: 4,
    },
    seeds: 40,
  },
  {
    name: 'no lock (C-VOTE 2)', rules: off('lock'),
    overrides: { ...base, byzantine: new Map([[0, ['forge'] as const]]), network: { ...NET, loss: 0, partitionEveryMs: 0 }, viewDurationMs: 60_000 }, seeds: 20,
  },
];
