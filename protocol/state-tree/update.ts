import { invariant } from '../errors/index.ts';
import { bitAt, firstDifference } from './bits.ts';
import type { PackedChanges } from './changes.ts';
import { descend, type Plan } from './descend.ts';
import type { Nodes } from './nodes.ts';
import { Parts, UNCHANGED } from './parts.ts';
import { rehash } from './rehash.ts';

export interface Version {
  readonly ref: number;
  readonly count: number;
  /** The 32 bytes of the root hash. */
  readonly hash: Int32Array;
}

const UNTOUCHED = -1;
const NOTHING = -2;
/** The root's hash stands in no parent. */
const ROOT_PLACE = 0;

/**
 * Merges sorted changes into a tree in one walk. Results are indices into `parts`, or UNTOUCHED for a
 * subtree that no change reaches, or NOTHING for one whose last leaf went away.
 *
 * `owned` says that the caller gives its reference to the old subtree away. A node that is owned and has
 * no other reference is changed in place; any other one is copied, and shared subtrees gain a reference.
 */
export class Update {
  private readonly nodes: Nodes;
  private readonly parts = new Parts();
  /** Old nodes whose reference is given back at the end: until then their hashes are still read. */
  private readonly given: number[] = [];
  /** Places passed on the way down. */
  private readonly trail: number[] = [];
  private old: Version = { ref: 0, count: 0, hash: new Int32Array(8) };
  private bytes: Uint8Array = new Uint8Array(0);
  private changes: PackedChanges = { length: 0, bytes: this.bytes, words: new Int32Array(0), removed: this.bytes };
  private plan: Plan = { length: 0, index: new Int32Array(0), exit: new Int32Array(0) };

  constructor(nodes: Nodes) {
    this.nodes = nodes;
  }

  /**
   * The version with the changes in it, owning one reference to its root.
   * @param consume the old version's reference is given away: unshared nodes are changed in place
   */
  run(old: Version, changes: PackedChanges, consume: boolean): Version {
    this.plan = descend(this.nodes, old.ref, changes);
    this.old = old;
    this.bytes = changes.bytes;
    this.changes = changes;
    this.parts.clear();
    if (this.plan.length === 0) {
      if (!consume) this.nodes.retain(old.ref);
      return old;
    }
    const version = this.finish(this.merge(old.ref, old.count, ROOT_PLACE, consume, 0, this.plan.length));
    for (const ref of this.given) this.nodes.drop(ref);
    this.given.length = 0;
    return version;
  }

  private finish(part: number): Version {
    if (part === NOTHING) return { ref: 0, count: 0, hash: new Int32Array(8) };
    const ref = this.parts.refs[part] as number;
    const count = this.parts.counts[part] as number;
    if (this.parts.heights[part] !== UNCHANGED) return { ref, count, hash: rehash(this.nodes, this.parts) };
    if (this.parts.owned[part] === 0) this.nodes.retain(ref);
    return { ref, count, hash: this.nodes.hashWords(this.parts.places[part] as number) };
  }

  /** Changes `from` to `to` of the plan, at least one, merged into one subtree whose hash stands at `place`. */
  private merge(ref: number, count: number, place: number, owned: boolean, from: number, to: number): number {
    if (owned && to - from === 1 && ref > 0 && this.changes.removed[this.plan.index[from] as number] === 0) {
      return this.single(ref, count, place, from);
    }
    return this.spread(ref, count, place, owned, from, to);
  }

  /** The common case as a loop: one change far below, through unshared nodes of which none goes away. */
  private single(ref: number, count: number, place: number, at: number): number {
    const { nodes, trail } = this;
    const exit = this.exit(at);
    const bottom = trail.length;
    while (ref > 0 && nodes.depth(ref) < exit && nodes.inner.refs(ref) === 1) {
      const side = this.bit(at, nodes.depth(ref));
      place = ref * 2 + side;
      trail.push(place);
      count = nodes.childCount(ref, side);
      ref = nodes.child(ref, side);
    }
    let part = this.spread(ref, count, place, true, at, at + 1);
    for (let above = trail.length; above > bottom; above--) {
      const up = trail.pop() as number;
      part = this.close(up >>> 1, this.attach(up >>> 1, up & 1, part), UNCHANGED);
    }
    return part;
  }

  private spread(ref: number, count: number, place: number, owned: boolean, from: number, to: number): number {
    if (ref === 0) return this.weave(from, to, NOTHING, to, to);
    const depth = ref > 0 ? this.nodes.depth(ref) : 256;
    const first = this.firstInside(depth, from, to);
    let last = first;
    while (last < to && this.exit(last) >= depth) last++;
    if (first === from && last === to) return ref > 0 ? this.branch(ref, depth, owned, from, to) : this.replace(ref, owned, from);
    const inside = first === last ? this.parts.carried(ref, count, place, owned) : this.spread(ref, count, place, owned, first, last);
    return this.weave(from, first, inside, last, to);
  }

  // paths that leave the tree above the subtree sort before or after all that stay in it
  private firstInside(depth: number, from: number, to: number): number {
    let at = from;
    while (at < to && this.exit(at) < depth && this.bit(at, this.exit(at)) === 0) at++;
    return at;
  }

  private branch(slot: number, depth: number, owned: boolean, from: number, to: number): number {
    const { nodes } = this;
    const inPlace = owned && nodes.inner.refs(slot) === 1;
    let split = from;
    while (split < to && this.bit(split, depth) === 0) split++;
    const left = from === split ? UNTOUCHED
      : this.merge(nodes.child(slot, 0), nodes.childCount(slot, 0), slot * 2, inPlace, from, split);
    const right = split === to ? UNTOUCHED
      : this.merge(nodes.child(slot, 1), nodes.childCount(slot, 1), slot * 2 + 1, inPlace, split, to);
    if (left === NOTHING && right === NOTHING) return this.give(slot, owned, NOTHING);
    if (left === NOTHING) return this.give(slot, owned, this.promote(slot, 1, right, inPlace));
    if (right === NOTHING) return this.give(slot, owned, this.promote(slot, 0, left, inPlace));
    if (inPlace) return this.close(slot, this.attach(slot, 0, left), this.attach(slot, 1, right));
    const copy = nodes.makeInner(depth);
    return this.give(slot, owned, this.close(copy, this.attachOr(slot, copy, 0, left), this.attachOr(slot, copy, 1, right)));
  }

  /** A node with one child left is no branching any more: the child takes its place. */
  private promote(slot: number, side: number, part: number, inPlace: boolean): number {
    if (part !== UNTOUCHED) return part;
    return this.parts.carried(this.nodes.child(slot, side), this.nodes.childCount(slot, side), slot * 2 + side, inPlace);
  }

  private replace(ref: number, owned: boolean, at: number): number {
    const i = this.plan.index[at] as number;
    if (this.changes.removed[i] === 1) return this.give(ref, owned, NOTHING);
    if (!owned || this.nodes.leaf.refs(-ref) > 1) return this.give(ref, owned, this.leafOf(at));
    this.nodes.writeLeaf(ref, this.changes.words, i * 16);
    return this.parts.changed(ref, 1, 0);
  }

  private leafOf(at: number): number {
    return this.parts.changed(this.nodes.makeLeaf(this.changes.words, (this.plan.index[at] as number) * 16), 1, 0);
  }

  private give(ref: number, owned: boolean, result: number): number {
    if (owned) this.given.push(ref);
    return result;
  }

  /**
   * Joins new leaves `from..first`, the subtree `inside` and new leaves `last..to`, in order. The
   * first differing bits of neighbours are all it takes: the smallest one is the top branching.
   */
  private weave(from: number, first: number, inside: number, last: number, to: number): number {
    const stack: number[] = [];
    const gaps: number[] = [];
    for (let at = from; at < first; at++) this.push(stack, gaps, this.leafOf(at), at === from ? 0 : this.gap(at - 1, at));
    if (inside !== NOTHING) this.push(stack, gaps, inside, first === from ? 0 : this.exit(first - 1));
    for (let at = last; at < to; at++) {
      const gap = at > last ? this.gap(at - 1, at) : inside !== NOTHING ? this.exit(at) : first > from ? this.gap(first - 1, at) : 0;
      this.push(stack, gaps, this.leafOf(at), gap);
    }
    while (gaps.length > 0) this.fold(stack, gaps);
    invariant(stack.length === 1, 'tree-weave-makes-one-part');
    return stack[0] as number;
  }

  /** Parts on the stack have ascending gaps; a smaller gap closes all deeper branchings to its left. */
  private push(stack: number[], gaps: number[], part: number, gap: number): void {
    if (stack.length > 0) {
      while (gaps.length > 0 && (gaps[gaps.length - 1] as number) > gap) this.fold(stack, gaps);
      gaps.push(gap);
    }
    stack.push(part);
  }

  private fold(stack: number[], gaps: number[]): void {
    const right = stack.pop() as number;
    const left = stack.pop() as number;
    const slot = this.nodes.makeInner(gaps.pop() as number);
    stack.push(this.close(slot, this.attach(slot, 0, left), this.attach(slot, 1, right)));
  }

  /** The finished inner node as a part. */
  private close(slot: number, leftHeight: number, rightHeight: number): number {
    return this.parts.changed(slot, this.nodes.count(slot), 1 + Math.max(0, leftHeight, rightHeight));
  }

  /** Puts a part under its new parent: a changed one sends its hash up later, an unchanged one brings it along. Returns its height. */
  private attach(parent: number, side: number, part: number): number {
    if (part === UNTOUCHED) return UNCHANGED;
    const { nodes, parts } = this;
    const ref = parts.refs[part] as number;
    const height = parts.heights[part] as number;
    nodes.setChild(parent, side, ref, parts.counts[part] as number);
    if (height !== UNCHANGED) {
      parts.places[part] = parent * 2 + side;
      return height;
    }
    if (parts.owned[part] === 0) nodes.retain(ref);
    const place = parts.places[part] as number;
    if (place === ROOT_PLACE) nodes.setChildHash(parent * 2 + side, this.old.hash, 0);
    else nodes.copyHash(place, parent * 2 + side);
    return UNCHANGED;
  }

  /** As `attach`, into the copy of a shared node whose untouched children are shared from now on. */
  private attachOr(slot: number, copy: number, side: number, part: number): number {
    if (part !== UNTOUCHED) return this.attach(copy, side, part);
    const ref = this.nodes.child(slot, side);
    this.nodes.retain(ref);
    this.nodes.setChild(copy, side, ref, this.nodes.childCount(slot, side));
    this.nodes.copyHash(slot * 2 + side, copy * 2 + side);
    return UNCHANGED;
  }

  private exit(at: number): number {
    return this.plan.exit[at] as number;
  }

  private bit(at: number, depth: number): number {
    return bitAt(this.bytes, (this.plan.index[at] as number) * 64, depth);
  }

  private gap(a: number, b: number): number {
    return firstDifference(this.bytes, (this.plan.index[a] as number) * 64, this.bytes, (this.plan.index[b] as number) * 64);
  }
}
