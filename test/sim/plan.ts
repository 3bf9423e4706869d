import type { Rules } from '../../protocol/consensus/rules.ts';
import { ALL_RULES } from '../../protocol/consensus/rules.ts';
import { stream } from './random.ts';

/** Misbehaviours a replica can be given (consensus §4.2). */
export const BEHAVIOURS = [
  'silent', 'selective', 'voteAll', 'ackAll', 'splitLeader', 'stalledLeader', 'partialGateway', 'falseCheckpoint', 'lyingViewChange',
  'doubleVote', 'fastClock', 'viewSpam', 'hideQc', 'replay', 'forget', 'highClose', 'oldQc', 'hoard', 'lateCert', 'forge', 'secretQc',
] as const;
/** Behaviours that only directed runs use: `mixedSignatures` passes commands on in other forms, to each peer another. */
export const DIRECTED = ['mixedSignatures'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number] | (typeof DIRECTED)[number];

/** Everything that a seed decides before the run starts: which faults exist at all, and how often. */
export interface Plan {
  readonly seed: bigint;
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
  readonly network: { readonly delayMs: number; readonly loss: number; readonly duplicate: number; readonly partitionEveryMs: number };
  readonly disk: {
    readonly flushMs: number; readonly crashEveryMs: number; readonly torn: boolean; readonly oldImage: boolean; readonly syncedLedger: boolean;
    /** Chance that a crash takes every machine at once. */
    readonly crashAll: number;
  };
  readonly clocks: { readonly skewMs: number; readonly drift: number; readonly jumpEveryMs: number; readonly jumpMs: number };
  readonly workload: { readonly equivocation: number; readonly twoGateways: number; readonly reads: number; readonly removes: number; readonly invalid: number;
    /** Clients that send one command with two signatures. */
    readonly forms?: number };
  /** Real signatures: slow, so only where asked for. */
  readonly real: boolean;
  /** Planted fault: see `Signatures.trustNames`. */
  readonly trustNames: boolean;
  /** Messages go through their codecs too. */
  readonly wire: boolean;
  readonly viewDurationMs: number;
  readonly windowMs: number;
  /** Epoch changes during the run. */
  readonly epochs: number;
  /** Committed blocks that ledgers keep for others. */
  readonly historyBlocks: number;
  /** Block votes of these views are lost on the way: for directed scenarios. */
  readonly voteless: readonly bigint[];
}

export type Overrides = Partial<Omit<Plan, 'seed'>>;

/** Swarm testing: every seed switches a different set of faults on. */
export function planOf(seed: bigint, mode: Plan['mode'], overrides: Overrides = {}): Plan {
  const random = stream(seed, 'plan');
  const on = (probability: number, value: number): number => (random.chance(probability) ? value * (0.25 + random.unit()) : 0);
  const replicas = overrides.replicas ?? (random.chance(0.15) ? 7 : 4);
  const faulty = Math.floor((replicas - 1) / 3);
  const byzantine = new Map<number, readonly Behaviour[]>();
  if (random.chance(0.75)) {
    for (let i = 0; i < faulty; i++) byzantine.set(random.int(replicas), [random.pick(BEHAVIOURS), random.pick(BEHAVIOURS)]);
  }
  const durationMs = 4_000;
  const plan: Plan = {
    seed, mode, replicas, byzantine, rules: ALL_RULES, durationMs, calmMs: mode === 'liveness' ? durationMs / 2 : durationMs,
    commands: 60 + random.int(120), keys: random.pick([2, 6, 12, 40, 200]), classicOnly: random.chance(0.05),
    network: { delayMs: 1 + 6 * random.unit(), loss: on(0.5, 0.08), duplicate: on(0.4, 0.08), partitionEveryMs: on(0.35, 1500) },
    disk: {
      flushMs: 0.5 + 3 * random.unit(), crashEveryMs: on(0.5, 1200), torn: random.chance(0.3), crashAll: 0.1, oldImage: random.chance(0.04),
      syncedLedger: random.chance(0.5),
    },
    clocks: { skewMs: on(0.7, 12), drift: on(0.3, 0.002), jumpEveryMs: on(0.2, 1500), jumpMs: 30 },
    workload: { equivocation: on(0.5, 0.25), twoGateways: on(0.4, 0.25), reads: 0.4, removes: 0.08, invalid: on(0.3, 0.08) },
    real: false, trustNames: false, wire: random.chance(0.05), viewDurationMs: random.pick([400, 1000, 60_000]), windowMs: 40,
    epochs: random.chance(0.2) ? 1 + random.int(2) : 0, historyBlocks: random.chance(0.25) ? 8 : 1_000_000, voteless: [],
  };
  // a replica left behind by a whole epoch re-enters as a new member, which is the host's business
  return { ...plan, ...(plan.epochs > 0 ? { historyBlocks: 1_000_000 } : {}), ...overrides };
}
