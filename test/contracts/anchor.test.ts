import { expect } from 'chai';
import fc from 'fast-check';
import { packSigners } from '../../protocol/membership/index.ts';
import { packEntry } from '../../protocol/state-tree/index.ts';
import { bytesOf, concatBytes, hexOf, ZERO_HASH, type Hex, type Path } from '../../protocol/types/index.ts';
import { h, treeOf, type Place } from './cases.ts';
import { anchor, checkpointOf, FLIPS, GAP, HOUR, packed, read, refused, rosterAt, stage } from './oracle-cases.ts';
import { addNode, helpers, now, offer, send } from './world.ts';

describe('CheckpointAnchor', () => {
  it('anybody anchors what a quorum signed; the newest and the one before stay readable', async () => {
    const s = await stage();
    const { group } = s.place.group;
    await refused(s.anchors, read(s.anchors, 'newest', group), 'NotAnchored');
    await expect(anchor(s, packed(s.place, checkpointOf(s.place, h('one')))))
      .to.emit(s.anchors, 'Anchored').withArgs(group, 40n, 1n, h('one'), 1_800_000_000n);
    for (const [height, root] of [[41n, 'two'], [50n, 'three']] as const) {
      await helpers.time.increase(GAP);
      await anchor(s, packed(s.place, checkpointOf(s.place, h(root), { height, closedMs: 1_800_000_001_999 })));
    }
    expect((await read(s.anchors, 'newest', group)).stateRoot).to.equal(h('three'));
    const before = await read(s.anchors, 'anchorAt', group, 41n);
    expect([before.stateRoot, before.epoch, before.closedAt]).to.deep.equal([h('two'), 1n, 1_800_000_001n]);
    await refused(s.anchors, read(s.anchors, 'anchorAt', group, 40n), 'NotAnchored');
    await refused(s.anchors, read(s.anchors, 'anchorAt', group, 0n), 'NotAnchored');
    await refused(s.anchors, read(s.anchors, 'anchorAt', h('another group'), 50n), 'NotAnchored');
  });

  it('what an anchor keeps has the widths of its word: all time ends in 2106, and a height of forty bits is the last', async () => {
    const s = await stage();
    const { group } = s.place.group;
    const last = 2n ** 40n - 1n;
    const always = checkpointOf(s.place, h('the end of an epoch'), { height: last, closedMs: 2 ** 48 - 1 });
    await expect(anchor(s, packed(s.place, always))).to.emit(s.anchors, 'Anchored').withArgs(group, last, 1n, h('the end of an epoch'), (2n ** 48n - 1n) / 1_000n);
    const { closedAt, height, epoch, anchoredAt } = await read(s.anchors, 'anchorAt', group, last);
    expect([closedAt, height, epoch, anchoredAt]).to.deep.equal([2n ** 32n - 1n, last, 1n, await now()]);
    await helpers.time.increase(GAP);
    await refused(s.anchors, anchor(s, packed(s.place, checkpointOf(s.place, h('beyond'), { height: last + 1n }))), 'SafeCastOverflowedUintDowncast');
    await refused(s.anchors, read(s.anchors, 'anchorAt', group, last + 1n + 40n), 'NotAnchored');
  });

  it('heights strictly rise, with GAP between: whoever proves under the newest root has that long', async () => {
    const s = await stage();
    const at = (height: bigint): Hex => packed(s.place, checkpointOf(s.place, h(`at ${height}`), { height }));
    await anchor(s, at(40n));
    const { anchoredAt } = await read(s.anchors, 'newest', s.place.group.group);
    await helpers.time.setNextBlockTimestamp(anchoredAt + GAP - 1n);
    await refused(s.anchors, anchor(s, at(41n)), 'TooSoon');
    await helpers.time.setNextBlockTimestamp(anchoredAt + GAP);
    await anchor(s, at(41n));
    await helpers.time.increase(GAP);
    for (const stale of [39n, 40n, 41n]) await refused(s.anchors, anchor(s, at(stale)), 'StaleHeight');
    await anchor(s, at(42n));
  });

  it('fewer than N - f, strangers, another group, epoch or roster, and bent details are refused', async () => {
    const s = await stage();
    const good = checkpointOf(s.place, h('root'));
    const roster = rosterAt(s.place);
    await refused(s.anchors, anchor(s, packed(s.place, checkpointOf(s.place, h('root'), { signers: [0, 2] }))), 'NoQuorum');
    const stranger = { ...s.place, group: { ...s.place.group, members: [...s.place.group.members.slice(1), s.place.group.members[0]!] } };
    await refused(s.anchors, anchor(s, packed(s.place, checkpointOf(stranger, h('root')))), 'NotSigned');
    await refused(s.anchors, anchor(s, packed(s.place, good), h('another group')), 'UnknownRoster');
    await refused(s.anchors, anchor(s, packed(s.place, { ...good, checkpoint: { ...good.checkpoint, epoch: 2n } })), 'UnknownRoster');
    await refused(s.anchors, anchor(s, packed(s.place, { ...good, checkpoint: { ...good.checkpoint, height: 41n } })), 'NotSigned');
    await refused(s.anchors, anchor(s, packed(s.place, { ...good, detail: { ...good.detail, closeTs: good.detail.closeTs + (1n << 48n) as never } })), 'NotSigned');
    const short = { ...roster, replicas: roster.replicas.slice(0, 3) };
    const bytes = bytesOf(packed(s.place, good));
    const head = bytes.subarray(0, 164);
    await refused(s.anchors, anchor(s, hexOf(concatBytes(head, packSigners(short, good.signatures)))), 'UnknownRoster');
    await refused(s.anchors, anchor(s, hexOf(concatBytes(bytes, new Uint8Array(1)))), 'WrongLength');
    await anchor(s, packed(s.place, good));
  });

  it('evidence outlives stake (Trust M-9): an ended epoch speaks for one more hour, and never after a later one', async () => {
    const s = await stage();
    const { world, place } = s;
    const incoming = await addNode(world, 90, world.others[8]!);
    const { cluster, packed: before, roster } = place.group;
    await send(world.c.ClusterRegistry, world.consumer, 'replaceMember', cluster, 0, before, roster[0], await offer(world, cluster, incoming));
    const endedAt = await now();
    const members = [...place.group.members.slice(1), incoming].sort((a, b) => (a.address < b.address ? -1 : 1));
    const next: Place = { world, epoch: 2n, group: { ...place.group, members, roster: members.map((node) => node.address) } };
    const snapshot = await helpers.takeSnapshot();
    await helpers.time.setNextBlockTimestamp(endedAt + HOUR + 1n);
    await refused(s.anchors, anchor(s, packed(place, checkpointOf(place, h('old')))), 'EpochOver');
    await snapshot.restore();
    await helpers.time.setNextBlockTimestamp(endedAt + HOUR);
    await anchor(s, packed(place, checkpointOf(place, h('old'))));
    await helpers.time.increase(GAP);
    await anchor(s, packed(next, checkpointOf(next, h('new'), { height: 41n })));
    await snapshot.restore();
    await anchor(s, packed(next, checkpointOf(next, h('new'))));
    await helpers.time.increase(GAP);
    await refused(s.anchors, anchor(s, packed(place, checkpointOf(place, h('old'), { height: 60n }))), 'StaleHeight');
  });

  it('P-A-stateless: rows, absences, ranks and counts by path alone, and nothing else', async () => {
    const s = await stage();
    const { group } = s.place.group;
    const { tree, root, leaves } = treeOf(64);
    await anchor(s, packed(s.place, checkpointOf(s.place, root.hash)));
    const sorted = [...leaves].sort((a, b) => (a.path < b.path ? -1 : 1));
    const entry = (path: Path): Hex => hexOf(packEntry(path, tree.prove(root, path)));
    for (const rank of [0, 7, 31, 63]) {
      const leaf = sorted[rank]!;
      expect([...await read(s.anchors, 'verifyRow', group, 40n, leaf.path, entry(leaf.path))]).to.deep.equal([leaf.rowHash, BigInt(rank)]);
      expect([...await read(s.anchors, 'verifyRank', group, 40n, leaf.path, entry(leaf.path))]).to.deep.equal([BigInt(rank), 64n]);
      await refused(s.anchors, read(s.anchors, 'verifyAbsence', group, 40n, leaf.path, entry(leaf.path)), 'NotAbsent');
      await refused(s.anchors, read(s.anchors, 'verifyRow', group, 40n, h('elsewhere'), entry(leaf.path)), 'BadProof');
    }
    for (let i = 0; i < 20; i++) {
      const path = h(`absent ${i}`) as Path;
      const rank = BigInt(sorted.filter((leaf) => leaf.path < path).length);
      expect(await read(s.anchors, 'verifyAbsence', group, 40n, path, entry(path))).to.equal(rank);
      await refused(s.anchors, read(s.anchors, 'verifyRow', group, 40n, path, entry(path)), 'NotPresent');
      const other = h(`absent ${i + 1}`) as Path;
      const [first, last] = path < other ? [path, other] : [other, path];
      const inside = sorted.filter((leaf) => leaf.path >= first && leaf.path <= last).length;
      const both = `${entry(first)}${entry(last).slice(2)}`;
      expect(await read(s.anchors, 'verifyCount', group, 40n, first, last, both)).to.equal(BigInt(inside));
      await refused(s.anchors, read(s.anchors, 'verifyCount', group, 40n, last, first, both), 'RangeReversed');
    }
    const [a, b] = [sorted[3]!.path, sorted[10]!.path];
    expect(await read(s.anchors, 'verifyCount', group, 40n, a, b, `${entry(a)}${entry(b).slice(2)}`)).to.equal(8n);
    await refused(s.anchors, read(s.anchors, 'verifyRow', group, 41n, a, entry(a)), 'NotAnchored');
    await refused(s.anchors, read(s.anchors, 'verifyAbsence', group, 40n, a, '0x02'), 'BadProof');
    await refused(s.anchors, read(s.anchors, 'verifyRow', group, 40n, a, `${entry(a)}00`), 'WrongLength');
    await refused(s.anchors, read(s.anchors, 'verifyRow', group, 40n, a, '0x03'), 'BadProof');
  });

  it('the empty tree has nothing, and only it', async () => {
    const s = await stage();
    await anchor(s, packed(s.place, checkpointOf(s.place, ZERO_HASH)));
    expect(await read(s.anchors, 'verifyAbsence', s.place.group.group, 40n, h('any'), '0x02')).to.equal(0n);
    const { tree, root, leaves } = treeOf(2);
    const path = leaves[0]!.path;
    await refused(s.anchors, read(s.anchors, 'verifyRow', s.place.group.group, 40n, path, hexOf(packEntry(path, tree.prove(root, path)))), 'BadProof');
  });

  it('negative proof fuzz: a bent byte of a certificate or proof says nothing else', async function () {
    this.timeout(240_000);
    const s = await stage();
    const { group } = s.place.group;
    const { tree, root, leaves } = treeOf(40);
    const certificate = bytesOf(packed(s.place, checkpointOf(s.place, root.hash)));
    await anchor(s, hexOf(certificate));
    const { path, rowHash } = leaves[11]!;
    const absent = h('absent') as Path;
    const proofs = [path, absent].map((one) => ({ one, bytes: packEntry(one, tree.prove(root, one)) }));
    const outcome = (call: Promise<any>): Promise<unknown> => call.then((result) => String(result), () => 'refused');
    await fc.assert(fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(2), async (at, mask, which) => {
      const bent = (bytes: Uint8Array): Hex => hexOf(bytes.map((byte, i) => (i === at % bytes.length ? byte ^ mask : byte)));
      const proof = proofs[which];
      const call = proof === undefined
        ? read(s.anchors, 'check', group, bent(certificate))
        : read(s.anchors, 'verifyRank', group, 40n, proof.one, bent(proof.bytes));
      expect(await outcome(call)).to.equal('refused');
    }), { numRuns: FLIPS, seed: 17 });
    expect((await read(s.anchors, 'verifyRow', group, 40n, path, hexOf(proofs[0]!.bytes)))[0]).to.equal(rowHash);
  });
});
