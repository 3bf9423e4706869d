import { expect } from 'chai';
import type { Signer } from 'ethers';
import { drainBounds, drainDue, drainRate, drainReferences, packCell, packQuestion, type DrainInputs } from '../../protocol/evidence/index.ts';
import { rosterOf } from '../../protocol/membership/index.ts';
import type { TreeProof } from '../../protocol/state-tree/index.ts';
import { ZERO_HASH, type Address, type Hash32, type Hex, type Path } from '../../protocol/types/index.ts';
import { certified, falseAnswer, h, treeOf, type Place } from './cases.ts';
import { encodeEvidence } from '../../protocol/evidence/index.ts';
import { addNode, DAY, deployed, ethers, groupOf, helpers, now, offer, packRoster, bySigner, PINT, send, type TestNode } from './world.ts';

const HOUR = 3_600n;
const BOND = 10n ** 15n;
const ACCUSED = 1;

interface Court extends Place {
  readonly node: TestNode;
  readonly path: Path;
}

async function build(): Promise<Court> {
  const world = await deployed();
  const group = await groupOf(world);
  const { leaves } = treeOf(50);
  return { world, group, epoch: 1n, node: group.members[ACCUSED]!, path: leaves[7]!.path };
}
const stage = (): Promise<Court> => helpers.loadFixture(build);

const roster = ({ group, epoch }: Place) => rosterOf(group.group, epoch, group.roster);
const court = ({ world }: Place) => world.c.AvailabilityCourt;
const root = (): Hash32 => treeOf(50).root.hash;

const ask = (place: Court, from: Signer, { path = place.path, proof = certified(place, root()), value = BOND } = {}) =>
  send(court(place), from, 'open', path, packQuestion(roster(place), place.node.address, proof), { value });

function proven(size: number, path: Path): TreeProof {
  const { tree, root: found } = treeOf(size);
  return size === 0 ? { terminal: null, steps: [] } : tree.prove(found, path);
}

function cell(place: Court, { path = place.path, size = 50, height = 40n, signers = undefined as number[] | undefined } = {}): Hex {
  const stateRoot = size === 0 ? ZERO_HASH : treeOf(size).root.hash;
  return packCell(roster(place), certified(place, stateRoot, height, signers), path, proven(size, path));
}
const reply = (place: Court, data = cell(place), from = place.node.owner) => send(court(place), from, 'respond', place.group.group, place.node.address, data);
const settle = (place: Court) => send(court(place), place.world.watcher, 'settle', place.group.group, place.node.address);
const stakeOf = async ({ world, node }: Court): Promise<bigint> => (await world.c.StakeVault.getFunction('accountOf')(node.address)).active;
const open = async (place: Court) => (await court(place).getFunction('challengeOf')(place.group.group, place.node.address));
const outcome = (place: Court, name: string) => [court(place), name] as const;

async function opened(place: Court): Promise<{ at: bigint; rate: bigint }> {
  await ask(place, place.world.watcher);
  const { rate } = await open(place);
  return { at: await now(), rate };
}
async function at(moment: bigint): Promise<void> {
  await helpers.time.setNextBlockTimestamp(moment);
}

describe('AvailabilityCourt: asking and answering', () => {
  it('anybody asks with a bond; the node answers with the cell and earns the bond', async () => {
    const place = await stage();
    const [c, opens] = outcome(place, 'ChallengeOpened');
    const watcher = await place.world.watcher.getAddress();
    await expect(ask(place, place.world.watcher)).to.emit(c, opens);
    const record = await open(place);
    expect([record.challenger, record.epoch, record.height, record.bond, record.stake, record.taken, record.path])
      .to.deep.equal([watcher, 1n, 40n, BOND, 2_000n * PINT, 0n, place.path]);
    const rowHash = treeOf(50).leaves[7]!.rowHash;
    const answered = reply(place);
    await expect(answered).to.emit(c, 'Answered').withArgs(place.group.group, ethers.getAddress(place.node.address), 40n, rowHash, false);
    await expect(answered).to.changeEtherBalance(ethers, await court(place).getAddress(), -BOND);
    expect((await open(place)).challenger).to.equal(ethers.ZeroAddress);
    expect(await stakeOf(place)).to.equal(2_000n * PINT);
  });

  it('absence and the empty tree are answers too', async () => {
    const place = await stage();
    const nowhere = h('nowhere') as Path;
    await ask(place, place.world.watcher, { path: nowhere });
    await expect(reply(place, cell(place, { path: nowhere }))).to.emit(court(place), 'Answered')
      .withArgs(place.group.group, ethers.getAddress(place.node.address), 40n, ZERO_HASH, false);
    await helpers.time.increase(HOUR);
    await ask(place, place.world.watcher, { path: nowhere });
    await expect(reply(place, cell(place, { path: nowhere, size: 0 }))).to.emit(court(place), 'Answered');
  });

  it('a newer certified height answers an older question, never the other way round', async () => {
    const place = await stage();
    await ask(place, place.world.watcher);
    await expect(reply(place, cell(place, { height: 39n }))).to.be.revertedWithCustomError(court(place), 'StaleHeight').withArgs(39n);
    await expect(reply(place, cell(place, { height: 41n }))).to.emit(court(place), 'Answered');
  });

  it('an answer is the owner\'s, about the right cell, under a quorum, and exactly as long as it says', async () => {
    const place = await stage();
    const c = court(place);
    await expect(reply(place)).to.be.revertedWithCustomError(c, 'NoChallenge');
    await ask(place, place.world.watcher);
    await expect(reply(place, cell(place), place.world.watcher)).to.be.revertedWithCustomError(c, 'NotOwner');
    await expect(reply(place, cell(place), place.group.members[0]!.owner)).to.be.revertedWithCustomError(c, 'NotOwner');
    await expect(reply(place, cell(place, { path: treeOf(50).leaves[8]!.path }))).to.be.revertedWithCustomError(c, 'BadProof');
    const other = packCell(roster(place), certified(place, h('another root')), place.path, proven(50, place.path));
    await expect(reply(place, other)).to.be.revertedWithCustomError(c, 'BadProof');
    await expect(reply(place, cell(place, { signers: [0, 1] }))).to.be.revertedWithCustomError(c, 'NoQuorum').withArgs(2n, 3n);
    await expect(reply(place, `${cell(place)}00`)).to.be.revertedWithCustomError(c, 'WrongLength');
    const [sizeAt, form] = [2 + 2 * 72, 2 + 2 * (72 + 1 + 80 + 8 + 3 * 64)];
    const small = `${cell(place).slice(0, sizeAt)}03${cell(place).slice(sizeAt + 2)}` as Hex;
    await expect(reply(place, small)).to.be.revertedWithCustomError(c, 'UnknownRoster');
    const bent = `${cell(place).slice(0, form)}05${cell(place).slice(form + 2)}` as Hex;
    await expect(reply(place, bent)).to.be.revertedWithCustomError(c, 'BadProof');
  });

  it('a question needs a certified height of a lasting epoch, a bond and an active member', async () => {
    const place = await stage();
    const c = court(place);
    const need = await c.getFunction('requiredBond')();
    expect(need).to.be.greaterThan(120_000n * 10n ** 9n - 1n);
    await expect(ask(place, place.world.watcher, { value: 1n })).to.be.revertedWithCustomError(c, 'WrongBond');
    const thin = certified(place, root(), 40n, [0, 1]);
    await expect(ask(place, place.world.watcher, { proof: thin })).to.be.revertedWithCustomError(c, 'NoQuorum').withArgs(2n, 3n);
    const data = packQuestion(roster(place), place.node.address, certified(place, root()));
    const indexAt = 2 + 2 * 32;
    const stranger = `${data.slice(0, indexAt)}04${data.slice(indexAt + 2)}`;
    await expect(send(c, place.world.watcher, 'open', place.path, stranger, { value: BOND })).to.be.revertedWithCustomError(c, 'NotMember').withArgs(4n);
    await expect(send(c, place.world.watcher, 'open', place.path, `${data}00`, { value: BOND })).to.be.revertedWithCustomError(c, 'WrongLength');
    await send(place.world.c.ClusterRegistry, place.world.consumer, 'closeGroup', place.group.cluster, 0, place.group.packed);
    const ended = await now();
    await expect(ask(place, place.world.watcher)).to.be.revertedWithCustomError(c, 'LeftOrderly').withArgs(ended);
    await helpers.time.increase(HOUR);
    await expect(ask(place, place.world.watcher)).to.be.revertedWithCustomError(c, 'EpochOver').withArgs(ended);
  });

  it('griefing nodes (cheap accusations): one open challenge per node and group, a cool-down after an answer', async () => {
    const place = await stage();
    const c = court(place);
    await ask(place, place.world.watcher);
    await expect(ask(place, place.world.consumer)).to.be.revertedWithCustomError(c, 'ChallengePending').withArgs(await place.world.watcher.getAddress());
    await reply(place);
    const until = (await now()) + HOUR;
    await at(until - 1n);
    await expect(ask(place, place.world.watcher)).to.be.revertedWithCustomError(c, 'CoolDown').withArgs(until);
    await at(until);
    await ask(place, place.world.watcher);
  });

  it('the bond pays the gas of an answer', async () => {
    const place = await stage();
    await ask(place, place.world.watcher);
    const receipt = await (await reply(place)).wait();
    expect(receipt!.gasUsed).to.be.lessThan(await court(place).getFunction('ANSWER_GAS')());
  });
});

describe('AvailabilityCourt: the drain', () => {
  it('P-6.2-drain: the balance of a silent node falls over time by the published formula and stops on reply', async () => {
    const place = await stage();
    const { at: asked, rate } = await opened(place);
    const stake = await stakeOf(place);
    const c = court(place);
    await at(asked + HOUR);
    await expect(settle(place)).to.be.revertedWithCustomError(c, 'TooEarly').withArgs(asked + HOUR + 1n);
    let taken = 0n;
    for (const hours of [2n, 5n, 9n]) {
      await at(asked + hours * HOUR);
      const total = drainDue(stake, rate, hours * HOUR);
      await expect(settle(place)).to.emit(c, 'Drained')
        .withArgs(place.group.group, ethers.getAddress(place.node.address), total - taken, total, asked + hours * HOUR);
      taken = total;
      expect(await stakeOf(place)).to.equal(stake - taken);
    }
    await at(asked + 10n * HOUR);
    await expect(reply(place)).to.emit(c, 'Answered')
      .withArgs(place.group.group, ethers.getAddress(place.node.address), 40n, treeOf(50).leaves[7]!.rowHash, true);
    expect(await stakeOf(place)).to.equal(stake - drainDue(stake, rate, 10n * HOUR));
    await helpers.time.increase(100n * HOUR);
    await expect(settle(place)).to.be.revertedWithCustomError(c, 'NoChallenge');
    expect(await stakeOf(place)).to.equal(stake - drainDue(stake, rate, 10n * HOUR));
    expect(await ethers.provider.getBalance(await c.getAddress())).to.equal(0n);
  });

  it('block stuffing, censorship of responses: the last second of the reply window is in time, the next one is not', async () => {
    const first = await stage();
    const { at: asked } = await opened(first);
    await at(asked + HOUR);
    await reply(first);
    expect(await stakeOf(first)).to.equal(2_000n * PINT);
    const second = await stage();
    const again = await opened(second);
    await at(again.at + HOUR + 1n);
    await reply(second);
    expect(await stakeOf(second)).to.equal(2_000n * PINT - drainDue(2_000n * PINT, again.rate, HOUR + 1n));
  });

  it('one silence costs at most 30 %, then the challenge ends and another can begin at once', async () => {
    const place = await stage();
    const { at: asked } = await opened(place);
    expect(await court(place).getFunction('dueOf')(place.group.group, place.node.address)).to.equal(0n);
    await helpers.time.increaseTo(asked + 10_000n * HOUR);
    expect(await court(place).getFunction('dueOf')(place.group.group, place.node.address)).to.equal(600n * PINT);
    await at(asked + 10_001n * HOUR);
    await expect(settle(place)).to.emit(court(place), 'ChallengeClosed');
    expect(await stakeOf(place)).to.equal(1_400n * PINT);
    await opened(place);
    const [, , backed] = await place.world.c.StakeVault.getFunction('standing')(place.node.address);
    expect(backed).to.equal(true);
  });

  it('the shares: a fifth to the challenger, three tenths to the consumer, at least half burns', async () => {
    const place = await stage();
    const { at: asked } = await opened(place);
    await at(asked + 10_000n * HOUR);
    await settle(place);
    const { StakeVault } = place.world.c;
    const [mine] = await StakeVault.getFunction('creditOf')(await place.world.watcher.getAddress());
    const [theirs] = await StakeVault.getFunction('creditOf')(await place.world.consumer.getAddress());
    expect([mine, theirs, await StakeVault.getFunction('burnPot')()]).to.deep.equal([120n * PINT, 180n * PINT, 300n * PINT]);
  });

  it('a drain leaves no mark: silence buys no absolution of a lie', async () => {
    const place = await stage();
    const { at: asked } = await opened(place);
    await at(asked + 2n * HOUR);
    await settle(place);
    expect((await place.world.c.StakeVault.getFunction('ownerOf')(place.node.address)).lastFaultAt).to.equal(0n);
    const lie = falseAnswer(place, ACCUSED, 'present', `0x${'0a'.repeat(20)}` as Address, await now());
    const { slasher, call } = encodeEvidence(lie);
    await place.world.watcher.sendTransaction({ to: await place.world.c[slasher].getAddress(), data: call });
    expect((await place.world.c.StakeVault.getFunction('ownerOf')(place.node.address)).ladder).to.equal(1n);
  });

  it('slash front-run by withdrawal: what is unbonding is drained too', async () => {
    const place = await stage();
    await send(place.world.c.StakeVault, place.node.owner, 'requestUnbond', place.node.address, 900n * PINT);
    const { at: asked } = await opened(place);
    await at(asked + 10_000n * HOUR);
    await send(place.world.c.StakeVault, place.node.owner, 'withdraw', place.node.address);
    await settle(place);
    expect(await stakeOf(place)).to.equal(1_100n * PINT - 600n * PINT);
  });

  it('uptime counts from the last silence: who falls silent again drains faster', async () => {
    const place = await stage();
    await helpers.time.increase(400n * DAY);
    const rateNow = (): Promise<bigint> => court(place).getFunction('rateOf')(place.node.address) as Promise<bigint>;
    const veteran = await rateNow();
    const { at: asked } = await opened(place);
    await at(asked + 2n * HOUR);
    await reply(place);
    expect(await rateNow()).to.equal(16n * veteran);
  });

  it('only a slasher of the vault drains, and never more than there is', async () => {
    const { world, node } = await stage();
    const penalty = [node.address, 0, 20, 1, ethers.ZeroAddress, 0, ethers.ZeroAddress, 0, ethers.ZeroHash];
    await expect(send(world.c.StakeVault, world.watcher, 'drain', penalty, 1n)).to.be.revertedWithCustomError(world.c.StakeVault, 'NotSlasher');
    const address = await world.c.AvailabilityCourt.getAddress();
    await helpers.impersonateAccount(address);
    await helpers.setBalance(address, 10n ** 20n);
    await send(world.c.StakeVault, await ethers.getSigner(address), 'drain', penalty, 5_000n * PINT);
    expect((await world.c.StakeVault.getFunction('accountOf')(node.address)).active).to.equal(0n);
    expect(await world.c.StakeVault.getFunction('burnPot')()).to.equal(2_000n * PINT);
  });
});

describe('AvailabilityCourt: ends of a challenge', () => {
  it('replaced: the drain ends with the epoch, the bond goes back', async () => {
    const place = await stage();
    const { world, group } = place;
    const newcomer = await addNode(world, 40, world.others[9]!);
    const { at: asked, rate } = await opened(place);
    await at(asked + 20n * HOUR);
    await send(world.c.ClusterRegistry, world.consumer, 'replaceMember', group.cluster, 0, group.packed, place.node.address, await offer(world, group.cluster, newcomer));
    await helpers.time.increase(50n * HOUR);
    const settled = send(court(place), world.consumer, 'settle', group.group, place.node.address);
    await expect(settled).to.emit(court(place), 'ChallengeClosed');
    await expect(settled).to.changeEtherBalance(ethers, await world.watcher.getAddress(), BOND);
    expect(await stakeOf(place)).to.equal(2_000n * PINT - drainDue(2_000n * PINT, rate, 20n * HOUR));
    const next = [...group.members.filter((member) => member !== place.node), newcomer].sort(bySigner);
    expect(packRoster(next.map(({ address }) => address))).to.not.equal(group.packed);
  });

  it('replaced within the reply window: nothing is taken', async () => {
    const place = await stage();
    const { world, group } = place;
    await opened(place);
    await send(world.c.ClusterRegistry, world.consumer, 'closeGroup', group.cluster, 0, group.packed);
    await helpers.time.increase(50n * HOUR);
    await settle(place);
    expect(await stakeOf(place)).to.equal(2_000n * PINT);
  });

  it('orderly leave: notice costs nothing once it has run out, but a silence before it does', async () => {
    const place = await stage();
    const { world, group, node } = place;
    await send(world.c.ClusterRegistry, node.owner, 'requestLeave', group.group, group.packed, node.address);
    const leaves = (await now()) + 7n * DAY;
    const { at: asked, rate } = await opened(place);
    await at(leaves + 10n * DAY);
    await settle(place);
    expect(await stakeOf(place)).to.equal(2_000n * PINT - drainDue(2_000n * PINT, rate, leaves - asked));
    await expect(ask(place, world.watcher)).to.be.revertedWithCustomError(court(place), 'LeftOrderly').withArgs(leaves);
  });

  it('P-6.2-hardware: a node that says its machine broke is replaced and keeps its stake', async () => {
    const place = await stage();
    const { world, group, node } = place;
    const declare = (from = node.owner) => send(court(place), from, 'declareFailure', group.group, node.address);
    await opened(place);
    await expect(declare(world.watcher)).to.be.revertedWithCustomError(court(place), 'NotOwner');
    await expect(declare()).to.be.revertedWithCustomError(court(place), 'NotLeaving');
    await send(world.c.ClusterRegistry, node.owner, 'requestLeave', group.group, group.packed, node.address);
    await expect(declare()).to.emit(court(place), 'HardwareFailed').withArgs(group.group, ethers.getAddress(node.address), 1n);
    await helpers.time.increase(30n * HOUR);
    await settle(place);
    await expect(ask(place, world.watcher)).to.be.revertedWithCustomError(court(place), 'LeftOrderly');
    const newcomer = await addNode(world, 40, world.others[9]!);
    await send(world.c.ClusterRegistry, world.consumer, 'replaceMember', group.cluster, 0, group.packed, node.address, await offer(world, group.cluster, newcomer));
    expect(await stakeOf(place)).to.equal(2_000n * PINT);
    await send(world.c.NodeRegistry, node.owner, 'setResources', node.address, [0, 0, 0, 0, 0]);
    await send(world.c.StakeVault, node.owner, 'requestUnbond', node.address, 2_000n * PINT);
    await helpers.time.increase(22n * DAY);
    await send(world.c.StakeVault, node.owner, 'withdraw', node.address);
  });

  it('a failure stops a running drain, once in 90 days', async () => {
    const place = await stage();
    const { world, group, node } = place;
    const { at: asked, rate } = await opened(place);
    await send(world.c.ClusterRegistry, node.owner, 'requestLeave', group.group, group.packed, node.address);
    await at(asked + 5n * HOUR);
    await send(court(place), node.owner, 'declareFailure', group.group, node.address);
    await at(asked + 9n * HOUR);
    await reply(place);
    expect(await stakeOf(place)).to.equal(2_000n * PINT - drainDue(2_000n * PINT, rate, 5n * HOUR));
    const until = asked + 5n * HOUR + 90n * DAY;
    await at(until - 1n);
    await expect(send(court(place), node.owner, 'declareFailure', group.group, node.address))
      .to.be.revertedWithCustomError(court(place), 'FailedRecently').withArgs(until);
    await at(until);
    await send(court(place), node.owner, 'declareFailure', group.group, node.address);
  });

  it('a convicted node is not asked', async () => {
    const place = await stage();
    const address = await place.world.c.SlasherConsensus.getAddress();
    await helpers.impersonateAccount(address);
    await helpers.setBalance(address, 10n ** 20n);
    const penalty = [place.node.address, 5_000, 1, 2, ethers.ZeroAddress, 0, ethers.ZeroAddress, 0, ethers.ZeroHash];
    await send(place.world.c.StakeVault, await ethers.getSigner(address), 'slash', penalty);
    await expect(ask(place, place.world.watcher)).to.be.revertedWithCustomError(court(place), 'NodeNotActive');
  });
});

describe('the drain formula', () => {
  it('P-6.2-drain-formula: the published table', () => {
    const node = (gib: bigint, days: bigint, loadBps: bigint, rewards: bigint): DrainInputs => ({
      gib, uptimeSeconds: days * DAY, loadBps, rewardsWei: rewards * PINT,
    });
    expect(drainRate(drainReferences)).to.equal(drainBounds.baseRate);
    expect([
      node(64n, 365n, 8_000n, 20_000n), node(300n, 200n, 4_000n, 500n), node(4_096n, 730n, 9_500n, 50_000n), node(1_024n, 30n, 2_000n, 200n),
      node(32n, 5n, 1_000n, 1n), node(0n, 0n, 0n, 0n),
    ].map(drainRate)).to.deep.equal([
      50_000_000_000_000n, 659_179_687_500_000n, 65_789_473_684_210n, 5_000_000_000_000_000n, 5_000_000_000_000_000n, 5_000_000_000_000_000n,
    ]);
  });

  it('TypeScript and Solidity agree on 4,000 vectors', async function () {
    this.timeout(60_000);
    const harness = await ethers.deployContract('DrainHarness');
    let state = 1n;
    const random = (below: bigint): bigint => {
      state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & ((1n << 128n) - 1n);
      return (state >> 32n) % below;
    };
    // half of them around the references, half anywhere
    const inputs = Array.from({ length: 2_000 }, (_, i): DrainInputs => (i % 2 === 0
      ? { gib: random(2_000n), uptimeSeconds: random(800n * DAY), loadBps: random(12_000n), rewardsWei: random(6_000n * PINT) }
      : { gib: random(1n << 32n), uptimeSeconds: random(1n << 40n), loadBps: random(1n << 16n), rewardsWei: random(1n << 96n) }));
    const rates: bigint[] = [];
    for (let i = 0; i < inputs.length; i += 250) {
      rates.push(...await harness.getFunction('rates')(inputs.slice(i, i + 250).map((v) => [v.gib, v.uptimeSeconds, v.loadBps, v.rewardsWei])));
    }
    expect(rates).to.deep.equal(inputs.map(drainRate));
    const cases = rates.map((rate) => [random(1n << 90n), rate, random(1n << 24n)] as const);
    const dues: bigint[] = [];
    for (let i = 0; i < cases.length; i += 250) dues.push(...await harness.getFunction('dues')(cases.slice(i, i + 250)));
    expect(dues).to.deep.equal(cases.map(([stake, rate, elapsed]) => drainDue(stake, rate, elapsed)));
  });
});
