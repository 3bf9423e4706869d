import {
  decodeMessage, encodeMessage, restoreReplica, signed, snapshotRecords, statementOf, step,
  type Effect, type GroupConfig, type Input, type Message, type Replica, type SignedMessage, type Target, type Unsigned,
} from '../../protocol/consensus/index.ts';
import { createReplicaWith } from '../../protocol/consensus/create.ts';
import { checkpointHashOf, type CertifiedCheckpoint } from '../../protocol/membership/index.ts';
import type { Command, Hash32, Height, ReplicaIndex } from '../../protocol/types/index.ts';
import { MachineClock } from './clock.ts';
import { Disk } from './disk.ts';
import { Ledger } from './ledger.ts';
import type { World } from './world.ts';

/** Few, so that runs of a few seconds hold rewritten journals and long ones. */
const OVERGROWN_RECORDS = 60;

interface Certified {
  readonly height: Height;
  readonly hash: Hash32;
  /** Blocks of the ledger when it was stored. */
  readonly over: number;
  readonly firstKept: Height;
}

/** One machine: clock, disk, ledger, signer guard and the real core. Byzantine ones extend it. */
export class SimNode {
  readonly world: World;
  readonly index: ReplicaIndex;
  private readonly born: boolean;
  readonly clock: MachineClock;
  readonly disk = new Disk();
  readonly ledger: Ledger;
  config: GroupConfig;
  replica: Replica;
  up = true;
  halted = false;
  /** Never comes back: the group has to do without it. */
  gone = false;
  /** Flushed records were lost. Only peers that hold newer signatures can tell: where they may be away it counts as a liar from then on (§2.1). */
  damaged = false;
  /** Certificates in the ledger: a crash that takes the blocks below which they were stored takes them and what was pruned for them. */
  private certified: Certified[] = [];
  private readonly retired = new Map<bigint, { config: GroupConfig; replica: Replica }>();
  private tokens: number[] = [];
  private flushing = false;
  private generation = 0;
  private alarmAt = Infinity;
  private alarmSet = Infinity;
  private guard = new Map<string, string>();
  private guardImage = new Map<string, string>();
  private fullUntilMs = 0;

  constructor(world: World, index: ReplicaIndex, honest = true, ledger = new Ledger()) {
    this.world = world;
    this.ledger = ledger;
    this.index = index;
    this.born = honest;
    this.config = world.config;
    this.clock = new MachineClock(world.events, world.random.clocks, world.plan.clocks);
    this.replica = createReplicaWith(this.config, index, undefined, this.ledger, world.rulesOf(index));
  }

  get honest(): boolean {
    return this.born && (!this.damaged || this.world.remembers);
  }

  start(): void {
    this.input({ kind: 'start', nowMs: this.nowMs() });
    this.world.hearRegistry(this);
  }

  nowMs(): number {
    return this.clock.now();
  }

  submit(command: Command): void {
    if (this.up) this.input({ kind: 'submit', nowMs: this.nowMs(), command });
  }

  deliver(from: ReplicaIndex, message: Message, epoch: bigint = this.config.epoch): void {
    if (!this.up || this.halted) return;
    if (epoch < this.config.epoch) return this.deliverRetired(from, message, epoch);
    if (epoch > this.config.epoch) return;
    const arrived = this.world.plan.wire ? decodeMessage(encodeMessage(message), this.replica.read) : message;
    if (!this.world.isValid(this.config, from, message, arrived)) return;
    this.world.log?.(`${this.world.events.now.toFixed(2)} ${this.index} <- ${from} ${message.kind}`);
    this.input({ kind: 'message', nowMs: this.nowMs(), from, message: arrived });
  }

  input(input: Input): void {
    if (!this.up || this.halted) return;
    for (const effect of this.world.stepOf(this, input)) {
      if (!this.up) return;
      this.perform(effect);
    }
  }

  perform(effect: Effect): void {
    const { world } = this;
    world.trace(this, effect);
    switch (effect.kind) {
      case 'persist':
        if (world.events.now < this.fullUntilMs) return this.stop('disk full');
        this.disk.append(effect.record);
        world.checkers.recorded(this, effect.record);
        this.tokens.push(effect.token);
        return this.flush();
      case 'sign': return this.sign(effect.message, effect.to, effect.slot);
      case 'send': return this.send(effect.to, effect.message);
      case 'reply': return world.onReply(this, effect.command, effect.reply);
      case 'commit':
        this.ledger.apply(effect.block);
        return world.onCommit(this, effect.block);
      case 'checkpointWanted': {
        const right = this.ledger.commitment(effect.height);
        const commitment = world.plan.rotten === this.index ? { ...right, stateRoot: right.capsuleHead } : right;
        return this.later(0, () => this.input({ kind: 'commitment', nowMs: this.nowMs(), height: effect.height, commitment }));
      }
      case 'certified':
        this.ledger.prune(world.plan.historyBlocks);
        this.noteCertified(effect.certificate);
        world.onCertified(this, effect.certificate);
        return this.disk.length > OVERGROWN_RECORDS ? this.compact(effect.certificate) : undefined;
      case 'snapshotWanted': return this.later(5, () => this.installFrom(effect));
      case 'sealed':
        this.keepLedger(effect.certificate);
        return this.later(1, () => this.startEpoch(effect));
      case 'evidence': return world.onEvidence(this, effect.offence);
      case 'alarm': return this.setAlarm(world.events.now + effect.delayMs);
      case 'milestone': return world.onMilestone(this, effect.milestone);
      case 'halt':
        this.halted = true;
        if (this.honest && world.plan.rotten !== this.index) world.violate('halt', `honest ${this.index} halted at ${effect.height}`);
    }
  }

  /** What it holds from here on survives a crash. */
  private keepLedger(certificate: CertifiedCheckpoint): void {
    this.ledger.sync();
    this.noteCertified(certificate);
  }

  private noteCertified({ checkpoint }: CertifiedCheckpoint): void {
    const { blocks, firstKept } = this.ledger;
    this.certified.push({ height: checkpoint.height, hash: checkpointHashOf(checkpoint), over: blocks.length, firstKept });
  }

  /** As the host does it (decision 0186). */
  private compact(certificate: CertifiedCheckpoint): void {
    this.keepLedger(certificate);
    this.disk.rewrite(snapshotRecords(this.replica));
    this.tokens = this.tokens.slice(-1);
  }

  /** One alarm at a time: an earlier one replaces a later one, a later one waits for the earlier to go off. */
  private setAlarm(atMs: number): void {
    this.alarmAt = atMs;
    if (this.alarmSet <= atMs) return;
    this.alarmSet = atMs;
    this.later(atMs - this.world.events.now, () => {
      if (this.alarmSet !== atMs) return;
      this.alarmSet = Infinity;
      if (this.alarmAt <= this.world.events.now) this.input({ kind: 'tick', nowMs: this.nowMs() });
      else this.setAlarm(this.alarmAt);
    });
  }

  /** Group commit: what arrives while one flush runs waits for the next. */
  private flush(): void {
    if (this.flushing) return;
    this.flushing = true;
    const { replica } = this;
    const { disk: random } = this.world.random;
    const { flushMs, spikes, syncErrors } = this.world.plan.disk;
    const upTo = this.disk.length;
    const token = this.tokens.at(-1) as number;
    if (this.world.plan.disk.lies) this.later(0, () => replica === this.replica && this.input({ kind: 'flushed', nowMs: this.nowMs(), token }));
    this.later(random.delay(flushMs) * (random.chance(spikes) ? 20 : 1), () => {
      this.flushing = false;
      if (!this.world.calm && random.chance(syncErrors)) return this.stop('flush failed');
      if (replica !== this.replica) return this.tokens.length > 0 ? this.flush() : undefined;
      this.disk.flushUpTo(upTo);
      this.input({ kind: 'flushed', nowMs: this.nowMs(), token });
      if (this.tokens.at(-1) !== token) this.flush();
    });
  }

  sign(message: Unsigned, to: Target, slot: string): void {
    const statement = statementOf(message);
    const key = `${statement.name} ${slot}`;
    const content = Object.values(statement.value).map(String).join('|');
    const before = this.guard.get(key);
    if (before !== undefined && before !== content) {
      if (this.honest) this.world.violate('guard', `honest ${this.index} would sign two contents for ${key}`);
      return;
    }
    this.guard.set(key, content);
    const result = signed(message, this.world.signatures.sign(this.config.roster[this.index] as never, statement));
    this.world.onSigned(this, result);
    const { replica } = this;
    this.later(this.world.random.disk.unit() * 0.3, () => {
      if (replica === this.replica) this.emit(to, result);
    });
  }

  /** Out on the network, and back to itself. */
  emit(to: Target, message: SignedMessage): void {
    this.send(to, message);
    if (to === 'all' || to === this.index) this.input({ kind: 'message', nowMs: this.nowMs(), from: this.index, message });
  }

  send(to: Target, message: Message): void {
    if (to === 'all') {
      for (let peer = 0; peer < this.config.roster.length; peer++) if (peer !== this.index) this.world.network.send(this, peer, message);
    } else if (to !== this.index) this.world.network.send(this, to, message);
  }

  /** Runs unless the machine crashed meanwhile. */
  later(delayMs: number, run: () => void): void {
    const generation = this.generation;
    this.world.events.after(delayMs, () => {
      if (generation === this.generation && this.up) run();
    });
  }

  private installFrom({ from, certificate, anchor }: Effect & { kind: 'snapshotWanted' }): void {
    const source = this.world.nodes[from];
    const { height } = certificate.checkpoint;
    if (source === undefined || source.ledger.height < height || this.ledger.height >= height) return;
    this.ledger.install(source.ledger, height);
    this.certified = [];
    this.noteCertified(certificate);
    this.input({ kind: 'installed', nowMs: this.nowMs(), anchor });
  }

  /** The next epoch starts from the sealed checkpoint; the old replica goes on answering stragglers. */
  private startEpoch({ anchor, next }: Effect & { kind: 'sealed' }): void {
    if (next.epoch <= this.config.epoch) return;
    this.retired.set(this.config.epoch, { config: this.config, replica: this.replica });
    this.config = { ...this.config, epoch: next.epoch, roster: next.replicas, anchor };
    this.disk.rewrite([]);
    this.alarmAt = Infinity;
    this.tokens = [];
    this.replica = createReplicaWith(this.config, this.index, undefined, this.ledger, this.world.rulesOf(this.index));
    this.world.log?.(`${this.world.events.now.toFixed(2)} ${this.index} epoch ${next.epoch}`);
    this.start();
    this.world.onEpoch(this);
  }

  /** Messages of the epoch before: fetches are answered, announcements too. */
  private deliverRetired(from: ReplicaIndex, message: Message, epoch: bigint): void {
    const before = this.retired.get(epoch);
    if (before === undefined) return;
    const { config, replica: old } = before;
    if (!this.world.isValid(config, from, message, message)) return;
    for (const effect of step(old, { kind: 'message', nowMs: this.nowMs(), from, message })) {
      if (effect.kind === 'send' && effect.to !== 'all') this.world.network.send(this, effect.to, effect.message, config.epoch);
    }
  }

  takeImage(): void {
    this.disk.takeImage(this.config.epoch);
    this.guardImage = new Map(this.guard);
  }

  /** A fault of the disk stops the machine (§5, 17); an operator starts it again. */
  stop(cause: string): void {
    this.world.log?.(`${this.world.events.now.toFixed(2)} ${this.index} stops: ${cause}`);
    this.crash();
    this.world.events.after(60 + 100 * this.world.random.faults.unit(), () => this.restart());
  }

  fillDisk(forMs: number): void {
    this.fullUntilMs = this.world.events.now + forMs;
  }

  /** Loses everything that was not flushed; sometimes half a record survives. */
  crash(): void {
    if (!this.up) return;
    this.up = false;
    this.world.log?.(`${this.world.events.now.toFixed(2)} ${this.index} crash`);
    this.generation += 1;
    this.flushing = false;
    this.tokens = [];
    this.alarmSet = Infinity;
    const random = this.world.random.disk;
    this.disk.crash(random, this.world.plan.disk.torn);
    this.ledger.crash(this.world.plan.disk.syncedLedger ? this.ledger.blocks.length : random.int(this.ledger.blocks.length + 1));
    this.certified = this.certified.filter(({ over }) => over <= this.ledger.blocks.length);
    this.ledger.firstKept = this.certified.at(-1)?.firstKept ?? 1n;
  }

  restart(): void {
    if (this.up || this.gone) return;
    this.up = true;
    this.world.log?.(`${this.world.events.now.toFixed(2)} ${this.index} restart at ${this.ledger.height}`);
    const { config, index, ledger } = this;
    const { records, torn, missing } = this.disk.recover();
    const lost = missing && ledger.height > config.anchor.height; // as the host judges it
    const certified = this.certified.at(-1);
    const restored = restoreReplica({ config, self: index, application: ledger, position: ledger, certified, records, torn, missing: lost });
    this.replica = createReplicaWith(config, index, restored, ledger, this.world.rulesOf(index));
    this.start();
  }

  /** What may happen to flushed records; false when it cannot happen now. */
  damage(): boolean {
    const { damage } = this.world.plan.disk;
    if (this.up || (damage === 'oldImage' && !this.disk.restoreImage(this.config.epoch))) return false;
    this.damaged = true;
    if (damage === 'oldImage') this.guard = new Map(this.guardImage);
    if (damage === 'flip') this.disk.flip(this.world.random.disk);
    if (damage === 'lostImage') {
      this.disk.lose();
      this.ledger.lose();
      this.certified = [];
      this.guard = new Map();
    }
    return true;
  }
}
