import { expect } from 'chai';
import fc from 'fast-check';
import { decode, encode } from '../../../protocol/codec/index.ts';
import {
  combine, createTree, lookUp, prunedC, recover, rootOf, verifyPruned, type LeafChange, type Prefix, type Pruned, type TreeRoot,
} from '../../../protocol/state-tree/index.ts';
import { ZERO_HASH, type Path } from '../../../protocol/types/index.ts';
import { leavesOf, pathOf, randomSource, rowOf, under } from './reference.ts';

const tree = createTree();
const leaves = [...leavesOf(60), ...leavesOf(30, 'beefbeef')];
const root = tree.build(leaves);
const exactly = (path: Path): Prefix => ({ path, bits: 256 });
/** The `bits`-bit prefix with this number, e.g. prefix(4, 0xb) = 1011… */
const prefix = (bits: number, value: number): Prefix => (
  { path: `0x${(BigInt(value) << BigInt(256 - bits)).toString(16).padStart(64, '0')}` as Path, bits });
const inside = (path: Path, { path: start, bits }: Prefix): boolean =>
  bits === 0 || (BigInt(path) ^ BigInt(start)) >> BigInt(256 - bits) === 0n;

function stubsOf(node: Pruned): Pruned[] {
  return node.kind === 'stub' ? [node] : node.kind === 'inner' ? [...stubsOf(node.left), ...stubsOf(node.right)] : [];
}

/** A leaf of a pruned tree moved, changed or replaced. */
function edit(node: Pruned, change: (node: Pruned) => Pruned): Pruned {
  const next = change(node);
  return next !== node || next.kind !== 'inner' ? next : { ...next, left: edit(next.left, change), right: edit(next.right, change) };
}

describe('state-tree: pruned trees', () => {
  it('T-3.2-placeholder: a stub stands for its subtree by its label: the root stays, and the rest cannot be read', () => {
    const pruned = tree.prune(root, [exactly(pathOf('key 7'))]);
    expect(rootOf(pruned)).to.equal(root.hash);
    verifyPruned(root.hash, pruned);
    expect(lookUp(pruned, pathOf('key 7'))).to.deep.equal({ kind: 'present', rowHash: rowOf('7') });
    expect(leaves.filter(({ path }) => lookUp(pruned, path).kind === 'present')).to.have.length(1);
    expect(stubsOf(pruned)).to.have.length(tree.prove(root, pathOf('key 7')).steps.length);
    expect(rootOf(tree.prune(root, []))).to.equal(root.hash, 'one stub for everything');
    expect([rootOf(tree.prune(tree.empty(), [])), lookUp({ kind: 'empty' }, pathOf('x')).kind]).to.deep.equal([ZERO_HASH, 'absent']);
  });

  it('T-3.2-multi: one proof answers many paths, present and absent, in less room than one proof each', () => {
    const absent = [pathOf('absent 1'), pathOf('absent 2'), under('beefbeef', 'absent')];
    const asked = [...leaves.slice(0, 30).map(({ path }) => path), ...absent];
    const bytes = encode(prunedC, tree.prune(root, asked.map(exactly)));
    const received = decode(prunedC, bytes);
    verifyPruned(root.hash, received);
    for (const path of asked) {
      const rowHash = tree.get(root, path);
      expect(lookUp(received, path)).to.deep.equal(rowHash === undefined ? { kind: 'absent' } : { kind: 'present', rowHash });
    }
    const alone = asked.reduce((sum, path) => sum + encode(prunedC, tree.prune(root, [exactly(path)])).length, 0);
    expect(bytes.length).to.be.lessThan(alone / 2);
  });

  it('T-3.2-validate: forged labels, misplaced leaves and impossible structures are refused', () => {
    const pruned = tree.prune(root, [exactly(pathOf('key 7')), exactly(pathOf('key 8'))]);
    const isKey7 = (node: Pruned): boolean => node.kind === 'leaf' && node.path === pathOf('key 7');
    const forgeries: Pruned[] = [
      edit(pruned, (node) => (isKey7(node) ? { kind: 'leaf', path: pathOf('key 7'), rowHash: rowOf('forged') } : node)),
      edit(pruned, (node) => (isKey7(node) ? { kind: 'leaf', path: pathOf('key 9'), rowHash: rowOf('7') } : node)),
      edit(pruned, (node) => (node.kind === 'stub' ? { ...node, hash: rowOf('forged') } : node)),
      edit(pruned, (node) => (node.kind === 'stub' ? { ...node, count: node.count + 1n } : node)),
      edit(pruned, (node) => (node.kind === 'stub' ? { ...node, count: 0n } : node)),
      edit(pruned, (node) => (node.kind === 'stub' ? { kind: 'empty' } : node)),
      edit(pruned, (node) => (node.kind === 'inner' ? { ...node, left: node.right, right: node.left } : node)),
      edit(pruned, (node) => (node.kind === 'inner' ? { ...node, depth: 300 } : node)),
      edit(pruned, (node) => (node.kind === 'inner' && node.depth === 1 ? { ...node, depth: 0 } : node)),
    ];
    for (const [i, forged] of forgeries.entries()) expect(() => verifyPruned(root.hash, forged), `${i}`).to.throw('TREE_');
    // a root can be honest about labels and still put a leaf on a path that is not its own
    const [a, b] = leavesOf(2).sort((x, y) => (x.path < y.path ? 1 : -1)) as [(typeof leaves)[0], (typeof leaves)[0]];
    const misplaced: Pruned = { kind: 'inner', depth: 0, left: { kind: 'leaf', ...a }, right: { kind: 'leaf', ...b } };
    expect(() => verifyPruned(rootOf(misplaced), misplaced)).to.throw('TREE_WRONG_SIDE');
    const leaf = (path: string): Pruned => ({ kind: 'leaf', path: path as Path, rowHash: rowOf(path) });
    const apart: Pruned = { kind: 'inner', depth: 255, left: leaf(`0x1${'0'.repeat(63)}`), right: leaf(`0x${'0'.repeat(63)}1`) };
    expect(() => verifyPruned(rootOf(apart), apart)).to.throw('TREE_WRONG_SIDE');
  });

  it('decoding refuses hostile nesting and shapes', () => {
    const level = (depth: number, inner: Uint8Array): Uint8Array =>
      Buffer.concat([Buffer.from([0x83, depth]), inner, Buffer.from([0x80])]);
    let deep: Uint8Array = Buffer.from([0x80]);
    for (let i = 0; i < 2000; i++) deep = level(1, deep);
    for (const bytes of [deep, Buffer.from([0x81, 0x80]), Buffer.from([0x41, 0x00]), Buffer.from([0x83, 0x20, 0x80, 0x80])]) {
      expect(() => decode(prunedC, bytes)).to.throw('CODEC_');
    }
  });
});

describe('state-tree: partitions', () => {
  it('T-3.3-partition: a machine can answer everything under its prefixes, absence included, and keeps stubs elsewhere', () => {
    const wide = [prefix(2, 0b01), prefix(6, 0b111010), prefix(20, 0xbeefb)];
    const pruned = tree.prune(root, wide);
    verifyPruned(root.hash, pruned);
    const own = leaves.filter(({ path }) => wide.some((w) => inside(path, w)));
    expect(own.length).to.be.within(20, 80);
    expect(pruned).to.deep.equal(tree.prune(root, [...wide, ...own.map(({ path }) => exactly(path))]), 'its own leaves are all there');
    for (let i = 0; i < 300; i++) {
      const path = i < 90 ? (leaves[i] as { path: Path }).path : pathOf(`absent ${i}`);
      if (!wide.some((w) => inside(path, w))) continue;
      const rowHash = tree.get(root, path);
      expect(lookUp(pruned, path)).to.deep.equal(rowHash === undefined ? { kind: 'absent' } : { kind: 'present', rowHash });
    }
    expect(stubsOf(pruned).length).to.be.greaterThan(3);
  });

  it('T-3.3-combine: partitions that cover all prefixes make the base tree again; those of other trees do not fit', () => {
    const parts = Array.from({ length: 16 }, (_, value) => tree.prune(root, [prefix(4, value)]));
    const whole = parts.reduce(combine);
    expect(whole).to.deep.equal(tree.prune(root, [prefix(0, 0)]));
    expect(stubsOf(whole)).to.deep.equal([]);
    const other = tree.apply(root, [{ path: pathOf('key 3'), rowHash: rowOf('new') }]);
    expect(() => combine(parts[0] as Pruned, tree.prune(other, [prefix(4, 1)]))).to.throw('TREE_WRONG_ROOT');
  });

  it('T-3.3-redundancy: with each prefix on 3 of 6 machines, any 2 may be lost', () => {
    const values = Array.from({ length: 16 }, (_, value) => value);
    const holds = (machine: number, value: number): boolean => [0, 2, 4].some((step) => (value + step) % 6 === machine);
    const machines = [0, 1, 2, 3, 4, 5].map((machine) => values.filter((value) => holds(machine, value)).map((value) => prefix(4, value)));
    const parts = machines.map((prefixes) => tree.prune(root, prefixes));
    for (let a = 0; a < 6; a++) {
      for (let b = a + 1; b < 6; b++) {
        const left = parts.filter((_, m) => m !== a && m !== b).reduce(combine);
        expect(stubsOf(left), `without ${a} and ${b}`).to.deep.equal([]);
      }
    }
  });
});

describe('state-tree: recovery from older proofs', () => {
  // the example of the thesis: Ana and Bob under 0, Eve under 1; Bob's record changes
  const [ana, bob, eve] = [under('1', 'Ana'), under('6', 'Bob'), under('c', 'Eve')];
  const old = tree.build([ana, bob, eve].map((path, i) => ({ path, rowHash: rowOf(`${i}`) })));
  const now = tree.apply(old, [{ path: bob, rowHash: rowOf('changed') }]);

  it('T-3.4-recover: Eve is recovered from the older partition; Bob, who changed, is not', () => {
    const base = tree.prune(now, [exactly(bob)]);
    const withEve = recover(base, tree.prune(old, [exactly(eve)]), eve) as Pruned;
    verifyPruned(now.hash, withEve);
    expect(lookUp(withEve, eve)).to.deep.equal({ kind: 'present', rowHash: rowOf('2') });
    expect(lookUp(withEve, bob)).to.deep.equal({ kind: 'present', rowHash: rowOf('changed') });
    expect(recover(base, tree.prune(old, [exactly(bob)]), bob)).to.equal(undefined);
    expect(recover(base, tree.prune(now, [exactly(bob)]), bob)).to.equal(base);
  });

  it('T-3.4-obs2: whether an unchanged record can be recovered depends on the base partition', () => {
    const proof = tree.prune(old, [exactly(ana)]);
    const besideBob = tree.prune(now, [exactly(bob)]); // Ana is a stub of her own there
    const besideEve = tree.prune(now, [exactly(eve)]); // Ana and Bob are behind one stub, which changed
    expect(recover(besideBob, proof, ana)).to.not.equal(undefined);
    expect(recover(besideEve, proof, ana)).to.equal(undefined);
  });

  // a small key space, so that keys come, go and share long prefixes
  const keys: readonly Path[] = Array.from({ length: 32 }, (_, i) => (i % 4 ? pathOf(`h${i}`) : under('7'.repeat(20), `${i}`)));
  const anyKey = fc.constantFrom(...keys);
  const anyBatch: fc.Arbitrary<LeafChange[]> = fc.array(
    fc.record({ path: anyKey, rowHash: fc.option(fc.nat(5).map((i) => rowOf(`${i}`)), { freq: 2 }) }), { minLength: 1, maxLength: 4 });
  const anyHistory = fc.array(anyBatch, { minLength: 4, maxLength: 14 });
  const anyBases = fc.array(fc.array(fc.tuple(fc.nat(5), fc.nat(63)), { maxLength: 3 }), { minLength: 2, maxLength: 5 });

  function historyOf(batches: readonly LeafChange[][]): { versions: TreeRoot[]; own: ReturnType<typeof createTree> } {
    const own = createTree();
    const versions = [own.build(keys.slice(0, 16).map((path) => ({ path, rowHash: rowOf('start') })))];
    for (const batch of batches) versions.push(own.apply(versions.at(-1) as TreeRoot, batch));
    return { versions, own };
  }

  const prefixesOf = (chosen: readonly (readonly [number, number])[]): Prefix[] =>
    chosen.map(([bits, value]) => prefix(bits, value & ((1 << bits) - 1)));

  it('T-3.4-obs1: a record that changed is never recovered, whatever the base', () => {
    fc.assert(fc.property(anyHistory, anyBases, anyKey, fc.nat(), (batches, bases, key, pick) => {
      const { versions, own } = historyOf(batches);
      const [newest, older] = [versions.at(-1), versions[pick % versions.length]] as [TreeRoot, TreeRoot];
      if (own.get(newest, key) === own.get(older, key)) return;
      const proof = own.prune(older, [exactly(key)]);
      for (const chosen of bases) expect(recover(own.prune(newest, prefixesOf(chosen)), proof, key)).to.equal(undefined);
    }), { numRuns: 150 });
  });

  it('T-3.4-history-aware: every stub is as it was in all versions of the window, after each step', () => {
    fc.assert(fc.property(anyHistory, anyBases, fc.integer({ min: 1, max: 5 }), (batches, bases, window) => {
      const { versions, own } = historyOf(batches);
      for (let n = window; n < versions.length; n++) {
        const since = versions.slice(n - window, n);
        const known = since.map((version) => new Set(allLabels(own.prune(version, [prefix(0, 0)]))));
        const base = own.prune(versions[n] as TreeRoot, prefixesOf(bases[0] ?? []), since);
        verifyPruned((versions[n] as TreeRoot).hash, base);
        for (const stub of stubsOf(base)) for (const labels of known) expect(labels.has(rootOf(stub))).to.equal(true);
      }
    }), { numRuns: 60 });
  });

  function allLabels(node: Pruned): string[] {
    if (node.kind === 'empty') return [];
    return [rootOf(node), ...(node.kind === 'inner' ? [...allLabels(node.left), ...allLabels(node.right)] : [])];
  }

  it('T-3.4-theorem1, T-3.4-batch: all history-aware bases give one verdict on every proof at most T batches old', () => {
    let joined = 0;
    let refused = 0;
    fc.assert(fc.property(anyHistory, anyBases, fc.integer({ min: 1, max: 6 }), anyKey, (batches, bases, window, key) => {
      const { versions, own } = historyOf(batches);
      const n = versions.length - 1;
      const since = versions.slice(Math.max(0, n - window), n);
      const aware = bases.map((chosen) => own.prune(versions[n] as TreeRoot, prefixesOf(chosen), since));
      for (const older of since) {
        const proof = own.prune(older, [exactly(key)]);
        const results = aware.map((base) => recover(base, proof, key));
        expect(new Set(results.map((result) => result !== undefined)).size).to.equal(1);
        for (const result of results) {
          if (result === undefined) continue;
          verifyPruned((versions[n] as TreeRoot).hash, result);
          const rowHash = own.get(versions[n] as TreeRoot, key);
          expect(lookUp(result, key)).to.deep.equal(rowHash === undefined ? { kind: 'absent' } : { kind: 'present', rowHash });
        }
        if (results[0] === undefined) refused++;
        else joined++;
      }
    }), { numRuns: 300, seed: 11 });
    expect(Math.min(joined, refused)).to.be.greaterThan(50, 'both verdicts were seen');
  });

  it('recovery is the same for random bases without history only by luck (Observation 2, at scale)', () => {
    const random = randomSource(5);
    let differ = 0;
    for (let i = 0; i < 200; i++) {
      const batch = [{ path: keys[random(keys.length)] as Path, rowHash: rowOf(`${random(9)}`) }];
      const { versions, own } = historyOf([batch]);
      const key = keys[random(keys.length)] as Path;
      const proof = own.prune(versions[0] as TreeRoot, [exactly(key)]);
      const bases = [[], [prefix(3, random(8))], [exactly(key)]].map((chosen) => own.prune(versions[1] as TreeRoot, chosen));
      const verdicts = bases.map((base) => recover(base, proof, key) !== undefined);
      if (new Set(verdicts).size > 1) differ++;
    }
    expect(differ).to.be.greaterThan(20);
  });
});
