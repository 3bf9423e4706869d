import { hashPairs } from '../crypto/index.ts';
import { PAGE_MASK, PAGE_SHIFT } from './arena.ts';
import { INNER_WORDS, LEAF_WORDS, type Nodes } from './nodes.ts';

const BATCH = 1024; // 64 KiB of input: stays in the second-level cache
const blocks = new Int32Array(BATCH * 16);
const digests = new Int32Array(BATCH * 8);
const blockBytes = new Uint8Array(blocks.buffer);
const digestBytes = new Uint8Array(digests.buffer);
const blockView = new DataView(blocks.buffer);

/** The nodes that one update made, in the order of their making: children before parents. */
export class Fresh {
  length = 0;
  refs: Int32Array = new Int32Array(256);
  /** Longest way down to a fresh leaf: all nodes of one height can be hashed at once. */
  heights: Int32Array = new Int32Array(256);
  /** Where the hash goes: parent slot * 2 + side. */
  dests: Int32Array = new Int32Array(256);
  top = 0;

  add(ref: number, height: number): number {
    if (this.length === this.refs.length) this.grow();
    this.refs[this.length] = ref;
    this.heights[this.length] = height;
    this.dests[this.length] = 0;
    if (height > this.top) this.top = height;
    return this.length++;
  }

  private grow(): void {
    const size = this.length * 2;
    const refs = new Int32Array(size);
    const heights = new Int32Array(size);
    const dests = new Int32Array(size);
    refs.set(this.refs);
    heights.set(this.heights);
    dests.set(this.dests);
    Object.assign(this, { refs, heights, dests });
  }
}

/** Hashes all fresh nodes, lowest level first, in batches; the last one made is the root, whose hash is returned. */
export function rehash(nodes: Nodes, fresh: Fresh): Int32Array {
  const { order, starts } = byHeight(fresh);
  for (let height = 0; height <= fresh.top; height++) {
    const end = starts[height + 1] as number;
    for (let from = starts[height] as number; from < end; from += BATCH) {
      const to = Math.min(end, from + BATCH);
      if (height === 0) loadLeaves(nodes, fresh, order, from, to);
      else loadInner(nodes, fresh, order, from, to);
      hashPairs(blockBytes.subarray(0, (to - from) * 64), digestBytes.subarray(0, (to - from) * 32));
      store(nodes, fresh, order, from, to);
    }
  }
  return digests.slice(0, 8);
}

function byHeight(fresh: Fresh): { order: Int32Array; starts: Int32Array } {
  const starts = new Int32Array(fresh.top + 2);
  for (let i = 0; i < fresh.length; i++) {
    const next = (fresh.heights[i] as number) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let h = 1; h < starts.length; h++) starts[h] = (starts[h] as number) + (starts[h - 1] as number);
  const at = starts.slice();
  const order = new Int32Array(fresh.length);
  for (let i = 0; i < fresh.length; i++) {
    const height = fresh.heights[i] as number;
    const place = at[height] as number;
    order[place] = i;
    at[height] = place + 1;
  }
  return { order, starts };
}

function loadLeaves(nodes: Nodes, fresh: Fresh, order: Int32Array, from: number, to: number): void {
  for (let i = from, at = 0; i < to; i++, at += 16) {
    const slot = -(fresh.refs[order[i] as number] as number);
    const page = nodes.leaf.words[slot >>> PAGE_SHIFT] as Int32Array;
    const record = (slot & PAGE_MASK) * LEAF_WORDS;
    for (let w = 0; w < 16; w++) blocks[at + w] = page[record + w] as number;
  }
}

/** First H(left ‖ right) of the whole batch, then the second inputs: that digest ‖ meta. */
function loadInner(nodes: Nodes, fresh: Fresh, order: Int32Array, from: number, to: number): void {
  for (let i = from, at = 0; i < to; i++, at += 16) {
    const slot = fresh.refs[order[i] as number] as number;
    const page = nodes.inner.words[slot >>> PAGE_SHIFT] as Int32Array;
    const record = (slot & PAGE_MASK) * INNER_WORDS;
    for (let w = 0; w < 16; w++) blocks[at + w] = page[record + w] as number;
  }
  hashPairs(blockBytes.subarray(0, (to - from) * 64), digestBytes.subarray(0, (to - from) * 32));
  for (let i = from, at = 0, digest = 0; i < to; i++, at += 16, digest += 8) {
    const slot = fresh.refs[order[i] as number] as number;
    for (let w = 0; w < 8; w++) blocks[at + w] = digests[digest + w] as number;
    blocks.fill(0, at + 8, at + 16);
    // uint16 depth ‖ uint64 count; a count in this arena never reaches 2^32
    blockView.setUint16(at * 4 + 32, nodes.depth(slot));
    blockView.setUint32(at * 4 + 38, nodes.count(slot));
  }
}

function store(nodes: Nodes, fresh: Fresh, order: Int32Array, from: number, to: number): void {
  for (let i = from, digest = 0; i < to; i++, digest += 8) {
    const dest = fresh.dests[order[i] as number] as number;
    if (dest === 0) continue; // the root: nobody holds its hash but the tree version
    const slot = dest >>> 1;
    const page = nodes.inner.words[slot >>> PAGE_SHIFT] as Int32Array;
    const at = (slot & PAGE_MASK) * INNER_WORDS + (dest & 1) * 8;
    for (let w = 0; w < 8; w++) page[at + w] = digests[digest + w] as number;
  }
}
