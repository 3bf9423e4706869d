import { createHash } from 'node:crypto';
import type { Leaf, LeafChange, ProofStep, TreeProof } from '../../../protocol/state-tree/index.ts';
import type { Hash32, Path } from '../../../protocol/types/index.ts';

/*
 * A second, slow state tree straight from architecture §3: a recursion over sorted keys with Node's own
 * SHA-256. It shares nothing with the product's tree or verifiers.
 */

export function sha(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export const buf = (hex: string): Buffer => Buffer.from(hex.slice(2), 'hex');
export const hex = (bytes: Uint8Array): Hash32 => `0x${Buffer.from(bytes).toString('hex')}` as Hash32;
export const pathOf = (label: string): Path => hex(sha(Buffer.from(label)));
export const rowOf = (label: string): Hash32 => hex(sha(Buffer.from(`row ${label}`)));
/** A path that starts with the given hex digits. */
export const under = (prefix: string, label: string): Path => `0x${prefix}${pathOf(label).slice(2 + prefix.length)}` as Path;

export function bit(path: Path, depth: number): number {
  return (Number.parseInt(path[2 + (depth >> 2)] as string, 16) >> (3 - (depth & 3))) & 1;
}

export class ReferenceTree {
  readonly rows = new Map<Path, Hash32>();

  apply(changes: readonly LeafChange[]): void {
    for (const { path, rowHash } of changes) {
      if (rowHash === null) this.rows.delete(path);
      else this.rows.set(path, rowHash);
    }
  }

  leaves(): Leaf[] {
    return [...this.rows.keys()].sort().map((path) => ({ path, rowHash: this.rows.get(path) as Hash32 }));
  }

  root(): Hash32 {
    return hex(this.hash(this.leaves()));
  }

  /** Steps from the leaf to the root, for a path that is present. */
  prove(path: Path): TreeProof {
    const steps: ProofStep[] = [];
    let leaves = this.leaves();
    while (leaves.length > 1) {
      const { depth, left, right } = split(leaves);
      const [kept, other] = bit(path, depth) === 0 ? [left, right] : [right, left];
      steps.unshift({ depth, sibling: hex(this.hash(other)), siblingCount: BigInt(other.length) });
      leaves = kept;
    }
    return { terminal: leaves[0] ?? null, steps };
  }

  private hash(leaves: readonly Leaf[]): Buffer {
    if (leaves.length === 0) return Buffer.alloc(32);
    const [only] = leaves as [Leaf];
    if (leaves.length === 1) return sha(buf(only.path), buf(only.rowHash));
    const { depth, left, right } = split(leaves);
    const meta = Buffer.alloc(32);
    meta.writeUInt16BE(depth, 0);
    meta.writeBigUInt64BE(BigInt(leaves.length), 2);
    return sha(sha(this.hash(left), this.hash(right)), meta);
  }
}

function split(leaves: readonly Leaf[]): { depth: number; left: Leaf[]; right: Leaf[] } {
  const [first, last] = [leaves[0] as Leaf, leaves.at(-1) as Leaf];
  let depth = 0;
  while (bit(first.path, depth) === bit(last.path, depth)) depth++;
  return { depth, left: leaves.filter((l) => bit(l.path, depth) === 0), right: leaves.filter((l) => bit(l.path, depth) === 1) };
}

/** Repeatable numbers below 2^32 (xorshift). */
export function randomSource(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export function leavesOf(count: number, prefix = ''): Leaf[] {
  return Array.from({ length: count }, (_, i) => ({ path: under(prefix, `key ${i}`), rowHash: rowOf(`${i}`) }));
}
