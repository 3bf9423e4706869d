import { codecFaults, record, type Codec } from '../codec/index.ts';
import { bytesOf, hexOf, type Hash32, type Path } from '../types/index.ts';
import type { Leaf, ProofStep, RangeProof, TreeProof } from './types.ts';

/*
 * Proofs dominate verified answers, so their hashes travel in one byte string each: a step is depth (1 byte),
 * sibling (32 bytes), sibling count (LEB128, 1 to 10 bytes); about 35 bytes a level instead of 41.
 */

const STEP_BYTES = 43; // at most
const MOST_STEPS_BYTES = 256 * STEP_BYTES;

const leafC: Codec<Leaf | null> = {
  exact: true,
  toCbor(leaf) {
    if (leaf === null) return null;
    const out = new Uint8Array(64);
    out.set(bytesOf(leaf.path), 0);
    out.set(bytesOf(leaf.rowHash), 32);
    return out;
  },
  fromCbor(raw) {
    if (raw === null) return null;
    if (!(raw instanceof Uint8Array) || raw.length !== 64) throw codecFaults.wrongShape({ expected: 'leaf' });
    return { path: hexOf(raw.subarray(0, 32)) as Path, rowHash: hexOf(raw.subarray(32)) as Hash32 };
  },
};

const stepsC: Codec<readonly ProofStep[]> = {
  exact: true,
  toCbor(steps) {
    const out = new Uint8Array(steps.length * STEP_BYTES);
    let end = 0;
    for (const { depth, sibling, siblingCount } of steps) {
      out[end] = depth;
      out.set(bytesOf(sibling), end + 1);
      end += 33;
      let rest = siblingCount;
      for (; rest >= 0x80n; rest >>= 7n) out[end++] = Number(rest & 0x7fn) | 0x80;
      out[end++] = Number(rest);
    }
    return out.subarray(0, end);
  },
  fromCbor(raw) {
    if (!(raw instanceof Uint8Array) || raw.length > MOST_STEPS_BYTES) throw codecFaults.wrongShape({ expected: 'steps' });
    const steps: ProofStep[] = [];
    for (let at = 0; at < raw.length; ) {
      if (at + 34 > raw.length || steps.length === 256) throw codecFaults.wrongShape({ expected: 'steps' });
      const { value, end } = varint(raw, at + 33);
      steps.push({ depth: raw[at] as number, sibling: hexOf(raw.subarray(at + 1, at + 33)) as Hash32, siblingCount: value });
      at = end;
    }
    return steps;
  },
};

function varint(raw: Uint8Array, from: number): { value: bigint; end: number } {
  let value = 0n;
  for (let at = from, shift = 0n; at < raw.length && shift < 70n; at++, shift += 7n) {
    const byte = raw[at] as number;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte === 0 && at > from) throw codecFaults.notCanonical();
    if (byte < 0x80 && value < 1n << 64n) return { value, end: at + 1 };
  }
  throw codecFaults.wrongShape({ expected: 'count below 2^64' });
}

export const treeProofC: Codec<TreeProof> = record({ terminal: leafC, steps: stepsC });
export const rangeProofC: Codec<RangeProof> = record({ before: leafC, after: leafC, left: stepsC, right: stepsC });
