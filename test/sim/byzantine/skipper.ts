import {
  blockHashOf, effectsRootOf, entriesRootOf, type BlockHeader, type Message, type Qc, type SignedMessage, type Target, type Unsigned,
} from '../../../protocol/consensus/index.ts';
import { merkleRoot } from '../../../protocol/crypto/index.ts';
import { ZERO_HASH, type ReplicaIndex } from '../../../protocol/types/index.ts';

type Proposal = Unsigned & { readonly kind: 'proposal' };

interface Hands {
  readonly self: ReplicaIndex;
  readonly quorum: number;
  propose(message: Proposal, to: Target): void;
  vote(header: BlockHeader, qc: Qc): SignedMessage;
  tell(qc: Qc, to: ReplicaIndex): void;
}

/** A block of the plan: its round and parent come from the steps before. */
interface Step {
  readonly header: BlockHeader;
  readonly votes: Map<ReplicaIndex, SignedMessage>;
}

/**
 * A leader that uses a gap between rounds (lemma 2). It certifies b and b' over one parent in two rounds and tells
 * nobody; then a child of b one round after b', shown as certified to replica 1 alone, and a child of b' for the
 * others. Whoever commits without consecutive rounds commits both.
 */
export class Skipper {
  private readonly hands: Hands;
  private base: { header: BlockHeader; parentQc: Qc } | undefined;
  private step: Step | undefined;
  private readonly qcs: Qc[] = [];
  private readonly headers: BlockHeader[] = [];

  constructor(hands: Hands) {
    this.hands = hands;
  }

  /** True when the proposal was replaced. */
  onLead({ block: { header }, parentQc }: Proposal): boolean {
    if (this.base !== undefined) return true;
    if (parentQc === null || header.kind !== 'normal' || header.height < 5n) return false;
    this.base = { header, parentQc };
    this.offer({ ...header, round: header.round }, parentQc, 'all');
    return true;
  }

  onVote(from: ReplicaIndex, message: Message): void {
    const { step, base } = this;
    if (step === undefined || base === undefined || message.kind !== 'blockVote' || message.value.blockHash !== blockHashOf(step.header)) return;
    step.votes.set(from, message);
    if (step.votes.size < this.hands.quorum) return;
    this.step = undefined;
    this.headers.push(step.header);
    this.qcs.push(certificateOf(step));
    this.next(base.parentQc, step.header.round + 1);
  }

  private next(parentQc: Qc, round: number): void {
    const [b, bPrime] = this.headers;
    const [qcB, qcBPrime, qcChild, qcOther] = this.qcs;
    if (this.qcs.length === 1 && b !== undefined) this.offer({ ...b, round }, parentQc, 'all');
    else if (this.qcs.length === 2 && b !== undefined && qcB !== undefined) this.offer(childOf(b, round), qcB, 'all');
    else if (this.qcs.length === 3 && bPrime !== undefined && qcBPrime !== undefined && qcChild !== undefined) {
      this.hands.tell(qcChild, 1);
      this.offer(childOf(bPrime, round), qcBPrime, 'all');
    } else if (qcOther !== undefined) for (const peer of [2, 3]) this.hands.tell(qcOther, peer);
  }

  private offer(draft: BlockHeader, parentQc: Qc, to: Target): void {
    const header: BlockHeader = {
      ...draft, kind: 'normal', count: 0, entriesRoot: entriesRootOf([]), effectsRoot: effectsRootOf([]), outcomeRoot: merkleRoot([]), tcRoot: ZERO_HASH, next: ZERO_HASH,
    };
    const { group, epoch, view, round } = header;
    this.step = { header, votes: new Map([[this.hands.self, this.hands.vote(header, parentQc)]]) };
    const value = { group, epoch, view, round, blockHash: blockHashOf(header) };
    this.hands.propose({ kind: 'proposal', value, block: { header, entries: [] }, parentQc, certs: [], tc: [] }, to);
  }
}

function childOf(parent: BlockHeader, round: number): BlockHeader {
  return { ...parent, round, height: parent.height + 1n, parent: blockHashOf(parent) };
}

function certificateOf({ header, votes }: Step): Qc {
  const list = [...votes.entries()].sort(([a], [b]) => a - b).flatMap(([signer, vote]) =>
    vote.kind === 'blockVote' ? [{ signer, qcView: vote.value.qcView, qcRound: vote.value.qcRound, signature: vote.signature }] : []);
  return { view: header.view, round: header.round, blockHash: blockHashOf(header), votes: list };
}
