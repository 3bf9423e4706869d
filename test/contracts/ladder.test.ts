import { expect } from 'chai';
import { enact, governed } from './governance.ts';
import {
  addNode, createCluster, DAY, ethers, freeTerms, fund, groupOf, hash, helpers, keyOf, now, offer, PINT, send, sign, bySigner,
  type TestNode, type World,
} from './world.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import type { Hash32, Signature } from '../../protocol/types/index.ts';
import { headerOf } from '../../sdk/operator/index.ts';

const stage = (): Promise<World> => helpers.loadFixture(governed);
const ROOT = keyOf(5_000);

/** A root of the test: governance grants it the role. */
async function withRoot(): Promise<World> {
  const world = await stage();
  await enact(world, { target: world.c.Authority, method: 'grantRole', args: [6, addressOf(ROOT), 0] });
  return world;
}

async function certificate(world: World, node: TestNode, { number = 1n, key = ROOT, issuedAt = 0n, days = 400n } = {}): Promise<readonly [object, Signature]> {
  const at = issuedAt === 0n ? await now() : issuedAt;
  const value = { node: node.address, number, transportKeyHash: hash(7), softwareHash: hash(8), issuedAt: at, expiresAt: at + days * DAY };
  return [value, sign(world, { key }, 'NodeCertificate', value)];
}

const trustOf = async (world: World, node: TestNode): Promise<number> => Number(await world.c.NodeRegistry.getFunction('trustOf')(node.address));

/** Fees as the splitter reports them. */
async function earn(world: World, node: TestNode, amount: bigint, token?: string) {
  const splitter = await world.c.ClusterSplitter.getAddress();
  await helpers.impersonateAccount(splitter);
  await helpers.setBalance(splitter, 10n ** 20n);
  return send(world.c.NodeRegistry, await ethers.getSigner(splitter), 'noteFees', node.address, token ?? (await world.c.PintToken.getAddress()), amount);
}

const lockOf = async (world: World, node: TestNode): Promise<bigint> => (await world.c.StakeVault.getFunction('keyOf')(node.address)).locked as bigint;

describe('NodeRegistry: certificates', () => {
  it('a root\'s certificate counts, a forged, foreign, early or stale one does not', async () => {
    const world = await withRoot();
    const { NodeRegistry } = world.c;
    const node = await addNode(world, 1, world.others[0]!, { gib: 0 });
    expect(await trustOf(world, node)).to.equal(0);
    const [value, signature] = await certificate(world, node);
    await expect(send(NodeRegistry, world.watcher, 'anchorCertificate', { ...value, number: 2n }, signature)).to.be.revertedWithCustomError(NodeRegistry, 'NotIssuer');
    const forged = await certificate(world, node, { key: keyOf(5_001) });
    await expect(send(NodeRegistry, world.watcher, 'anchorCertificate', ...forged))
      .to.be.revertedWithCustomError(NodeRegistry, 'NotIssuer').withArgs(ethers.getAddress(addressOf(keyOf(5_001))));
    await expect(send(NodeRegistry, world.watcher, 'anchorCertificate', value, '0x'))
      .to.be.revertedWithCustomError(NodeRegistry, 'NotIssuer').withArgs(ethers.ZeroAddress);
    const { r, s, yParity } = ethers.Signature.from(signature); // signature malleability: the twin with a high s is nobody's
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const twin = ethers.concat([r, ethers.toBeHex(order - BigInt(s), 32), yParity === 0 ? '0x1c' : '0x1b']);
    await expect(send(NodeRegistry, world.watcher, 'anchorCertificate', value, twin))
      .to.be.revertedWithCustomError(NodeRegistry, 'NotIssuer').withArgs(ethers.ZeroAddress);
    const early = await certificate(world, node, { issuedAt: (await now()) + 100n });
    await expect(send(NodeRegistry, world.watcher, 'anchorCertificate', ...early)).to.be.revertedWithCustomError(NodeRegistry, 'NotDated');
    await expect(send(NodeRegistry, world.watcher, 'anchorCertificate', value, signature)).to.emit(NodeRegistry, 'CertificateAnchored');
    expect(await trustOf(world, node)).to.equal(1);
    const { expiresAt } = value as { expiresAt: bigint };
    await helpers.time.increaseTo(expiresAt - 1n);
    expect(await NodeRegistry.getFunction('isCertified')(node.address)).to.equal(true);
    await helpers.time.increaseTo(expiresAt);
    expect(await NodeRegistry.getFunction('isCertified')(node.address)).to.equal(false);
    await expect(send(NodeRegistry, world.watcher, 'anchorCertificate', value, signature)).to.be.revertedWithCustomError(NodeRegistry, 'NotDated');
  });

  it('an issuer revokes its own numbers for ever; without its role all its certificates fall', async () => {
    const world = await withRoot();
    const { NodeRegistry } = world.c;
    const node = await addNode(world, 1, world.others[0]!, { gib: 0 });
    const root = new ethers.Wallet(ethers.hexlify(ROOT), ethers.provider);
    await helpers.setBalance(root.address, 10n ** 20n);
    await send(NodeRegistry, world.watcher, 'anchorCertificate', ...(await certificate(world, node)));
    await send(NodeRegistry, world.watcher, 'revokeCertificate', 1n);
    expect(await trustOf(world, node), 'a stranger revokes only its own').to.equal(1);
    await expect(send(NodeRegistry, root, 'revokeCertificate', 1n)).to.emit(NodeRegistry, 'CertificateRevoked').withArgs(root.address, 1n);
    expect(await trustOf(world, node)).to.equal(0);
    await expect(send(NodeRegistry, world.watcher, 'anchorCertificate', ...(await certificate(world, node))))
      .to.be.revertedWithCustomError(NodeRegistry, 'Revoked').withArgs(root.address, 1n);
    await send(NodeRegistry, world.watcher, 'anchorCertificate', ...(await certificate(world, node, { number: 257n })));
    expect(await trustOf(world, node)).to.equal(1);
    await enact(world, { target: world.c.Authority, method: 'revokeRole', args: [6, root.address] });
    expect(await trustOf(world, node)).to.equal(0);
  });
});

describe('NodeRegistry: the trust ladder', () => {
  it('P-4.5.2-entry-level, P-4.5.2-elevate: a certificate is the first step, a deposit the second, service the third', async () => {
    const world = await withRoot();
    const { NodeRegistry } = world.c;
    const node = await addNode(world, 1, world.others[0]!);
    const refused = (rule: string) => expect(send(NodeRegistry, world.watcher, 'promote', node.address))
      .to.be.revertedWithCustomError(NodeRegistry, 'RuleNotMet').withArgs(ethers.encodeBytes32String(rule));
    const fresh = await addNode(world, 2, world.others[1]!, { stake: 0n, gib: 0 });
    await send(NodeRegistry, world.watcher, 'anchorCertificate', ...(await certificate(world, fresh, { number: 9n })));
    expect(await trustOf(world, fresh)).to.equal(1);
    const cluster = await createCluster(world, 1);
    await expect(send(world.c.ClusterRegistry, world.consumer, 'formGroup', cluster, 10, [await offer(world, cluster, fresh)]), 'no write range without stake')
      .to.be.revertedWithCustomError(NodeRegistry, 'CapacityExceeded');
    expect(await trustOf(world, node)).to.equal(2);
    await refused('certificate');
    await send(NodeRegistry, world.watcher, 'anchorCertificate', ...(await certificate(world, node)));
    const { joinedAt } = await world.c.StakeVault.getFunction('ownerOf')(node.address);
    await refused('service');
    await earn(world, node, 100n * PINT - 1n);
    await helpers.time.increaseTo(joinedAt + 90n * DAY);
    await refused('fees');
    await earn(world, node, 1n);
    await expect(send(NodeRegistry, world.watcher, 'promote', node.address)).to.emit(NodeRegistry, 'Promoted');
    expect(await trustOf(world, node)).to.equal(3);
  });

  it('the council is called by governance and stands on the third step', async () => {
    const world = await withRoot();
    const node = await addNode(world, 1, world.others[0]!);
    await enact(world, { target: world.c.Authority, method: 'grantRole', args: [8, await node.owner.getAddress(), 0] });
    expect(await trustOf(world, node), 'a seat without service is no step').to.equal(2);
    await send(world.c.NodeRegistry, world.watcher, 'anchorCertificate', ...(await certificate(world, node)));
    await earn(world, node, 100n * PINT);
    await helpers.time.increase(91n * DAY);
    await send(world.c.NodeRegistry, world.watcher, 'promote', node.address);
    expect(await trustOf(world, node)).to.equal(4);
    await enact(world, { target: world.c.Authority, method: 'revokeRole', args: [8, await node.owner.getAddress()] });
    expect(await trustOf(world, node)).to.equal(3);
  });

  it('a withdrawn offer takes the second step away and with it the third', async () => {
    const world = await withRoot();
    const node = await addNode(world, 1, world.others[0]!);
    await send(world.c.NodeRegistry, world.watcher, 'anchorCertificate', ...(await certificate(world, node)));
    await earn(world, node, 100n * PINT);
    await helpers.time.increase(91n * DAY);
    await send(world.c.NodeRegistry, world.watcher, 'promote', node.address);
    await send(world.c.NodeRegistry, node.owner, 'setResources', node.address, [0, 0, 0, 0, 0]);
    await send(world.c.NodeRegistry, world.watcher, 'releaseFees', node.address);
    await helpers.time.increase(29n * DAY);
    await send(world.c.NodeRegistry, world.watcher, 'releaseFees', node.address);
    expect(await trustOf(world, node)).to.equal(1);
  });
});

describe('NodeRegistry: stake locked per fee collected', () => {
  it('every fee locks as much stake for at least one period and at most two', async () => {
    const world = await stage();
    const { NodeRegistry } = world.c;
    const node = await addNode(world, 1, world.others[0]!);
    await expect(earn(world, node, 300n * PINT))
      .to.emit(NodeRegistry, 'FeesNoted').withArgs(ethers.getAddress(node.address), ethers.getAddress(await world.c.PintToken.getAddress()), 300n * PINT, 300n * PINT);
    const at = await now();
    expect(await lockOf(world, node)).to.equal(1_400n * PINT);
    // two periods when somebody closes the first window in its second, never less than one
    for (const [after, lock] of [[14n * DAY, 1_400n], [28n * DAY - 1n, 1_400n], [28n * DAY, 1_100n]] as const) {
      await helpers.time.setNextBlockTimestamp(at + after);
      await send(NodeRegistry, world.watcher, 'releaseFees', node.address);
      expect(await lockOf(world, node), `after ${after} s`).to.equal(lock * PINT);
    }
  });

  it('another offer keeps what fees lock, and asks for nothing once they are old', async () => {
    const world = await stage();
    const { NodeRegistry } = world.c;
    const node = await addNode(world, 1, world.others[0]!);
    await earn(world, node, 300n * PINT);
    const offering = (gib: number): Promise<unknown> => send(NodeRegistry, node.owner, 'setResources', node.address, [gib, 0, 0, 0, 0]);
    await offering(200);
    expect(await lockOf(world, node)).to.equal(1_500n * PINT);
    expect(await NodeRegistry.getFunction('offerStakeOf')(node.address)).to.equal(1_200n * PINT);
    await helpers.time.increase(28n * DAY);
    await offering(150);
    expect(await lockOf(world, node)).to.equal(1_150n * PINT);
    await offering(0);
    expect(await NodeRegistry.getFunction('offerStakeOf')(node.address)).to.equal(0n);
  });

  it('a lock for fees takes free stake only, and never hides that the offer is unbacked', async () => {
    const world = await stage();
    const node = await addNode(world, 1, world.others[0]!, { stake: 1_150n * PINT });
    await earn(world, node, 300n * PINT);
    expect(await lockOf(world, node)).to.equal(1_150n * PINT);
    await expect(send(world.c.StakeVault, node.owner, 'requestUnbond', node.address, PINT)).to.be.revertedWithCustomError(world.c.StakeVault, 'Insufficient');
    await fund(world, node, 50n * PINT);
    await send(world.c.NodeRegistry, world.watcher, 'releaseFees', node.address);
    expect(await lockOf(world, node)).to.equal(1_200n * PINT);
  });

  it('money without a rate counts nothing, money with one counts by it; only the splitter reports', async () => {
    const world = await stage();
    const { NodeRegistry, SystemParams } = world.c;
    const node = await addNode(world, 1, world.others[0]!);
    await expect(send(NodeRegistry, world.watcher, 'noteFees', node.address, ethers.ZeroAddress, 1n)).to.be.revertedWithCustomError(NodeRegistry, 'NotSplitter');
    await earn(world, node, PINT, ethers.ZeroAddress);
    expect(await NodeRegistry.getFunction('earnedOf')(node.address)).to.equal(0n);
    await enact(world, { target: SystemParams, method: 'setFeeRate', args: [ethers.ZeroAddress, 2_000n * PINT] });
    await earn(world, node, PINT / 10n, ethers.ZeroAddress);
    expect(await NodeRegistry.getFunction('earnedOf')(node.address)).to.equal(200n * PINT);
    await earn(world, node, ethers.MaxUint256, ethers.ZeroAddress);
    expect(await NodeRegistry.getFunction('earnedOf')(node.address), 'an absurd amount counts nothing').to.equal(200n * PINT);
  });
});

describe('ClusterRegistry: draws', () => {
  async function drawn(world: World, size: number) {
    const cluster = await createCluster(world, 2, { regionMask: 0b1 });
    const nodes: TestNode[] = [];
    for (let i = 0; i < size; i++) nodes.push(await addNode(world, 10 + i, world.others[i]!));
    const byNode = [...nodes].sort(bySigner);
    return { cluster, candidates: byNode, addresses: byNode.map(({ address }) => address) };
  }
  const seedOf = async (cluster: Hash32, world: World): Promise<bigint> => (await world.c.ClusterRegistry.getFunction('drawOf')(cluster)).seedBlock as bigint;

  it('randomness bias: the block that decides is fixed before it exists, and chooses', async () => {
    const world = await stage();
    const { ClusterRegistry } = world.c;
    const { cluster, candidates, addresses } = await drawn(world, 6);
    await expect(send(ClusterRegistry, world.consumer, 'openDraw', cluster, 10, addresses)).to.emit(ClusterRegistry, 'DrawOpened');
    const seedBlock = await seedOf(cluster, world);
    expect(seedBlock).to.equal(BigInt(await ethers.provider.getBlockNumber()) + 64n);
    await helpers.mine(64);
    const header = await headerOf(ethers.provider as never, seedBlock);
    const { mixHash } = (await ethers.provider.send('eth_getBlockByNumber', [`0x${seedBlock.toString(16)}`, false])) as { mixHash: string };
    const chosen = [...(await ClusterRegistry.getFunction('choose')(mixHash, addresses, 2, 10, 1))].map((node) => String(node).toLowerCase());
    const members = candidates.filter(({ address }) => chosen.includes(address));
    const offers = await Promise.all(members.map((node) => offer(world, cluster, node)));
    const passedOver = candidates.find(({ address }) => !chosen.includes(address))!;
    const steered = await Promise.all([members[0]!, passedOver].sort(bySigner).map((node) => offer(world, cluster, node)));
    await helpers.mine();
    await expect(send(ClusterRegistry, world.consumer, 'formDrawnGroup', cluster, header, addresses, steered))
      .to.be.revertedWithCustomError(ClusterRegistry, 'NotChosen');
    const other = await headerOf(ethers.provider as never, seedBlock - 1n);
    await expect(send(ClusterRegistry, world.consumer, 'formDrawnGroup', cluster, other, addresses, offers))
      .to.be.revertedWithCustomError(ClusterRegistry, 'WrongHeader').withArgs(seedBlock);
    await expect(send(ClusterRegistry, world.consumer, 'formDrawnGroup', cluster, header, addresses.slice(1), offers))
      .to.be.revertedWithCustomError(ClusterRegistry, 'NoDraw');
    await expect(send(ClusterRegistry, world.consumer, 'formDrawnGroup', cluster, header, addresses, offers))
      .to.emit(ClusterRegistry, 'Drawn').and.to.emit(ClusterRegistry, 'GroupFormed');
    await expect(send(ClusterRegistry, world.consumer, 'formDrawnGroup', cluster, header, addresses, offers)).to.be.revertedWithCustomError(ClusterRegistry, 'NoDraw');
  });

  it('who cannot serve is passed over, whatever its place', async () => {
    const world = await stage();
    const { cluster, candidates, addresses } = await drawn(world, 4);
    const choose = async (): Promise<string[]> => {
      const chosen = await world.c.ClusterRegistry.getFunction('choose')(hash(3), addresses, 2, 10, 1);
      return [...chosen].map((node) => String(node).toLowerCase());
    };
    const [first, second] = await choose() as [string, string];
    const node = candidates.find(({ address }) => address === first)!;
    await send(world.c.NodeRegistry, node.owner, 'setResources', node.address, [9, 0, 0, 0, 0]);
    expect((await choose())[0]).to.equal(second);
    await send(world.c.NodeRegistry, node.owner, 'setResources', node.address, [100, 0, 0, 0, 1]);
    expect(await choose()).not.to.include(first);
    expect(cluster).to.match(/^0x/);
  });

  it('an open draw stands until its block is forgotten: nobody draws again for a better result', async () => {
    const world = await stage();
    const { ClusterRegistry } = world.c;
    const { cluster, addresses } = await drawn(world, 3);
    const open = () => send(ClusterRegistry, world.consumer, 'openDraw', cluster, 10, addresses);
    await expect(send(ClusterRegistry, world.watcher, 'openDraw', cluster, 10, addresses)).to.be.revertedWithCustomError(ClusterRegistry, 'NotClusterOwner');
    for (const bad of [addresses.slice(0, 1), [...addresses].reverse(), [addresses[0], addresses[0]], Array(65).fill(addresses[0])]) {
      await expect(send(ClusterRegistry, world.consumer, 'openDraw', cluster, 10, bad)).to.be.revertedWithCustomError(ClusterRegistry, 'BadCandidates');
    }
    await open();
    const seedBlock = await seedOf(cluster, world);
    await helpers.mineUpTo(seedBlock + 8_190n);
    await expect(open()).to.be.revertedWithCustomError(ClusterRegistry, 'DrawPending').withArgs(seedBlock);
    await helpers.mine();
    await open();
    expect(await seedOf(cluster, world)).to.be.greaterThan(seedBlock);
  });
});

describe('ClusterSplitter: good standing', () => {
  it('P-6.5-cheating-owner: a cluster stands well with twice its threshold on deposit and no notice', async () => {
    const world = await stage();
    const { PaymentChannels, ClusterSplitter } = world.c;
    const terms = [...freeTerms.slice(0, 5), 100n];
    const cluster = await createCluster(world, 4, { terms });
    const key = [await world.consumer.getAddress(), await ClusterSplitter.getAddress(), ethers.ZeroAddress, addressOf(keyOf(9)), cluster];
    const stands = (k = key, t: readonly unknown[] = terms): Promise<boolean> => ClusterSplitter.getFunction('inGoodStanding')(k, t) as Promise<boolean>;
    await send(PaymentChannels, world.consumer, 'fund', key, 199n, { value: 199n });
    expect(await stands()).to.equal(false);
    await send(PaymentChannels, world.consumer, 'fund', key, 1n, { value: 1n });
    expect(await stands()).to.equal(true);
    expect(await stands(key, freeTerms), 'other terms').to.equal(false);
    expect(await stands([key[0], key[0], ...key.slice(2)] as string[]), 'other payee').to.equal(false);
    await send(PaymentChannels, world.consumer, 'requestClose', key);
    expect(await stands(), 'notice').to.equal(false);
  });

  it('a share that is claimed is counted and locks stake', async () => {
    const world = await stage();
    const { c, consumer, watcher } = world;
    await enact(world, { target: c.SystemParams, method: 'setFeeRate', args: [ethers.ZeroAddress, PINT] });
    const group = await groupOf(world);
    const signer = keyOf(901);
    const key = [await consumer.getAddress(), await c.ClusterSplitter.getAddress(), ethers.ZeroAddress, addressOf(signer), group.cluster];
    await send(c.PaymentChannels, consumer, 'fund', key, 400n * PINT, { value: 400n * PINT });
    const channel = (await c.PaymentChannels.getFunction('channelId')(key)) as Hash32;
    await send(c.ClusterSplitter, watcher, 'collect', key, 400n * PINT, sign(world, { key: signer }, 'Voucher', { channel, cumulative: 400n * PINT }), [0]);
    await send(c.ClusterSplitter, watcher, 'claim', group.group, 1, ethers.ZeroAddress, group.packed, 1);
    const node = group.members[1]!;
    expect(await c.NodeRegistry.getFunction('earnedOf')(node.address)).to.equal(100n * PINT);
    expect(await lockOf(world, node)).to.equal(1_200n * PINT);
  });
});
