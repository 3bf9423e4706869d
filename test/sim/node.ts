import {
  decodeMessage, encodeMessage, encodeRecord, restoreReplica, signed, snapshotRecords, statementOf, step, verifyMessage,
  type Effect, type GroupConfig, type Input, type Message, type Replica, type SignedMessage, type Target, type Unsigned,
} from '../../protocol/consensus/index.ts';
import { createReplicaWith } from '../../protocol/consensus/create.ts';
import type { Command, ReplicaIndex } from '../../protocol/types/index.ts';
import { Ledger } from './ledger.ts';
import type { World } from './world.ts';

/** One machine: clock, disk, ledger, signer guard and the real core. Byzantine ones extend it. */
export class SimNode {
  readonly world: World;
  readonly index: ReplicaIndex;
  config: GroupConfig;
  replica: Replica;
  ledger = new Ledger();
  up = true;
  halted = false;
  private readonly retired = new Map<bigint, { config: GroupConfig; replica: Replica }>();
  /** Journal bytes; the first `flushed` survive a crash. */
  journal: Uint8Array[] = [];
  flushed = 0;
  private tokens: number[] = [];
  private flushing = false;
  private generation = 0;
  private alarm = 0;
  private guard = new Map<string, string>();
  private clockOffsetMs: number;
  private readonly drift: number;
  private image: { journal: Uint8Array[]; guard: Map<string, string>; epoch: bigint } | undefined;
  readonly honest: boolean;

  constructor(world: World, index: ReplicaIndex, honest = true) {
    this.world = world;
    this.index = index;
    this.honest = honest;
    this.config = world.config;
    const { skewMs, drift } = world.plan.clocks;
    this.clockOffsetMs = (world.random.clocks.unit() * 2 - 1) * skewMs;
    this.drift = (world.random.clocks.unit() * 2 - 1) * drift;
    this.replica = createReplicaWith(this.config, index, undefined, this.ledger, world.rulesOf(index));
  }

  start(): void {
    this.input({ kind: 'start', nowMs: this.nowMs() });
    this.world.hearRegistry(this);
  }

  nowMs(): number {
    return 1_000_000 + this.world.events.now * (1 + this.drift) + this.clockOffsetMs;
  }

  jumpClock(ms: number): void {
    this.clockOffsetMs += ms;
  }

  submit(command: Command): void {
    if (this.up) this.input({ kind: 'submit', nowMs: this.nowMs(), command });
  }

  deliver(from: ReplicaIndex, message: Message, epoch: bigint = this.config.epoch): void {
    if (!this.up || this.halted) return;
    if (epoch < this.config.epoch) return this.deliverRetired(from, message, epoch);
    if (epoch > this.config.epoch) return;
    const arrived = this.world.plan.wire ? decodeMessage(encodeMessage(message), this.replica.read) : message;
    if (!this.world.isValid(epoch, from, message, () => verifyMessage(this.config, from, arrived, this.world.signatures, this.world.quorum))) {
      if (this.world.nodes[from]?.honest) this.world.violate('validity', `honest ${from} sent an invalid ${message.kind}`);
      return;
    }
    this.input({ kind: 'message', nowMs: this.nowMs(), from, message: arrived });
  }

  input(input: Input): void {
    if (!this.up || this.halted) return;
    for (const effect of step(this.replica, input)) this.perform(effect);
  }

  perform(effect: Effect): void {
    const { world } = this;
    world.trace(this, effect);
    switch (effect.kind) {
      case 'persist':
        this.journal.push(encodeRecord(effect.record));
        this.tokens.push(effect.token);
        return this.flush();
      case 'sign': return this.sign(effect.message, effect.to, effect.slot);
      case 'send': return this.send(effect.to, effect.message);
      case 'reply': return world.onReply(this, effect.command, effect.reply);
      case 'commit':
        this.ledger.apply(effect.block);
        return world.onCommit(this, effect.block);
      case 'checkpointWanted': {
        const commitment = this.ledger.commitment(effect.height);
        this.later(0, () => this.input({ kind: 'commitment', nowMs: this.nowMs(), height: effect.height, commitment }));
        return;
      }
      case 'certified':
        this.ledger.sync(world.plan.historyBlocks);
        if (this.honest) world.checkers.checkpoint(effect.certificate);
        return this.compact();
      case 'snapshotWanted': return this.later(5, () => this.installFrom(effect));
      case 'sealed': return this.later(1, () => this.startEpoch(effect));
      case 'evidence': return world.onEvidence(this, effect.offence);
      case 'alarm': {
        const alarm = ++this.alarm;
        this.later(effect.delayMs, () => {
          if (alarm === this.alarm) this.input({ kind: 'tick', nowMs: this.nowMs() });
        });
        return;
      }
      case 'milestone': return world.onMilestone(this, effect.milestone);
      case 'halt':
        this.halted = true;
        if (this.honest) world.violate('halt', `honest ${this.index} halted at ${effect.height}`);
    }
  }

  /** Group commit: what arrives while one flush runs waits for the next. */
  private flush(): void {
    if (this.flushing) return;
    this.flushing = true;
    const { replica } = this;
    const upTo = this.journal.length;
    const token = this.tokens.at(-1) as number;
    this.later(this.world.random.disk.delay(this.world.plan.disk.flushMs), () => {
      this.flushing = false;
      if (replica !== this.replica) return this.tokens.length > 0 ? this.flush() : undefined;
      this.flushed = Math.max(this.flushed, Math.min(upTo, this.journal.length));
      this.input({ kind: 'flushed', nowMs: this.nowMs(), token });
      if (this.tokens.at(-1) !== token) this.flush();
    });
  }

  sign(message: Unsigned, to: Target, slot: string): void {
    const statement = statementOf(message);
    const content = Object.values(statement.value).map(String).join('|');
    const key = `${statement.name} ${slot}`;
    const before = this.guard.get(key);
    if (before !== undefined && before !== content) {
      if (this.honest) this.world.violate('guard', `honest ${this.index} would sign two contents for ${key}`);
      return;
    }
    this.guard.set(key, content);
    const result = signed(message, this.world.signatures.sign(this.config.roster[this.index] as never, statement));
    this.world.checkers.signed(this, result);
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
      for (let peer = 0; peer < this.config.roster.length; peer++) if (peer !== this.index) this.world.network(this, peer, message);
    } else if (to !== this.index) this.world.network(this, to, message);
  }

  /** Runs unless the machine crashed meanwhile. */
  later(delayMs: number, run: () => void): void {
    const generation = this.generation;
    this.world.events.after(delayMs, () => {
      if (generation === this.generation && this.up) run();
    });
  }

  private compact(): void {
    const records = snapshotRecords(this.replica).map(encodeRecord);
    this.journal = records;
    this.flushed = records.length;
    this.tokens = this.tokens.slice(-1);
  }

  private installFrom({ from, certificate, anchor }: Effect & { kind: 'snapshotWanted' }): void {
    const source = this.world.nodes[from];
    const { height } = certificate.checkpoint;
    if (source === undefined || source.ledger.height < height || this.ledger.height >= height) return;
    this.ledger.install(source.ledger, height);
    this.input({ kind: 'installed', nowMs: this.nowMs(), anchor });
  }

  /** The next epoch starts from the sealed checkpoint; the old replica goes on answering stragglers. */
  private startEpoch({ anchor, next }: Effect & { kind: 'sealed' }): void {
    if (next.epoch <= this.config.epoch) return;
    this.retired.set(this.config.epoch, { config: this.config, replica: this.replica });
    this.config = { ...this.config, epoch: next.epoch, roster: next.replicas, anchor };
    this.journal = [];
    this.flushed = 0;
    this.alarm += 1;
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
    if (!verifyMessage(config, from, message, this.world.signatures, this.world.quorum)) return;
    for (const effect of step(old, { kind: 'message', nowMs: this.nowMs(), from, message })) {
      if (effect.kind === 'send' && effect.to !== 'all') this.world.network(this, effect.to, effect.message, config.epoch);
    }
  }

  takeImage(): void {
    this.image = { journal: this.journal.slice(0, this.flushed), guard: new Map(this.guard), epoch: this.config.epoch };
  }

  /** Loses everything that was not flushed; sometimes half a record survives. */
  crash(): void {
    if (!this.up) return;
    this.up = false;
    this.world.log?.(`${this.world.events.now.toFixed(2)} ${this.index} crash`);
    this.generation += 1;
    this.flushing = false;
    this.tokens = [];
    const random = this.world.random.disk;
    const extra = random.int(this.journal.length - this.flushed + 1);
    this.journal = this.journal.slice(0, this.flushed + extra);
    this.flushed = this.journal.length;
    this.ledger.crash(this.world.plan.disk.syncedLedger ? this.ledger.blocks.length : random.int(this.ledger.blocks.length + 1));
  }

  restart(fromImage = false): void {
    if (this.up) return;
    this.up = true;
    this.world.log?.(`${this.world.events.now.toFixed(2)} ${this.index} restart at ${this.ledger.height}`);
    let torn = this.world.plan.disk.torn && this.world.random.disk.chance(0.5);
    if (fromImage && this.image !== undefined && this.image.epoch === this.config.epoch) {
      this.journal = [...this.image.journal];
      this.flushed = this.journal.length;
      this.guard = new Map(this.image.guard);
      torn = false;
    }
    const { config, index, ledger } = this;
    const restored = restoreReplica({ config, self: index, application: ledger, records: this.journal, torn, missing: false, position: ledger });
    this.replica = createReplicaWith(config, index, restored, ledger, this.world.rulesOf(index));
    this.start();
  }
}

