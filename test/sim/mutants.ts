import { ALL_RULES, type Rules } from '../../protocol/consensus/rules.ts';
import type { Behaviour } from './byzantine/behaviours.ts';
import { CALM_CLOCKS, CALM_DISK, CALM_NETWORK, HONEST_CLIENTS, type Overrides, type Plan } from './plan.ts';

/** A planted fault: one rule switched off, circumstances in which it matters, and how many seeds may pass unnoticed. */
export interface Mutant {
  readonly name: string;
  /** Where the rule stands in docs/spec/consensus.md or the pitfall it guards against. */
  readonly rule: string;
  readonly rules: Rules;
  readonly overrides: Overrides;
  /** A fault of the host instead of a rule of the core. */
  readonly host?: Overrides;
  readonly mode?: Plan['mode'];
  /** The first seed to try: the ones before are known to show nothing. */
  readonly from?: number;
  readonly seeds: number;
  /** Checkers that may notice it: the ones that are there for it. Another one noticing first is a failure of the test. */
  readonly caughtBy: readonly string[];
}

const NET = { ...CALM_NETWORK, delayMs: 4, loss: 0.03, duplicate: 0.02, partitionEveryMs: 700 };
const WHOLE = { ...NET, loss: 0, partitionEveryMs: 0 };
const CRASHES = { ...CALM_DISK, flushMs: 2, crashEveryMs: 250, crashAll: 0.1 };
const SLOW = { ...CALM_DISK, flushMs: 2 };
const CONTENTION = { ...HONEST_CLIENTS, equivocation: 0.4, twoGateways: 0.3 };
const base: Overrides = {
  replicas: 4, byzantine: new Map(), classicOnly: false, wire: false, keys: 4, commands: 200, durationMs: 2_000, calmMs: 2_000, viewDurationMs: 300,
  network: NET, disk: SLOW, clocks: CALM_CLOCKS, workload: CONTENTION, epochs: 0, historyBlocks: 1_000_000, windowMs: 40, checkpointMs: 300, smallCore: false,
};
/** Short calm runs in which one machine loses the end of its journal. */
const LOST_RECORDS: Overrides = {
  ...base, keys: 60, commands: 12, durationMs: 400, calmMs: 400, network: { ...WHOLE, duplicate: 0, delayMs: 2 }, disk: { ...SLOW, damage: 'flip' },
  viewDurationMs: 150, workload: HONEST_CLIENTS,
};
const liar = (index: number, ...behaviours: readonly Behaviour[]): Overrides => ({ byzantine: new Map([[index, behaviours]]) });
const off = (name: keyof Rules): Rules => ({ ...ALL_RULES, [name]: false });
/** What tells that two clients, or one client twice, got contradicting answers, or an order that cannot be. */
const ANSWERS = ['undone', 'consumption', 'contradiction', 'lost-update', 'exactly-once', 'history', 'linearizability'] as const;

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'quorum one short', rule: '§2.1', rules: { ...ALL_RULES, quorumShort: 1 }, overrides: base, seeds: 5,
    caughtBy: ['receipt', 'certificates', 'agreement', ...ANSWERS],
  },
  { name: 'no lock between fast votes', rule: 'F-VOTE 4', rules: off('fastLock'), overrides: base, seeds: 5, caughtBy: ['slashable', 'certificates'] },
  {
    name: 'a certificate counts as final', rule: 'F-ACK 2', rules: off('secondRound'), overrides: { ...base, ...liar(1, 'voteAll', 'lyingViewChange') }, seeds: 20,
    caughtBy: ['forgotten', ...ANSWERS],
  },
  { name: 'opening blocks carry nothing', rule: 'V-OPEN', rules: off('carryCertificates'), overrides: base, seeds: 20, caughtBy: [...ANSWERS] },
  {
    name: 'validity over voted blocks is not asked', rule: 'F-VOTE 3', rules: off('validOverVoted'), overrides: base, seeds: 40,
    caughtBy: ['slashable', ...ANSWERS],
  },
  {
    name: 'no replay check', rule: 'C-VOTE 4', rules: off('replayCheck'), overrides: { ...base, ...liar(1, 'splitLeader', 'voteAll') }, seeds: 20,
    caughtBy: ['slashable', ...ANSWERS],
  },
  {
    name: 'closed timestamps do not bind', rule: 'C-VOTE 3', rules: off('closeCheck'), overrides: { ...base, ...liar(1, 'highClose') }, seeds: 20,
    caughtBy: ['closed', 'undone', 'snapshot'],
  },
  {
    name: 'late entries run', rule: 'CON-3', rules: off('lateRule'), from: 10, seeds: 10,
    overrides: { ...base, ...liar(0, 'hoard', 'lateCert'), viewDurationMs: 60_000 },
    caughtBy: ['closed', 'snapshot'],
  },
  {
    name: 'block votes forgotten on restart', rule: 'R-1', rules: off('durableVoted'), overrides: { ...base, disk: CRASHES }, seeds: 20,
    caughtBy: ['slashable', 'guard', 'amnesia', 'quarantine'],
  },
  {
    name: 'fast votes forgotten on restart', rule: 'R-1', rules: off('durableFastVotes'), seeds: 40, caughtBy: ['slashable', 'certificates'],
    overrides: { ...base, keys: 2, disk: { ...CRASHES, crashEveryMs: 120 }, viewDurationMs: 60_000, network: WHOLE },
  },
  {
    name: 'acknowledgements forgotten on restart', rule: 'R-1', rules: off('durableAcked'), seeds: 60, caughtBy: ['forgotten', 'slashable', ...ANSWERS],
    overrides: { ...base, keys: 200, disk: { ...CRASHES, crashAll: 1 }, network: { ...NET, partitionEveryMs: 0 } },
  },
  {
    name: 'second phase does not wait for the clock', rule: 'T2', rules: off('clockRelease'), seeds: 40, caughtBy: ['external', 'linearizability', 'history'],
    overrides: { ...base, keys: 200, clocks: { ...CALM_CLOCKS, skewMs: 35 }, network: { ...WHOLE, delayMs: 1 } },
  },
  {
    name: 'old timestamps get votes', rule: 'T1', rules: off('freshVotes'), seeds: 40, caughtBy: ['external', 'linearizability', 'history', 'closed'],
    overrides: { ...base, ...liar(1, 'badStamps'), keys: 60, commands: 300, viewDurationMs: 60_000, network: { ...WHOLE, delayMs: 1 } },
  },
  {
    name: 'the clock starts below its ceiling', rule: 'T0', rules: off('durableClock'), from: 20, seeds: 5, caughtBy: ['amnesia', 'external'],
    overrides: { ...base, disk: { ...CRASHES, crashEveryMs: 150 }, clocks: { ...CALM_CLOCKS, jumpEveryMs: 120, jumpMs: 600 } },
  },
  {
    name: 'fast path open at view entry', rule: 'V-BARRIER', rules: off('barrier'), from: 12, seeds: 5, caughtBy: [...ANSWERS, 'slashable'],
    overrides: { ...base, ...liar(1, 'secretQc'), network: WHOLE, drops: [{ kind: 'blockVote', view: 2n }] },
  },
  {
    name: 'no lock between block votes', rule: 'C-VOTE 2', rules: off('lock'), seeds: 20, caughtBy: ['agreement', ...ANSWERS],
    overrides: { ...base, ...liar(0, 'forge'), network: WHOLE, viewDurationMs: 60_000 },
  },
  {
    name: 'rounds need not follow each other', rule: 'C-COMMIT', rules: off('consecutiveRounds'), seeds: 10, caughtBy: ['agreement', 'receipt'],
    overrides: { ...base, ...liar(0, 'skipRounds'), network: WHOLE, viewDurationMs: 60_000 },
  },
  { name: 'dead entries leave at view entry', rule: 'V-BARRIER', rules: off('deadLeaveAtCommit'), overrides: base, seeds: 40, caughtBy: ['forgotten', ...ANSWERS] },
  {
    name: 'acknowledged entries leave by age', rule: 'K-3', rules: off('unsweptStay'), overrides: { ...base, keys: 60 }, seeds: 40, caughtBy: ['forgotten', ...ANSWERS],
  },
  {
    name: 'aborted entries keep their nonce', rule: 'CON-4', rules: off('abortsConsume'), seeds: 20, caughtBy: ['execution', ...ANSWERS],
    overrides: { ...base, workload: { ...CONTENTION, invalid: 0.2 } },
  },
  {
    name: 'dead acknowledgements bind nothing', rule: 'C-VOTE 6', rules: off('deadAcksBind'), from: 40, seeds: 5, caughtBy: ['consumption'],
    overrides: { ...base, keys: 2, ...liar(1, 'splitLeader', 'deafLeader'), network: { ...NET, loss: 0.08 } },
  },
  {
    name: 'what waits for an absent key is taken for dead', rule: 'C-DEAD', rules: off('absentMayReturn'), from: 1252, seeds: 4, caughtBy: ['forgotten', ...ANSWERS],
    overrides: {
      ...base, ...liar(2, 'flood'), commands: 60, durationMs: 800, calmMs: 800, viewDurationMs: 60_000,
      network: { ...NET, filterEveryMs: 300, partitionEveryMs: 400 }, workload: { ...HONEST_CLIENTS, removes: 0.2, twoGateways: 0.2 },
    },
  },
  {
    name: 'readers and writers judged by mode alone', rule: 'CON-2', rules: off('readersByTime'), seeds: 20, caughtBy: ['slashable', 'certificates'],
    overrides: { ...base, keys: 2, workload: { ...CONTENTION, reads: 0.6 } },
  },
  {
    name: 'a restarted leader proposes again', rule: '§2.14', rules: off('restartedLeaderSilent'), seeds: 20, caughtBy: ['guard', 'slashable', 'amnesia'],
    overrides: { ...base, disk: CRASHES, viewDurationMs: 60_000 },
  },
  {
    name: 'one signer counts as often as it signs', rule: '§5, 13', rules: off('distinctVoters'), overrides: { ...base, ...liar(1, 'forgeVotes') }, seeds: 10,
    caughtBy: ['receipt', 'agreement', 'certificates', ...ANSWERS],
  },
  {
    name: 'votes in certificates go unchecked', rule: '§5, 13', rules: off('voteSignatures'), overrides: { ...base, ...liar(1, 'forgeVotes') }, seeds: 10,
    caughtBy: ['framed', 'validity', 'receipt', 'agreement', 'certificates', ...ANSWERS],
  },
  {
    name: 'client signatures go unchecked', rule: '§5, 30', rules: off('clientSignatures'), overrides: { ...base, ...liar(1, 'forgeClient') }, seeds: 10,
    caughtBy: ['provable', 'forged'],
  },
  {
    name: 'bodies go unexamined', rule: 'CON-3', rules: off('bodiesExamined'), overrides: { ...base, workload: { ...CONTENTION, invalid: 0.3 } }, seeds: 10,
    caughtBy: ['footprint', 'execution'],
  },
  {
    name: 'signatures of other epochs count', rule: '§2.13', rules: off('epochsApart'), seeds: 20,
    caughtBy: ['agreement', 'invariant', 'validity', 'halt', 'receipt', ...ANSWERS],
    overrides: { ...base, epochs: 2, ...liar(1, 'replay', 'foreign') },
  },
  {
    name: 'checkpoints are signed before they are compared', rule: 'K-2', rules: off('compareThenSign'), overrides: { ...base, rotten: 2, network: WHOLE }, seeds: 5,
    caughtBy: ['slashable', 'framed'],
  },
  {
    name: 'nobody is asked after a restart', rule: 'R-3', rules: off('recall'), seeds: 20, caughtBy: ['guard', 'slashable'],
    overrides: { ...base, keys: 60, network: { ...WHOLE, duplicate: 0 }, disk: { ...SLOW, damage: 'oldImage' } },
  },
  {
    name: 'a gateway tells nobody what it acknowledges of its own', rule: 'F-ACK 3', rules: off('ownAcksTold'), from: 145, seeds: 5, caughtBy: ['slashable'],
    overrides: LOST_RECORDS,
  },
  {
    name: 'only signatures count after a restart, and only of the quick', rule: 'R-3', rules: off('hearsay'), from: 17, seeds: 5, caughtBy: ['slashable'],
    overrides: { ...LOST_RECORDS, network: { ...LOST_RECORDS.network, slowLinks: 0.4 } },
  },
  {
    name: 'the disk says flushed too early', rule: '§2.14', rules: ALL_RULES, host: { disk: { lies: true } }, seeds: 20,
    overrides: { ...base, disk: { ...CRASHES, flushMs: 8 } }, caughtBy: ['slashable', 'guard', 'amnesia', 'forgotten', 'quarantine', ...ANSWERS],
  },
  {
    name: 'signatures are believed by the name of their command', rule: '§5, 31', rules: ALL_RULES, host: { trustNames: true }, seeds: 10, caughtBy: ['provable'],
    overrides: { ...base, ...liar(1, 'mixedSignatures'), workload: { ...CONTENTION, forms: 0.5 } },
  },
  {
    name: 'commands have no timers of their own', rule: 'V-ASK', rules: off('commandTimers'), mode: 'liveness', seeds: 3, caughtBy: ['liveness'],
    overrides: { ...base, ...liar(0, 'censor'), commands: 30, durationMs: 400, calmMs: 400, viewDurationMs: 600_000, network: WHOLE, workload: HONEST_CLIENTS },
  },
  {
    name: 'nobody fetches a lonely member', rule: 'V-LONELY', rules: off('fetchLonely'), mode: 'liveness', from: 167, seeds: 5, caughtBy: ['liveness'],
    overrides: {
      ...base, commands: 30, durationMs: 1_200, calmMs: 600, viewDurationMs: 60_000, keys: 1, network: { ...WHOLE, loss: 0.05 },
      disk: { ...SLOW, crashEveryMs: 150, crashAll: 0.1 }, workload: HONEST_CLIENTS,
    },
  },
];
