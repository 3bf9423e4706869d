import { hashPairs } from '../crypto/index.ts';
import { PAGE_MASK, PAGE_SHIFT } from './arena.ts';
import { HASH, INNER_WORDS, LEAF_WORDS, type Nodes } from './nodes.ts';
import { UNCHANGED, type Parts } from './parts.ts';

const BATCH = 1024; // 64 KiB of input: stays in the second-level cache
const blocks = new Int32Array(BATCH * 16);
const blockBytes = new Uint8Array(blocks.buffer);
// second inputs of inner nodes, digest ‖ meta: the zeros behind the meta are written once, here
const metas = new Int32Array(BATCH * 16);
const metaBytes = new Uint8Array(metas.buffer);
const metaView = new DataView(metas.buffer);
const digests = new Int32Array(BATCH * 8);
const digestBytes = new Uint8Array(digests.buffer);

/** Hashes all changed parts, lowest level first, a level in few calls; returns the hash of the topmost. */
export function rehash(nodes: Nodes, parts: Parts): Int32Array {
  const { order, starts } = byHeight(parts);
  for (let height = 0; height <= parts.top; height++) {
    const end = starts[height + 1] as number;
    for (let from = starts[height] as number; from < end; from += BATCH) {
      const batch = order.subarray(from, Math.min(end, from + BATCH));
      if (height === 0) hashLeaves(nodes, parts, batch);
      else hashInner(nodes, parts, batch);
      sendUp(nodes, parts, batch);
    }
  }
  return digests.slice(0, 8);
}

/** Indices of the changed parts sorted by height; `starts[h]` is where height h begins. */
function byHeight(parts: Parts): { order: Int32Array; starts: Int32Array } {
  const { heights, length } = parts;
  const starts = new Int32Array(parts.top + 2);
  let changed = 0;
  for (let i = 0; i < length; i++) {
    const height = heights[i] as number;
    if (height === UNCHANGED) continue;
    starts[height + 1] = (starts[height + 1] as number) + 1;
    changed++;
  }
  for (let h = 1; h < starts.length; h++) starts[h] = (starts[h] as number) + (starts[h - 1] as number);
  const next = starts.slice();
  const order = new Int32Array(changed);
  for (let i = 0; i < length; i++) {
    const height = heights[i] as number;
    if (height === UNCHANGED) continue;
    const place = next[height] as number;
    order[place] = i;
    next[height] = place + 1;
  }
  return { order, starts };
}

function hashLeaves(nodes: Nodes, parts: Parts, batch: Int32Array): void {
  for (let i = 0, at = 0; i < batch.length; i++, at += 16) {
    const slot = -(parts.refs[batch[i] as number] as number);
    copyBlock(nodes.leaf.words[slot >>> PAGE_SHIFT] as Int32Array, (slot & PAGE_MASK) * LEAF_WORDS, at);
  }
  hashPairs(blockBytes.subarray(0, batch.length * 64), digestBytes.subarray(0, batch.length * 32));
}

function hashInner(nodes: Nodes, parts: Parts, batch: Int32Array): void {
  for (let i = 0, at = 0; i < batch.length; i++, at += 16) {
    const part = batch[i] as number;
    const slot = parts.refs[part] as number;
    copyBlock(nodes.innerPage(slot), (slot & PAGE_MASK) * INNER_WORDS + HASH, at);
    // uint16 depth ‖ uint64 count; a count in this arena never reaches 2^32
    metaView.setUint16(at * 4 + 32, nodes.depth(slot));
    metaView.setUint32(at * 4 + 38, parts.counts[part] as number);
  }
  hashPairs(blockBytes.subarray(0, batch.length * 64), digestBytes.subarray(0, batch.length * 32));
  for (let i = 0, at = 0; i < batch.length * 8; i += 8, at += 16) {
    for (let w = 0; w < 8; w++) metas[at + w] = digests[i + w] as number;
  }
  hashPairs(metaBytes.subarray(0, batch.length * 64), digestBytes.subarray(0, batch.length * 32));
}

function copyBlock(page: Int32Array, from: number, to: number): void {
  for (let w = 0; w < 16; w++) blocks[to + w] = page[from + w] as number;
}

function sendUp(nodes: Nodes, parts: Parts, batch: Int32Array): void {
  for (let i = 0; i < batch.length; i++) {
    const place = parts.places[batch[i] as number] as number;
    if (place !== 0) nodes.setChildHash(place, digests, i * 8);
  }
}
