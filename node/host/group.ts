/**
 * Runs one replica of one group in one epoch: inputs go to the core one at a time, its effects are
 * performed in order. Everything durable goes through the journal, every signature through the
 * guarded signer, every committed block to the ledger before the next step.
 */
import { decode } from '../../protocol/codec/index.ts';
import { certifiedCheckpointC, checkpointHashOf, type CertifiedCheckpoint, type Roster } from '../../protocol/membership/index.ts';
import {
  createReplica, decodeMessage, encodeRecord, restoreReplica, signed, snapshotRecords, statusOf, step,
  verifyMessage, type Anchor, type Application, type Effect, type GroupConfig, type Input, type Message,
  type Milestone, type Offence, type Replica, type ReplicaStatus, type Reply, type Target, type Unsigned,
} from '../../protocol/consensus/index.ts';
import { InvariantError, isPicoloError } from '../../protocol/errors/index.ts';
import type { Address, BlockHash, Command, Epoch, Hash32, Height, ReplicaIndex, TxId } from '../../protocol/types/index.ts';
import type { AppliedBlock, Clock, Journal, Ledger, Signer } from '../ports/index.ts';
import type { Commands } from './commands.ts';
import { hostFaults } from './faults.ts';
import { forgetBehind } from './forget.ts';
import { encodeCertified, ledgerBlock } from './ledger-forms.ts';
import { beyondJournal } from './remembered.ts';
import { Repeats } from './repeats.ts';
import { Tally, type Counts } from './tally.ts';

/** What a group tells the node around it. */
export interface GroupEvents {
  /** `fast`: how many of its entries had a fast certificate. */
  onCommitted(block: AppliedBlock, fast: number): void;
  onCertified(certificate: CertifiedCheckpoint): void;
  onOffence(offence: Offence): void;
  onMilestone(milestone: Milestone): void;
  onSealed(seal: { readonly certificate: CertifiedCheckpoint; readonly blockHash: BlockHash; readonly next: Roster }): void;
  /** The history of peers is too short: fetch and install this snapshot, then call `installed`. */
  onSnapshotWanted(from: ReplicaIndex, certificate: CertifiedCheckpoint, anchor: Anchor): void;
  /** The group signs nothing any more; the node goes on serving others. */
  onHalted(reason: string): void;
}

export interface GroupParts {
  readonly config: GroupConfig;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly commands: Commands;
  readonly events: GroupEvents;
  /** Hands an encoded message to members. */
  send(to: readonly Address[], message: Uint8Array): void;
}

export interface GroupHost {
  readonly config: GroupConfig;
  readonly self: ReplicaIndex;
  /** Whether members take this command from this one: what they refuse must not be submitted, or all that travels with it is refused too. */
  accepts(command: Command): boolean;
  /** Resolves with the outcome; rejects when the group stops first (HOST_HALTED). */
  submit(command: Command): Promise<Reply>;
  /** An encoded message from a member; anything unreadable or invalid is dropped and counted. */
  deliver(from: Address, message: Uint8Array): void;
  reconfigure(epoch: Epoch, roster: readonly Address[]): void;
  installed(anchor: GroupConfig['anchor']): void;
  status(): HostStatus;
  stop(): Promise<void>;
}

export interface HostStatus extends ReplicaStatus {
  readonly refusedMessages: number;
  readonly counts: Counts;
}

interface Waiter {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export function startGroup(parts: GroupParts): GroupHost {
  const host = new Host(parts);
  host.feed({ kind: 'start', nowMs: parts.clock.nowMs() });
  return host;
}

class Host implements GroupHost {
  readonly config: GroupConfig;
  readonly self: ReplicaIndex;
  private readonly parts: GroupParts;
  private readonly replica: Replica;
  private readonly inputs: Input[] = [];
  private readonly waiting = new Map<TxId, Waiter[]>();
  private certifiedHeight: Height = 0n;
  private running = false;
  private stopped = false;
  private flushing: Promise<void> | undefined;
  private lastToken = 0;
  private flushedToken = 0;
  private refusedMessages = 0;
  private readonly tally = new Tally();
  private readonly repeats = new Repeats();
  private cancelAlarm: () => void = () => undefined;

  constructor(parts: GroupParts) {
    this.parts = parts;
    this.config = parts.config;
    const self = parts.config.roster.indexOf(parts.signer.address);
    if (self < 0) throw hostFaults.notMember({ group: parts.config.group, epoch: parts.config.epoch });
    this.self = self;
    const { records, torn, missing } = parts.journal.recover();
    const { config, ledger } = parts;
    const application = applicationOf(ledger, parts.commands);
    const position = ledger.position();
    // a journal that is gone although this epoch already has a history here was lost, not never written (consensus §2.14)
    const lost = missing && position.epoch === config.epoch && position.height > config.anchor.height;
    const surviving = { config, self, application, records, torn: torn || parts.signer.torn, position, certified: certifiedOf(ledger) };
    const restored = restoreReplica({ ...surviving, missing: lost });
    const cut = beyondJournal(parts.signer, config, restored);
    this.replica = createReplica(config, self, cut === undefined ? restored : restoreReplica({ ...surviving, missing: true }), application);
    const cause = cut === undefined ? 'the journal is gone' : `the guard remembers a ${cut} beyond the journal`;
    if (this.replica.quarantined) parts.events.onMilestone({ event: 'quarantined', cause });
  }

  accepts(command: Command): boolean {
    return this.parts.commands.verifier.command(command);
  }

  submit(command: Command): Promise<Reply> {
    if (this.stopped) return Promise.reject(hostFaults.halted({ group: this.config.group }));
    return new Promise((resolve, reject) => {
      this.waiting.set(command.id, [...(this.waiting.get(command.id) ?? []), { resolve, reject }]);
      this.feed({ kind: 'submit', nowMs: this.now(), command });
    });
  }

  deliver(from: Address, bytes: Uint8Array): void {
    const index = this.config.roster.indexOf(from);
    if (this.repeats.isRepeat(index, bytes)) return;
    const message = index < 0 || this.stopped ? undefined : this.readMessage(index, bytes);
    if (message === undefined) {
      this.refusedMessages += 1;
      return;
    }
    this.repeats.hears(index, message, bytes);
    this.feed({ kind: 'message', nowMs: this.now(), from: index, message });
  }

  reconfigure(epoch: Epoch, roster: readonly Address[]): void {
    this.feed({ kind: 'reconfigure', nowMs: this.now(), epoch, roster });
  }

  installed(anchor: GroupConfig['anchor']): void {
    this.feed({ kind: 'installed', nowMs: this.now(), anchor });
  }

  status(): HostStatus {
    return { ...statusOf(this.replica), refusedMessages: this.refusedMessages, counts: this.tally.read() };
  }

  async stop(): Promise<void> {
    this.halt('stopped');
    await this.flushing?.catch(() => undefined);
    await this.parts.journal.close();
  }

  /** One input at a time: effects of a step may feed more, which wait their turn. */
  feed(input: Input): void {
    if (this.stopped) return;
    this.inputs.push(input);
    if (this.running) return;
    this.running = true;
    try {
      for (let next = this.inputs.shift(); next !== undefined && !this.stopped; next = this.inputs.shift()) {
        for (const effect of step(this.replica, next)) this.perform(effect);
      }
    } catch (error) {
      // A broken invariant or a failing disk: stop before anything else is signed.
      this.halt(error instanceof Error ? error.message : String(error));
      if (error instanceof InvariantError) process.exitCode = 70;
    } finally {
      this.running = false;
    }
  }

  private perform(effect: Effect): void {
    const { ledger, journal, clock, events } = this.parts;
    switch (effect.kind) {
      case 'persist':
        journal.append(encodeRecord(effect.record));
        this.lastToken = effect.token;
        this.flushSoon();
        return;
      case 'sign': return void this.sign(effect);
      case 'send': return this.sendTo(effect.to, effect.message);
      case 'reply': return this.settle(effect.command, effect.reply);
      case 'commit': {
        const block = ledgerBlock(effect.block);
        ledger.apply(block);
        return events.onCommitted(block, this.tally.committed(effect.block));
      }
      case 'checkpointWanted':
        this.inputs.push({ kind: 'commitment', nowMs: this.now(), height: effect.height, commitment: ledger.commitment(effect.height) });
        return;
      case 'certified': return this.certified(effect.certificate);
      case 'snapshotWanted': return events.onSnapshotWanted(effect.from, effect.certificate, effect.anchor);
      case 'sealed':
        ledger.sync(); // the next epoch begins without the journal that could lead up to its anchor
        return events.onSealed(effect);
      case 'evidence': return events.onOffence(effect.offence);
      case 'milestone':
        this.tally.milestone(effect.milestone);
        return events.onMilestone(effect.milestone);
      case 'alarm':
        this.cancelAlarm();
        this.cancelAlarm = clock.after(effect.delayMs, () => this.feed({ kind: 'tick', nowMs: this.now() }));
        return;
      case 'halt': return this.halt(`${effect.reason} at height ${effect.height}`);
    }
  }

  /** Group commit: one flush covers every record appended while the previous one ran (consensus §2.14). */
  private flushSoon(): void {
    if (this.flushing !== undefined) return;
    const token = this.lastToken;
    this.flushing = this.parts.journal.flush().then(
      () => {
        this.flushing = undefined;
        this.flushedToken = token;
        this.feed({ kind: 'flushed', nowMs: this.now(), token });
        if (this.lastToken > this.flushedToken && !this.stopped) this.flushSoon();
      },
      (error: unknown) => this.halt(error instanceof Error ? error.message : 'the journal failed'),
    );
  }

  private async sign(effect: Effect & { kind: 'sign' }): Promise<void> {
    try {
      const unsigned: Unsigned = effect.message;
      const position = { kind: effect.name, slot: effect.slot };
      const signature = await this.parts.signer.signAt(position, effect.name, unsigned.value as never);
      if (this.stopped) return;
      const message = signed(unsigned, signature);
      this.sendTo(effect.to, message);
      if (effect.to === 'all' || effect.to === this.self) {
        this.feed({ kind: 'message', nowMs: this.now(), from: this.self, message });
      }
    } catch (error) {
      // catching up after a restart meets positions the guard has closed since: nothing is signed there, and nothing is wrong
      if (isPicoloError(error) && error.code === 'SIGNER_BELOW_WATERMARK') return;
      this.halt(error instanceof Error ? error.message : 'the signer refused');
    }
  }

  private sendTo(to: Target, message: Message): void {
    const members = this.config.roster.filter((_, index) => index !== this.self && (to === 'all' || to === index));
    this.parts.send(members, this.repeats.bytesOf(message));
  }

  private settle(command: TxId, reply: Reply): void {
    for (const waiter of this.waiting.get(command) ?? []) waiter.resolve(reply);
    this.waiting.delete(command);
  }

  private certified(certificate: CertifiedCheckpoint): void {
    const height: Height = certificate.checkpoint.height;
    this.parts.ledger.certify(height, encodeCertified(certificate));
    if (this.parts.journal.overgrown) this.compact();
    this.forgetBehind(height);
    this.parts.events.onCertified(certificate);
  }

  /** The ledger, once synced, holds what the journal's older records protected (K-3, decision 0186). */
  private compact(): void {
    this.parts.ledger.sync();
    this.parts.journal
      .rewrite(snapshotRecords(this.replica).map(encodeRecord))
      .catch((error: unknown) => this.halt(error instanceof Error ? error.message : 'the journal failed'));
  }

  private forgetBehind(height: Height): void {
    const { group, epoch } = this.config;
    const { view, ackSeq } = this.replica;
    const checkpoint = this.certifiedHeight;
    this.certifiedHeight = height;
    forgetBehind(this.parts.signer, { group, epoch, view, ackSeq, checkpoint })
      .catch((error: unknown) => this.halt(error instanceof Error ? error.message : 'the signer failed'));
  }

  private readMessage(from: ReplicaIndex, bytes: Uint8Array): Message | undefined {
    try {
      const { read, verifier } = this.parts.commands;
      const message = decodeMessage(bytes, read);
      return verifyMessage(this.config, from, message, verifier) ? message : undefined;
    } catch {
      return undefined; // a peer's malformed bytes are the peer's problem; they are counted
    }
  }

  private halt(reason: string): void {
    if (this.stopped) return;
    this.stopped = true;
    this.cancelAlarm();
    for (const waiters of this.waiting.values()) {
      for (const waiter of waiters) waiter.reject(hostFaults.halted({ group: this.config.group, reason }));
    }
    this.waiting.clear();
    if (reason !== 'stopped') this.parts.events.onHalted(reason);
  }

  private now(): number {
    return this.parts.clock.nowMs();
  }
}

/** The ledger as the core asks it. */
function applicationOf(ledger: Ledger, { read, timely }: Commands): Application {
  return {
    versionOf: (path) => ledger.versionOf(path),
    check: (command, pending) => ledger.check(command, pending),
    removes: (command, pending) => ledger.removes(command, pending),
    blockAt: (height) => ledger.blockAt(height),
    commandOf: read,
    timely,
  };
}

function certifiedOf(ledger: Ledger): { readonly height: Height; readonly hash: Hash32 } | undefined {
  const found = ledger.certified();
  return found === undefined ? undefined : { height: found.height, hash: checkpointHashOf(decode(certifiedCheckpointC, found.certificate).checkpoint) };
}
