import { hexOf, type Hash32, type Path } from '../types/index.ts';
import { bitAt, firstDifference } from './bits.ts';
import type { Nodes } from './nodes.ts';
import type { Leaf, ProofStep, RangeAnswer, TreeProof } from './types.ts';

/** The way from the root to a leaf: inner slots and the side taken at each. */
interface Way {
  readonly slots: number[];
  readonly sides: number[];
  leaf: number;
}

export function leafOf(nodes: Nodes, ref: number): Leaf {
  const record = nodes.leafBytes(ref);
  return { path: hexOf(record.subarray(0, 32)) as Path, rowHash: hexOf(record.subarray(32)) as Hash32 };
}

/** The leaf that the bits of `path` lead to, whether it is `path`'s own or not; 0 in an empty tree. */
export function follow(nodes: Nodes, root: number, path: Uint8Array): number {
  let ref = root;
  while (ref > 0) ref = nodes.child(ref, bitAt(path, 0, nodes.depth(ref)));
  return ref;
}

export function leafAtRank(nodes: Nodes, root: number, rank: number): number {
  return wayToRank(nodes, root, rank).leaf;
}

export function provePath(nodes: Nodes, root: number, path: Uint8Array): TreeProof {
  return proofOf(nodes, wayTo(nodes, root, path));
}

export function proveLeafAt(nodes: Nodes, root: number, rank: number): TreeProof {
  return proofOf(nodes, wayToRank(nodes, root, rank));
}

/** Leaves below `path`: the rank it has or would have. */
export function rankOf(nodes: Nodes, root: number, path: Uint8Array): number {
  const leaf = follow(nodes, root, path);
  if (leaf === 0) return 0;
  const exit = firstDifference(path, 0, nodes.leafBytes(leaf), 0);
  let rank = 0;
  let ref = root;
  while (ref > 0 && nodes.depth(ref) < exit) {
    const side = bitAt(path, 0, nodes.depth(ref));
    if (side === 1) rank += nodes.childCount(ref, 0);
    ref = nodes.child(ref, side);
  }
  return exit < 256 && bitAt(path, 0, exit) === 1 ? rank + nodes.count(ref) : rank;
}

/** Leaves of ranks `start` to `end` (exclusive), framed by their neighbours. `cut`: the limit ended the range. */
export function frame(nodes: Nodes, root: number, start: number, end: number, total: number, cut: boolean): RangeAnswer {
  if (total === 0) return { leaves: [], proof: { before: null, after: null, left: [], right: [] } };
  const first = Math.max(0, start - 1);
  const last = cut || end === total ? end - 1 : end;
  const shown = leavesFrom(nodes, root, first, last - first + 1);
  const before = start > 0 ? (shown.shift() ?? null) : null;
  const after = last === end ? (shown.pop() ?? null) : null;
  const left = sideSteps(nodes, wayToRank(nodes, root, first), 1);
  const right = sideSteps(nodes, wayToRank(nodes, root, last), 0).reverse();
  return { leaves: shown, proof: { before, after, left, right } };
}

/** Up to `limit` leaves from a rank on, in order. */
export function leavesFrom(nodes: Nodes, root: number, rank: number, limit: number): Leaf[] {
  const out: Leaf[] = [];
  for (const ref of leafRefs(nodes, root, rank)) {
    if (out.length === limit) break;
    out.push(leafOf(nodes, ref));
  }
  return out;
}

export function* leafRefs(nodes: Nodes, root: number, rank: number): Generator<number> {
  if (rank >= nodes.count(root)) return;
  const way = wayToRank(nodes, root, rank);
  const pending: number[] = [];
  way.slots.forEach((slot, i) => {
    if (way.sides[i] === 0) pending.push(nodes.child(slot, 1));
  });
  yield way.leaf;
  for (let ref = pending.pop(); ref !== undefined; ref = pending.pop()) {
    while (ref > 0) {
      pending.push(nodes.child(ref, 1));
      ref = nodes.child(ref, 0);
    }
    yield ref;
  }
}

function wayTo(nodes: Nodes, root: number, path: Uint8Array): Way {
  const way: Way = { slots: [], sides: [], leaf: root };
  while (way.leaf > 0) step(nodes, way, bitAt(path, 0, nodes.depth(way.leaf)));
  return way;
}

function wayToRank(nodes: Nodes, root: number, rank: number): Way {
  const way: Way = { slots: [], sides: [], leaf: root };
  let rest = rank;
  while (way.leaf > 0) {
    const before = nodes.childCount(way.leaf, 0);
    const side = rest < before ? 0 : 1;
    if (side === 1) rest -= before;
    step(nodes, way, side);
  }
  return way;
}

function step(nodes: Nodes, way: Way, side: number): void {
  way.slots.push(way.leaf);
  way.sides.push(side);
  way.leaf = nodes.child(way.leaf, side);
}

function proofOf(nodes: Nodes, way: Way): TreeProof {
  if (way.leaf === 0) return { terminal: null, steps: [] };
  const steps: ProofStep[] = [];
  for (let i = way.slots.length - 1; i >= 0; i--) steps.push(stepAt(nodes, way.slots[i] as number, 1 - (way.sides[i] as number)));
  return { terminal: leafOf(nodes, way.leaf), steps };
}

/** Siblings on one side of a way, from the root down. @param taken the side the way itself takes */
function sideSteps(nodes: Nodes, way: Way, taken: number): ProofStep[] {
  const steps: ProofStep[] = [];
  way.slots.forEach((slot, i) => {
    if (way.sides[i] === taken) steps.push(stepAt(nodes, slot, 1 - taken));
  });
  return steps;
}

function stepAt(nodes: Nodes, slot: number, side: number): ProofStep {
  return {
    depth: nodes.depth(slot),
    sibling: hexOf(nodes.childHash(slot, side)) as Hash32,
    siblingCount: BigInt(nodes.childCount(slot, side)),
  };
}
