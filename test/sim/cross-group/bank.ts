import { ALL_RULES as CONSENSUS_RULES, type Rules } from '../../../protocol/consensus/rules.ts';
import { decodeCertifiedBlock, proofFrom, type CommittedBlock, type Verifier } from '../../../protocol/consensus/index.ts';
import { partOf, payloadOf, planIdOf, type Plan, type Prepared, type ProofParts } from '../../../protocol/cross-group/index.ts';
import { ALL_RULES, type CrossGroupRules } from '../../../protocol/cross-group/rules.ts';
import { ZERO_ADDRESS, type Command, type GroupId } from '../../../protocol/types/index.ts';
import { Events } from '../events.ts';
import type { SimNode } from '../node.ts';
import { planOf } from '../plan.ts';
import { stream, type Random } from '../random.ts';
import { BankChecker } from './checker.ts';
import { Clients } from './clients.ts';
import { bankOf, GroupWorld, type GroupPlan } from './group.ts';

/** Everything that a seed decides about a run over several groups. */
export interface BankPlan {
  readonly seed: bigint;
  readonly groups: number;
  readonly accounts: number;
  readonly transfers: number;
  readonly durationMs: number;
  /** Shares of the clients: of one group only, reading too, gone after some of their prepares, lying. */
  readonly local: number;
  readonly reads: number;
  readonly vanish: number;
  readonly liars: number;
  /** From signing to `decideBy`. */
  readonly patienceMs: number;
  /** Finishers that do nothing, at most f of a group. */
  readonly idle: number;
  readonly crossLoss: number;
  /** How long after the faults everything may take to end. */
  readonly settleMs: number;
  readonly crashEveryMs: number;
  readonly partitionEveryMs: number;
  readonly epochs: number;
  readonly crossRules: CrossGroupRules;
  readonly rules: Rules;
}

export interface BankResult {
  readonly violations: readonly { readonly invariant: string; readonly what: string }[];
  readonly begun: number;
  readonly commits: number;
  readonly aborts: number;
  readonly snapshots: number;
}

export function bankPlanOf(seed: bigint, overrides: Partial<BankPlan> = {}): BankPlan {
  const random = stream(seed, 'bank');
  const on = (probability: number, value: number): number => (random.chance(probability) ? value * (0.25 + random.unit()) : 0);
  return {
    seed, groups: random.chance(0.4) ? 3 : 2, accounts: random.pick([3, 6, 20]), transfers: 12 + random.int(14), durationMs: 1_300, local: 0.4, reads: 0.4,
    vanish: on(0.6, 0.3), liars: on(0.4, 0.4), patienceMs: random.pick([300, 600]), idle: random.chance(0.5) ? 1 : 0, crossLoss: on(0.5, 0.3),
    crashEveryMs: on(0.5, 900), partitionEveryMs: on(0.4, 1_200), epochs: random.chance(0.25) ? 1 : 0,
    settleMs: 6_000, crossRules: ALL_RULES, rules: CONSENSUS_RULES, ...overrides,
  };
}

/** Several groups in one time, accounts in each, and units that move between them. */
export class Bank {
  readonly plan: BankPlan;
  readonly events = new Events();
  readonly random: { readonly workload: Random; readonly network: Random; readonly faults: Random };
  readonly log: ((line: string) => void) | undefined;
  readonly groups: GroupWorld[];
  readonly violations: { invariant: string; what: string }[] = [];
  readonly clients: Clients;
  readonly checker: BankChecker;
  private begun = 0;

  constructor(plan: BankPlan, log?: (line: string) => void) {
    this.plan = plan;
    this.log = log;
    const of = (name: string): Random => stream(plan.seed, name);
    this.random = { workload: of('bank workload'), network: of('bank network'), faults: of('bank faults') };
    this.groups = Array.from({ length: plan.groups }, (_, i) => new GroupWorld(this, groupPlan(plan, i), `group ${i}`));
    this.clients = new Clients(this);
    this.checker = new BankChecker(this);
  }

  get calm(): boolean {
    return this.events.now >= this.plan.durationMs;
  }

  run(): BankResult {
    for (const group of this.groups) group.begin();
    this.clients.schedule();
    this.watch();
    const endMs = this.plan.durationMs + this.plan.settleMs;
    while (this.sound() && this.events.next(endMs)) if (this.calm && this.settled()) break;
    if (this.sound()) this.checker.end();
    const { commits, aborts, snapshots } = this.checker;
    return { violations: this.allViolations(), begun: this.begun, commits, aborts, snapshots };
  }

  private watch(): void {
    this.events.after(40, () => {
      this.checker.snapshot();
      this.watch();
    });
  }

  private sound(): boolean {
    return this.allViolations().length === 0;
  }

  private allViolations(): { invariant: string; what: string }[] {
    return [...this.violations, ...this.groups.flatMap(({ violations }) => violations)];
  }

  /** Long enough after the last deadline, and nothing open. */
  private settled(): boolean {
    if (this.events.now < this.plan.durationMs + this.plan.patienceMs + 500) return false;
    return this.groups.every(({ nodes }) => nodes.every((node) => node.up && bankOf(node).intents.size === 0));
  }

  groupOf(group: GroupId): GroupWorld | undefined {
    return this.groups.find(({ config }) => config.group === group);
  }

  /** What the registry says: rosters never change here, epochs do. */
  proofs(base: Verifier): ProofParts {
    return {
      domain: { chainId: 1n, verifyingContract: ZERO_ADDRESS }, base, rules: this.plan.crossRules,
      groups: {
        roster: (group, epoch) => (epoch > 0n && epoch <= (this.groupOf(group)?.epoch ?? 0n) ? this.groupOf(group)?.config.roster : undefined),
        currentEpoch: (group) => this.groupOf(group)?.epoch,
      },
    };
  }

  /** At most f finishers of a group do nothing. */
  isIdle({ index }: SimNode): boolean {
    return index < this.plan.idle;
  }

  began(): void {
    this.begun += 1;
  }

  committed(group: GroupWorld, block: CommittedBlock): void {
    this.checker.committed(group, block);
  }

  /** Proofs of prepares that anybody can read off the chains. */
  provenOf(plan: Plan): Prepared[] {
    const planId = planIdOf(plan);
    return this.groups.flatMap((group) => {
      const ledger = bankOf(group.nodes[group.nodes.length - 1] as SimNode);
      const blocks = ledger.blocks.map(({ encoded }) => decodeCertifiedBlock(encoded, (bytes) => ledger.commandOf(bytes)));
      return blocks.flatMap(({ block }, i) => block.entries.flatMap(({ command }, at): Prepared[] => {
        const payload = payloadOf(command);
        if (payload?.kind !== 'prepare' || planIdOf(payload.plan) !== planId) return [];
        const receipt = proofFrom(blocks.slice(i), at);
        return receipt === undefined ? [] : [{ database: payload.database, part: partOf(command)?.id as Prepared['part'], receipt }];
      }));
    });
  }

  partBytes(command: Command): Uint8Array {
    return (payloadOf(command) as { readonly part: Uint8Array }).part;
  }

  violate(invariant: string, what: string): void {
    this.violations.push({ invariant, what });
    this.log?.(`${this.events.now.toFixed(2)} VIOLATION ${invariant}: ${what}`);
  }
}

function groupPlan(plan: BankPlan, index: number): GroupPlan {
  const base = planOf(plan.seed * 8n + BigInt(index), 'liveness', {
    replicas: 4, byzantine: new Map(), rules: plan.rules, durationMs: plan.durationMs, calmMs: plan.durationMs, classicOnly: false, wire: false, epochs: plan.epochs,
    smallCore: false, viewDurationMs: 60_000, windowMs: 40, historyBlocks: 1_000_000, checkpointMs: 300,
    network: { delayMs: 2, loss: 0.01, duplicate: 0.01, partitionEveryMs: plan.partitionEveryMs, filterEveryMs: 0, slowLinks: 0 },
    disk: {
      flushMs: 1, spikes: 0, crashEveryMs: plan.crashEveryMs, crashAll: 0.1, torn: false, fullEveryMs: 0, syncErrors: 0, damage: 'none', lies: false,
      syncedLedger: true,
    },
    clocks: { skewMs: 8, drift: 0, jumpEveryMs: 0, jumpMs: 0, freezeEveryMs: 0 },
  });
  return { ...base, crossRules: plan.crossRules };
}

export function runBank(seed: bigint, overrides: Partial<BankPlan> = {}, log?: (line: string) => void): BankResult {
  return new Bank(bankPlanOf(seed, overrides), log).run();
}
