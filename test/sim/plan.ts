import type { Message } from '../../protocol/consensus/index.ts';
import { ALL_RULES, type Rules } from '../../protocol/consensus/rules.ts';
import { maxFaulty } from '../../protocol/types/index.ts';
import { BEHAVIOURS, type Behaviour } from './byzantine/behaviours.ts';
import { stream, type Random } from './random.ts';

export interface NetworkFaults {
  readonly delayMs: number;
  readonly loss: number;
  readonly duplicate: number;
  /** Partitions, four in ten of them one-way. */
  readonly partitionEveryMs: number;
  /** For a while one replica gets nothing of one kind of message. */
  readonly filterEveryMs: number;
  /** Share of links that are ten times slower. */
  readonly slowLinks: number;
}

export interface DiskFaults {
  readonly flushMs: number;
  /** Chance that a flush takes twenty times as long. */
  readonly spikes: number;
  readonly crashEveryMs: number;
  /** Chance that a crash takes every machine at once. */
  readonly crashAll: number;
  /** The last record may survive a crash in part. */
  readonly torn: boolean;
  /** How often a disk is full for a while: the machine must stop. */
  readonly fullEveryMs: number;
  /** Chance that a flush fails: the machine must stop, not go on. */
  readonly syncErrors: number;
  /** What may happen to flushed records of one machine, which then counts among the f. */
  readonly damage: Damage;
  /** The disk says that it has flushed before it has: a fault that nothing survives, for a mutant. */
  readonly lies: boolean;
  /** False: a crash also loses blocks that the ledger had not synced. */
  readonly syncedLedger: boolean;
}

/** A flipped bit, the restore of an old image, the loss of the whole image. */
export type Damage = 'none' | 'flip' | 'oldImage' | 'lostImage';

export interface ClockFaults {
  readonly skewMs: number;
  readonly drift: number;
  /** Steps in both directions. */
  readonly jumpEveryMs: number;
  readonly jumpMs: number;
  /** A clock stands still for a while. */
  readonly freezeEveryMs: number;
}

export interface ClientFaults {
  readonly equivocation: number;
  readonly twoGateways: number;
  readonly reads: number;
  readonly removes: number;
  /** Bodies that break a constraint, or write what their footprint does not say. */
  readonly invalid: number;
  /** Clients that send one command with two signatures. */
  readonly forms: number;
}

/** A message that never arrives: for directed scenarios. */
export interface Drop {
  readonly kind: Message['kind'];
  readonly view?: bigint;
  readonly to?: number;
}

/** Everything that a seed decides before the run starts: which faults exist at all, and how often. */
export interface Plan {
  readonly seed: bigint;
  /** `safety`: faults to the end, only invariants count. `liveness`: faults end at `calmMs`, then everything must be decided. */
  readonly mode: 'safety' | 'liveness';
  readonly replicas: number;
  readonly byzantine: ReadonlyMap<number, readonly Behaviour[]>;
  readonly rules: Rules;
  readonly durationMs: number;
  /** Faults stop here; what follows must heal. */
  readonly calmMs: number;
  readonly commands: number;
  readonly keys: number;
  readonly classicOnly: boolean;
  readonly network: NetworkFaults;
  readonly disk: DiskFaults;
  readonly clocks: ClockFaults;
  readonly workload: ClientFaults;
  /** After `calmMs` only q honest replicas are up. */
  readonly smallCore: boolean;
  /** Real signatures: slow, so only where asked for. */
  readonly real: boolean;
  /** A machine whose ledger computes wrong roots: it must notice and stop, not sign. */
  readonly rotten: number | undefined;
  /** Planted fault: see `Signatures.trustNames`. */
  readonly trustNames: boolean;
  /** Messages go through their codecs too. */
  readonly wire: boolean;
  readonly viewDurationMs: number;
  readonly windowMs: number;
  readonly checkpointMs: number;
  /** Epoch changes during the run. */
  readonly epochs: number;
  /** Committed blocks that ledgers keep for others. */
  readonly historyBlocks: number;
  readonly drops: readonly Drop[];
  /** Numbers of scheduled faults that are left out, to find out which ones matter. */
  readonly muted: ReadonlySet<number>;
}

/** The parts of a plan that can be set one by one. */
export interface Overrides extends Partial<Omit<Plan, 'seed' | 'network' | 'disk' | 'clocks' | 'workload'>> {
  readonly network?: Partial<NetworkFaults>;
  readonly disk?: Partial<DiskFaults>;
  readonly clocks?: Partial<ClockFaults>;
  readonly workload?: Partial<ClientFaults>;
}

export const CALM_NETWORK: NetworkFaults = { delayMs: 2, loss: 0, duplicate: 0, partitionEveryMs: 0, filterEveryMs: 0, slowLinks: 0 };
export const CALM_DISK: DiskFaults = {
  flushMs: 1, spikes: 0, crashEveryMs: 0, crashAll: 0, torn: false, fullEveryMs: 0, syncErrors: 0, damage: 'none', lies: false, syncedLedger: true,
};
export const CALM_CLOCKS: ClockFaults = { skewMs: 0, drift: 0, jumpEveryMs: 0, jumpMs: 0, freezeEveryMs: 0 };
export const HONEST_CLIENTS: ClientFaults = { equivocation: 0, twoGateways: 0, reads: 0.4, removes: 0.05, invalid: 0, forms: 0 };

/** Group sizes and how often they are drawn; N = 5 and 6 have quorums that are not 2f + 1. */
const SIZES: readonly (readonly [number, number])[] = [[4, 64], [5, 8], [6, 8], [7, 12], [10, 5], [13, 3]];

/** Swarm testing: every seed switches a different set of faults on. */
export function planOf(seed: bigint, mode: Plan['mode'], overrides: Overrides = {}): Plan {
  const random = stream(seed, 'plan');
  const replicas = overrides.replicas ?? weighted(random, SIZES);
  const byzantine = overrides.byzantine ?? drawByzantine(random, replicas);
  const seconds = overrides.durationMs === undefined ? random.pick([0.8, 1.2, 1.6, 2.4]) / (replicas > 7 ? 2 : 1) : overrides.durationMs / 1000;
  const durationMs = seconds * 1000;
  const epochs = random.chance(0.15) ? 1 + random.int(2) : 0;
  const drawn: Plan = {
    seed, mode, replicas, byzantine, rules: ALL_RULES, durationMs, calmMs: mode === 'liveness' ? durationMs / 2 : durationMs,
    commands: Math.floor(seconds * (15 + random.int(45))), keys: random.pick([1, 2, 4, 12, 60]), classicOnly: random.chance(0.05),
    network: drawNetwork(random), disk: drawDisk(random, seconds, maxFaulty(replicas) > byzantine.size), clocks: drawClocks(random), workload: drawClients(random),
    smallCore: byzantine.size === 0 && random.chance(0.4), real: false, rotten: undefined, trustNames: false, wire: random.chance(0.05),
    viewDurationMs: random.pick([150, 400, 1000, 60_000]), windowMs: random.pick([25, 40, 60]), checkpointMs: random.pick([80, 300]),
    // a replica left behind by a whole epoch re-enters as a new member, which is the host's business
    epochs, historyBlocks: epochs === 0 && random.chance(0.3) ? 6 : 1_000_000, drops: [], muted: new Set(),
  };
  // the loss of everything is told from a first start by what peers answer, and a new epoch starts with a ledger
  if (epochs > 0 && drawn.disk.damage === 'lostImage') Object.assign(drawn.disk, { damage: 'none' });
  const { network, disk, clocks, workload, ...rest } = overrides;
  return {
    ...drawn, ...rest,
    network: { ...drawn.network, ...network }, disk: { ...drawn.disk, ...disk }, clocks: { ...drawn.clocks, ...clocks }, workload: { ...drawn.workload, ...workload },
  };
}

const SHORT_MS = 400;

/** Many runs in little time: one in eight is as long as it is drawn, the others are cut short. */
export function shortened(seed: bigint): Overrides {
  return seed % 8n === 0n ? {} : { durationMs: SHORT_MS, calmMs: SHORT_MS };
}

function drawByzantine(random: Random, replicas: number): Plan['byzantine'] {
  const byzantine = new Map<number, readonly Behaviour[]>();
  if (!random.chance(0.7)) return byzantine;
  const names = BEHAVIOURS.map(({ name }) => name);
  for (let i = 0; i < maxFaulty(replicas); i++) byzantine.set(random.int(replicas), [random.pick(names), random.pick(names)]);
  return byzantine;
}

/** Off, or somewhere around a value. */
function on(random: Random, probability: number, value: number): number {
  return random.chance(probability) ? value * (0.25 + random.unit()) : 0;
}

function drawNetwork(random: Random): NetworkFaults {
  return {
    delayMs: 1 + 6 * random.unit(), loss: on(random, 0.5, 0.08), duplicate: on(random, 0.4, 0.08), partitionEveryMs: on(random, 0.35, 900),
    filterEveryMs: on(random, 0.25, 500), slowLinks: on(random, 0.2, 0.3),
  };
}

function drawDisk(random: Random, seconds: number, mayLose: boolean): DiskFaults {
  const damage = random.chance(0.15) ? random.pick(['flip', 'oldImage', 'lostImage'] as const) : 'none';
  return {
    flushMs: 0.5 + 3 * random.unit(), spikes: on(random, 0.2, 0.05), crashEveryMs: on(random, 0.5, 450 * seconds), crashAll: 0.1, torn: random.chance(0.3),
    fullEveryMs: on(random, 0.1, 900), syncErrors: on(random, 0.1, 0.004), damage: mayLose ? damage : 'none', lies: false, syncedLedger: random.chance(0.5),
  };
}

function drawClocks(random: Random): ClockFaults {
  return {
    skewMs: on(random, 0.7, 12), drift: on(random, 0.3, 0.002), jumpEveryMs: on(random, 0.2, 800), jumpMs: 30, freezeEveryMs: on(random, 0.1, 700),
  };
}

function drawClients(random: Random): ClientFaults {
  return {
    equivocation: on(random, 0.5, 0.25), twoGateways: on(random, 0.4, 0.25), reads: 0.4, removes: 0.08, invalid: on(random, 0.3, 0.08),
    forms: on(random, 0.15, 0.3),
  };
}

function weighted(random: Random, choices: readonly (readonly [number, number])[]): number {
  let left = random.int(choices.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [value, weight] of choices) if ((left -= weight) < 0) return value;
  return choices[0]?.[0] ?? 4;
}
