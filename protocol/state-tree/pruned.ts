import { codecFaults, hash32, u64, type Codec } from '../codec/index.ts';
import { bytesOf, hexOf, ZERO_HASH, type Hash32, type Path } from '../types/index.ts';
import { treeFaults } from './faults.ts';
import type { Leaf } from './types.ts';
import { bitOf, COUNT_LIMIT, hashInner, hashLeaf } from './verify-hash.ts';

/** A tree with parts replaced by stubs that keep their label (Vidigueira §3.2 "placeholder nodes"). */
export type Pruned =
  | { readonly kind: 'empty' }
  | ({ readonly kind: 'leaf' } & Leaf)
  | { readonly kind: 'stub'; readonly hash: Hash32; readonly count: bigint }
  | { readonly kind: 'inner'; readonly depth: number; readonly left: Pruned; readonly right: Pruned };

/** All paths that share the first `bits` bits of `path`; 256 bits = this one path. */
export interface Prefix {
  readonly path: Path;
  readonly bits: number;
}

export type Finding = { readonly kind: 'present'; readonly rowHash: Hash32 } | { readonly kind: 'absent' } | { readonly kind: 'unknown' };

interface Label { readonly hash: Uint8Array; readonly count: bigint }

/** The hash of the tree that was pruned. @throws TREE_* when the structure is none of a tree */
export function rootOf(pruned: Pruned): Hash32 {
  return pruned.kind === 'empty' ? ZERO_HASH : (hexOf(labelOf(pruned, -1).hash) as Hash32);
}

/**
 * The check of a receiver (Vidigueira §3.2): recomputes every label, and every leaf must lie on its path.
 * @throws TREE_WRONG_ROOT, TREE_WRONG_SIDE, TREE_DEPTH_ORDER, TREE_BAD_COUNT, TREE_BAD_DEPTH, TREE_ROW_HASH
 */
export function verifyPruned(rootHash: Hash32, pruned: Pruned): void {
  if (rootOf(pruned) !== rootHash) throw treeFaults.wrongRoot({ rootHash });
  checkPaths(pruned);
}

/** What a pruned tree says about a path; 'unknown' when the path leads to a stub. Verify the tree first. */
export function lookUp(pruned: Pruned, path: Path): Finding {
  const end = way(pruned, path).at(-1) as Pruned;
  if (end.kind === 'stub') return { kind: 'unknown' };
  return end.kind === 'leaf' && end.path === path ? { kind: 'present', rowHash: end.rowHash } : { kind: 'absent' };
}

/** Everything that either of two prunings of one tree shows (Vidigueira §3.3). @throws TREE_WRONG_ROOT when the trees differ */
export function combine(a: Pruned, b: Pruned): Pruned {
  const rootHash = rootOf(a);
  if (rootOf(b) !== rootHash) throw treeFaults.wrongRoot({ rootHash });
  return merged(a, b);
}

/**
 * Algorithm 1 of Vidigueira §3.4: extends `base` by what an older pruning shows about `path`. Undefined when the
 * older one does not fit any more; that is certain when the record changed (Observation 1).
 */
export function recover(base: Pruned, older: Pruned, path: Path): Pruned | undefined {
  const end = way(base, path).at(-1) as Pruned;
  const known = way(older, path);
  if (end.kind !== 'stub') return sameEnd(end, known.at(-1) as Pruned) ? base : undefined;
  // a whole older tree behind a stub is itself among the candidates: its root may be what the stub stands for
  const found = known.find((node) => node.kind !== 'stub' && node.kind !== 'empty' && rootOf(node) === end.hash);
  return found === undefined ? undefined : replaced(base, path, found);
}

/** Nodes from the root along the bits of a path to a leaf, stub or the empty tree. */
function way(pruned: Pruned, path: Path): Pruned[] {
  const bits = bytesOf(path);
  const nodes = [pruned];
  for (let node = pruned; node.kind === 'inner'; nodes.push(node)) node = bitOf(bits, node.depth) === 0 ? node.left : node.right;
  return nodes;
}

function sameEnd(a: Pruned, b: Pruned): boolean {
  if (a.kind === 'leaf' && b.kind === 'leaf') return a.path === b.path && a.rowHash === b.rowHash;
  return a.kind === 'empty' && b.kind === 'empty';
}

function replaced(pruned: Pruned, path: Path, by: Pruned): Pruned {
  if (pruned.kind !== 'inner') return by;
  return bitOf(bytesOf(path), pruned.depth) === 0
    ? { ...pruned, left: replaced(pruned.left, path, by) }
    : { ...pruned, right: replaced(pruned.right, path, by) };
}

function merged(a: Pruned, b: Pruned): Pruned {
  if (a.kind === 'stub') return b;
  if (a.kind !== 'inner' || b.kind !== 'inner') return a;
  return { ...a, left: merged(a.left, b.left), right: merged(a.right, b.right) };
}

function labelOf(node: Pruned, above: number): Label {
  if (node.kind === 'empty') throw treeFaults.badCount({ count: 0n }); // only a whole tree can be empty
  if (node.kind === 'leaf') return { hash: hashLeaf(node), count: 1n };
  if (node.kind === 'stub') {
    if (node.count < 1n || node.count >= COUNT_LIMIT) throw treeFaults.badCount({ count: node.count });
    return { hash: bytesOf(node.hash), count: node.count };
  }
  const { depth } = node;
  if (!Number.isInteger(depth) || depth < 0 || depth > 255) throw treeFaults.badDepth({ depth });
  if (depth <= above) throw treeFaults.depthOrder({ depth, above });
  const left = labelOf(node.left, depth);
  const right = labelOf(node.right, depth);
  const count = left.count + right.count;
  if (count >= COUNT_LIMIT) throw treeFaults.badCount({ count });
  return { hash: hashInner(left.hash, right.hash, depth, count), count };
}

/** Returns some leaf's path below a node, after checking that all leaves lie on the right sides of their branchings. */
function checkPaths(node: Pruned): Uint8Array | undefined {
  if (node.kind === 'leaf') return bytesOf(node.path);
  if (node.kind !== 'inner') return undefined;
  const left = checkPaths(node.left);
  const right = checkPaths(node.right);
  const { depth } = node;
  if (left !== undefined && bitOf(left, depth) !== 0) throw treeFaults.wrongSide({ depth });
  if (right !== undefined && bitOf(right, depth) !== 1) throw treeFaults.wrongSide({ depth });
  if (left !== undefined && right !== undefined) {
    for (let bit = 0; bit < depth; bit++) if (bitOf(left, bit) !== bitOf(right, bit)) throw treeFaults.wrongSide({ depth, bit });
  }
  return left ?? right;
}

/** [] empty, 64 bytes a leaf, [hash, count] a stub, [depth, left, right] an inner node. */
export const prunedC: Codec<Pruned> = {
  toCbor(node): unknown {
    switch (node.kind) {
      case 'empty': return [];
      case 'leaf': return new Uint8Array([...bytesOf(node.path), ...bytesOf(node.rowHash)]);
      case 'stub': return [hash32.toCbor(node.hash), u64.toCbor(node.count)];
      case 'inner': return [node.depth, prunedC.toCbor(node.left), prunedC.toCbor(node.right)];
    }
  },
  fromCbor: (raw) => decoded(raw, -1),
};

// depths grow on the way down, so hostile nesting ends after 256 levels
function decoded(raw: unknown, above: number): Pruned {
  if (raw instanceof Uint8Array && raw.length === 64) {
    return { kind: 'leaf', path: hexOf(raw.subarray(0, 32)) as Path, rowHash: hexOf(raw.subarray(32)) as Hash32 };
  }
  if (Array.isArray(raw)) {
    const [first, left, right] = raw as unknown[];
    if (raw.length === 0) return { kind: 'empty' };
    if (raw.length === 2) return { kind: 'stub', hash: hash32.fromCbor(first), count: u64.fromCbor(left) };
    if (raw.length === 3 && typeof first === 'number' && Number.isInteger(first) && first > above && first < 256) {
      return { kind: 'inner', depth: first, left: decoded(left, first), right: decoded(right, first) };
    }
  }
  throw codecFaults.wrongShape({ expected: 'pruned tree' });
}
