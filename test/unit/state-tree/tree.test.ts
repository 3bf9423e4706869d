import { expect } from 'chai';
import fc from 'fast-check';
import { createTree, verifyProof, type LeafChange } from '../../../protocol/state-tree/index.ts';
import { ZERO_HASH, type Hash32, type Path } from '../../../protocol/types/index.ts';
import { buf, hex, leavesOf, pathOf, randomSource, ReferenceTree, rowOf, sha, under } from './reference.ts';

// few keys, many of them with up to 252 common bits, so that branchings appear and vanish all the time
const anyPath: fc.Arbitrary<Path> = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((i) => pathOf(`free ${i}`)),
  fc.integer({ min: 0, max: 15 }).map((i) => `0x${'ab'.repeat(31)}a${i.toString(16)}` as Path),
  fc.integer({ min: 0, max: 255 }).map((b) => hex(Uint8Array.from({ length: 32 }, (_, i) => (i === b >> 3 ? 0x80 >> (b & 7) : 0)))),
);
const anyChange: fc.Arbitrary<LeafChange> = fc.record({
  path: anyPath,
  rowHash: fc.option(fc.integer({ min: 0, max: 99 }).map((i) => rowOf(`${i}`)), { freq: 3 }),
});
const anyBlocks = fc.array(fc.array(anyChange, { maxLength: 12 }), { maxLength: 12 });

describe('state-tree: labels', () => {
  it('T-3.1-labels: leaf, inner node and empty tree are hashed as architecture §3 says', () => {
    const tree = createTree();
    const a = { path: `0x${'00'.repeat(32)}` as Path, rowHash: rowOf('a') };
    const b = { path: `0x${'00'.repeat(31)}01` as Path, rowHash: rowOf('b') };
    const leafA = sha(buf(a.path), buf(a.rowHash));
    const leafB = sha(buf(b.path), buf(b.rowHash));
    const meta = Buffer.concat([Buffer.from('00ff', 'hex'), Buffer.from('0000000000000002', 'hex'), Buffer.alloc(22)]);
    expect(tree.empty().hash).to.equal(ZERO_HASH);
    expect(tree.build([a]).hash).to.equal(hex(leafA));
    expect(tree.build([a, b]).hash).to.equal(hex(sha(sha(leafA, leafB), meta)));
  });

  it('T-3.1-injective: no other split of the same 64 bytes into path and row hash, nor any swap, gives the same root', () => {
    const tree = createTree();
    const [path, rowHash] = [pathOf('k'), rowOf('v')];
    const bytes = path.slice(2) + rowHash.slice(2);
    const roots = [tree.build([{ path, rowHash }]).hash, tree.build([{ path: rowHash as Path, rowHash: path as Hash32 }]).hash];
    for (const shift of [2, 16, 62]) {
      const turned = bytes.slice(shift) + bytes.slice(0, shift);
      roots.push(tree.build([{ path: `0x${turned.slice(0, 64)}` as Path, rowHash: `0x${turned.slice(64)}` as Hash32 }]).hash);
    }
    expect(new Set(roots).size).to.equal(roots.length);
  });

  it('T-3.1-injective: a row hash that could be an inner node\'s meta is refused, zero included', () => {
    const tree = createTree();
    const meta = `0x00ff${'0000000000000002'}${'00'.repeat(22)}` as Hash32;
    expect(() => tree.apply(tree.empty(), [{ path: pathOf('k'), rowHash: meta }])).to.throw('TREE_ROW_HASH');
    expect(() => tree.apply(tree.empty(), [{ path: pathOf('k'), rowHash: ZERO_HASH }])).to.throw('TREE_ROW_HASH');
    expect(() => tree.apply(tree.empty(), Buffer.concat([buf(pathOf('k')), buf(meta)]))).to.throw('TREE_ROW_HASH');
    const nearly = `0x00ff${'0000000000000002'}${'00'.repeat(21)}01` as Hash32;
    expect(tree.apply(tree.empty(), [{ path: pathOf('k'), rowHash: nearly }]).count).to.equal(1n);
  });

  it('T-3.1-width: labels are 256 bits wide, for 128-bit collision security', () => {
    const tree = createTree();
    const root = tree.build(leavesOf(3));
    expect(buf(root.hash)).to.have.length(32);
    for (const step of tree.prove(root, pathOf('key 1')).steps) expect(buf(step.sibling)).to.have.length(32);
  });
});

describe('state-tree: updates', () => {
  it('T-3.1-ops: any sequence of blocks gives the root, count, order and values of a plain map', () => {
    fc.assert(fc.property(anyBlocks, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (blocks, inPlace) => {
      const tree = createTree();
      const reference = new ReferenceTree();
      let root = tree.empty();
      blocks.forEach((block, i) => {
        const next = inPlace[i] ? tree.advance(root, block) : tree.apply(root, block);
        if (!inPlace[i]) tree.release(root);
        root = next;
        reference.apply(block);
        expect(root.hash).to.equal(reference.root());
        expect([...tree.leaves(root)]).to.deep.equal(reference.leaves());
        for (const { path } of block) expect(tree.get(root, path)).to.equal(reference.rows.get(path));
      });
      tree.release(root);
      expect(tree.stats()).to.include({ innerNodes: 0, leafNodes: 0 });
    }), { numRuns: 120 });
  });

  it('T-3.1-ops: every version stays readable while others are made from it, forks included, and all memory comes back', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(), fc.array(anyChange, { maxLength: 8 }), fc.nat(3)), { maxLength: 25 }), (actions) => {
      const tree = createTree();
      const held = [{ root: tree.empty(), reference: new ReferenceTree() }];
      for (const [pick, block, kind] of actions) {
        const at = pick % held.length;
        const { root, reference } = held[at] as (typeof held)[0];
        const next = new ReferenceTree();
        next.apply(reference.leaves());
        next.apply(block);
        if (kind === 0 && held.length > 1) {
          tree.release(root);
          held.splice(at, 1);
        } else if (kind === 1) {
          held[at] = { root: tree.advance(root, block), reference: next };
        } else {
          held.push({ root: tree.apply(root, block), reference: next });
        }
      }
      for (const { root, reference } of held) {
        expect([...tree.leaves(root)]).to.deep.equal(reference.leaves());
        expect(root.hash).to.equal(reference.root());
        for (const { path } of reference.leaves()) expect(verifyProof(root.hash, path, tree.prove(root, path)).kind).to.equal('present');
      }
      for (const { root } of held) tree.release(root);
      expect(tree.stats()).to.include({ innerNodes: 0, leafNodes: 0 });
    }), { numRuns: 80 });
  });

  it('the last of several changes to one path counts, in values and in packed bytes alike', () => {
    const tree = createTree();
    const changes = [['b', '1'], ['a', '2'], ['b', '3']].map(([key, row]) => ({ path: pathOf(`${key}`), rowHash: rowOf(`${row}`) }));
    const packed = Buffer.concat(changes.flatMap(({ path, rowHash }) => [buf(path), buf(rowHash)]));
    const root = tree.apply(tree.empty(), changes);
    expect(tree.get(root, pathOf('b'))).to.equal(rowOf('3'));
    expect(tree.apply(tree.empty(), packed).hash).to.equal(root.hash);
    const shifted = Buffer.concat([Buffer.from([0]), packed]).subarray(1); // not aligned to words
    expect(tree.apply(tree.empty(), shifted).hash).to.equal(root.hash);
    const removal = Buffer.concat([buf(pathOf('a')), Buffer.alloc(32)]);
    expect(tree.count(tree.apply(root, removal))).to.equal(1n);
    expect(() => tree.apply(root, removal.subarray(1))).to.throw('TREE_CHANGES');
  });

  it('path compression comes back: after removals the root is that of a tree which never had the leaves', () => {
    const tree = createTree();
    const leaves = leavesOf(200, 'dbdbdbdb');
    const all = tree.build(leaves);
    const half = tree.apply(all, leaves.filter((_, i) => i % 2 === 1).map(({ path }) => ({ path, rowHash: null })));
    expect(half.hash).to.equal(tree.build(leaves.filter((_, i) => i % 2 === 0)).hash);
    const none = tree.advance(half, leaves.map(({ path }) => ({ path, rowHash: null })));
    expect([none.hash, none.count]).to.deep.equal([ZERO_HASH, 0n]);
  });

  it('changes that change nothing give the same root and cost no nodes', () => {
    const tree = createTree();
    const root = tree.build(leavesOf(50));
    const before = tree.stats();
    const same = tree.apply(root, [...leavesOf(50), { path: pathOf('never there'), rowHash: null }]);
    expect(same.hash).to.equal(root.hash);
    expect(tree.stats()).to.deep.equal(before);
    tree.release(root);
    expect([...tree.leaves(same)]).to.have.length(50);
  });

  it('a released, foreign or invented root is refused and nothing is harmed', () => {
    const tree = createTree();
    const root = tree.build(leavesOf(5));
    expect(() => createTree().count(root)).to.throw('TREE_FOREIGN_ROOT');
    expect(() => tree.count({ hash: root.hash, count: 5n })).to.throw('TREE_FOREIGN_ROOT');
    const walk = tree.leaves(root);
    walk.next();
    const next = tree.advance(root, [{ path: pathOf('new'), rowHash: rowOf('new') }]);
    expect(() => tree.release(root)).to.throw('TREE_ROOT_RELEASED');
    expect(() => tree.get(root, pathOf('key 1'))).to.throw('TREE_ROOT_RELEASED');
    expect(() => walk.next()).to.throw('TREE_ROOT_RELEASED');
    expect(tree.count(next)).to.equal(6n);
    const bad = [{ path: pathOf('x'), rowHash: ZERO_HASH }];
    expect(() => tree.advance(next, bad)).to.throw('TREE_ROW_HASH');
    expect(tree.count(next)).to.equal(6n);
  });
});

describe('state-tree: 100,000 keys', function () {
  this.timeout(30_000);

  it('T-3.1-path, T-3.1-ops: half of them under one long prefix; ranks, values, order, depth O(log R) and an in-place rewrite', () => {
    const tree = createTree();
    const random = randomSource(7);
    const leaves = Array.from({ length: 100_000 }, (_, i) => (
      { path: i % 2 ? pathOf(`k${i}`) : under('00112233445566778899aabbccdd', `k${i}`), rowHash: rowOf(`${i}`) }));
    const shuffled = leaves.map((leaf) => ({ leaf, key: random(2 ** 32) })).sort((a, b) => a.key - b.key).map(({ leaf }) => leaf);
    const root = tree.build(shuffled);
    leaves.sort((a, b) => (a.path < b.path ? -1 : 1));
    expect(root.hash).to.equal(tree.build(leaves).hash, 'order of insertion does not matter');
    for (let i = 0; i < 300; i++) {
      const rank = random(leaves.length);
      const { path, rowHash } = leaves[rank] as (typeof leaves)[0];
      expect(tree.at(root, BigInt(rank))).to.deep.equal({ path, rowHash });
      expect(tree.rank(root, path)).to.equal(BigInt(rank));
      const proof = tree.prove(root, path);
      expect(proof.steps.length).to.be.lessThan(50);
      expect(verifyProof(root.hash, path, proof)).to.deep.equal({ kind: 'present', rowHash, rank: BigInt(rank), count: 100_000n });
    }
    const gone = leaves.filter((_, i) => i % 3 === 0).map(({ path }) => ({ path, rowHash: null }));
    const kept = tree.advance(root, gone);
    expect(kept.hash).to.equal(tree.build(leaves.filter((_, i) => i % 3 !== 0)).hash);
  });
});
