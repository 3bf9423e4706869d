import { invariant } from '../errors/index.ts';

export const PAGE_SHIFT = 14;
const PAGE_SLOTS = 1 << PAGE_SHIFT;
export const PAGE_MASK = PAGE_SLOTS - 1;

/**
 * Fixed-size records in pages of typed arrays, with a reference count in the last word of each. A tree of
 * a million rows is a few hundred arrays instead of two million objects, so the garbage collector never
 * sees it. Slot 0 stays unused: 0 means "nothing".
 *
 * Pages never move. A free slot keeps the link to the next free one, inverted, in place of its count.
 */
export class Slab {
  readonly words: Int32Array[] = [];
  readonly bytes: Uint8Array[] = [];
  private readonly recordWords: number;
  private readonly refsAt: number;
  private freeHead = 0;
  private fresh = 1;
  private freeSlots = 0;

  constructor(recordWords: number) {
    this.recordWords = recordWords;
    this.refsAt = recordWords - 1;
  }

  /** A slot with one reference and stale contents. */
  alloc(): number {
    let slot = this.freeHead;
    if (slot === 0) {
      slot = this.fresh++;
      if (slot >>> PAGE_SHIFT >= this.words.length) this.addPage();
    } else {
      this.freeHead = ~this.refs(slot);
      this.freeSlots--;
    }
    this.setRefs(slot, 1);
    return slot;
  }

  refs(slot: number): number {
    return (this.words[slot >>> PAGE_SHIFT] as Int32Array)[(slot & PAGE_MASK) * this.recordWords + this.refsAt] as number;
  }

  retain(slot: number): void {
    this.setRefs(slot, this.refs(slot) + 1);
  }

  /** Gives one reference back; true when it was the last one. The contents stay until the next `alloc`. */
  drop(slot: number): boolean {
    const refs = this.refs(slot);
    invariant(refs > 0, 'tree-slot-in-use');
    if (refs > 1) {
      this.setRefs(slot, refs - 1);
      return false;
    }
    this.setRefs(slot, ~this.freeHead);
    this.freeHead = slot;
    this.freeSlots++;
    return true;
  }

  get used(): number {
    return this.fresh - 1 - this.freeSlots;
  }

  get reservedBytes(): number {
    return this.words.length * PAGE_SLOTS * 4 * this.recordWords;
  }

  private setRefs(slot: number, refs: number): void {
    (this.words[slot >>> PAGE_SHIFT] as Int32Array)[(slot & PAGE_MASK) * this.recordWords + this.refsAt] = refs;
  }

  private addPage(): void {
    const words = new Int32Array(PAGE_SLOTS * this.recordWords);
    this.words.push(words);
    this.bytes.push(new Uint8Array(words.buffer));
  }
}
