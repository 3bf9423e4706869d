/**
 * Writes test/vectors/state-tree.json: trees with their roots, good proofs with what they show, bad proofs with the rule that refuses
 * them. TypeScript and Solidity verifiers replay the same file. `--check` only compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isPicoloError } from '../protocol/errors/index.ts';
import { sha256Hex } from '../protocol/crypto/index.ts';
import { createTree, verifyProof, verifyRange, type Leaf, type ProofStep, type TreeProof } from '../protocol/state-tree/index.ts';
import { bytesOf, concatBytes, hexOf, type Hash32, type Hex, type Path } from '../protocol/types/index.ts';

const target = new URL('../test/vectors/state-tree.json', import.meta.url);
const utf8 = new TextEncoder();
const hash = (label: string): Hash32 => sha256Hex(utf8.encode(label));
const path = (label: string, prefix = ''): Path => `0x${prefix}${hash(`path ${label}`).slice(2 + prefix.length)}` as Path;
const leaves = (count: number, prefix = ''): Leaf[] => (
  Array.from({ length: count }, (_, i) => ({ path: path(`${prefix}${i}`, prefix), rowHash: hash(`row ${prefix}${i}`) })));
const low = `0x${'00'.repeat(32)}` as Path;
const lowest = (digit: string): Path => `${low.slice(0, -1)}${digit}` as Path;
const highest = (digit: string): Path => `0x${digit}${low.slice(3)}` as Path;

interface Shape { readonly name: string; readonly leaves: readonly Leaf[]; readonly asked: readonly Path[] }

const shapes: readonly Shape[] = [
  { name: 'empty', leaves: [], asked: [low, path('0')] },
  { name: 'one leaf', leaves: leaves(1), asked: [path('0'), path('1')] },
  { name: 'branching at the first bit', leaves: [{ path: low, rowHash: hash('a') }, { path: highest('8'), rowHash: hash('b') }],
    asked: [low, highest('8'), highest('4'), highest('c')] },
  { name: 'branching at the last bit', leaves: [{ path: low, rowHash: hash('a') }, { path: lowest('1'), rowHash: hash('b') }],
    asked: [low, lowest('1'), lowest('2')] },
  { name: 'twenty scattered leaves', leaves: leaves(20), asked: [path('3'), path('7'), path('absent 1'), path('absent 2')] },
  { name: 'one table', leaves: leaves(40, 'a1b2c3d4'), asked: [path('a1b2c3d45', 'a1b2c3d4'), path('absent', 'a1b2c3d4'), path('absent')] },
  { name: 'a chain of 255 branchings', leaves: chain(), asked: [low, (chain()[128] as Leaf).path, path('absent'), lowest('1')] },
  { name: 'two thousand leaves', leaves: leaves(2000), asked: [path('0'), path('1234'), path('1999'), path('absent 1'), path('absent 2')] },
];

/** Zero and all paths with one bit set but the last: the deepest proof there is but one. */
function chain(): Leaf[] {
  const one = (bit: number): Path => `0x${(1n << BigInt(255 - bit)).toString(16).padStart(64, '0')}` as Path;
  const ones = Array.from({ length: 255 }, (_, bit) => ({ path: one(bit), rowHash: hash(`bit ${bit}`) }));
  return [{ path: low, rowHash: hash('zero') }, ...ones];
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part)));
}

function treeVector(shape: Shape): unknown {
  const tree = createTree();
  const root = tree.build(shape.leaves);
  const proofs = shape.asked.map((asked) => {
    const proof = tree.prove(root, asked);
    return { path: asked, proof, shows: verifyProof(root.hash, asked, proof) };
  });
  const leafRule = 'path i = sha256("path " + i), rowHash i = sha256("row " + i)';
  const shown = shape.leaves.length <= 300 ? { leaves: shape.leaves } : { leafRule };
  return { name: shape.name, ...shown, leafCount: shape.leaves.length, root: root.hash, proofs };
}

function rangeVector(): unknown {
  const tree = createTree();
  const all = leaves(20);
  const root = tree.build(all);
  const [from, to] = [path('absent 1'), path('absent 2')].sort() as [Path, Path];
  return {
    leaves: all, root: root.hash,
    ranges: [[from, to, 100], [from, to, 2], [low, from, 100]].map(([a, b, limit]) => {
      const answer = tree.proveRange(root, a as Path, b as Path, limit as number);
      return { from: a, to: b, limit, ...answer, shows: verifyRange(root.hash, a as Path, b as Path, answer.proof, answer.leaves) };
    }),
  };
}

/** Every bad proof with the code of the rule that refuses it; a verifier in another language must refuse it too. */
function refused(): unknown[] {
  const tree = createTree();
  const root = tree.build(leaves(20));
  const asked = path('3');
  const good = tree.prove(root, asked);
  const change = (at: number, part: Partial<ProofStep>): TreeProof =>
    ({ ...good, steps: good.steps.map((step, i) => (i === at ? { ...step, ...part } : step)) });
  const [first, second] = good.steps as [ProofStep, ProofStep];
  const cases: [string, Path, TreeProof][] = [
    ['the sibling stands for no leaf', asked, change(0, { siblingCount: 0n })],
    ['the counts overflow 64 bits', asked, change(0, { siblingCount: (1n << 64n) - 1n })],
    ['a count is one too high', asked, change(0, { siblingCount: first.siblingCount + 1n })],
    ['two branchings at one depth', asked, change(0, { depth: second.depth })],
    ['the steps run from the root down', asked, { ...good, steps: good.steps.toReversed() }],
    ['a branching one bit lower', asked, change(good.steps.length - 1, { depth: (good.steps.at(-1) as ProofStep).depth + 1 })],
    ['a flipped bit in a sibling', asked, change(1, { sibling: flipped(second.sibling) })],
    ['another row hash', asked, { ...good, terminal: { path: asked, rowHash: hash('other') } }],
    ['the lowest step left out', asked, { ...good, steps: good.steps.slice(1) }],
    ['the highest step left out', asked, { ...good, steps: good.steps.slice(0, -1) }],
    ['a present key shown by another leaf', asked, tree.prove(root, path('7'))],
    ['the empty tree under a root that is not', asked, { terminal: null, steps: [] }],
    ['the root itself offered as a leaf', asked, { terminal: innerAsLeaf(good, asked), steps: [] }],
  ];
  return cases.map(([name, key, proof]) => {
    const refusedBy = codeOf(() => verifyProof(root.hash, key, proof));
    return { name, root: root.hash, path: key, proof, refusedBy };
  });
}

function flipped(hex: Hash32): Hash32 {
  return `0x${(BigInt(hex) ^ 1n).toString(16).padStart(64, '0')}` as Hash32;
}

/** The 64 bytes that hash to the root, read as path ‖ rowHash. */
function innerAsLeaf(proof: TreeProof, asked: Path): Leaf {
  let input = join(asked, (proof.terminal as Leaf).rowHash);
  let count = 1n;
  for (const step of proof.steps) {
    count += step.siblingCount;
    const self = sha256Hex(input);
    const onRight = (BigInt(asked) >> BigInt(255 - step.depth)) & 1n;
    const pair = sha256Hex(onRight ? join(step.sibling, self) : join(self, step.sibling));
    input = join(pair, `0x${step.depth.toString(16).padStart(4, '0')}${count.toString(16).padStart(16, '0')}${'00'.repeat(22)}`);
  }
  return { path: hexOf(input.subarray(0, 32)) as Path, rowHash: hexOf(input.subarray(32)) as Hash32 };
}

function join(a: Hex, b: Hex): Uint8Array {
  return concatBytes(bytesOf(a), bytesOf(b));
}

function codeOf(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    if (isPicoloError(error)) return error.code;
    throw error;
  }
  return 'ACCEPTED';
}

export function stateTreeVectors(): string {
  const vectors = {
    format: {
      leaf: 'sha256(path ‖ rowHash)',
      node: 'sha256(sha256(left ‖ right) ‖ uint16 depth ‖ uint64 count ‖ 22 zero bytes)',
      empty: '32 zero bytes',
      steps: 'from the leaf to the root; the leaf is on the right of a step when bit `depth` of its path is 1',
      bits: 'bit 0 is the highest bit of the first byte',
      leafRule: 'a row hash whose last 22 bytes are zero is refused: its leaf could be an inner node',
      counts: 'decimal strings',
    },
    trees: shapes.map(treeVector), ranges: [rangeVector()], refused: refused(),
  };
  return `${JSON.stringify(plain(vectors), null, 1)}\n`;
}

if (import.meta.main) {
  const made = stateTreeVectors();
  if (process.argv.includes('--check')) process.exitCode = readFileSync(target, 'utf8') === made ? 0 : 1;
  else writeFileSync(target, made);
}
