/**
 * What does a row cost in the state tree, and what does a proof? Scattered and appended updates in blocks
 * of 1 to 1000 rows at 2^17 and 2^20 keys, and proofs made and verified, in CPU time of this thread.
 *
 *   npm run bench -- state-tree
 */
import { hash, randomBytes } from 'node:crypto';
import { loadNativeCrypto } from '../node/crypto/index.ts';
import { installCrypto } from '../protocol/crypto/index.ts';
import { createTree, verifyProof, verifyRange, type StateTree, type TreeRoot } from '../protocol/state-tree/index.ts';
import { hexOf, type Path } from '../protocol/types/index.ts';
import { round } from './measure.ts';
import { ratio, type Figure } from './report.ts';

const SIZES = [2 ** 17, 2 ** 20];
const BLOCKS = [1, 10, 100, 1000];
const CHUNK = 8192;
const LOW = `0x${'00'.repeat(32)}` as Path;
const HIGH = `0x${'ff'.repeat(32)}` as Path;

export interface StateTreeResult {
  readonly what: string;
  readonly keys: number;
  /** Rows per block; 1 for proofs. */
  readonly block: number;
  readonly usPerOp: number;
  readonly ops: number;
}

export const question = 'State tree: microseconds of one thread per row or proof';

/** A quick run takes the smaller tree alone. */
export async function run({ quick }: { readonly quick: boolean }): Promise<readonly Figure[]> {
  const before = installCrypto(await loadNativeCrypto());
  try {
    const results = (quick ? SIZES.slice(0, 1) : SIZES).flatMap(measure);
    const hashUs = oneHashUs();
    return results.map(({ what, keys, block, ops, usPerOp }) =>
      ({ what, keys, block, ops, us_per_op: round(usPerOp), in_hashes: what.startsWith('memory') ? null : ratio(usPerOp, hashUs) }));
  } finally {
    installCrypto(before);
  }
}

/** One SHA-256 of 64 bytes by OpenSSL: the unit that makes the figures of two machines comparable. */
function oneHashUs(): number {
  const input = randomBytes(64);
  const times = 200_000;
  return cpuUs(() => {
    for (let i = 0; i < times; i++) hash('sha256', input, 'buffer');
  }) / times;
}

function measure(keys: number): StateTreeResult[] {
  const tree = createTree();
  const leaves = sortedLeaves(keys);
  const results: StateTreeResult[] = [];
  let root = tree.empty();
  const add: Add = (what, block, ops, work) => {
    results.push({ what, keys, block, ops, usPerOp: cpuUs(work) / ops });
  };
  add('build, ascending', CHUNK, keys, () => {
    for (let at = 0; at < leaves.length; at += CHUNK * 64) root = tree.advance(root, leaves.subarray(at, at + CHUNK * 64));
  });
  results.push({ what: 'memory, bytes per row', keys, block: 1, ops: keys, usPerOp: tree.stats().reservedBytes / keys });
  for (const block of BLOCKS) {
    const rounds = Math.ceil(Math.min(50_000, block * 3000) / block);
    const some = (): Uint8Array[] => Array.from({ length: rounds }, () => scattered(leaves, block));
    const [blocks, others] = [some(), some()];
    add('update, in place', block, rounds * block, () => {
      for (const changes of blocks) root = tree.advance(root, changes);
    });
    add('update, old root kept', block, rounds * block, () => {
      for (const changes of others) {
        const next = tree.apply(root, changes);
        tree.release(root);
        root = next;
      }
    });
    const appended = Array.from({ length: rounds }, (_, i) => ascending(i * block, block));
    add('append', block, rounds * block, () => {
      for (const changes of appended) root = tree.advance(root, changes);
    });
  }
  proofs(tree, root, leaves, add);
  return results;
}

type Add = (what: string, block: number, ops: number, work: () => void) => void;

function proofs(tree: StateTree, root: TreeRoot, leaves: Uint8Array, add: Add): void {
  const paths = Array.from({ length: 20_000 }, () => pick(leaves));
  const made = paths.map((path) => tree.prove(root, path));
  add('prove', 1, paths.length, () => paths.forEach((path) => tree.prove(root, path)));
  add('verify', 1, made.length, () => made.forEach((proof, i) => verifyProof(root.hash, paths[i] as Path, proof)));
  const range = tree.proveRange(root, LOW, HIGH, 100);
  add('prove 100-row range', 1, 300, () => {
    for (let i = 0; i < 300; i++) tree.proveRange(root, LOW, HIGH, 100);
  });
  add('verify 100-row range', 1, 300, () => {
    for (let i = 0; i < 300; i++) verifyRange(root.hash, LOW, HIGH, range.proof, range.leaves);
  });
}

function cpuUs(work: () => void): number {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return user + system;
}

/** path ‖ row hash of random rows, in path order; the first byte stays below 0x80 so that there is room to append. */
function sortedLeaves(count: number): Uint8Array {
  const raw = randomBytes(count * 64);
  for (let at = 0; at < raw.length; at += 64) raw[at] = (raw[at] as number) & 0x7f;
  const order = Array.from({ length: count }, (_, i) => i * 64).sort((a, b) => raw.compare(raw, b, b + 32, a, a + 32));
  const out = new Uint8Array(raw.length);
  order.forEach((from, i) => out.set(raw.subarray(from, from + 64), i * 64));
  return out;
}

function scattered(leaves: Uint8Array, block: number): Uint8Array {
  const out = new Uint8Array(block * 64);
  for (let i = 0; i < block; i++) {
    const at = Math.floor(Math.random() * (leaves.length / 64)) * 64;
    out.set(leaves.subarray(at, at + 32), i * 64);
    out.set(randomBytes(32), i * 64 + 32);
  }
  return out;
}

/** Rows of a growing integer key: table hash, then the number, then the key's hash. */
function ascending(from: number, block: number): Uint8Array {
  const out = Buffer.alloc(block * 64);
  for (let i = 0; i < block; i++) {
    out.writeUInt32BE(0xf0f0f0f0, i * 64);
    out.writeBigUInt64BE((1n << 63n) + BigInt(block) * 1_000_000n + BigInt(from + i), i * 64 + 4);
    randomBytes(48).copy(out, i * 64 + 16);
  }
  return out;
}

function pick(leaves: Uint8Array): Path {
  const at = Math.floor(Math.random() * (leaves.length / 64)) * 64;
  return hexOf(leaves.subarray(at, at + 32)) as Path;
}
