import { expect } from 'chai';
import fc from 'fast-check';
import { decode, encode } from '../../../protocol/codec/index.ts';
import {
  createTree, rangeProofC, verifyRange, type Leaf, type ProofStep, type RangeAnswer, type RangeProof,
} from '../../../protocol/state-tree/index.ts';
import { ZERO_HASH, type Hash32, type Path } from '../../../protocol/types/index.ts';
import { leavesOf, pathOf, ReferenceTree, rowOf, under } from './reference.ts';

const LOW = `0x${'00'.repeat(32)}` as Path;
const HIGH = `0x${'ff'.repeat(32)}` as Path;
const tree = createTree();
const reference = new ReferenceTree();
reference.apply([...leavesOf(60), ...leavesOf(40, 'c0ffeec0ffee')]);
const sorted = reference.leaves();
const root = tree.build(sorted);
const at = (rank: number): Leaf => sorted[rank] as Leaf;

describe('state-tree: ranges', () => {
  it('any range, with bounds present or absent and any limit, is proven complete up to what was returned', () => {
    const bound = fc.oneof(
      fc.integer({ min: 0, max: 99 }).map((rank) => at(rank).path), fc.nat(500).map((i) => pathOf(`bound ${i}`)),
      fc.nat(500).map((i) => under('c0ffeec0ffee', `bound ${i}`)), fc.constantFrom(LOW, HIGH),
    );
    fc.assert(fc.property(bound, bound, fc.integer({ min: 1, max: 120 }), (a, b, limit) => {
      const [from, to] = a < b ? [a, b] : [b, a];
      const expected = sorted.filter(({ path }) => path >= from && path <= to);
      const { leaves, proof } = tree.proveRange(root, from, to, limit);
      expect(leaves).to.deep.equal(expected.slice(0, limit));
      const complete = expected.length <= limit || leaves.at(-1)?.path === to;
      expect(verifyRange(root.hash, from, to, decode(rangeProofC, encode(rangeProofC, proof)), leaves)).to.deep.equal({
        complete, through: complete ? to : leaves.at(-1)?.path, rank: BigInt(sorted.filter(({ path }) => path < from).length), count: 100n,
      });
    }), { numRuns: 300 });
  });

  it('a limited read can be continued leaf by leaf and sees every leaf once', () => {
    const seen: Leaf[] = [];
    for (let from = LOW, complete = false; !complete; ) {
      const { leaves, proof } = tree.proveRange(root, from, HIGH, 7);
      const verified = verifyRange(root.hash, from, HIGH, proof, leaves);
      seen.push(...leaves.filter(({ path }) => path !== seen.at(-1)?.path));
      complete = verified.complete;
      from = verified.through;
    }
    expect(seen).to.deep.equal(sorted);
  });

  it('the empty tree and trees of one leaf have ranges too', () => {
    const none = tree.empty();
    const nothing = tree.proveRange(none, LOW, HIGH, 10);
    const shown = verifyRange(none.hash, LOW, HIGH, nothing.proof, nothing.leaves);
    expect(shown).to.deep.equal({ complete: true, through: HIGH, rank: 0n, count: 0n });
    expect(() => verifyRange(root.hash, LOW, HIGH, nothing.proof, [])).to.throw('TREE_NOT_EMPTY');
    const one = tree.build([at(50)]);
    const [below, own, above] = [at(49).path, at(50).path, at(51).path];
    for (const [from, to, hits] of [[LOW, HIGH, 1], [LOW, below, 0], [above, HIGH, 0], [own, own, 1]] as const) {
      const { leaves, proof } = tree.proveRange(one, from, to, 10);
      expect(leaves).to.have.length(hits);
      expect(verifyRange(one.hash, from, to, proof, leaves)).to.include({ complete: true, count: 1n });
    }
  });

  it('bad bounds and limits are refused on both sides', () => {
    expect(() => tree.proveRange(root, HIGH, LOW, 1)).to.throw('TREE_RANGE_REVERSED');
    for (const limit of [0, -1, 1.5, 1e9]) expect(() => tree.proveRange(root, LOW, HIGH, limit)).to.throw('TREE_LIMIT');
    const { leaves, proof } = tree.proveRange(root, LOW, HIGH, 5);
    expect(() => verifyRange(root.hash, HIGH, LOW, proof, leaves)).to.throw('TREE_RANGE_REVERSED');
  });

  it('a 100-row range out of a million rows takes at most 2 KB beside the rows', () => {
    // 13 siblings on each side are more than 2^20 scattered leaves give
    const steps = Array.from({ length: 13 }, (_, i) => ({ depth: i, sibling: rowOf(`${i}`), siblingCount: 1n << BigInt(20 - i) }));
    expect(encode(rangeProofC, { before: at(0), after: at(1), left: steps, right: steps }).length).to.be.lessThan(1100);
  });
});

describe('state-tree: forged ranges', () => {
  const [from, to] = [at(20).path, at(60).path];
  const honest = tree.proveRange(root, from, to, 100);
  const check = ({ leaves, proof }: RangeAnswer): unknown => verifyRange(root.hash, from, to, proof, leaves);
  const forge = (leaves: readonly Leaf[], proof: Partial<RangeProof> = {}): RangeAnswer =>
    ({ leaves, proof: { ...honest.proof, ...proof } });
  const emptyAnswer = (rank: number): RangeAnswer => tree.proveRange(root, at(rank).path, at(rank).path, 1);

  it('every leaf left out, altered, invented or repeated is noticed', () => {
    honest.leaves.forEach((leaf, i) => {
      expect(() => check(forge(honest.leaves.toSpliced(i, 1))), `without ${i}`).to.throw('TREE_WRONG_ROOT');
      expect(() => check(forge(honest.leaves.with(i, { ...leaf, rowHash: rowOf('other') })))).to.throw('TREE_WRONG_ROOT');
      expect(() => check(forge(honest.leaves.toSpliced(i, 0, leaf)))).to.throw('TREE_LEAF_ORDER');
    });
    const invented = { path: `${at(30).path.slice(0, -1)}0` as Path, rowHash: rowOf('new') };
    const withInvented = [...honest.leaves, invented].sort((a, b) => (a.path < b.path ? -1 : 1));
    expect(() => check(forge(withInvented))).to.throw(/TREE_(WRONG_ROOT|LEAF_ORDER|DEPTH_ORDER)/);
    expect(() => check(forge(honest.leaves.toReversed()))).to.throw('TREE_LEAF_ORDER');
    expect(() => check(forge([...honest.leaves, at(61)]))).to.throw('TREE_OUTSIDE_RANGE');
  });

  it('an honest answer for a narrower range is not passed off as one for a wider range', () => {
    for (const [low, high] of [[21, 60], [20, 59], [30, 40]] as const) {
      const narrow = tree.proveRange(root, at(low).path, at(high).path, 100);
      expect(() => check(narrow), `${low}..${high}`).to.throw('TREE_OUTSIDE_RANGE');
    }
    // dropping the boundary leaf leaves either a hole in the hash or a missing boundary
    const narrow = tree.proveRange(root, at(21).path, to, 100);
    expect(() => check({ leaves: narrow.leaves, proof: { ...narrow.proof, before: null } })).to.throw(/TREE_WRONG_(ROOT|SIDE)/);
    const cutLeft = leftless(21);
    expect(() => check(cutLeft)).to.throw('TREE_BOUNDARY_MISSING');
  });

  // an answer whose hashes are right, framed from `rank` on, but without the leaf before it
  function leftless(rank: number): RangeAnswer {
    const steps = tree.prove(root, at(rank).path).steps;
    const whole = tree.proveRange(root, at(rank).path, to, 100);
    const left = steps.filter((step) => (BigInt(at(rank).path) >> BigInt(255 - step.depth)) & 1n).toReversed();
    return { leaves: whole.leaves, proof: { before: null, after: whole.proof.after, left, right: whole.proof.right } };
  }

  it('a cut answer is complete only up to its last leaf, and an empty cut one is refused', () => {
    const cut = tree.proveRange(root, from, to, 5);
    expect(check(cut)).to.include({ complete: false, through: at(24).path, rank: 20n });
    const left = emptyAnswer(20);
    const nothing = { leaves: [], proof: { ...left.proof, after: null, right: rightOf(19) } };
    expect(() => check(nothing)).to.throw('TREE_NO_PROGRESS');
  });

  function rightOf(rank: number): ProofStep[] {
    return tree.prove(root, at(rank).path).steps.filter((step) => !((BigInt(at(rank).path) >> BigInt(255 - step.depth)) & 1n));
  }

  it('every single flipped bit of an encoded range proof is refused', () => {
    const bytes = encode(rangeProofC, honest.proof);
    for (let i = 0; i < bytes.length * 8; i += 1) {
      const forged = bytes.slice();
      forged[i >> 3] = (forged[i >> 3] as number) ^ (1 << (i & 7));
      expect(() => check({ leaves: honest.leaves, proof: decode(rangeProofC, forged) }), `bit ${i}`).to.throw(/^(TREE|CODEC)_/);
    }
  });

  it('steps on the wrong side, in the wrong order, too many or with bad counts are refused', () => {
    const { left, right } = honest.proof;
    const [first] = left as [ProofStep];
    expect(() => check(forge(honest.leaves, { left: left.toReversed() }))).to.throw('TREE_DEPTH_ORDER');
    expect(() => check(forge(honest.leaves, { right: right.toReversed() }))).to.throw('TREE_DEPTH_ORDER');
    for (const siblingCount of [0n, (1n << 64n) - 1n]) {
      const miscounted = [{ ...first, siblingCount }, ...left.slice(1)];
      expect(() => check(forge(honest.leaves, { left: miscounted }))).to.throw('TREE_BAD_COUNT');
    }
    expect(() => check(forge(honest.leaves, { left: [{ ...first, depth: 256 }] }))).to.throw('TREE_BAD_DEPTH');
    expect(() => check(forge(honest.leaves, { left: Array.from({ length: 257 }, () => first) }))).to.throw('TREE_TOO_MANY_STEPS');
    const zeroBit = [...Array(256).keys()].find((d) => !((BigInt((honest.proof.before as Leaf).path) >> BigInt(255 - d)) & 1n)) as number;
    expect(() => check(forge(honest.leaves, { left: [{ ...first, depth: zeroBit }] }))).to.throw('TREE_WRONG_SIDE');
  });

  it('an inner node is no leaf in a range either', () => {
    const meta = `0x0001${'0000000000000064'}${'00'.repeat(22)}` as Hash32;
    expect(() => check(forge(honest.leaves.with(3, { path: at(23).path, rowHash: meta })))).to.throw('TREE_ROW_HASH');
    const nothing = { before: null, after: null, left: [], right: honest.proof.right };
    expect(() => verifyRange(ZERO_HASH, from, to, nothing, [])).to.throw('TREE_NOT_EMPTY');
  });
});
