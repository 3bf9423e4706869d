import { PAGE_MASK, PAGE_SHIFT, Slab } from './arena.ts';

/*
 * A node reference is an int32: 0 nothing, n > 0 the inner node in slot n, n < 0 the leaf in slot -n.
 *
 * A node's own hash lives in its parent, next to its sibling's: the 64 bytes that the parent hashes
 * are one piece of memory, and neither an update nor a proof ever has to touch a sibling. A *place* is
 * where such a hash stands: parent slot * 2 + side.
 */
export const LEAF_WORDS = 17; // path ‖ rowHash (the leaf's hash input), references
export const INNER_WORDS = 22;
const REF = 0; // left, right: the first words, so that a bit of a path is the index of a child
const COUNT = 2; // left, right
export const DEPTH = 4;
export const HASH = 5; // left ‖ right; the last word counts references

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

  /** New inner node; its children and their hashes are to be filled in. */
  makeInner(depth: number): number {
    const slot = this.inner.alloc();
    this.innerPage(slot)[(slot & PAGE_MASK) * INNER_WORDS + DEPTH] = depth;
    return slot;
  }

  setChild(slot: number, side: number, ref: number, count: number): void {
    const page = this.innerPage(slot);
    const at = (slot & PAGE_MASK) * INNER_WORDS + side;
    page[at + REF] = ref;
    page[at + COUNT] = count;
  }

  setChildHash(place: number, words: Int32Array, from: number): void {
    const slot = place >>> 1;
    const page = this.innerPage(slot);
    const at = (slot & PAGE_MASK) * INNER_WORDS + HASH + (place & 1) * 8;
    for (let i = 0; i < 8; i++) page[at + i] = words[from + i] as number;
  }

  copyHash(from: number, to: number): void {
    const slot = from >>> 1;
    this.setChildHash(to, this.innerPage(slot), (slot & PAGE_MASK) * INNER_WORDS + HASH + (from & 1) * 8);
  }

  /** The 8 words of the hash at a place, copied. */
  hashWords(place: number): Int32Array {
    const slot = place >>> 1;
    const at = (slot & PAGE_MASK) * INNER_WORDS + HASH + (place & 1) * 8;
    return this.innerPage(slot).slice(at, at + 8);
  }

  /** The 32 bytes of a child's hash, as a view. */
  childHash(slot: number, side: number): Uint8Array {
    const at = ((slot & PAGE_MASK) * INNER_WORDS + HASH + side * 8) * 4;
    return (this.inner.bytes[slot >>> PAGE_SHIFT] as Uint8Array).subarray(at, at + 32);
  }

  makeLeaf(words: Int32Array, from: number): number {
    const ref = -this.leaf.alloc();
    this.writeLeaf(ref, words, from);
    return ref;
  }

  /** Copies 64 bytes (path ‖ rowHash) from `words[from]` on. */
  writeLeaf(ref: number, words: Int32Array, from: number): void {
    const slot = -ref;
    const page = this.leaf.words[slot >>> PAGE_SHIFT] as Int32Array;
    const at = (slot & PAGE_MASK) * LEAF_WORDS;
    for (let i = 0; i < 16; i++) page[at + i] = words[from + i] as number;
  }

  /** The leaf's path ‖ rowHash, as a view. */
  leafBytes(ref: number): Uint8Array {
    const at = (-ref & PAGE_MASK) * LEAF_WORDS * 4;
    return (this.leaf.bytes[-ref >>> PAGE_SHIFT] as Uint8Array).subarray(at, at + 64);
  }

  innerPage(slot: number): Int32Array {
    return this.inner.words[slot >>> PAGE_SHIFT] as Int32Array;
  }

  refs(ref: number): number {
    return ref > 0 ? this.inner.refs(ref) : this.leaf.refs(-ref);
  }

  retain(ref: number): void {
    if (ref > 0) this.inner.retain(ref);
    else if (ref < 0) this.leaf.retain(-ref);
  }

  /** Gives back one reference to the node alone; true when the node is gone and its children are nobody's. */
  drop(ref: number): boolean {
    return ref > 0 ? this.inner.drop(ref) : this.leaf.drop(-ref);
  }

  /** Gives one reference to a subtree back and frees what nobody else holds. */
  release(ref: number): void {
    if (ref === 0) return;
    const pending = [ref];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (this.drop(next) && next > 0) pending.push(this.child(next, 1), this.child(next, 0));
    }
  }
}
