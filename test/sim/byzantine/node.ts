import {
  blockHashOf, effectsRootOf, entriesRootOf,
  type BatchCert, type BlockHeader, type BlockVoteMessage, type Effect, type KnownEntry, type Message, type ProposalMessage, type Qc, type SignedMessage, type Statement,
  type Target, type Unsigned,
} from '../../../protocol/consensus/index.ts';
import { assemble, parentOf } from '../../../protocol/consensus/classic/assemble.ts';
import { closing } from '../../../protocol/consensus/clock.ts';
import { provenBy } from '../../../protocol/consensus/fast/batch.ts';
import type { Batch } from '../../../protocol/consensus/state.ts';
import { ackedRootOf } from '../../../protocol/consensus/view/acked-root.ts';
import { merkleRoot } from '../../../protocol/crypto/index.ts';
import { ZERO_HASH, type ReplicaIndex } from '../../../protocol/types/index.ts';
import { hashOf, inForm } from '../commands.ts';
import { reformed } from './reformed.ts';
import { SimNode } from '../node.ts';
import { Forger } from './forger.ts';
import { Skipper } from './skipper.ts';
import type { Behaviour } from './behaviours.ts';
import type { World } from '../world.ts';

/** A batch with the own vote that was never sent. */
interface Kept {
  readonly view: bigint;
  readonly batch: Batch;
  readonly own: BatchCert['votes'][number];
}

/** Behaviours of consensus §4.2, as plug-ins around the real core; they combine. */
export class ByzantineNode extends SimNode {
  private readonly behaviours: ReadonlySet<Behaviour>;
  private readonly shunned: ReplicaIndex;
  private readonly kept: Message[] = [];
  private readonly voted = new Set<string>();
  private ackSeq = 1_000_000n;
  private readonly parents: Qc[] = [];
  private readonly forger: Forger;
  private readonly skipper: Skipper;
  /** Votes for one block of the own view, and the certificate they make: kept from everybody (behaviour 7). */
  private readonly secretVotes = new Map<ReplicaIndex, BlockVoteMessage>();
  private secret: Qc | undefined;
  private secretBlock: string | undefined;
  private readonly hoard: Kept[] = [];

  constructor(world: World, index: ReplicaIndex, behaviours: readonly Behaviour[]) {
    super(world, index, false);
    this.behaviours = new Set(behaviours);
    this.shunned = world.random.byzantine.int(world.plan.replicas);
    const friends = this.config.roster.map((_, peer) => peer).filter((peer) => peer > 1 && peer !== index);
    const hands = {
      self: index, quorum: world.quorum,
      propose: (message: Unsigned & { kind: 'proposal' }, to: Target) => this.say(message, { name: 'Proposal', value: message.value }, to),
      vote: ({ group, epoch, view, round, ...header }: BlockHeader, { view: qcView, round: qcRound }: Qc) => {
        const value = { group, epoch, view, round, blockHash: blockHashOf({ group, epoch, view, round, ...header }), qcView, qcRound };
        return this.make({ kind: 'blockVote', value }, { name: 'BlockVote', value });
      },
      tell: (qc: Qc, to: ReplicaIndex) => super.send(to, { kind: 'certified', qc }),
    };
    this.forger = new Forger(hands, friends);
    this.skipper = new Skipper(hands);
  }

  protected does(behaviour: Behaviour): boolean {
    return this.behaviours.has(behaviour);
  }

  protected chance(probability: number): boolean {
    return this.world.random.byzantine.chance(probability);
  }

  override deliver(from: ReplicaIndex, message: Message, epoch = this.config.epoch): void {
    if (this.up && epoch === this.config.epoch) this.misbehaveOn(message);
    if (this.does('forge')) this.forger.onVote(from, message);
    if (this.does('skipRounds')) this.skipper.onVote(from, message);
    if (this.does('secretQc') && message.kind === 'blockVote' && this.keepSecret(from, message)) return;
    super.deliver(from, message, epoch);
  }

  private misbehaveOn(message: Message): void {
    if (message.kind === 'fastBatch' && this.does('voteAll')) this.voteAll(message.value.batchRoot, message.entries.length);
    if (message.kind === 'fastBatch' && this.does('ackAll')) this.ackAll(message.value.batchRoot, message.entries.length);
    if (message.kind === 'proposal' && this.does('doubleVote')) this.voteBlock(message);
    if (this.does('replay') && this.chance(0.02)) this.kept.push(message);
    if (this.does('replay') && this.kept.length > 0 && this.chance(0.05)) super.send('all', this.world.random.byzantine.pick(this.kept));
  }

  /** Behaviour 3: votes for everything. */
  private voteAll(batchRoot: BatchCert['batchRoot'], count: number): void {
    const { group, epoch } = this.config;
    const value = { group, epoch, view: this.replica.view, batchRoot, accept: (1n << BigInt(count)) - 1n };
    this.say({ kind: 'fastVote', value }, { name: 'FastVote', value }, 'all');
  }

  /** Behaviour 4: acknowledges without storing, before there is a certificate. */
  private ackAll(batchRoot: BatchCert['batchRoot'], count: number): void {
    const { group, epoch } = this.config;
    this.ackSeq += 1n;
    const value = { group, epoch, view: this.replica.view, batchRoot, acked: (1n << BigInt(count)) - 1n, ackSeq: this.ackSeq, ackHead: hashOf(`${this.ackSeq}`) };
    this.say({ kind: 'fastAck', value }, { name: 'FastAck', value }, 'all');
  }

  /** Votes for every proposal it sees, whatever it voted before. */
  private voteBlock({ value: { view, round, blockHash, group, epoch }, parentQc }: ProposalMessage): void {
    if (this.voted.has(blockHash)) return;
    this.voted.add(blockHash);
    const value = { group, epoch, view, round, blockHash, qcView: parentQc?.view ?? 0n, qcRound: parentQc?.round ?? 0 };
    this.say({ kind: 'blockVote', value }, { name: 'BlockVote', value }, 'all');
  }

  override perform(effect: Effect): void {
    if (effect.kind === 'sign') return this.signCrooked(effect);
    super.perform(effect);
    if (effect.kind === 'alarm' && this.does('viewSpam') && this.chance(0.01)) this.spamViews();
  }

  private signCrooked(effect: Effect & { kind: 'sign' }): void {
    const { message, to } = effect;
    if (message.kind === 'proposal') return this.lead(effect, message);
    if (message.kind === 'fastVote' && this.does('hoard')) return this.hide(message);
    if (message.kind === 'viewChange' && this.secret !== undefined && message.value.newView >= 3n) return this.revealQc(message, this.secret, to);
    if (message.kind === 'viewChange' && this.does('hoard')) return this.reveal(message, to);
    if (message.kind === 'viewChange' && this.does('lyingViewChange')) return this.lieAboutState(message, to);
    if (message.kind === 'checkpointVote' && this.does('falseCheckpoint')) {
      const value = { ...message.value, stateRoot: hashOf('false') };
      this.say({ ...message, value }, { name: 'Checkpoint', value }, to);
    }
    if (message.kind === 'fastBatch' && this.does('partialGateway') && this.chance(0.6)) {
      const some = this.world.random.byzantine.int(this.config.roster.length);
      return this.say(message, { name: 'FastBatch', value: message.value }, some);
    }
    super.perform(effect);
  }

  /** Behaviours 5, 8: two blocks for one round; nothing after the opening. */
  private lead(effect: Effect & { kind: 'sign' }, message: Unsigned & { kind: 'proposal' }): void {
    const { header } = message.block;
    if (this.does('forge') && this.forger.onLead(message)) return;
    if (this.does('skipRounds') && this.skipper.onLead(message)) return;
    if (this.does('secretQc') && message.block.entries.length > 0 && header.view === 1n) this.secretBlock ??= message.value.blockHash;
    if (this.does('oldQc') && this.chance(0.5) && this.forkBelow(message)) return;
    if (this.does('lateCert') && this.sweepLate(message)) return;
    if (this.does('highClose') && this.closeEarly(message)) return;
    if (this.does('stalledLeader') && message.block.header.kind !== 'opening' && this.chance(0.9)) return;
    if (!this.does('splitLeader') || message.block.header.kind === 'opening') return super.perform(effect);
    const other = this.emptied(message);
    if (other === undefined) return super.perform(effect);
    const honest = this.make(message, { name: 'Proposal', value: message.value });
    const crooked = this.make(other, { name: 'Proposal', value: other.value });
    const half = this.world.random.byzantine.int(this.config.roster.length);
    this.config.roster.forEach((_, peer) => {
      const chosen = (peer + half) % this.config.roster.length < this.config.roster.length / 2 ? honest : crooked;
      if (peer === this.index) this.emit(this.index, honest);
      else {
        super.send(peer, chosen);
        if (this.chance(0.3)) super.send(peer, chosen === honest ? crooked : honest);
      }
    });
  }

  /** The votes for a block stop here; the certificate appears two views later. */
  private keepSecret(from: ReplicaIndex, message: BlockVoteMessage): boolean {
    const { view, round, blockHash } = message.value;
    if (blockHash !== this.secretBlock) return view === 1n && this.secretBlock !== undefined;
    this.secretVotes.set(from, message);
    if (this.secretVotes.size === this.world.quorum) {
      const votes = [...this.secretVotes].sort(([a], [b]) => a - b)
        .map(([signer, vote]) => ({ signer, qcView: vote.value.qcView, qcRound: vote.value.qcRound, signature: vote.signature }));
      this.secret = { view, round, blockHash: blockHash as Qc['blockHash'], votes };
    }
    return true;
  }

  private revealQc(message: Unsigned & { kind: 'viewChange' }, highQc: Qc, to: Target): void {
    const value = { ...message.value, qcView: highQc.view, qcRound: highQc.round, qcBlock: highQc.blockHash };
    this.say({ ...message, value, highQc }, { name: 'ViewChange', value }, to);
  }

  /** Behaviour 6: a block on an older certificate, so that what came after it would be lost. */
  private forkBelow(message: Unsigned & { kind: 'proposal' }): boolean {
    const { header } = message.block;
    const before = this.parents.at(-1);
    if (message.parentQc !== null) this.parents.push(message.parentQc);
    if (before === undefined || before.view !== header.view || before.blockHash === header.parent) return false;
    const parent = parentOf(this.replica, before.blockHash);
    if (parent === undefined) return false;
    const block = assemble(this.replica, {
      view: header.view, round: header.round, parent: before.blockHash, kind: 'normal', closeTs: parent.closeTs, entries: [], tcRoot: ZERO_HASH, next: ZERO_HASH,
    });
    if (block === undefined) return false;
    const value = { ...message.value, blockHash: blockHashOf(block.header) };
    this.say({ ...message, value, block, parentQc: before, certs: [] }, { name: 'Proposal', value }, 'all');
    return true;
  }

  /** Behaviour 17: closes what honest replicas still vote for. */
  private closeEarly(message: Unsigned & { kind: 'proposal' }): boolean {
    const { header } = message.block;
    if (header.kind !== 'normal') return false;
    const early = { ...header, closeTs: closing(Math.floor(this.nowMs()) + 5) };
    const value = { ...message.value, blockHash: blockHashOf(early) };
    this.say({ ...message, value, block: { ...message.block, header: early } }, { name: 'Proposal', value }, 'all');
    return true;
  }

  /** Keeps a vote to itself: a certificate that nobody else can form, for later. */
  private hide(message: Unsigned & { kind: 'fastVote' }): void {
    const batch = this.replica.current.batches.get(message.value.batchRoot);
    if (batch?.entries === undefined) return;
    const value = { ...message.value, accept: (1n << BigInt(batch.entries.length)) - 1n };
    this.hoard.push({ view: value.view, batch, own: { signer: this.index, accept: value.accept, signature: this.make(message, { name: 'FastVote', value }).signature } });
  }

  /** Behaviour 15: as leader, brings a hidden certificate once its time is closed. */
  private sweepLate(message: Unsigned & { kind: 'proposal' }): boolean {
    const { header, entries } = message.block;
    const parent = parentOf(this.replica, header.parent);
    if (parent === undefined || header.kind === 'opening') return false;
    const late = this.hoard.filter(({ view }) => view === header.view).map((kept) => this.complete(kept))
      .flatMap((cert) => [...provenBy(cert.cert, this.world.quorum)].flatMap((id) => cert.entries.filter((entry) => entry.id === id && entry.ts <= parent.closeTs)
        .map((entry) => ({ cert: cert.cert, entry: { ...entry, certView: header.view } }))));
    if (late.length === 0) return false;
    const { view, round, kind, closeTs, tcRoot, next } = header;
    const block = assemble(this.replica, {
      view, round, parent: header.parent, kind, closeTs, tcRoot, next, entries: [...late.map(({ entry }) => entry), ...entries],
    });
    if (block === undefined) return false;
    const value = { ...message.value, blockHash: blockHashOf(block.header) };
    this.say({ ...message, value, block, certs: [...message.certs, ...new Set(late.map(({ cert }) => cert))] }, { name: 'Proposal', value }, 'all');
    return true;
  }

  private complete({ view, batch, own }: Kept): { cert: BatchCert; entries: readonly KnownEntry[] } {
    const votes = [...batch.votes.values()].filter(({ signer, accept }) => signer !== this.index && accept !== 0n).concat(own).sort((a, b) => a.signer - b.signer);
    const entries = batch.entries ?? [];
    return { cert: { view, batchRoot: batch.root, entryIds: entries.map(({ id }) => id), votes }, entries };
  }

  /** Reports every certificate it can make of what it kept, of this view and older ones. */
  private reveal(message: Unsigned & { kind: 'viewChange' }, to: Target): void {
    const acked = [...message.acked];
    const certs = [...message.certs];
    const entries = [...message.entries];
    for (const kept of this.hoard) {
      const { cert, entries: bodies } = this.complete(kept);
      const { view } = cert;
      const proven = provenBy(cert, this.world.quorum);
      const fresh = bodies.filter(({ id }) => proven.has(id) && !acked.some((each) => each.id === id));
      if (fresh.length === 0) continue;
      certs.push(cert);
      entries.push(...fresh);
      acked.push(...fresh.map(({ id }) => ({ id, certView: view })));
    }
    const value = { ...message.value, ackedRoot: ackedRootOf(acked) };
    this.say({ ...message, value, acked, certs, entries }, { name: 'ViewChange', value }, to);
  }

  /** The same block without its entries: valid, and different. */
  private emptied(message: Unsigned & { kind: 'proposal' }): (Unsigned & { kind: 'proposal' }) | undefined {
    const { header, entries } = message.block;
    const parent = parentOf(this.replica, header.parent);
    if (parent === undefined) return undefined;
    const closeTs = entries.length > 0 ? header.closeTs : ((header.closeTs > parent.closeTs ? header.closeTs - 1n : header.closeTs) as typeof header.closeTs);
    const bare = {
      ...header, count: 0, closeTs, maxTs: parent.maxTs, entriesRoot: entriesRootOf([]), effectsRoot: effectsRootOf([]), outcomeRoot: merkleRoot([]),
    };
    const blockHash = blockHashOf(bare);
    return { ...message, value: { ...message.value, blockHash }, block: { header: bare, entries: [] }, certs: [] };
  }

  /** Behaviour 13: an old lock, no acknowledgements. */
  private lieAboutState(message: Unsigned & { kind: 'viewChange' }, to: Target): void {
    const value = {
      ...message.value, qcView: 0n, qcRound: 0, qcBlock: ZERO_HASH, ackedRoot: ackedRootOf([]), ackSeq: 0n, ackHead: ZERO_HASH,
    };
    this.say({ kind: 'viewChange', value, highQc: null, acked: [], certs: [], entries: [] }, { name: 'ViewChange', value }, to);
  }

  private spamViews(): void {
    const { group, epoch } = this.config;
    const value = {
      group, epoch, newView: this.replica.view + 1n + BigInt(this.world.random.byzantine.int(5)), qcView: 0n, qcRound: 0, qcBlock: ZERO_HASH,
      ackSeq: 0n, ackHead: ZERO_HASH, ackedRoot: ackedRootOf([]),
    };
    this.say({ kind: 'viewChange', value, highQc: null, acked: [], certs: [], entries: [] }, { name: 'ViewChange', value }, 'all');
  }

  protected say(message: Unsigned, statement: Statement, to: Target): void {
    this.emit(to, this.make(message, statement));
  }

  protected make(message: Unsigned, statement: Statement): SignedMessage {
    const signature = this.world.signatures.sign(this.config.roster[this.index] as never, statement);
    const result = { ...message, signature } as SignedMessage;
    this.world.onSigned(this, result);
    return result;
  }

  override send(to: Target, message: Message): void {
    if (this.does('silent')) return;
    const { random } = this.world;
    const told = this.does('fastClock') && message.kind === 'heartbeat' ? { ...message, clockMs: message.clockMs + 500n } : message;
    if (this.does('hideQc') && message.kind === 'certified') return super.send(random.byzantine.int(this.config.roster.length), message);
    if (this.does('mixedSignatures')) return this.sendMixed(to, told);
    if (!this.does('selective')) return super.send(to, told);
    this.config.roster.forEach((_, peer) => {
      if (peer !== this.index && (to === 'all' || to === peer) && (peer !== this.shunned || this.chance(0.1))) super.send(peer, told);
    });
  }

  /** Names do not cover how a client vouched: each peer gets its own mixture of good and forged signatures under one batch or block. */
  private sendMixed(to: Target, message: Message): void {
    const { random } = this.world;
    this.config.roster.forEach((_, peer) => {
      if (peer === this.index || (to !== 'all' && to !== peer)) return;
      const forms = random.byzantine.pick([['own'], ['shared'], ['own', 'shared'], ['own', 'shared', 'forged']] as const);
      super.send(peer, reformed(message, (command) => inForm(command, random.byzantine.pick(forms))));
    });
  }

  /** Loses its disk: an honest core that forgot everything. */
  override crash(): void {
    super.crash();
    if (this.does('forget')) this.disk.rewrite([]);
  }
}
