import { PAGE_MASK, PAGE_SHIFT, Slab } from './arena.ts';

/*
 * A node reference is an int32: 0 nothing, n > 0 the inner node in slot n, n < 0 the leaf in slot -n.
 *
 * A node's own hash lives in its parent, next to its sibling's: the 64 bytes that the parent hashes
 * are one piece of memory, and neither an update nor a proof ever has to touch a sibling.
 */
export const LEAF_WORDS = 16; // path ‖ rowHash, the leaf's hash input
export const INNER_WORDS = 21;
const REF = 16; // left, right
const COUNT = 18; // left, right
const DEPTH = 20;

export class Nodes {
  readonly inner: Slab = new Slab(INNER_WORDS);
  readonly leaf: Slab = new Slab(LEAF_WORDS);

  depth(slot: number): number {
    return this.innerPage(slot)[(slot & PAGE_MASK) * INNER_WORDS + DEPTH] as number;
  }

  /** @param side 0 left, 1 right */
  child(slot: number, side: number): number {
    return this.innerPage(slot)[(slot & PAGE_MASK) * INNER_WORDS + REF + side] as number;
  }

  childCount(slot: number, side: number): number {
    return (this.innerPage(slot)[(slot & PAGE_MASK) * INNER_WORDS + COUNT + side] as number) >>> 0;
  }

  count(ref: number): number {
    if (ref <= 0) return ref === 0 ? 0 : 1;
    return this.childCount(ref, 0) + this.childCount(ref, 1);
  }

  /** New inner node; the hashes of its children are to be filled in. */
  makeInner(depth: number, left: number, right: number, leftCount: number, rightCount: number): number {
    const slot = this.inner.alloc();
    const page = this.innerPage(slot);
    const at = (slot & PAGE_MASK) * INNER_WORDS;
    page[at + REF] = left;
    page[at + REF + 1] = right;
    page[at + COUNT] = leftCount;
    page[at + COUNT + 1] = rightCount;
    page[at + DEPTH] = depth;
    return slot;
  }

  /** Copies 64 bytes (path ‖ rowHash) from `words[from]` into a new leaf. */
  makeLeaf(words: Int32Array, from: number): number {
    const slot = this.leaf.alloc();
    const page = this.leaf.words[slot >>> PAGE_SHIFT] as Int32Array;
    const at = (slot & PAGE_MASK) * LEAF_WORDS;
    for (let i = 0; i < LEAF_WORDS; i++) page[at + i] = words[from + i] as number;
    return -slot;
  }

  innerPage(slot: number): Int32Array {
    return this.inner.words[slot >>> PAGE_SHIFT] as Int32Array;
  }

  leafBytes(ref: number): Uint8Array {
    const slot = -ref;
    return (this.leaf.bytes[slot >>> PAGE_SHIFT] as Uint8Array).subarray((slot & PAGE_MASK) * 64, (slot & PAGE_MASK) * 64 + 64);
  }

  /** The 32 bytes of a child's hash inside its parent. */
  childHash(slot: number, side: number): Uint8Array {
    const at = (slot & PAGE_MASK) * INNER_WORDS * 4 + side * 32;
    return (this.inner.bytes[slot >>> PAGE_SHIFT] as Uint8Array).subarray(at, at + 32);
  }

  retain(ref: number): void {
    if (ref > 0) this.inner.retain(ref);
    else if (ref < 0) this.leaf.retain(-ref);
  }

  /** Gives one reference to a subtree back and frees what nobody else holds. */
  release(ref: number): void {
    const pending = [ref];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next < 0) this.leaf.drop(-next);
      else if (next > 0 && this.inner.drop(next)) pending.push(this.child(next, 1), this.child(next, 0));
    }
  }
}
