import { PAGE_MASK, PAGE_SHIFT } from './arena.ts';
import { bitAt, firstDifference } from './bits.ts';
import type { PackedChanges } from './changes.ts';
import { DEPTH, INNER_WORDS, LEAF_WORDS, type Nodes } from './nodes.ts';

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
  const pages = nodes.inner.words;
  let count = active.length;
  while (count > 0) {
    let kept = 0;
    for (let j = 0; j < count; j++) {
      const i = active[j] as number;
      const slot = at[i] as number;
      const page = pages[slot >>> PAGE_SHIFT] as Int32Array;
      const record = (slot & PAGE_MASK) * INNER_WORDS;
      const next = page[record + bitAt(paths, i * 64, page[record + DEPTH] as number)] as number;
      at[i] = next;
      if (next > 0) active[kept++] = i;
    }
    count = kept;
  }
}

/** First differing bit; 256 for the same path with another row hash, 257 for the same leaf. */
function exitOf(nodes: Nodes, leaf: number, changes: PackedChanges, i: number): number {
  const page = nodes.leaf.bytes[-leaf >>> PAGE_SHIFT] as Uint8Array;
  const record = (-leaf & PAGE_MASK) * LEAF_WORDS * 4;
  const where = firstDifference(changes.bytes, i * 64, page, record);
  if (where < 256 || changes.removed[i] === 1) return where;
  return firstDifference(changes.bytes, i * 64 + 32, page, record + 32) === 256 ? 257 : 256;
}
