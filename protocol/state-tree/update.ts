import { bitAt, firstDifference } from './bits.ts';
import type { PackedChanges } from './changes.ts';
import { descend, type Plan } from './descend.ts';
import type { Nodes } from './nodes.ts';
import { PAGE_MASK } from './arena.ts';
import { INNER_WORDS } from './nodes.ts';
import { Fresh, rehash } from './rehash.ts';

const UNCHANGED = -1;
const ROOT_HASH = -1;

/** A subtree on its way into the new version. */
interface Part {
  /** Node reference, 0 = nothing is left. */
  ref: number;
  count: number;
  /** Index in `Fresh`, or UNCHANGED: shared with the old version. */
  fresh: number;
  /** Where an unchanged subtree's hash stands: parent slot * 2 + side, or ROOT_HASH. */
  hashAt: number;
}

export interface Version {
  readonly ref: number;
  readonly count: number;
  /** The 32 bytes of the root hash. */
  readonly hash: Int32Array;
}

/**
 * A new version of the tree with the changes in it. Nodes off the changed paths are shared with the
 * old version, which stays as it is. The result owns one reference to its root.
 */
export function update(nodes: Nodes, old: Version, changes: PackedChanges): Version {
  const run = new Update(nodes, old, changes);
  return run.finish();
}

class Update {
  private readonly nodes: Nodes;
  private readonly old: Version;
  private readonly changes: PackedChanges;
  private readonly plan: Plan;
  private readonly fresh = new Fresh();

  constructor(nodes: Nodes, old: Version, changes: PackedChanges) {
    this.nodes = nodes;
    this.old = old;
    this.changes = changes;
    this.plan = descend(nodes, old.ref, changes);
  }

  finish(): Version {
    const root = this.merge(this.old.ref, this.old.count, ROOT_HASH, 0, this.plan.length);
    if (root.fresh !== UNCHANGED) return { ref: root.ref, count: root.count, hash: rehash(this.nodes, this.fresh) };
    this.nodes.retain(root.ref);
    return { ref: root.ref, count: root.count, hash: root.ref === 0 ? new Int32Array(8) : this.hashWords(root.hashAt) };
  }

  /** Changes `from` to `to` of the plan merged into one subtree of the old version. */
  private merge(ref: number, count: number, hashAt: number, from: number, to: number): Part {
    if (from === to) return { ref, count, fresh: UNCHANGED, hashAt };
    if (ref === 0) return this.weave(from, to, undefined, to, to);
    const depth = ref > 0 ? this.nodes.depth(ref) : 256;
    const first = this.firstInside(depth, from, to);
    let last = first;
    while (last < to && this.exit(last) >= depth) last++;
    const inside = this.mergeInside(ref, count, hashAt, first, last);
    return first === from && last === to ? inside : this.weave(from, first, inside, last, to);
  }

  // paths that leave the tree above the subtree sort before or after all that stay in it
  private firstInside(depth: number, from: number, to: number): number {
    let at = from;
    while (at < to && this.exit(at) < depth && this.bit(at, this.exit(at)) === 0) at++;
    return at;
  }

  private mergeInside(ref: number, count: number, hashAt: number, from: number, to: number): Part {
    if (from === to) return { ref, count, fresh: UNCHANGED, hashAt };
    if (ref < 0) return this.leafOf(from);
    const depth = this.nodes.depth(ref);
    let split = from;
    while (split < to && this.bit(split, depth) === 0) split++;
    const left = this.merge(this.nodes.child(ref, 0), this.nodes.childCount(ref, 0), ref * 2, from, split);
    const right = this.merge(this.nodes.child(ref, 1), this.nodes.childCount(ref, 1), ref * 2 + 1, split, to);
    // a node with one child left is no branching any more: the child takes its place
    if (left.ref === 0) return right;
    if (right.ref === 0) return left;
    return this.join(depth, left, right);
  }

  private leafOf(at: number): Part {
    const i = this.plan.index[at] as number;
    if (this.changes.removed[i] === 1) return { ref: 0, count: 0, fresh: UNCHANGED, hashAt: 0 };
    const ref = this.nodes.makeLeaf(this.changes.words, i * 16);
    return { ref, count: 1, fresh: this.fresh.add(ref, 0), hashAt: 0 };
  }

  /**
   * Joins new leaves `from..first`, the subtree `inside` and new leaves `last..to`, in order. The
   * first differing bits of neighbours are all it takes: the smallest one is the top branching.
   */
  private weave(from: number, first: number, inside: Part | undefined, last: number, to: number): Part {
    const parts: Part[] = [];
    const gaps: number[] = [];
    for (let at = from; at < first; at++) this.push(parts, gaps, this.leafOf(at), at === from ? 0 : this.gap(at - 1, at));
    const kept = inside !== undefined && inside.ref !== 0;
    if (kept) this.push(parts, gaps, inside, first === from ? 0 : this.exit(first - 1));
    for (let at = last; at < to; at++) {
      const gap = at > last ? this.gap(at - 1, at) : kept ? this.exit(at) : first > from ? this.gap(first - 1, at) : 0;
      this.push(parts, gaps, this.leafOf(at), gap);
    }
    while (gaps.length > 0) this.fold(parts, gaps);
    return parts[0] ?? { ref: 0, count: 0, fresh: UNCHANGED, hashAt: 0 };
  }

  /** Parts on the stack have ascending gaps; a smaller gap closes all deeper branchings to its left. */
  private push(parts: Part[], gaps: number[], part: Part, gap: number): void {
    if (parts.length > 0) {
      while (gaps.length > 0 && (gaps[gaps.length - 1] as number) > gap) this.fold(parts, gaps);
      gaps.push(gap);
    }
    parts.push(part);
  }

  private fold(parts: Part[], gaps: number[]): void {
    const right = parts.pop() as Part;
    const left = parts.pop() as Part;
    parts.push(this.join(gaps.pop() as number, left, right));
  }

  private join(depth: number, left: Part, right: Part): Part {
    const slot = this.nodes.makeInner(depth, left.ref, right.ref, left.count, right.count);
    const height = 1 + Math.max(this.adopt(left, slot, 0), this.adopt(right, slot, 1));
    return { ref: slot, count: left.count + right.count, fresh: this.fresh.add(slot, height), hashAt: 0 };
  }

  /** A fresh child sends its hash up later; an unchanged one is shared and brings the hash along. Returns its height. */
  private adopt(part: Part, parent: number, side: number): number {
    if (part.fresh !== UNCHANGED) {
      this.fresh.dests[part.fresh] = parent * 2 + side;
      return this.fresh.heights[part.fresh] as number;
    }
    this.nodes.retain(part.ref);
    const to = this.nodes.innerPage(parent);
    const at = (parent & PAGE_MASK) * INNER_WORDS + side * 8;
    if (part.hashAt === ROOT_HASH) {
      for (let w = 0; w < 8; w++) to[at + w] = this.old.hash[w] as number;
    } else {
      const source = part.hashAt >>> 1;
      const page = this.nodes.innerPage(source);
      const from = (source & PAGE_MASK) * INNER_WORDS + (part.hashAt & 1) * 8;
      for (let w = 0; w < 8; w++) to[at + w] = page[from + w] as number;
    }
    return 0;
  }

  private hashWords(hashAt: number): Int32Array {
    if (hashAt === ROOT_HASH) return this.old.hash;
    const slot = hashAt >>> 1;
    const at = (slot & PAGE_MASK) * INNER_WORDS + (hashAt & 1) * 8;
    return this.nodes.innerPage(slot).slice(at, at + 8);
  }

  private exit(at: number): number {
    return this.plan.exit[at] as number;
  }

  private bit(at: number, depth: number): number {
    return bitAt(this.changes.bytes, (this.plan.index[at] as number) * 64, depth);
  }

  private gap(a: number, b: number): number {
    const { bytes } = this.changes;
    return firstDifference(bytes, (this.plan.index[a] as number) * 64, bytes, (this.plan.index[b] as number) * 64);
  }
}
