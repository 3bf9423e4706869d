import { expect } from 'chai';
import fc from 'fast-check';
import { decode, encode } from '../../../protocol/codec/index.ts';
import {
  createTree, treeProofC, verifyCount, verifyProof, verifyRank, type ProofStep, type TreeProof,
} from '../../../protocol/state-tree/index.ts';
import { ZERO_HASH, type Hash32, type Path } from '../../../protocol/types/index.ts';
import { bit, buf, hex, leavesOf, pathOf, randomSource, ReferenceTree, rowOf, sha, under } from './reference.ts';

const tree = createTree();
const leaves = [...leavesOf(40), ...leavesOf(20, 'feedfeedfeed')];
const root = tree.build(leaves);
const reference = new ReferenceTree();
reference.apply(leaves);
const sorted = reference.leaves();
const somePath = (sorted[17] as { path: Path }).path;

const withStep = (proof: TreeProof, at: number, change: Partial<ProofStep>): TreeProof => (
  { ...proof, steps: proof.steps.map((step, i) => (i === at ? { ...step, ...change } : step)) });

describe('state-tree: proofs', () => {
  it('T-3.2-inclusion: the proof is the full authentication path, equal to an independent prover\'s, with the leaf\'s rank', () => {
    sorted.forEach(({ path, rowHash }, rank) => {
      const proof = tree.prove(root, path);
      expect(proof).to.deep.equal(reference.prove(path));
      expect(verifyProof(root.hash, path, proof)).to.deep.equal({ kind: 'present', rowHash, rank: BigInt(rank), count: 60n });
    });
  });

  it('T-3.2-absence: by another leaf, with the rank the key would have; by the empty tree', () => {
    for (let i = 0; i < 200; i++) {
      const path = i % 2 ? pathOf(`absent ${i}`) : under('feedfeedfeed', `absent ${i}`);
      const rank = BigInt(sorted.filter((leaf) => leaf.path < path).length);
      expect(verifyProof(root.hash, path, tree.prove(root, path))).to.deep.equal({ kind: 'absent', rank, count: 60n });
    }
    const none = tree.empty();
    expect(verifyProof(none.hash, somePath, tree.prove(none, somePath))).to.deep.equal({ kind: 'absent', rank: 0n, count: 0n });
  });

  it('T-3.2-absence: no honest proof of another leaf shows a present key absent', () => {
    for (const { path } of sorted) {
      for (const other of sorted) {
        if (other.path === path) continue;
        const proof = tree.prove(root, other.path);
        expect(() => verifyProof(root.hash, path, proof), `${path} by ${other.path}`).to.throw('TREE_ABSENCE_UNPROVEN');
      }
    }
  });

  it('T-3.2-absence: an absent key is shown absent by any leaf next to its gap and by no other', () => {
    const path = under('feedfeedfeed', 'absent 2');
    const rank = BigInt(sorted.filter((leaf) => leaf.path < path).length);
    let shown = 0;
    for (const leaf of sorted) {
      try {
        expect(verifyProof(root.hash, path, tree.prove(root, leaf.path))).to.deep.equal({ kind: 'absent', rank, count: 60n });
        shown++;
      } catch (error) {
        expect(String(error)).to.contain('TREE_ABSENCE_UNPROVEN');
      }
    }
    expect(shown).to.be.greaterThan(0);
  });

  it('T-3.2-absence: the empty tree is no proof under a root that is not empty, nor with steps', () => {
    expect(() => verifyProof(root.hash, somePath, { terminal: null, steps: [] })).to.throw('TREE_NOT_EMPTY');
    expect(() => verifyProof(ZERO_HASH, somePath, { terminal: null, steps: tree.prove(root, somePath).steps })).to.throw('TREE_NOT_EMPTY');
  });

  it('T-3.2-inclusion: every single flipped bit of an encoded proof is refused', () => {
    const absent = pathOf('absent 1');
    for (const path of [somePath, absent]) {
      const bytes = encode(treeProofC, tree.prove(root, path));
      for (let i = 0; i < bytes.length * 8; i++) {
        const forged = bytes.slice();
        forged[i >> 3] = (forged[i >> 3] as number) ^ (1 << (i & 7));
        expect(() => verifyProof(root.hash, path, decode(treeProofC, forged)), `bit ${i}`).to.throw(/^(TREE|CODEC)_/);
      }
    }
  });
});

describe('state-tree: soundness', () => {
  const proof = tree.prove(root, somePath);

  it('T-3.2-validate: an inner node offered as a leaf proves nothing', () => {
    // the root's hash input is 64 bytes like a leaf's: H(left ‖ right) as path, meta as row hash, and no step to contradict it
    const top = proof.steps.at(-1) as ProofStep;
    const below = reference.prove(somePath).steps.slice(0, -1);
    let hash = sha(buf(somePath), buf(reference.rows.get(somePath) as Hash32));
    let count = 1n;
    const inner = (left: Buffer, right: Buffer, depth: number, total: bigint): Buffer => {
      const meta = Buffer.alloc(32);
      meta.writeUInt16BE(depth, 0);
      meta.writeBigUInt64BE(total, 2);
      return Buffer.concat([sha(left, right), meta]);
    };
    for (const step of below) {
      count += step.siblingCount;
      const sides = bit(somePath, step.depth) ? [buf(step.sibling), hash] : [hash, buf(step.sibling)];
      hash = sha(inner(sides[0] as Buffer, sides[1] as Buffer, step.depth, count));
    }
    const sides = bit(somePath, top.depth) ? [buf(top.sibling), hash] : [hash, buf(top.sibling)];
    const input = inner(sides[0] as Buffer, sides[1] as Buffer, top.depth, 60n);
    expect(hex(sha(input))).to.equal(root.hash, 'the forged leaf does hash to the root');
    const forged = { terminal: { path: hex(input.subarray(0, 32)) as Path, rowHash: hex(input.subarray(32)) }, steps: [] };
    expect(() => verifyProof(root.hash, somePath, forged)).to.throw('TREE_ROW_HASH');
  });

  it('T-3.2-validate: counts of zero, beyond 64 bits or overflowing in sum are refused', () => {
    expect(() => verifyProof(root.hash, somePath, withStep(proof, 0, { siblingCount: 0n }))).to.throw('TREE_BAD_COUNT');
    expect(() => verifyProof(root.hash, somePath, withStep(proof, 0, { siblingCount: 1n << 64n }))).to.throw('TREE_BAD_COUNT');
    expect(() => verifyProof(root.hash, somePath, withStep(proof, 0, { siblingCount: (1n << 64n) - 1n }))).to.throw('TREE_BAD_COUNT');
  });

  it('T-3.2-validate: depths that are no bits of a path or do not fall towards the root are refused', () => {
    for (const depth of [-1, 256, 1.5, Number.NaN]) {
      expect(() => verifyProof(root.hash, somePath, withStep(proof, 0, { depth }))).to.throw('TREE_BAD_DEPTH');
    }
    const second = proof.steps[1] as ProofStep;
    expect(() => verifyProof(root.hash, somePath, withStep(proof, 0, { depth: second.depth }))).to.throw('TREE_DEPTH_ORDER');
    expect(() => verifyProof(root.hash, somePath, { ...proof, steps: proof.steps.toReversed() })).to.throw('TREE_DEPTH_ORDER');
  });

  it('T-3.2-validate: a leaf moved to the other side of a branching, to another depth or to another key is refused', () => {
    proof.steps.forEach((step, i) => {
      for (const depth of [step.depth - 1, step.depth + 1]) {
        expect(() => verifyProof(root.hash, somePath, withStep(proof, i, { depth })), `step ${i} at ${depth}`).to.throw('TREE_');
      }
    });
    const path = `0x${(BigInt(somePath) ^ (1n << 255n)).toString(16).padStart(64, '0')}` as Path;
    expect(() => verifyProof(root.hash, path, { ...proof, terminal: { path, rowHash: (proof.terminal as { rowHash: Hash32 }).rowHash } }))
      .to.throw('TREE_WRONG_ROOT');
  });

  it('T-3.2-validate: missing, repeated or foreign steps are refused', () => {
    expect(() => verifyProof(root.hash, somePath, { ...proof, steps: proof.steps.slice(1) })).to.throw('TREE_WRONG_ROOT');
    expect(() => verifyProof(root.hash, somePath, { ...proof, steps: proof.steps.slice(0, -1) })).to.throw('TREE_WRONG_ROOT');
    const repeated = [proof.steps[0] as ProofStep, ...proof.steps];
    expect(() => verifyProof(root.hash, somePath, { ...proof, steps: repeated })).to.throw('TREE_DEPTH_ORDER');
    const other = createTree();
    const before = other.build(leaves.slice(1));
    expect(() => verifyProof(root.hash, somePath, other.prove(before, somePath))).to.throw('TREE_WRONG_ROOT');
  });

  it('T-3.2-validate: shifting count between siblings to move a rank is refused', () => {
    const [a, b] = [proof.steps[0], proof.steps[1]] as [ProofStep, ProofStep];
    const shifted = withStep(withStep(proof, 0, { siblingCount: a.siblingCount + 1n }), 1, { siblingCount: b.siblingCount - 1n || 1n });
    expect(() => verifyProof(root.hash, somePath, shifted)).to.throw('TREE_WRONG_ROOT');
  });
});

describe('state-tree: ranks and counts', () => {
  it('P-6.1-random-index: the leaf at a rank is proven, and a proof of any other rank is refused', () => {
    sorted.forEach((leaf, rank) => {
      const proof = tree.proveRank(root, BigInt(rank));
      expect(verifyRank(root.hash, BigInt(rank), proof)).to.deep.equal({ leaf, count: 60n });
      expect(() => verifyRank(root.hash, BigInt((rank + 1) % 60), proof)).to.throw('TREE_WRONG_RANK');
    });
    expect(() => tree.proveRank(root, 60n)).to.throw('TREE_RANK_OUT_OF_RANGE');
    expect(() => tree.at(root, -1n)).to.throw('TREE_RANK_OUT_OF_RANGE');
    expect(() => verifyRank(ZERO_HASH, 0n, { terminal: null, steps: [] })).to.throw('TREE_WRONG_RANK');
  });

  it('COUNT over a key range follows from one proof per bound, whether the bounds exist or not', () => {
    const random = randomSource(3);
    for (let i = 0; i < 200; i++) {
      const bound = (): Path => (random(2) ? (sorted[random(60)] as { path: Path }).path : pathOf(`bound ${random(1000)}`));
      const [from, to] = [bound(), bound()].sort() as [Path, Path];
      const expected = sorted.filter(({ path }) => path >= from && path <= to).length;
      const proofs = { from: tree.prove(root, from), to: tree.prove(root, to) };
      expect(verifyCount(root.hash, from, to, proofs)).to.equal(BigInt(expected));
    }
    const [low, high] = [sorted[3], sorted[9]] as [{ path: Path }, { path: Path }];
    const proofs = { from: tree.prove(root, high.path), to: tree.prove(root, low.path) };
    expect(() => verifyCount(root.hash, high.path, low.path, proofs)).to.throw('TREE_RANGE_REVERSED');
  });
});

describe('state-tree: proof encoding', () => {
  it('round-trips, counts beyond 32 bits included, and has one encoding', () => {
    const steps = fc.array(fc.record({
      depth: fc.integer({ min: 0, max: 255 }), sibling: fc.nat().map((i) => rowOf(`${i}`)),
      siblingCount: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    }), { maxLength: 30 });
    const terminal = fc.option(fc.nat().map((i) => ({ path: pathOf(`${i}`), rowHash: rowOf(`${i}`) })));
    fc.assert(fc.property(fc.record({ terminal, steps }), (proof) => {
      expect(decode(treeProofC, encode(treeProofC, proof))).to.deep.equal(proof);
    }));
  });

  it('refuses cut, padded and oversized step lists', () => {
    const bytes = encode(treeProofC, { terminal: null, steps: [{ depth: 1, sibling: rowOf('s'), siblingCount: 1n }] });
    const stepBytes = bytes.slice(-34);
    const pack = (steps: Uint8Array): Uint8Array =>
      Buffer.concat([Buffer.from([0x82, 0xf6, 0x59, steps.length >> 8, steps.length & 255]), steps]);
    expect(() => decode(treeProofC, pack(Buffer.concat([stepBytes, stepBytes]).subarray(0, 67)))).to.throw('CODEC_');
    const padded = Buffer.concat([stepBytes.subarray(0, 33), Buffer.from([0x81, 0x00])]); // 1 as two LEB128 bytes
    const message = Buffer.concat([Buffer.from([0x82, 0xf6, 0x58, padded.length]), padded]);
    expect(() => decode(treeProofC, message)).to.throw('CODEC_NOT_CANONICAL');
    const many = Buffer.concat(Array.from({ length: 257 }, () => stepBytes));
    expect(() => decode(treeProofC, pack(many))).to.throw('CODEC_WRONG_SHAPE');
  });

  it('a proof at 20 levels stays within 780 bytes', () => {
    const steps = Array.from({ length: 20 }, (_, i) => ({ depth: 19 - i, sibling: rowOf(`${i}`), siblingCount: 1n << BigInt(i) }));
    expect(encode(treeProofC, { terminal: { path: somePath, rowHash: rowOf('x') }, steps }).length).to.be.lessThan(780);
  });
});
