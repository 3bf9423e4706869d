import { expect } from 'chai';
import { addressOf } from '../../protocol/crypto/index.ts';
import {
  addNode, bySigner, createCluster, DAY, deployed, ethers, formGroup, freeTerms, fund, groupOf, hash, helpers, keyOf, now, offer, packRoster, PINT,
  possession, send, type TestGroup, type TestNode, type World,
} from './world.ts';

const build = (): Promise<World> => deployed();
const stage = (): Promise<World> => helpers.loadFixture(build);

async function buildGroup(): Promise<{ world: World; group: TestGroup }> {
  const world = await deployed();
  return { world, group: await groupOf(world) };
}
const grouped = (): Promise<{ world: World; group: TestGroup }> => helpers.loadFixture(buildGroup);

const usedOf = async (world: World, node: TestNode): Promise<bigint> => (await world.c.NodeRegistry.getFunction('nodeOf')(node.address)).usedGib;

describe('NodeRegistry', () => {
  it('P-6.3.1-work-token: stake in proportion to what is offered, else StakeTooLow(need)', async () => {
    const world = await stage();
    const { NodeRegistry, StakeVault } = world.c;
    const node = await addNode(world, 1, world.others[0]!, { gib: 0 });
    const need = 1_000n * PINT + 900n * PINT + 3n * 50n * PINT;
    expect(await NodeRegistry.getFunction('requiredStake')(900, 3)).to.equal(need);
    await expect(send(NodeRegistry, node.owner, 'setResources', node.address, [900, 3, 0, 0, 0])).to.be.revertedWithCustomError(StakeVault, 'StakeTooLow').withArgs(need);
    await fund(world, node, 50n * PINT);
    await expect(send(NodeRegistry, node.owner, 'setResources', node.address, [900, 3, 16, 1000, 7]))
      .to.emit(NodeRegistry, 'NodeUpdated').and.to.emit(StakeVault, 'Locked').withArgs(ethers.getAddress(node.address), need);
    expect((await StakeVault.getFunction('keyOf')(node.address)).locked).to.equal(need);
    await send(NodeRegistry, node.owner, 'setResources', node.address, [0, 0, 0, 0, 0]);
    expect(await StakeVault.getFunction('freeOf')(node.address)).to.equal(2_050n * PINT);
  });

  it('only the owner, only known regions, only short addresses', async () => {
    const world = await stage();
    const { NodeRegistry } = world.c;
    const node = await addNode(world, 1, world.others[0]!);
    await expect(send(NodeRegistry, world.watcher, 'setResources', node.address, [1, 0, 0, 0, 0])).to.be.revertedWithCustomError(NodeRegistry, 'NotOwner');
    await expect(send(NodeRegistry, node.owner, 'setResources', node.address, [1, 0, 0, 0, 16])).to.be.revertedWithCustomError(NodeRegistry, 'UnknownRegion');
    await expect(send(NodeRegistry, node.owner, 'announce', node.address, 'x'.repeat(513))).to.be.revertedWithCustomError(NodeRegistry, 'EndpointTooLong');
    await expect(send(NodeRegistry, node.owner, 'announce', node.address, 'tls://h:1'))
      .to.emit(NodeRegistry, 'Announced').withArgs(ethers.getAddress(node.address), 'tls://h:1');
    await expect(send(NodeRegistry, world.watcher, 'announce', node.address, '')).to.be.revertedWithCustomError(NodeRegistry, 'NotOwner');
    for (const method of ['take', 'giveBack']) {
      await expect(send(NodeRegistry, node.owner, method, node.address, 1)).to.be.revertedWithCustomError(NodeRegistry, 'NotClusters');
    }
  });

  it('capacity in use cannot be withdrawn, so nobody leaves a group by unbonding', async () => {
    const { world, group } = await grouped();
    const node = group.members[0]!;
    await expect(send(world.c.NodeRegistry, node.owner, 'setResources', node.address, [9, 0, 0, 0, 0]))
      .to.be.revertedWithCustomError(world.c.NodeRegistry, 'CapacityInUse').withArgs(10n);
    await send(world.c.NodeRegistry, node.owner, 'setResources', node.address, [10, 0, 0, 0, 0]);
    await expect(send(world.c.StakeVault, node.owner, 'requestUnbond', node.address, 991n * PINT)).to.be.revertedWithCustomError(world.c.StakeVault, 'Insufficient');
  });
});

describe('ClusterRegistry: clusters', () => {
  it('P-A-factor: a cluster states its replication factor, regions and terms', async () => {
    const world = await stage();
    const { ClusterRegistry } = world.c;
    const terms = [ethers.ZeroAddress, 1n, 2n, 3n, 4n, 5n];
    const cluster = await createCluster(world, 7, { regionMask: 0b11, terms });
    const record = await ClusterRegistry.getFunction('clusterOf')(cluster);
    expect([record.owner, record.replicationFactor, record.regionMask, record.groups, record.open]).to.deep.equal([await world.consumer.getAddress(), 7n, 3n, 0n, 0n]);
    const encoded = ethers.AbiCoder.defaultAbiCoder().encode(['tuple(address,uint96,uint128,uint128,uint128,uint128)'], [terms]);
    expect(await ClusterRegistry.getFunction('termsHashOf')(cluster)).to.equal(ethers.keccak256(encoded));
    await expect(createCluster(world, 7)).to.be.revertedWithCustomError(ClusterRegistry, 'ClusterExists');
    for (const size of [0, 65]) await expect(createCluster(world, size, { salt: hash(9) })).to.be.revertedWithCustomError(ClusterRegistry, 'BadReplicationFactor');
  });

  it('other terms hold only after their notice', async () => {
    const { world, group } = await grouped();
    const { ClusterRegistry } = world.c;
    await send(ClusterRegistry, world.consumer, 'setTerms', group.cluster, freeTerms);
    expect((await ClusterRegistry.getFunction('clusterOf')(group.cluster)).termsAt).to.equal((await now()) + 7n * DAY);
    await expect(send(ClusterRegistry, world.watcher, 'setTerms', group.cluster, freeTerms)).to.be.revertedWithCustomError(ClusterRegistry, 'NotClusterOwner');
  });
});

describe('ClusterRegistry: groups', () => {
  it('a group of signed offers: roster ascending in the event, capacity used, epoch 1', async () => {
    const { world, group } = await grouped();
    const { ClusterRegistry } = world.c;
    const [event] = await ClusterRegistry.queryFilter('EpochStarted') as unknown as [{ args: { group: string; epoch: bigint; roster: string } }];
    expect([event.args.group, event.args.epoch, event.args.roster]).to.deep.equal([group.group, 1n, group.packed]);
    expect([...group.roster].sort()).to.deep.equal(group.roster);
    for (const node of group.members) expect(await usedOf(world, node)).to.equal(10n);
    const [epoch, consumer] = await ClusterRegistry.getFunction('membership')(group.group, 1);
    expect([epoch.size, epoch.endedAt, epoch.convicted, consumer]).to.deep.equal([4n, 0n, 0n, await world.consumer.getAddress()]);
  });

  it('one bad offer refuses the group: expired, too long, too small, other cluster, other signer, under-staked, wrong region', async () => {
    const world = await stage();
    const { ClusterRegistry, NodeRegistry } = world.c;
    const cluster = await createCluster(world, 2, { regionMask: 0b0010 });
    const nodes = [await addNode(world, 1, world.others[0]!, { region: 1 }), await addNode(world, 2, world.others[1]!, { region: 1 })].sort(bySigner);
    const [a, b] = nodes as [TestNode, TestNode];
    const form = async (bad: readonly unknown[], gib = 10): Promise<unknown> =>
      send(ClusterRegistry, world.consumer, 'formGroup', cluster, gib, [await offer(world, cluster, a), bad]);
    const refused = async (bad: readonly unknown[], error: string, gib = 10, where = ClusterRegistry): Promise<void> => {
      await expect(form(bad, gib), error).to.be.revertedWithCustomError(where, error);
    };
    await refused(await offer(world, cluster, b, { expiresAt: await now() }), 'OfferExpired');
    await refused(await offer(world, cluster, b, { expiresAt: (await now()) + 31n * DAY }), 'OfferTooLong');
    await refused(await offer(world, cluster, b, { gib: 9 }), 'OfferTooSmall');
    await refused(await offer(world, hash(3), b), 'BadOfferSignature');
    await refused(await offer(world, cluster, b, { key: a.key }), 'BadOfferSignature');
    await refused(await offer(world, cluster, a), 'BadRoster');
    const c = await addNode(world, 3, world.others[2]!, { region: 2 });
    const pair = [a, c].sort(bySigner);
    const offers = await Promise.all(pair.map((node) => offer(world, cluster, node)));
    await expect(send(ClusterRegistry, world.consumer, 'formGroup', cluster, 10, offers)).to.be.revertedWithCustomError(ClusterRegistry, 'RegionNotAllowed');
    const big = await offer(world, cluster, b, { gib: 101 });
    const bigA = await offer(world, cluster, a, { gib: 101 });
    await expect(send(ClusterRegistry, world.consumer, 'formGroup', cluster, 101, [bigA, big])).to.be.revertedWithCustomError(NodeRegistry, 'CapacityExceeded');
    await slashHard(world, b);
    await refused(await offer(world, cluster, b), 'NodeNotBacked');
  });

  it('roster order, size and ownership', async () => {
    const world = await stage();
    const { ClusterRegistry } = world.c;
    const cluster = await createCluster(world, 2);
    const nodes = [await addNode(world, 1, world.others[0]!), await addNode(world, 2, world.others[1]!)].sort(bySigner).reverse();
    const offers = await Promise.all(nodes.map((node) => offer(world, cluster, node)));
    await expect(send(ClusterRegistry, world.consumer, 'formGroup', cluster, 10, offers)).to.be.revertedWithCustomError(ClusterRegistry, 'BadRoster');
    await expect(send(ClusterRegistry, world.consumer, 'formGroup', cluster, 10, offers.slice(0, 1))).to.be.revertedWithCustomError(ClusterRegistry, 'BadRoster');
    await expect(send(ClusterRegistry, world.watcher, 'formGroup', cluster, 10, offers)).to.be.revertedWithCustomError(ClusterRegistry, 'NotClusterOwner');
    await send(ClusterRegistry, world.consumer, 'formGroup', cluster, 10, offers.reverse());
    await formGroup(world, cluster, nodes, 1);
    for (const node of nodes) expect(await usedOf(world, node)).to.equal(20n);
  });

  it('replacement starts an epoch: order kept at every place, end stamped, capacity moved', async () => {
    for (const place of [0, 1, 2, 3]) {
      const { world, group } = await grouped();
      const { ClusterRegistry } = world.c;
      const incoming = await addNode(world, 60 + place, world.others[8]!);
      const leaving = group.members[place]!;
      await send(ClusterRegistry, world.consumer, 'replaceMember', group.cluster, 0, group.packed, leaving.address, await offer(world, group.cluster, incoming));
      const expected = packRoster([...group.roster.filter((_, i) => i !== place), incoming.address].sort());
      const events = await ClusterRegistry.queryFilter('EpochStarted') as unknown as { args: { epoch: bigint; roster: string } }[];
      expect(events.map(({ args }) => [args.epoch, args.roster])).to.deep.equal([[1n, group.packed], [2n, expected]]);
      const [old] = await ClusterRegistry.getFunction('membership')(group.group, 1);
      expect(old.endedAt).to.equal(await now());
      expect([await usedOf(world, leaving), await usedOf(world, incoming)]).to.deep.equal([0n, 10n]);
      await expect(send(ClusterRegistry, world.consumer, 'closeGroup', group.cluster, 0, group.packed)).to.be.revertedWithCustomError(ClusterRegistry, 'BadRoster');
    }
  });

  it('one node cannot take two seats with two keys', async () => {
    const { world, group } = await grouped();
    const { ClusterRegistry, StakeVault } = world.c;
    const node = group.members[1]!;
    const next = keyOf(77);
    await send(StakeVault, node.owner, 'rotateSigner', node.address, addressOf(next), possession(world, next, await node.owner.getAddress(), node.address));
    const renewed = await offer(world, group.cluster, node, { key: next });
    await expect(send(ClusterRegistry, world.consumer, 'replaceMember', group.cluster, 0, group.packed, group.roster[0], renewed))
      .to.be.revertedWithCustomError(ClusterRegistry, 'AlreadyMember');
    await send(ClusterRegistry, world.consumer, 'replaceMember', group.cluster, 0, group.packed, node.address, renewed);
    expect(await usedOf(world, node)).to.equal(10n);
    await expect(send(ClusterRegistry, world.consumer, 'replaceMember', group.cluster, 0, group.packed, hash(1).slice(0, 42), renewed))
      .to.be.revertedWithCustomError(ClusterRegistry, 'BadRoster');
  });

  it('who does not belong cannot be replaced; strangers cannot replace or close', async () => {
    const { world, group } = await grouped();
    const { ClusterRegistry } = world.c;
    const incoming = await addNode(world, 60, world.others[8]!);
    const signed = await offer(world, group.cluster, incoming);
    await expect(send(ClusterRegistry, world.consumer, 'replaceMember', group.cluster, 0, group.packed, incoming.address, signed))
      .to.be.revertedWithCustomError(ClusterRegistry, 'NotMember');
    await expect(send(ClusterRegistry, world.watcher, 'replaceMember', group.cluster, 0, group.packed, group.roster[0], signed))
      .to.be.revertedWithCustomError(ClusterRegistry, 'NotClusterOwner');
    await expect(send(ClusterRegistry, world.watcher, 'closeGroup', group.cluster, 0, group.packed)).to.be.revertedWithCustomError(ClusterRegistry, 'NotAllowed');
    await expect(send(ClusterRegistry, world.watcher, 'convict', group.group, 1)).to.be.revertedWithCustomError(ClusterRegistry, 'NotSlasher');
    await expect(send(ClusterRegistry, world.consumer, 'closeGroup', group.cluster, 1, group.packed)).to.be.revertedWithCustomError(ClusterRegistry, 'GroupNotOpen');
  });

  it('closing frees everybody once', async () => {
    const { world, group } = await grouped();
    const { ClusterRegistry } = world.c;
    await expect(send(ClusterRegistry, world.consumer, 'closeGroup', group.cluster, 0, group.packed)).to.emit(ClusterRegistry, 'GroupClosed').withArgs(group.group);
    for (const node of group.members) expect(await usedOf(world, node)).to.equal(0n);
    await expect(send(ClusterRegistry, world.consumer, 'closeGroup', group.cluster, 0, group.packed)).to.be.revertedWithCustomError(ClusterRegistry, 'GroupNotOpen');
  });

  it('P-6.2-return: an owner who does not answer cannot hold a member\'s stake', async () => {
    const { world, group } = await grouped();
    const { ClusterRegistry, StakeVault, NodeRegistry } = world.c;
    const node = group.members[2]!;
    await expect(send(ClusterRegistry, world.watcher, 'requestLeave', group.group, group.packed, node.address))
      .to.be.revertedWithCustomError(ClusterRegistry, 'NotAllowed');
    await expect(send(ClusterRegistry, node.owner, 'requestLeave', group.group, group.packed, await world.watcher.getAddress()))
      .to.be.revertedWithCustomError(ClusterRegistry, 'NotMember');
    await send(ClusterRegistry, node.owner, 'requestLeave', group.group, group.packed, node.address);
    const at = (await now()) + 7n * DAY;
    await helpers.time.setNextBlockTimestamp(at - 1n);
    await expect(send(ClusterRegistry, node.owner, 'closeGroup', group.cluster, 0, group.packed)).to.be.revertedWithCustomError(ClusterRegistry, 'NotAllowed');
    await helpers.time.setNextBlockTimestamp(at);
    await send(ClusterRegistry, node.owner, 'closeGroup', group.cluster, 0, group.packed);
    await send(NodeRegistry, node.owner, 'setResources', node.address, [0, 0, 0, 0, 0]);
    await send(StakeVault, node.owner, 'requestUnbond', node.address, 2_000n * PINT);
    const { unlockAt } = await StakeVault.getFunction('accountOf')(node.address);
    const [epoch] = await ClusterRegistry.getFunction('membership')(group.group, 1);
    expect(unlockAt).to.be.greaterThan(epoch.endedAt + 14n * DAY + 7n * DAY);
  });
});

async function slashHard(world: World, node: TestNode): Promise<void> {
  const address = await world.c.SlasherConsensus.getAddress();
  await helpers.impersonateAccount(address);
  await helpers.setBalance(address, 10n ** 20n);
  const slasher = await ethers.getSigner(address);
  await send(world.c.StakeVault, slasher, 'slash', [node.address, 9_000, 1, 1, ethers.ZeroAddress, 0, ethers.ZeroAddress, 0, ethers.ZeroHash]);
}
