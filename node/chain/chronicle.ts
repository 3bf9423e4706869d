import { invariant } from '../../protocol/errors/index.ts';
import type { Address, Hex } from '../../protocol/types/index.ts';
import type { ChainEvent } from './events.ts';
import { cloneProjection, emptyProjection, fold, type Projection } from './projection.ts';

export interface BlockRef {
  readonly number: bigint;
  readonly hash: Hex;
  readonly parentHash: Hex;
  /** Seconds. */
  readonly timestamp: bigint;
}

export interface ReadBlock extends BlockRef {
  readonly events: readonly ChainEvent[];
}

export interface PastEvent {
  readonly event: ChainEvent;
  readonly timestamp: bigint;
}

/**
 * What was read, in two parts: a base that is never undone, and the newest blocks with their events,
 * which can be taken back one by one. The view is the base with those blocks folded in.
 */
export class Chronicle {
  private readonly splitter: Address;
  private readonly windowBlocks: number;
  private baseState: Projection;
  private baseRef: BlockRef | undefined;
  private recent: ReadBlock[] = [];
  view: Projection;

  constructor(splitter: Address, windowBlocks: number, base?: { readonly ref: BlockRef; readonly state: Projection }) {
    this.splitter = splitter;
    this.windowBlocks = windowBlocks;
    this.baseRef = base?.ref;
    this.baseState = base?.state ?? emptyProjection();
    this.view = cloneProjection(this.baseState);
  }

  /** Newest block read, undefined before the first. */
  get tip(): BlockRef | undefined {
    return this.recent.at(-1) ?? this.baseRef;
  }

  /** Blocks that can be compared with the chain, newest first; the last one is the base. */
  get landmarks(): readonly BlockRef[] {
    const base = this.baseRef === undefined ? [] : [this.baseRef];
    return [...this.recent].reverse().concat(base as ReadBlock[]);
  }

  get base(): { readonly ref: BlockRef; readonly state: Projection } | undefined {
    return this.baseRef === undefined ? undefined : { ref: this.baseRef, state: this.baseState };
  }

  append(block: ReadBlock): void {
    const { tip } = this;
    invariant(tip === undefined || (block.number === tip.number + 1n && block.parentHash === tip.hash), 'chain-blocks-linked');
    this.recent.push(block);
    this.foldInto(this.view, block);
    while (this.recent.length > this.windowBlocks) this.settleOldest();
  }

  /** Bulk of the past, up to and including `upTo`, which is taken as irreversible. */
  appendPast(events: readonly PastEvent[], upTo: BlockRef): void {
    while (this.recent.length > 0) this.settleOldest();
    for (const { event, timestamp } of events) fold(this.baseState, event, { timestamp, splitter: this.splitter });
    this.baseRef = upTo;
    this.view = cloneProjection(this.baseState);
  }

  /** Takes back every block above `number`. */
  undoAbove(number: bigint): void {
    this.recent = this.recent.filter((block) => block.number <= number);
    this.view = cloneProjection(this.baseState);
    for (const block of this.recent) this.foldInto(this.view, block);
  }

  /** The chain is another one than was read: start over. */
  reset(): void {
    this.recent = [];
    this.baseRef = undefined;
    this.baseState = emptyProjection();
    this.view = emptyProjection();
  }

  private settleOldest(): void {
    const block = this.recent.shift() as ReadBlock;
    this.foldInto(this.baseState, block);
    const { events: _, ...ref } = block;
    this.baseRef = ref;
  }

  private foldInto(state: Projection, block: ReadBlock): void {
    for (const event of block.events) fold(state, event, { timestamp: block.timestamp, splitter: this.splitter });
  }
}
