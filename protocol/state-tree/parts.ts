/** A part of height UNCHANGED is a subtree of the old version, carried over with its hash. */
export const UNCHANGED = -1;

/**
 * Subtrees on their way into a new version, one row of a table each: an update of a large block makes
 * thousands of them, and as objects they would cost more than the hashing.
 */
export class Parts {
  length = 0;
  /** Highest part; the root is the only one of that height. */
  top = 0;
  refs: Int32Array = new Int32Array(256);
  counts: Uint32Array = new Uint32Array(256);
  /** 0 a new leaf, h an inner node h levels above its deepest changed one: one height can be hashed in one batch. */
  heights: Int32Array = new Int32Array(256);
  /** Where the hash of a changed part goes (0 = it is the root), or where that of an unchanged one stands. */
  places: Int32Array = new Int32Array(256);
  /** 1 when the part brings its own reference, 0 when the new parent has to take one. */
  owned: Uint8Array = new Uint8Array(256);

  clear(): void {
    this.length = 0;
    this.top = 0;
  }

  changed(ref: number, count: number, height: number): number {
    if (height > this.top) this.top = height;
    return this.add(ref, count, height, 0, 1);
  }

  carried(ref: number, count: number, place: number, owned: boolean): number {
    return this.add(ref, count, UNCHANGED, place, owned ? 1 : 0);
  }

  private add(ref: number, count: number, height: number, place: number, owned: number): number {
    const at = this.length;
    if (at === this.refs.length) this.grow();
    this.refs[at] = ref;
    this.counts[at] = count;
    this.heights[at] = height;
    this.places[at] = place;
    this.owned[at] = owned;
    this.length = at + 1;
    return at;
  }

  private grow(): void {
    const size = this.length * 2;
    const wider = <T extends Int32Array | Uint32Array | Uint8Array>(old: T, next: T): T => (next.set(old), next);
    this.refs = wider(this.refs, new Int32Array(size));
    this.counts = wider(this.counts, new Uint32Array(size));
    this.heights = wider(this.heights, new Int32Array(size));
    this.places = wider(this.places, new Int32Array(size));
    this.owned = wider(this.owned, new Uint8Array(size));
  }
}
