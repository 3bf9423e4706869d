import { invariant } from '../errors/index.ts';

const PAGE_BITS = 14;
const PAGE_SLOTS = 1 << PAGE_BITS;
export const PAGE_SHIFT = PAGE_BITS;
export const PAGE_MASK = PAGE_SLOTS - 1;

/**
 * Fixed-size records in pages of typed arrays, with one reference count each. A tree of a million
 * rows is a few hundred arrays instead of two million objects, so the garbage collector never sees
 * it. Slot 0 stays unused: 0 means "nothing".
 *
 * Pages never move. A free slot keeps the link to the next free one, inverted, in its count.
 */
export class Slab {
  readonly words: Int32Array[] = [];
  readonly bytes: Uint8Array[] = [];
  private readonly refs: Int32Array[] = [];
  private readonly recordWords: number;
  private freeHead = 0;
  private fresh = 1;
  private freeSlots = 0;

  constructor(recordWords: number) {
    this.recordWords = recordWords;
  }

  /** A slot with one reference and stale contents. */
  alloc(): number {
    let slot = this.freeHead;
    if (slot === 0) {
      slot = this.fresh++;
      if (slot >>> PAGE_SHIFT >= this.words.length) this.addPage();
    } else {
      this.freeHead = ~((this.refs[slot >>> PAGE_SHIFT] as Int32Array)[slot & PAGE_MASK] as number);
      this.freeSlots--;
    }
    (this.refs[slot >>> PAGE_SHIFT] as Int32Array)[slot & PAGE_MASK] = 1;
    return slot;
  }

  retain(slot: number): void {
    const page = this.refs[slot >>> PAGE_SHIFT] as Int32Array;
    page[slot & PAGE_MASK] = (page[slot & PAGE_MASK] as number) + 1;
  }

  /** Gives one reference back; true when it was the last one. The contents stay until the next `alloc`. */
  drop(slot: number): boolean {
    const page = this.refs[slot >>> PAGE_SHIFT] as Int32Array;
    const refs = page[slot & PAGE_MASK] as number;
    invariant(refs > 0, 'tree-slot-in-use', { slot });
    if (refs > 1) {
      page[slot & PAGE_MASK] = refs - 1;
      return false;
    }
    page[slot & PAGE_MASK] = ~this.freeHead;
    this.freeHead = slot;
    this.freeSlots++;
    return true;
  }

  get used(): number {
    return this.fresh - 1 - this.freeSlots;
  }

  get reservedBytes(): number {
    return this.words.length * PAGE_SLOTS * 4 * (this.recordWords + 1);
  }

  private addPage(): void {
    const words = new Int32Array(PAGE_SLOTS * this.recordWords);
    this.words.push(words);
    this.bytes.push(new Uint8Array(words.buffer));
    this.refs.push(new Int32Array(PAGE_SLOTS));
  }
}
