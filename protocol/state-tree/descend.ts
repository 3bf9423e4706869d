import { bitAt, firstDifference } from './bits.ts';
import type { PackedChanges } from './changes.ts';
import type { Nodes } from './nodes.ts';

/** The changes that change something, by index, ascending. */
export interface Plan {
  readonly length: number;
  readonly index: Int32Array;
  /** Bit in which the path leaves the tree; 256 when its leaf exists. */
  readonly exit: Int32Array;
}

/**
 * Follows every path down to the leaf that its bits lead to. All paths take a step before any takes
 * the next one, so their cache misses overlap instead of queueing.
 */
export function descend(nodes: Nodes, root: number, changes: PackedChanges): Plan {
  const at = new Int32Array(changes.length).fill(root);
  const index = new Int32Array(changes.length);
  for (let i = 0; i < index.length; i++) index[i] = i;
  if (root > 0) walk(nodes, changes.bytes, at, index.slice());
  const exit = new Int32Array(changes.length);
  let length = 0;
  for (let i = 0; i < changes.length; i++) {
    const where = at[i] === 0 ? -1 : exitOf(nodes, at[i] as number, changes, i);
    const removed = changes.removed[i] === 1;
    if (removed ? where !== 256 : where === 257) continue;
    index[length] = i;
    exit[length++] = Math.min(where, 256);
  }
  return { length, index, exit };
}

function walk(nodes: Nodes, paths: Uint8Array, at: Int32Array, active: Int32Array): void {
  let count = active.length;
  while (count > 0) {
    let kept = 0;
    for (let j = 0; j < count; j++) {
      const i = active[j] as number;
      const slot = at[i] as number;
      const next = nodes.child(slot, bitAt(paths, i * 64, nodes.depth(slot)));
      at[i] = next;
      if (next > 0) active[kept++] = i;
    }
    count = kept;
  }
}

/** First differing bit; 256 for the same path with another row hash, 257 for the same leaf. */
function exitOf(nodes: Nodes, leaf: number, changes: PackedChanges, i: number): number {
  const record = nodes.leafBytes(leaf);
  const where = firstDifference(changes.bytes, i * 64, record, 0);
  if (where < 256 || changes.removed[i] === 1) return where;
  return firstDifference(changes.bytes, i * 64 + 32, record, 32) === 256 ? 257 : 256;
}
