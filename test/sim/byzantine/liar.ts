import {
  blockHashOf, batchRootOf, known,
  type BatchCert, type BlockEntry, type Effect, type KnownEntry, type Message, type Qc, type Target, type Unsigned,
} from '../../../protocol/consensus/index.ts';
import { assemble } from '../../../protocol/consensus/classic/assemble.ts';
import { MAX_TIMESTAMP, timestampOf } from '../../../protocol/hlc/index.ts';
import type { ReplicaIndex, Signature, Timestamp } from '../../../protocol/types/index.ts';
import { bodyOf, encodeCommand, hashOf, pathOf } from '../commands.ts';
import { ByzantineNode } from './node.ts';
import { otherOpening } from './openings.ts';

type Proposal = Unsigned & { readonly kind: 'proposal' };
type Batch = Unsigned & { readonly kind: 'fastBatch' };

/** The client that a censor does not like. */
const VICTIM = 'c0';

/** Lies that need no memory of the protocol: they bend what the honest core is about to send. */
export class Liar extends ByzantineNode {
  private readonly seenBatches: { view: bigint; root: BatchCert['batchRoot']; count: number }[] = [];
  private lastStamp = 1n as Timestamp;
  private forgedNonce = 0;

  override deliver(from: ReplicaIndex, message: Message, epoch = this.config.epoch): void {
    if (message.kind === 'reject' && this.does('deafLeader')) return;
    if (message.kind === 'submit' && this.does('censor') && bodyOf(message.command).client === VICTIM) return;
    if (this.up && epoch === this.config.epoch) this.react(message);
    super.deliver(from, message, epoch);
  }

  private react(message: Message): void {
    if (message.kind === 'fastBatch') {
      if (this.does('lateAck')) this.ackLate(message.value.batchRoot, message.entries.length);
      if (this.does('forgeVotes')) this.forgeCertificate(message.value.batchRoot, message.entries);
    }
    if (message.kind === 'proposal' && this.does('forgeVotes')) this.forgeQc(message.value);
    if (message.kind === 'heartbeat' && this.does('flood') && this.chance(0.3)) this.flood();
    if (message.kind === 'heartbeat' && this.does('forgeClient') && this.chance(0.1)) super.send('all', { kind: 'submit', command: this.forgedCommand() });
  }

  /** Behaviour 4: what was open in an older view, acknowledged now. */
  private ackLate(root: BatchCert['batchRoot'], count: number): void {
    this.seenBatches.push({ view: this.replica.view, root, count });
    const old = this.seenBatches.find(({ view }) => view < this.replica.view);
    if (old === undefined) return;
    this.seenBatches.splice(this.seenBatches.indexOf(old), 1);
    const { group, epoch } = this.config;
    const value = {
      group, epoch, view: old.view, batchRoot: old.root, acked: (1n << BigInt(old.count)) - 1n, ackSeq: 2_000_000n + old.view, ackHead: hashOf(old.root),
    };
    this.say({ kind: 'fastAck', value }, { name: 'FastAck', value }, 'all');
  }

  /** A certificate for everything, with votes that nobody gave: made up, and the own one over and over. */
  private forgeCertificate(batchRoot: BatchCert['batchRoot'], entries: readonly KnownEntry[]): void {
    const { group, epoch } = this.config;
    const { view } = this.replica;
    const accept = (1n << BigInt(entries.length)) - 1n;
    const value = { group, epoch, view, batchRoot, accept };
    const own = this.make({ kind: 'fastVote', value }, { name: 'FastVote', value }).signature;
    const entryIds = entries.map(({ id }) => id);
    const madeUp = this.config.roster.map((_, signer) => ({ signer, accept, signature: signer === this.index ? own : NO_SIGNATURE }));
    const repeated = this.config.roster.map(() => ({ signer: this.index, accept, signature: own }));
    super.send('all', { kind: 'certificate', certs: [{ view, batchRoot, entryIds, votes: madeUp }], entries });
    super.send('all', { kind: 'certificate', certs: [{ view, batchRoot, entryIds, votes: repeated }], entries });
  }

  private forgeQc({ view, round, blockHash, group, epoch }: Proposal['value']): void {
    const value = { group, epoch, view, round, blockHash, qcView: 0n, qcRound: 0 };
    const own = this.make({ kind: 'blockVote', value }, { name: 'BlockVote', value }).signature;
    const vote = (signer: ReplicaIndex, signature: Signature): Qc['votes'][number] => ({ signer, qcView: 0n, qcRound: 0, signature });
    const qc = (votes: Qc['votes']): Qc => ({ view, round, blockHash: blockHash as Qc['blockHash'], votes });
    super.send('all', { kind: 'certified', qc: qc(this.config.roster.map((_, signer) => vote(signer, signer === this.index ? own : NO_SIGNATURE))) });
    super.send('all', { kind: 'certified', qc: qc(this.config.roster.map(() => vote(this.index, own))) });
  }

  /** Behaviour 24: votes on batches that do not exist, certificates without votes, blocks that lead nowhere. */
  private flood(): void {
    const { group, epoch } = this.config;
    super.send('all', { kind: 'fetch', from: 1n });
    for (let i = 0; i < 4; i++) {
      const batchRoot = hashOf(`flood ${this.world.events.now} ${i}`);
      const value = { group, epoch, view: this.replica.view, batchRoot, accept: 1n };
      if (i < 2) this.say({ kind: 'fastVote', value }, { name: 'FastVote', value }, 'all');
      super.send('all', { kind: 'certificate', certs: [{ view: this.replica.view, batchRoot, entryIds: [], votes: [] }], entries: [] });
    }
  }

  private forgedCommand(): KnownEntry['command'] {
    return encodeCommand({
      client: 'c1', nonce: 1_000_000 + this.forgedNonce++, salt: this.index, items: [[pathOf('L0'), this.ledger.read(pathOf('L0')).version, 'W']], removes: [],
      sets: {}, unique: null, invalid: false, hidden: null, classicOnly: false, notAfter: `${MAX_TIMESTAMP}`, signature: 'forged',
    });
  }

  override perform(effect: Effect): void {
    if (effect.kind !== 'sign') return super.perform(effect);
    const { message, to } = effect;
    if (message.kind === 'fastVote' && this.does('strayBits')) {
      const value = { ...message.value, accept: message.value.accept | (1n << 200n) };
      return this.say({ ...message, value }, { name: 'FastVote', value }, to);
    }
    if (message.kind === 'fastBatch' && this.bendBatch(message, to)) return;
    if (message.kind === 'proposal' && this.bendProposal(message, to)) return;
    if (this.does('foreign') && this.chance(0.3)) this.signForeign(message, to);
    super.perform(effect);
  }

  /** Behaviour 22: the same for another group, and for another epoch. */
  private signForeign(message: Unsigned, to: Target): void {
    if (message.kind === 'proposal') return;
    for (const elsewhere of [{ group: hashOf('other group') }, { epoch: this.config.epoch + 1n }]) {
      const bent = { ...message, value: { ...message.value, ...elsewhere } } as Unsigned & { kind: 'fastVote' };
      this.say(bent, { name: NAMES[message.kind], value: bent.value } as never, to);
    }
  }

  /** Behaviour 16, and commands that no client signed. */
  private bendBatch(message: Batch, to: Target): boolean {
    const { entries } = message;
    if (this.does('badStamps') && this.chance(0.7)) return this.sendBatch(message, entries.map(({ command }) => known({ command, ts: this.badStamp() })), to);
    const ts = (entries[0]?.ts ?? 1n) as Timestamp;
    if (this.does('forgeClient')) return this.sendBatch(message, [...entries, known({ command: this.forgedCommand(), ts })], to);
    return false;
  }

  private badStamp(): Timestamp {
    const nowMs = Math.floor(this.nowMs());
    const at = this.world.random.byzantine.pick([0, 20_000, -500, -60, -60, 5]);
    if (at === 0) return this.lastStamp;
    this.lastStamp = timestampOf(nowMs + at, this.world.random.byzantine.int(100), this.index);
    return this.lastStamp;
  }

  private sendBatch(message: Batch, entries: readonly KnownEntry[], to: Target): boolean {
    const value = { ...message.value, batchRoot: batchRootOf(entries.map(({ id }) => id)), count: entries.length };
    this.say({ ...message, value, entries }, { name: 'FastBatch', value }, to);
    return true;
  }

  private bendProposal(message: Proposal, to: Target): boolean {
    const { header, entries } = message.block;
    if (header.kind === 'opening') {
      if (this.does('barrenOpening') && entries.length > 0) return this.sendEntries(message, [], to);
      return this.does('twoOpenings') && this.openTwice(message);
    }
    if (this.does('wrongRoots') && this.chance(0.5)) {
      return this.sendHeader(message, { ...header, [this.chance(0.5) ? 'effectsRoot' : 'outcomeRoot']: hashOf('wrong') }, to);
    }
    if (this.does('censor')) {
      const kept = entries.filter(({ command }) => bodyOf(command).client !== VICTIM);
      if (kept.length < entries.length) return this.sendEntries(message, kept, to);
    }
    if (this.does('forgeClient') && header.kind === 'normal') {
      const ts = timestampOf(Math.floor(this.nowMs()) + 1, 77, this.index);
      return this.sendEntries(message, [...entries, { ...known({ command: this.forgedCommand(), ts }), certView: null }], to);
    }
    if (this.does('scrambledCerts') && entries.length > 0) return this.sendEntries(message, [...entries, ...entries].reverse(), to);
    return false;
  }

  private openTwice(message: Proposal): boolean {
    const other = otherOpening(this.replica, message);
    if (other === undefined) return false;
    const sides = [message, other].map((each) => this.make(each, { name: 'Proposal', value: each.value }));
    this.config.roster.forEach((_, peer) => {
      const side = sides[peer % 2] as (typeof sides)[number];
      if (peer === this.index) this.emit(peer, side);
      else super.send(peer, side);
    });
    return true;
  }

  private sendEntries(message: Proposal, entries: readonly BlockEntry[], to: Target): boolean {
    const { view, round, parent, kind, closeTs, tcRoot, next } = message.block.header;
    const block = assemble(this.replica, { view, round, parent, kind, closeTs, entries, tcRoot, next });
    if (block === undefined) return false;
    const value = { ...message.value, blockHash: blockHashOf(block.header) };
    this.say({ ...message, value, block }, { name: 'Proposal', value }, to);
    return true;
  }

  private sendHeader(message: Proposal, header: Proposal['block']['header'], to: Target): boolean {
    const value = { ...message.value, blockHash: blockHashOf(header) };
    this.say({ ...message, value, block: { ...message.block, header } }, { name: 'Proposal', value }, to);
    return true;
  }

  override send(to: Target, message: Message): void {
    if (message.kind === 'announce' && this.does('falseAnnounce')) {
      const value = { ...message.value, stateRoot: hashOf(`wrong ${this.world.random.byzantine.int(3)}`) };
      return super.send(to, this.chance(0.6) ? { ...message, value } : message);
    }
    if (message.kind === 'blocks' && this.does('corruptTransfer')) return this.corrupt(to, message);
    if (this.does('strayBits') && 'signature' in message && this.chance(0.2)) {
      super.send(to, { ...message, signature: `${message.signature.slice(0, -2)}1c` as Signature });
    }
    super.send(to, message);
  }

  /** Behaviour 21. */
  private corrupt(to: Target, message: Message & { kind: 'blocks' }): void {
    const bare = message.blocks.map(({ block, qc, outcomes }) => ({ block: { ...block, entries: [] }, qc, outcomes }));
    const lied = message.blocks.map((each) => ({ ...each, outcomes: each.outcomes.map(() => 'aborted' as const) }));
    super.send(to, { ...message, blocks: bare });
    super.send(to, { ...message, blocks: [...message.blocks].reverse() });
    for (let i = 0; i < 4; i++) super.send(to, { ...message, blocks: lied });
  }
}

const NO_SIGNATURE = `0x${'11'.repeat(65)}` as Signature;

const NAMES = {
  fastBatch: 'FastBatch', fastVote: 'FastVote', fastAck: 'FastAck', proposal: 'Proposal', blockVote: 'BlockVote', viewChange: 'ViewChange', checkpointVote: 'Checkpoint',
} as const;
