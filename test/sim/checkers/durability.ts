import { hasBit, type SignedMessage } from '../../../protocol/consensus/index.ts';
import type { Batches, BatchedEntry } from './batches.ts';
import type { ChainChecker } from './chain.ts';
import type { Violate } from './index.ts';

interface Past {
  /** Highest view in which this replica may still sign. */
  floor: bigint;
  vote: readonly [bigint, number];
  proposal: readonly [bigint, number];
  stamp: bigint;
  readonly acked: Map<string, { entry: BatchedEntry; view: bigint }>;
}

/**
 * What survives restarts (invariants 10 and 11): views, ranks and timestamps of one replica only grow in the order of
 * its signatures, and whatever it acknowledged is reported in every view change until the chain has it or killed it.
 */
export class DurabilityChecker {
  private readonly past = new Map<string, Past>();
  private readonly violate: Violate;
  private readonly batches: Batches;
  private readonly chain: ChainChecker;

  constructor(violate: Violate, batches: Batches, chain: ChainChecker) {
    this.violate = violate;
    this.batches = batches;
    this.chain = chain;
  }

  signed(replica: number, message: SignedMessage): void {
    const past = this.of(`${message.value.epoch}/${replica}`);
    switch (message.kind) {
      case 'fastBatch': return this.batch(replica, past, message);
      case 'fastVote': return this.inView(replica, past, message.value.view, message.kind);
      case 'fastAck': return this.ack(replica, past, message);
      case 'blockVote': return this.blockVote(replica, past, message);
      case 'proposal': return this.proposal(replica, past, message);
      case 'viewChange': return this.viewChange(replica, past, message);
      case 'checkpointVote': return undefined;
    }
  }

  private inView(replica: number, past: Past, view: bigint, kind: string): void {
    if (view < past.floor) this.violate('amnesia', `${replica} signed ${kind} of view ${view} after it had left for ${past.floor}`);
    past.floor = view > past.floor ? view : past.floor;
  }

  private batch(replica: number, past: Past, { value, entries }: SignedMessage & { kind: 'fastBatch' }): void {
    this.inView(replica, past, value.view, 'fastBatch');
    for (const { ts } of entries) {
      if (ts <= past.stamp) this.violate('amnesia', `gateway ${replica} stamped ${ts} after ${past.stamp}`);
      past.stamp = ts;
    }
  }

  private ack(replica: number, past: Past, { value }: SignedMessage & { kind: 'fastAck' }): void {
    this.inView(replica, past, value.view, 'fastAck');
    this.batches.get(value.batchRoot)?.forEach((entry, i) => {
      if (hasBit(value.acked, i)) past.acked.set(entry.id, { entry, view: value.view });
    });
  }

  private blockVote(replica: number, past: Past, { value: { view, round } }: SignedMessage & { kind: 'blockVote' }): void {
    this.inView(replica, past, view, 'blockVote');
    if (!higher([view, round], past.vote)) this.violate('amnesia', `${replica} voted for ${view}/${round} after ${past.vote.join('/')}`);
    past.vote = [view, round];
  }

  private proposal(replica: number, past: Past, { value: { view, round } }: SignedMessage & { kind: 'proposal' }): void {
    if (!higher([view, round], past.proposal)) this.violate('amnesia', `${replica} proposed ${view}/${round} after ${past.proposal.join('/')}`);
    past.proposal = [view, round];
  }

  private viewChange(replica: number, past: Past, { value, acked }: SignedMessage & { kind: 'viewChange' }): void {
    if (value.newView < past.floor) this.violate('amnesia', `${replica} asks for view ${value.newView} after ${past.floor}`);
    past.floor = value.newView;
    const reported = new Set(acked.map(({ id }) => id));
    for (const [id, { entry, view }] of past.acked) {
      if (reported.has(entry.id) || this.mayBeGone(`${value.epoch}`, entry, view)) continue;
      this.violate('forgotten', `${replica} acknowledged ${id} in view ${view} and does not report it for view ${value.newView}`);
    }
  }

  /** The chain has it, has made it impossible, or a later view opened without it. */
  private mayBeGone(epoch: string, entry: BatchedEntry, view: bigint): boolean {
    if (this.chain.nonces.has(entry.command.noncePath) || this.chain.impossible(entry) !== undefined) return true;
    return [...this.chain.openings].some((each) => each.startsWith(`${epoch}/`) && BigInt(each.slice(epoch.length + 1)) > view);
  }

  private of(key: string): Past {
    let past = this.past.get(key);
    if (past === undefined) this.past.set(key, (past = { floor: 0n, vote: [0n, 0], proposal: [0n, 0], stamp: 0n, acked: new Map() }));
    return past;
  }
}

function higher(a: readonly [bigint, number], b: readonly [bigint, number]): boolean {
  return a[0] !== b[0] ? a[0] > b[0] : a[1] > b[1];
}
