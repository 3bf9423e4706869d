import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  verifyProof, verifyRange, type Leaf, type ProofStep, type RangeProof, type TreeProof,
} from '../../../protocol/state-tree/index.ts';
import type { Hash32, Path } from '../../../protocol/types/index.ts';
import { stateTreeVectors } from '../../../scripts/vectors-state-tree.ts';
import { ReferenceTree } from './reference.ts';

const file = new URL('../../vectors/state-tree.json', import.meta.url);
interface Shown { kind: string; rowHash?: Hash32; rank: string; count: string }
interface Vectors {
  trees: { name: string; leaves?: Leaf[]; root: Hash32; proofs: { path: Path; proof: TreeProof; shows: Shown }[] }[];
  ranges: { root: Hash32; ranges: { from: Path; to: Path; leaves: Leaf[]; proof: RangeProof; shows: unknown }[] }[];
  refused: { name: string; root: Hash32; path: Path; proof: TreeProof; refusedBy: string }[];
}

const withCounts = (steps: readonly ProofStep[]): ProofStep[] =>
  steps.map((step) => ({ ...step, siblingCount: BigInt(step.siblingCount) }));
const proofFrom = (proof: TreeProof): TreeProof => ({ ...proof, steps: withCounts(proof.steps) });
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}` : part)));

describe('state-tree: test/vectors/state-tree.json', () => {
  const text = readFileSync(file, 'utf8');
  const vectors = JSON.parse(text) as Vectors;

  it('is what scripts/vectors-state-tree.ts writes', () => {
    expect(stateTreeVectors() === text, 'run node scripts/vectors-state-tree.ts').to.equal(true);
  });

  it('T-3.1-labels: roots are those of an independent tree', () => {
    for (const { name, leaves, root } of vectors.trees) {
      if (leaves === undefined) continue;
      const reference = new ReferenceTree();
      reference.apply(leaves);
      expect(reference.root(), name).to.equal(root);
    }
  });

  it('T-3.2-inclusion, T-3.2-absence: good proofs show what they say', () => {
    for (const { name, root, proofs } of vectors.trees) {
      for (const { path, proof, shows } of proofs) expect(plain(verifyProof(root, path, proofFrom(proof))), name).to.deep.equal(shows);
    }
    for (const { root, ranges } of vectors.ranges) {
      for (const { from, to, leaves, proof, shows } of ranges) {
        const counted = { ...proof, left: withCounts(proof.left), right: withCounts(proof.right) };
        expect(plain(verifyRange(root, from, to, counted, leaves))).to.deep.equal(shows);
      }
    }
  });

  it('T-3.2-validate: bad proofs are refused by the rule they break', () => {
    for (const { name, root, path, proof, refusedBy } of vectors.refused) {
      expect(refusedBy, name).to.match(/^TREE_/);
      expect(() => verifyProof(root, path, proofFrom(proof)), name).to.throw(refusedBy);
    }
  });
});
