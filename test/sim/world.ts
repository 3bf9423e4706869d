import {
  groupConfig, step, type CommittedBlock, type Effect, type GroupConfig, type Input, type Message, type Milestone, type Offence, type Reply,
  type SignedMessage,
} from '../../protocol/consensus/index.ts';
import { ALL_RULES, type Rules } from '../../protocol/consensus/rules.ts';
import { addressOf, sha256 } from '../../protocol/crypto/index.ts';
import { InvariantError } from '../../protocol/errors/index.ts';
import { verifyMessageWith } from '../../protocol/consensus/verify.ts';
import type { CertifiedCheckpoint } from '../../protocol/membership/index.ts';
import { quorumOf, ZERO_ADDRESS, type Address, type Command, type GroupId, type ReplicaIndex, type TxId } from '../../protocol/types/index.ts';
import { byzantineNode } from './byzantine/index.ts';
import { Checkers } from './checkers/index.ts';
import { hashOf } from './commands.ts';
import { Events } from './events.ts';
import { Faults, type ScheduledFault } from './faults.ts';
import { sealed } from './guard.ts';
import { settle } from './heal.ts';
import { Network } from './network.ts';
import { SimNode } from './node.ts';
import { planOf, type Overrides, type Plan } from './plan.ts';
import { RunHash, stream, type Random } from './random.ts';
import { RealSignatures, Signatures } from './signatures.ts';
import { describe } from './trace.ts';
import { Workload } from './workload.ts';

export interface Violation {
  readonly atMs: number;
  readonly invariant: string;
  readonly what: string;
}

export interface RunResult {
  readonly seed: bigint;
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  readonly faults: readonly ScheduledFault[];
  readonly events: number;
  readonly hash: string;
  readonly submitted: number;
  readonly fast: number;
  readonly classic: number;
  readonly height: bigint;
  readonly views: bigint;
  readonly epochs: bigint;
  readonly checkpoints: number;
  /** Replicas whose signatures hold a punishable pair, and those that an honest replica accused. */
  readonly guilty: readonly number[];
  readonly accused: readonly number[];
  readonly milestones: ReadonlyMap<string, number>;
}

/** One run: machines, network, faults and judges around the real core, all from one seed. */
export class World {
  readonly plan: Plan;
  readonly config: GroupConfig;
  readonly events: Events;
  readonly signatures: Signatures;
  readonly checkers: Checkers;
  readonly random: { readonly [name in 'network' | 'disk' | 'clocks' | 'workload' | 'faults' | 'byzantine']: Random };
  /** By replica index; `machines` also has second machines with the key of one of them. */
  readonly nodes: SimNode[] = [];
  readonly machines: SimNode[] = [];
  readonly network: Network;
  readonly workload: Workload;
  readonly faults: Faults;
  readonly violations: Violation[] = [];
  readonly milestones = new Map<string, number>();
  readonly accused = new Set<ReplicaIndex>();
  readonly log: ((line: string) => void) | undefined;
  private readonly valid = new WeakMap<Message, Map<string, boolean>>();
  private readonly hash = new RunHash();
  private readonly released: Command[] = [];
  protected registryEpoch = 1n;
  private eventCount = 0;

  /** @param events shared by the worlds of several groups */
  constructor(plan: Plan, log?: (line: string) => void, events = new Events(), name = 'group') {
    this.events = events;
    this.plan = plan;
    this.log = log;
    const of = (name: string): Random => stream(plan.seed, name);
    this.random = {
      network: of('network'), disk: of('disk'), clocks: of('clocks'), workload: of('workload'), faults: of('faults'), byzantine: of('byzantine'),
    };
    const keys = keysOf(plan);
    const domain = { chainId: 1n, verifyingContract: ZERO_ADDRESS };
    this.signatures = plan.real ? new RealSignatures(domain, keys) : new Signatures();
    this.signatures.trustNames = plan.trustNames;
    this.config = groupConfig({
      domain, group: hashOf(name) as GroupId, epoch: 1n, roster: [...keys.keys()], classicOnly: plan.classicOnly, timing: timingOf(plan),
    });
    this.checkers = new Checkers(this, (invariant, what) => this.violate(invariant, what));
    this.network = new Network(this);
    this.workload = new Workload(this);
    this.faults = new Faults(this);
    for (let i = 0; i < plan.replicas; i++) this.nodes.push(this.machine(i));
    this.machines.push(...this.nodes);
  }

  protected machine(index: ReplicaIndex): SimNode {
    const behaviours = this.plan.byzantine.get(index);
    return behaviours === undefined ? new SimNode(this, index) : byzantineNode(this, index, behaviours);
  }

  /** Signatures that make a quorum in this run; fewer in one mutant. */
  get quorum(): number {
    return quorumOf(this.plan.replicas) - this.plan.rules.quorumShort;
  }

  /** Nobody is ever away in this run, so that peers can tell a machine with an old disk what it signed. */
  get remembers(): boolean {
    const { network, disk } = this.plan;
    const faults = network.loss + network.partitionEveryMs + network.filterEveryMs + disk.crashEveryMs + disk.fullEveryMs + disk.syncErrors;
    return faults === 0 && this.plan.byzantine.size === 0;
  }

  /** Faults are over. */
  get calm(): boolean {
    return this.events.now >= this.plan.calmMs;
  }

  /** A second machine with the key of a replica: both are honest cores, together they are a liar. */
  addTwin(index: ReplicaIndex): void {
    const twins = [0, 1].map(() => new SimNode(this, index, false));
    this.nodes[index] = twins[0] as SimNode;
    this.machines.splice(0, this.machines.length, ...this.nodes, twins[1] as SimNode);
  }

  machinesOf(index: ReplicaIndex): readonly SimNode[] {
    if (this.machines.length > this.nodes.length) return this.machines.filter((machine) => machine.index === index);
    const node = this.nodes[index];
    return node === undefined ? [] : [node];
  }

  /** A liar runs the honest core with every rule on, except for what it would not be taken seriously without. */
  rulesOf(index: ReplicaIndex): Rules {
    return this.plan.byzantine.has(index) ? { ...ALL_RULES, quorumShort: this.plan.rules.quorumShort } : this.plan.rules;
  }

  run(): RunResult {
    for (const machine of this.machines) machine.start();
    this.workload.schedule();
    this.faults.schedule();
    this.runUntil(this.plan.durationMs);
    if (this.plan.mode === 'liveness' && this.violations.length === 0) settle(this);
    if (this.violations.length === 0) this.checkers.end();
    return this.result();
  }

  /** Runs events up to a time, or to the first violation, or until `done` (asked now and then). */
  runUntil(untilMs: number, done: () => boolean = () => false): void {
    while (this.violations.length === 0 && this.events.next(untilMs)) {
      this.eventCount += 1;
      if (this.eventCount % 256 === 0) {
        this.checkers.bounds();
        if (done()) return;
      }
    }
  }

  /** One step of a core. An invariant that it finds broken ends the run. */
  stepOf(node: SimNode, input: Input): Effect[] {
    try {
      return step(node.replica, input);
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      if (node.honest) this.violate('invariant', `${node.index}: ${error.message}`);
      return [];
    }
  }

  /** Checked once per message object, sender and epoch: every receiver would find the same. */
  isValid(config: GroupConfig, from: ReplicaIndex, message: Message, arrived: Message): boolean {
    const bySender = this.valid.get(message) ?? new Map<string, boolean>();
    const key = `${config.epoch}/${from}`;
    this.valid.set(message, bySender);
    let valid = bySender.get(key);
    if (valid === undefined) {
      valid = verifyMessageWith(config, from, arrived, this.signatures, this.plan.rules);
      bySender.set(key, valid);
      if (!valid && this.nodes[from]?.honest) this.violate('validity', `honest ${from} sent an invalid ${message.kind}`);
    }
    return valid;
  }

  onSubmit(command: Command): void {
    this.checkers.submitted(command);
  }

  onSigned(node: SimNode, message: SignedMessage): void {
    this.checkers.signed(node, message);
  }

  onReply(node: SimNode, id: TxId, reply: Reply): void {
    const command = this.workload.submitted.get(id)?.command;
    if (command === undefined) return;
    if (reply.kind === 'refused') {
      this.checkers.refused(command, reply.reason, node.honest);
      if (reply.reason === 'sealed') this.released.push(command);
      return;
    }
    const outcome = this.checkers.receipt(node, command, reply.receipt);
    if (outcome === 'applied') this.workload.learned(command, reply.receipt.entry);
  }

  onCommit(node: SimNode, block: CommittedBlock): void {
    this.note(`${node.index}c${block.height}${block.blockHash.slice(2, 10)}`);
    if (node.honest) this.checkers.committed(node, block);
  }

  onCertified(node: SimNode, certificate: CertifiedCheckpoint): void {
    if (node.honest) this.checkers.certified(node, certificate);
  }

  /** Commands that the old epoch left undecided go to the new one. */
  onEpoch(node: SimNode): void {
    for (const command of this.released.splice(0)) node.submit(command);
  }

  /** The registry announces an epoch; replicas hear of it at different times. */
  announceEpoch(): void {
    this.registryEpoch += 1n;
    for (const node of this.nodes) this.events.after(200 * this.random.faults.unit(), () => this.hearRegistry(node));
  }

  /** What a host tells its replica when it reads the chain: after a start, and on every change. */
  hearRegistry(node: SimNode): void {
    if (node.config.epoch >= this.registryEpoch) return;
    node.input({ kind: 'reconfigure', nowMs: node.nowMs(), epoch: node.config.epoch + 1n, roster: node.config.roster });
  }

  onMilestone(node: SimNode, milestone: Milestone): void {
    this.milestones.set(milestone.event, (this.milestones.get(milestone.event) ?? 0) + 1);
    if (milestone.event === 'quarantined' && node.honest && !node.damaged) this.violate('quarantine', `honest ${node.index}: ${milestone.cause}`);
  }

  onEvidence(node: SimNode, offence: Offence): void {
    if (!node.honest) return;
    this.accused.add(offence.culprit);
    if (this.nodes[offence.culprit]?.honest) this.violate('framed', `honest ${offence.culprit} accused of ${offence.kind}`);
  }

  violate(invariant: string, what: string): void {
    this.violations.push({ atMs: this.events.now, invariant, what });
    this.log?.(`${this.events.now.toFixed(2)} VIOLATION ${invariant}: ${what}`);
  }

  trace(node: SimNode, effect: Effect): void {
    this.note(`${node.index}${effect.kind}`);
    if (this.log !== undefined) this.log(`${this.events.now.toFixed(2)} ${node.index} ${describe(effect)}`);
  }

  private note(text: string): void {
    this.hash.add(`${this.events.now}${text}`);
  }

  private result(): RunResult {
    const { replica } = this.nodes.reduce((best, node) => (node.replica.tip.height > best.replica.tip.height ? node : best));
    return {
      seed: this.plan.seed, plan: this.plan, violations: this.violations, faults: this.faults.struck, events: this.eventCount, hash: this.hash.digest(),
      submitted: this.workload.submitted.size, fast: this.checkers.clients.fast, classic: this.checkers.clients.classic, height: replica.tip.height,
      views: this.nodes.reduce((max, node) => (node.replica.view > max ? node.replica.view : max), 0n),
      epochs: this.nodes.reduce((max, { config }) => (config.epoch > max ? config.epoch : max), 0n),
      checkpoints: this.checkers.checkpointCount, guilty: this.checkers.signatures.guilty(), accused: [...this.accused], milestones: this.milestones,
    };
  }
}

/** Addresses in ascending order, each with its key; cheap made-up ones unless signatures are real. */
function keysOf({ replicas, real }: Plan): Map<Address, Uint8Array> {
  const keys = Array.from({ length: replicas }, (_, i) => sha256(new TextEncoder().encode(`key ${i}`)));
  const entries = keys.map((key, i): [Address, Uint8Array] => [real ? addressOf(key) : (`0x${(i + 1).toString(16).padStart(40, '0')}` as Address), key]);
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function timingOf(plan: Plan): Partial<GroupConfig['timing']> {
  return {
    clockWindowMs: plan.windowMs, viewDurationMs: plan.viewDurationMs, commandTimeoutMs: 250, maxTimeoutMs: 4_000, closeIntervalMs: 60,
    checkpointIntervalMs: plan.checkpointMs, heartbeatMs: plan.replicas > 7 ? 60 : 30, fastTimeoutMs: 60, orphanTimeoutMs: 150, clockCeilingMs: 100,
  };
}

/** Runs one seed with everything nondeterministic switched off. */
export function simulate(seed: bigint, mode: Plan['mode'], overrides: Overrides = {}, log?: (line: string) => void): RunResult {
  return runPlan(planOf(seed, mode, overrides), log);
}

/** Circumstances, a fault of the host on top of them, and the rules that are on. */
export function merged(overrides: Overrides, host: Overrides | undefined, rules: Rules): Overrides {
  return { ...overrides, ...host, disk: { ...overrides.disk, ...host?.disk }, rules };
}

export function runPlan(plan: Plan, log?: (line: string) => void): RunResult {
  return sealed(() => new World(plan, log).run());
}
