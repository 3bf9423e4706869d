import { createHash } from 'node:crypto';
import {
  groupConfig, type CommittedBlock, type Effect, type GroupConfig, type Message, type Milestone, type Offence, type Reply,
} from '../../protocol/consensus/index.ts';
import type { Rules } from '../../protocol/consensus/rules.ts';
import { ALL_RULES } from '../../protocol/consensus/rules.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { quorumOf, ZERO_ADDRESS, type Address, type Command, type GroupId, type ReplicaIndex, type TxId } from '../../protocol/types/index.ts';
import { byzantineNode } from './byzantine/index.ts';
import { Checkers } from './checkers/index.ts';
import { hashOf } from './commands.ts';
import { Events } from './events.ts';
import { SimNode } from './node.ts';
import { planOf, type Overrides, type Plan } from './plan.ts';
import { stream, type Random } from './random.ts';
import { RealSignatures, Signatures } from './signatures.ts';
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
  readonly events: number;
  readonly hash: string;
  readonly submitted: number;
  readonly fast: number;
  readonly classic: number;
  readonly height: bigint;
  readonly views: bigint;
  readonly epochs: bigint;
  readonly checkpoints: number;
  readonly guilty: readonly number[];
  readonly accused: readonly number[];
  readonly milestones: ReadonlyMap<string, number>;
}

/** One run: machines, network, faults and judges around the real core, all from one seed. */
export class World {
  readonly plan: Plan;
  readonly config: GroupConfig;
  readonly events = new Events();
  readonly signatures: Signatures;
  /** How often each milestone was reached. */
  readonly milestones = new Map<string, number>();
  readonly checkers: Checkers;
  readonly random: { readonly [name in 'network' | 'disk' | 'clocks' | 'workload' | 'faults' | 'byzantine']: Random };
  readonly nodes: SimNode[] = [];
  readonly workload: Workload;
  readonly violations: Violation[] = [];
  readonly accused = new Set<ReplicaIndex>();
  readonly log: ((line: string) => void) | undefined;
  private readonly cut = new Set<string>();
  private readonly valid = new WeakMap<Message, Map<string, boolean>>();
  private readonly digest = createHash('sha256');
  private readonly released: Command[] = [];
  private registryEpoch = 1n;
  private eventCount = 0;

  constructor(plan: Plan, log?: (line: string) => void) {
    this.plan = plan;
    this.log = log;
    const of = (name: string): Random => stream(plan.seed, name);
    this.random = {
      network: of('network'), disk: of('disk'), clocks: of('clocks'), workload: of('workload'), faults: of('faults'), byzantine: of('byzantine'),
    };
    const keys = keysOf(plan);
    const roster = [...keys.keys()];
    const domain = { chainId: 1n, verifyingContract: ZERO_ADDRESS };
    this.signatures = plan.real ? new RealSignatures(domain, keys) : new Signatures();
    this.signatures.trustNames = plan.trustNames;
    this.config = groupConfig({
      domain, group: hashOf('group') as GroupId, epoch: 1n, roster,
      classicOnly: plan.classicOnly, timing: timingOf(plan),
    });
    this.checkers = new Checkers((invariant, what) => this.violate(invariant, what));
    this.workload = new Workload(this);
    for (let i = 0; i < plan.replicas; i++) {
      const behaviours = plan.byzantine.get(i);
      this.nodes.push(behaviours === undefined ? new SimNode(this, i) : byzantineNode(this, i, behaviours));
    }
  }

  /** Signatures that make a quorum in this run; fewer in one mutant. */
  get quorum(): number {
    return quorumOf(this.plan.replicas) - this.plan.rules.quorumShort;
  }

  rulesOf(index: ReplicaIndex): Rules {
    return this.plan.byzantine.has(index) ? { ...ALL_RULES, quorumShort: this.plan.rules.quorumShort } : this.plan.rules;
  }

  run(): RunResult {
    for (const node of this.nodes) node.start();
    this.workload.schedule();
    this.scheduleFaults();
    while (this.violations.length === 0 && this.events.next(this.plan.durationMs)) this.eventCount += 1;
    if (this.plan.mode === 'liveness' && this.violations.length === 0) this.settle();
    return this.result();
  }

  /** Faults are over: everything must be decided within a bound, and everybody must agree on the end. */
  private settle(): void {
    const untilMs = this.plan.durationMs + SETTLE_MS;
    while (this.violations.length === 0 && this.events.next(untilMs)) {
      this.eventCount += 1;
      if (this.eventCount % 500 === 0 && this.settled()) return;
    }
    if (this.settled() || this.violations.length > 0) return;
    const open = this.undecided();
    const states = this.nodes.map(({ replica: { view, vcView, tip, current }, up }) =>
      `${up ? '' : 'down '}v${view}/${vcView} h${tip.height}${current.fastOpen ? ' fast' : ''}`);
    this.violate('liveness', `${open.length} undecided after ${SETTLE_MS} ms of calm; ${states.join(', ')}; ${open[0]}`);
  }

  private settled(): boolean {
    const tips = this.nodes.filter(({ honest, replica }) => honest && !replica.quarantined).map(({ replica }) => replica.tip.height);
    const spread = tips.reduce((max, h) => (h > max ? h : max), 0n) - tips.reduce((min, h) => (h < min ? h : min), tips[0] ?? 0n);
    return spread <= 3n && this.undecided().length === 0;
  }

  /** Commands given to an honest gateway that neither the chain nor a refusal settled. */
  private undecided(): string[] {
    return [...this.workload.submitted.values()].flatMap(({ command, gateway }) => {
      const node = this.nodes[gateway];
      if (!node?.honest || !node.replica.pending.has(command.id)) return [];
      return [command.id];
    });
  }

  network(from: SimNode, to: ReplicaIndex, message: Message, epoch = from.config.epoch): void {
    const { network: random } = this.random;
    const { delayMs, loss, duplicate } = this.plan.network;
    if (message.kind === 'blockVote' && this.plan.voteless.includes(message.value.view)) return;
    const calm = this.events.now >= this.plan.calmMs;
    if (!calm && (this.cut.has(`${from.index}>${to}`) || random.chance(loss))) return;
    const copies = !calm && random.chance(duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i++) this.events.after(random.delay(delayMs), () => this.nodes[to]?.deliver(from.index, message, epoch));
  }

  /** Checked once per message object, sender and epoch: every receiver would find the same. */
  isValid(epoch: bigint, from: ReplicaIndex, message: Message, verify: () => boolean): boolean {
    const bySender = this.valid.get(message) ?? new Map<string, boolean>();
    const key = `${epoch}/${from}`;
    this.valid.set(message, bySender);
    let valid = bySender.get(key);
    if (valid === undefined) bySender.set(key, (valid = verify()));
    return valid;
  }

  private scheduleFaults(): void {
    const { disk, clocks, network, calmMs } = this.plan;
    this.every(disk.crashEveryMs, calmMs, () => this.crashOne());
    this.every(clocks.jumpEveryMs, calmMs, () => {
      const node = this.random.faults.pick(this.nodes);
      node.jumpClock((this.random.faults.unit() * 2 - 1) * clocks.jumpMs);
    });
    this.every(network.partitionEveryMs, calmMs, () => this.partition());
    for (let i = 1; i <= this.plan.epochs; i++) this.events.after((calmMs * i) / (this.plan.epochs + 1), () => this.announceEpoch());
    if (disk.oldImage) this.events.after(calmMs * 0.2, () => this.nodes.forEach((node) => node.takeImage()));
  }

  private every(periodMs: number, untilMs: number, act: () => void): void {
    if (periodMs === 0) return;
    const again = (): void => this.events.after(periodMs * (0.3 + 1.4 * this.random.faults.unit()), () => {
      if (this.events.now >= untilMs) return;
      act();
      again();
    });
    again();
  }

  private crashOne(): void {
    const { faults } = this.random;
    const victims = faults.chance(this.plan.disk.crashAll) ? this.nodes : [faults.pick(this.nodes)];
    for (const node of victims) {
      if (!node.up) continue;
      node.crash();
      const fromImage = this.plan.disk.oldImage && this.plan.byzantine.size === 0 && node.index === 0 && faults.chance(0.5);
      this.events.after(20 + 200 * faults.unit(), () => node.restart(fromImage));
    }
  }

  private partition(): void {
    const { faults } = this.random;
    const oneWay = faults.chance(0.4);
    const side = this.nodes.map(() => faults.chance(0.4));
    for (const [a, left] of side.entries()) {
      for (const [b, right] of side.entries()) if (left !== right && (!oneWay || left)) this.cut.add(`${a}>${b}`);
    }
    this.events.after(50 + 600 * faults.unit(), () => this.cut.clear());
  }

  onReply(node: SimNode, id: TxId, reply: Reply): void {
    const command = this.workload.submitted.get(id)?.command;
    if (command === undefined) return;
    if (reply.kind === 'refused') {
      if (reply.reason === 'sealed') this.released.push(command);
      return;
    }
    this.checkers.clients.receipt(node.config, this.signatures, command, reply.receipt, node.honest);
    if (reply.receipt.kind === 'fast' || reply.receipt.outcome === 'applied') this.workload.learned(command, reply.receipt.entry);
  }

  onCommit(node: SimNode, block: CommittedBlock): void {
    this.note(`${node.index}c${block.height}${block.blockHash.slice(2, 10)}`);
    if (!node.honest) return;
    this.checkers.chain.committed(node.index, block);
    this.checkers.clients.afterCommit(block);
    this.checkers.provable(node.index, block);
  }

  /** Commands that the old epoch left undecided go to the new one. */
  onEpoch(node: SimNode): void {
    for (const command of this.released.splice(0)) node.submit(command);
  }

  /** The registry announces an epoch; replicas hear of it at different times. */
  private announceEpoch(): void {
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
    if (milestone.event === 'quarantined' && node.honest && !this.plan.disk.oldImage) this.violate('quarantine', `honest ${node.index}: ${milestone.cause}`);
  }

  onEvidence(_node: SimNode, offence: Offence): void {
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
    this.digest.update(`${this.events.now}${text}`);
  }

  private result(): RunResult {
    const views = this.nodes.reduce((max, { replica }) => (replica.view > max ? replica.view : max), 0n);
    const height = this.nodes.reduce((max, { replica }) => (replica.tip.height > max ? replica.tip.height : max), 0n);
    return {
      seed: this.plan.seed, plan: this.plan, violations: this.violations, events: this.eventCount, hash: this.digest.digest('hex'),
      submitted: this.workload.submitted.size, fast: this.checkers.clients.fast, classic: this.checkers.clients.classic, height, views,
      epochs: this.nodes.reduce((max, { config }) => (config.epoch > max ? config.epoch : max), 0n),
      checkpoints: this.checkers.checkpointCount, guilty: this.checkers.signatures.guilty(), accused: [...this.accused], milestones: this.milestones,
    };
  }
}

/** Addresses in ascending order, each with its key; cheap made-up ones unless signatures are real. */
function keysOf({ replicas, real }: Plan): Map<Address, Uint8Array> {
  const keys = Array.from({ length: replicas }, (_, i) => createHash('sha256').update(`key ${i}`).digest());
  const entries = keys.map((key, i): [Address, Uint8Array] => [real ? addressOf(key) : (`0x${(i + 1).toString(16).padStart(40, '0')}` as Address), key]);
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** How long a healed group may take to decide everything. */
const SETTLE_MS = 20_000;

function timingOf(plan: Plan): Partial<GroupConfig['timing']> {
  return {
    clockWindowMs: plan.windowMs, viewDurationMs: plan.viewDurationMs, commandTimeoutMs: 250, maxTimeoutMs: 4_000, closeIntervalMs: 60,
    checkpointIntervalMs: 300, heartbeatMs: 30, fastTimeoutMs: 60, orphanTimeoutMs: 150, clockCeilingMs: 100,
  };
}

export function simulate(seed: bigint, mode: Plan['mode'], overrides: Overrides = {}, log?: (line: string) => void): RunResult {
  return new World(planOf(seed, mode, overrides), log).run();
}

function describe(effect: Effect): string {
  switch (effect.kind) {
    case 'send': return `send ${effect.to} ${effect.message.kind} ${brief(effect.message)}`;
    case 'sign': return `sign ${effect.to} ${effect.name} ${effect.slot.slice(67)} ${brief(effect.message)}`;
    case 'persist': return `persist ${effect.record.kind}`;
    case 'commit': {
      const { height, blockHash, entries } = effect.block;
      return `commit ${height} ${blockHash.slice(2, 10)} ${entries.map(({ id, outcome }) => `${id.slice(2, 8)}:${outcome}`).join()}`;
    }
    case 'milestone': return `milestone ${JSON.stringify(effect.milestone, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`;
    case 'reply': {
      const { reply } = effect;
      const told = reply.kind === 'receipt' ? `${reply.receipt.kind} ${reply.receipt.entry.slice(2, 8)}` : reply.reason;
      return `reply ${effect.command.slice(2, 8)} ${told}`;
    }
    case 'alarm': return `alarm ${effect.delayMs}`;
    case 'evidence': return `evidence ${effect.offence.kind} ${effect.offence.culprit}`;
    default: return effect.kind;
  }
}

function brief(message: Message | (Effect & { kind: 'sign' })['message']): string {
  switch (message.kind) {
    case 'proposal': {
      const { value: { view, round, blockHash }, block: { header, entries } } = message;
      const ids = entries.map(({ id, certView }) => `${id.slice(2, 8)}${certView === null ? '' : '*'}`);
      return `${view}/${round} ${header.kind} ${blockHash.slice(2, 10)} ${ids.join()}`;
    }
    case 'blockVote': return `${message.value.view}/${message.value.round} ${message.value.blockHash.slice(2, 10)}`;
    case 'fastBatch': return message.entries.map(({ id, command }) => `${id.slice(2, 8)}=${command.id.slice(2, 8)}`).join();
    case 'fastVote': return `${message.value.batchRoot.slice(2, 8)} ${message.value.accept.toString(2)}`;
    case 'fastAck': return `${message.value.batchRoot.slice(2, 8)} ${message.value.acked.toString(2)}`;
    case 'reject': return `${message.view}/${message.round} ${message.reason}`;
    default: return '';
  }
}
