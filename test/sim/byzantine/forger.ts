import {
  blockHashOf, effectsRootOf, entriesRootOf, type BlockHeader, type Message, type Qc, type SignedMessage, type Unsigned,
} from '../../../protocol/consensus/index.ts';
import { merkleRoot } from '../../../protocol/crypto/index.ts';
import { ZERO_HASH, type BlockHash, type ReplicaIndex } from '../../../protocol/types/index.ts';

type Proposal = Unsigned & { readonly kind: 'proposal' };

interface Hands {
  readonly self: ReplicaIndex;
  readonly quorum: number;
  propose(message: Proposal, to: ReplicaIndex): void;
  vote(header: BlockHeader, qc: Qc): SignedMessage;
}

/** A leader that shows the commit of a block to one replica and forks below it towards the others (behaviours 6 and 7). */
export class Forger {
  private readonly headers = new Map<BlockHash, BlockHeader>();
  private readonly qcs = new Map<BlockHash, Qc>();
  private readonly votes = new Map<BlockHash, Map<ReplicaIndex, SignedMessage>>();
  private fork: BlockHeader | undefined;
  private readonly hands: Hands;
  private readonly friends: readonly ReplicaIndex[];

  constructor(hands: Hands, friends: readonly ReplicaIndex[]) {
    this.hands = hands;
    this.friends = friends;
  }

  /** True when the proposal was replaced. */
  onLead(message: Proposal): boolean {
    if (this.fork !== undefined) return true; // from here on only the fork is led
    this.headers.set(message.value.blockHash as BlockHash, message.block.header);
    if (message.parentQc === null) return false;
    this.qcs.set(message.parentQc.blockHash, message.parentQc);
    const child = this.headers.get(message.parentQc.blockHash);
    const victim = child && this.headers.get(child.parent);
    const base = victim && this.headers.get(victim.parent);
    const baseQc = victim && this.qcs.get(victim.parent);
    if (victim === undefined || base === undefined || baseQc === undefined || victim.count === 0 || victim.kind !== 'normal') return false;
    if (child?.round !== victim.round + 1) return false;
    this.hands.propose(message, 1);
    this.extend(base, baseQc, message.value.round);
    return true;
  }

  private extend(parent: BlockHeader, parentQc: Qc, round: number): void {
    const header: BlockHeader = {
      ...parent, kind: 'normal', round, height: parent.height + 1n, parent: blockHashOf(parent), count: 0, entriesRoot: entriesRootOf([]),
      effectsRoot: effectsRootOf([]), outcomeRoot: merkleRoot([]), tcRoot: ZERO_HASH, next: ZERO_HASH,
    };
    this.fork = header;
    const blockHash = blockHashOf(header);
    const { group, epoch, view } = header;
    const message: Proposal = { kind: 'proposal', value: { group, epoch, view, round, blockHash }, block: { header, entries: [] }, parentQc, certs: [], tc: [] };
    this.votes.set(blockHash, new Map([[this.hands.self, this.hands.vote(header, parentQc)]]));
    for (const friend of this.friends) this.hands.propose(message, friend);
  }

  onVote(from: ReplicaIndex, message: Message): void {
    if (message.kind !== 'blockVote' || this.fork === undefined) return;
    const votes = this.votes.get(message.value.blockHash as BlockHash);
    if (votes === undefined || message.value.blockHash !== blockHashOf(this.fork)) return;
    votes.set(from, message);
    if (votes.size < this.hands.quorum) return;
    const list = [...votes.entries()].sort(([a], [b]) => a - b).flatMap(([signer, vote]) =>
      vote.kind === 'blockVote' ? [{ signer, qcView: vote.value.qcView, qcRound: vote.value.qcRound, signature: vote.signature }] : []);
    const { view, round } = this.fork;
    this.extend(this.fork, { view, round, blockHash: blockHashOf(this.fork), votes: list }, round + 1);
  }
}

