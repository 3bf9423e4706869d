import { hexOf, type Hash32 } from '../types/index.ts';
import { bitAt, firstDifference } from './bits.ts';
import type { Nodes } from './nodes.ts';
import { leafOf } from './prove.ts';
import type { Pruned } from './pruned.ts';

/** A prefix with its bits at hand. */
export interface PrefixBits {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** One version: its root and that root's hash. */
export interface Place {
  readonly ref: number;
  readonly hash: Hash32;
}

/**
 * The tree with everything under `wanted` and stubs elsewhere (Vidigueira §3.3): whatever can be asked about a wanted
 * path has its answer, absence included. With `since`, a stub also has to be the same in all those versions:
 * then no placeholder is younger than the oldest of them (§3.4, Definition 3.4.2).
 */
export function prune(nodes: Nodes, root: Place, wanted: readonly PrefixBits[], since: readonly Place[]): Pruned {
  return cut(nodes, root, 0, wanted, since);
}

/** @param bits length of the prefix that the place stands for: one more than the branching above */
function cut(nodes: Nodes, { ref, hash }: Place, bits: number, wanted: readonly PrefixBits[], since: readonly Place[]): Pruned {
  if (ref === 0) return { kind: 'empty' };
  if (wanted.length === 0 && isOld(nodes, { ref, hash }, bits, since)) return { kind: 'stub', hash, count: BigInt(nodes.count(ref)) };
  if (ref < 0) return { kind: 'leaf', ...leafOf(nodes, ref) };
  const depth = nodes.depth(ref);
  const some = someLeaf(nodes, ref);
  const whole = wanted.find((prefix) => prefix.bits <= depth && firstDifference(prefix.bytes, 0, some, 0) >= prefix.bits);
  const side = (which: 0 | 1): Pruned => {
    const below = whole === undefined ? wanted.filter(({ bytes }) => bitAt(bytes, 0, depth) === which) : [whole];
    return cut(nodes, childPlace(nodes, ref, which), depth + 1, below, since);
  };
  return { kind: 'inner', depth, left: side(0), right: side(1) };
}

/** True when all versions have the same subtree under the same prefix. */
function isOld(nodes: Nodes, place: Place, bits: number, since: readonly Place[]): boolean {
  if (since.length === 0) return true;
  const path = someLeaf(nodes, place.ref);
  return since.every((version) => hashUnder(nodes, version, path, bits) === place.hash);
}

/** Hash of the subtree of all leaves that share the first `bits` bits of a path; undefined when there is none. */
function hashUnder(nodes: Nodes, version: Place, path: Uint8Array, bits: number): Hash32 | undefined {
  let { ref, hash } = version;
  while (ref > 0 && nodes.depth(ref) < bits) ({ ref, hash } = childPlace(nodes, ref, bitAt(path, 0, nodes.depth(ref))));
  return ref !== 0 && firstDifference(someLeaf(nodes, ref), 0, path, 0) >= bits ? hash : undefined;
}

function childPlace(nodes: Nodes, slot: number, side: number): Place {
  return { ref: nodes.child(slot, side), hash: hexOf(nodes.childHash(slot, side)) as Hash32 };
}

/** Path of the first leaf under a node: its prefix is the node's. */
function someLeaf(nodes: Nodes, ref: number): Uint8Array {
  let at = ref;
  while (at > 0) at = nodes.child(at, 0);
  return nodes.leafBytes(at);
}
