import { expect } from 'chai';
import type { Contract } from 'ethers';
import { abis } from '../../contracts/index.ts';
import { encodeEvidence } from '../../protocol/evidence/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import { compiledContract } from '../../scripts/compiled.ts';
import { doubleBlockVote } from './cases.ts';
import { calldataOf, enact, execute, governed, schedule, waitOf, type Act } from './governance.ts';
import { addNode, bySigner, DAY, ethers, groupOf, helpers, now, PINT, send, type World } from './world.ts';

const stage = (): Promise<World> => helpers.loadFixture(governed);
const rates = (world: World, minimum = 1_200n * PINT): Act => ({ target: world.c.SystemParams, method: 'setStakeRates', args: [[minimum, PINT, 50n * PINT]] });
const ladder = (world: World): Act => ({ target: world.c.SystemParams, method: 'setLadder', args: [[60n * DAY, PINT]] });
const drawing = (world: World, delay = 32n): Act => ({ target: world.c.SystemParams, method: 'setDraw', args: [[delay]] });
const OFFERS = 0;
const GROUPS = 1;
const SLASHER = 'SlasherConsensus' as const;

describe('Authority', () => {
  it('admin abuse: nobody but the governor is admin from the first block, and even it waits 24 d', async () => {
    const { c, admin } = await stage();
    const [member, delay] = await c.Authority.getFunction('hasRole')(0, await c.PintGovernor.getAddress());
    expect([member, delay]).to.deep.equal([true, 24n * DAY]);
    const deployer = await admin.getAddress();
    for (const role of [0, 1, 2, 3, 4, 7, 8]) expect((await c.Authority.getFunction('hasRole')(role, deployer))[0], `role ${role}`).to.equal(false);
    await expect(send(c.Authority, admin, 'grantRole', 0, deployer, 0)).to.be.revertedWithCustomError(c.Authority, 'AccessManagerUnauthorizedAccount');
    await expect(send(c.SystemParams, admin, 'setDraw', [32n])).to.be.revertedWithCustomError(c.SystemParams, 'AccessManagedUnauthorized');
    expect(await c.StakeVault.getFunction('admin')()).to.equal(ethers.getAddress(await c.Authority.getAddress()));
  });

  it('class delays: 24 d for stakes, 7 d for fees, promotion and slashers, 2 d for the rest', async () => {
    const world = await stage();
    const { c, watcher } = world;
    const waits = async (act: Act): Promise<bigint> => (await waitOf(world, act)) / DAY;
    const { target } = rates(world);
    expect(await waits(rates(world))).to.equal(24n);
    expect(await waits(ladder(world))).to.equal(7n);
    expect(await waits({ target, method: 'setFeeLock', args: [[5_000n, 14n * DAY]] })).to.equal(7n);
    expect(await waits({ target, method: 'setFeeRate', args: [ethers.ZeroAddress, PINT] })).to.equal(7n);
    expect(await waits({ target: c.StakeVault, method: 'proposeSlasher', args: [await watcher.getAddress()] })).to.equal(7n);
    expect(await waits(drawing(world))).to.equal(2n);
    expect(await waits({ target: c.PintToken, method: 'mint', args: [await watcher.getAddress(), PINT] })).to.equal(2n);
  });

  it('a change comes at its second and not before', async () => {
    const world = await stage();
    const at = await schedule(world, drawing(world));
    await helpers.time.increaseTo(at - 2n);
    await expect(execute(world, drawing(world))).to.be.revertedWithCustomError(world.c.Authority, 'AccessManagerNotReady');
    await helpers.time.setNextBlockTimestamp(at);
    await expect(execute(world, drawing(world))).to.emit(world.c.SystemParams, 'DrawChanged').withArgs([64n], [32n]);
    expect((await world.c.SystemParams.getFunction('draw')()).delay).to.equal(32n);
  });

  it('the guardian cancels what waits, but not acts of the admin: it cannot keep itself in office', async () => {
    const world = await stage();
    const { c, admin } = world;
    const governor = await c.PintGovernor.getAddress();
    await schedule(world, rates(world));
    await send(c.Authority, admin, 'cancel', governor, await c.SystemParams.getAddress(), calldataOf(rates(world)));
    await helpers.time.increase(25n * DAY);
    await expect(execute(world, rates(world))).to.be.revertedWithCustomError(c.Authority, 'AccessManagerNotScheduled');
    const dismissal: Act = { target: c.Authority, method: 'revokeRole', args: [5, await admin.getAddress()] };
    await schedule(world, dismissal);
    await expect(send(c.Authority, admin, 'cancel', governor, await c.Authority.getAddress(), c.Authority.interface.encodeFunctionData('revokeRole', dismissal.args)))
      .to.be.revertedWithCustomError(c.Authority, 'AccessManagerUnauthorizedCancel');
    await helpers.time.increase(25n * DAY);
    await execute(world, dismissal);
    await expect(send(c.SystemParams, admin, 'stop', OFFERS)).to.be.revertedWithCustomError(c.SystemParams, 'AccessManagedUnauthorized');
  });

  it('the genesis guardian ends by code, to the second, whatever is granted to it', async () => {
    const world = await stage();
    const { c, admin } = world;
    const sunset = (await c.Authority.getFunction('SUNSET')()) as bigint;
    await helpers.time.setNextBlockTimestamp(sunset - 1n);
    await send(c.SystemParams, admin, 'stop', OFFERS);
    await helpers.time.setNextBlockTimestamp(sunset);
    await expect(send(c.SystemParams, admin, 'stop', GROUPS)).to.be.revertedWithCustomError(c.SystemParams, 'AccessManagedUnauthorized');
    await enact(world, { target: c.Authority, method: 'grantRole', args: [5, await admin.getAddress(), 0] });
    await expect(send(c.SystemParams, admin, 'stop', GROUPS)).to.be.revertedWithCustomError(c.SystemParams, 'AccessManagedUnauthorized');
    await execute(world, { target: c.SystemParams, method: 'stop', args: [GROUPS] });
  });
});

describe('Authority with another vault', () => {
  it('the delay of its slashers is a time, of two years at most', async () => {
    const { c, admin } = await stage();
    const vault = `0x${'de1a'.repeat(10)}`;
    for (const [delay, fits] of [[0n, false], [730n * DAY, true], [730n * DAY + 1n, false]] as const) {
      await helpers.setCode(vault, `0x7f${delay.toString(16).padStart(64, '0')}5f5260205ff3`); // answers this number to everything
      const factory = new ethers.ContractFactory(abis.Authority as never, compiledContract('Authority').bytecode, admin);
      const made = factory.deploy(await admin.getAddress(), ethers.ZeroAddress, [], vault, await c.SystemParams.getAddress(), await c.PintToken.getAddress());
      if (fits) expect(await ((await made) as Contract).getFunction('SLOW')()).to.equal(delay);
      else await expect(made).to.be.revertedWithCustomError(c.Authority, 'UnknownDelay').withArgs(delay);
    }
  });
});

describe('SystemParams', () => {
  it('a guardian stops new exposure for seven days; leaving, lowering and paying go on', async () => {
    const world = await stage();
    const { c, admin, consumer } = world;
    const group = await groupOf(world);
    const node = group.members[0]!;
    await expect(send(c.SystemParams, admin, 'stop', OFFERS)).to.emit(c.SystemParams, 'ExposureStopped');
    await send(c.SystemParams, admin, 'stop', GROUPS);
    const until = (await c.SystemParams.getFunction('stoppedUntil')(OFFERS)) as bigint;
    await expect(send(c.NodeRegistry, node.owner, 'setResources', node.address, [101, 0, 0, 0, 0]))
      .to.be.revertedWithCustomError(c.SystemParams, 'Stopped').withArgs(OFFERS, until);
    await expect(send(c.ClusterRegistry, consumer, 'formGroup', group.cluster, 1, [])).to.be.revertedWithCustomError(c.SystemParams, 'Stopped');
    await send(c.NodeRegistry, node.owner, 'setResources', node.address, [20, 0, 0, 0, 0]);
    await send(c.ClusterRegistry, consumer, 'closeGroup', group.cluster, 0, group.packed);
    await send(c.NodeRegistry, node.owner, 'setResources', node.address, [0, 0, 0, 0, 0]);
    await send(c.StakeVault, node.owner, 'requestUnbond', node.address, 2_000n * PINT);
    await helpers.time.setNextBlockTimestamp(until);
    await send(c.NodeRegistry, group.members[1]!.owner, 'setResources', group.members[1]!.address, [101, 0, 0, 0, 0]);
  });

  it('a stop cannot follow a stop without a pause as long; it can be ended early', async () => {
    const { c, admin, watcher } = await stage();
    await expect(send(c.SystemParams, watcher, 'stop', OFFERS)).to.be.revertedWithCustomError(c.SystemParams, 'AccessManagedUnauthorized');
    await expect(send(c.SystemParams, admin, 'resume', OFFERS)).to.be.revertedWithCustomError(c.SystemParams, 'NotStopped');
    await send(c.SystemParams, admin, 'stop', OFFERS);
    await expect(send(c.SystemParams, admin, 'resume', OFFERS)).to.emit(c.SystemParams, 'ExposureResumed').withArgs(OFFERS);
    const again = (await now()) + 7n * DAY;
    await helpers.time.setNextBlockTimestamp(again - 1n);
    await expect(send(c.SystemParams, admin, 'stop', OFFERS)).to.be.revertedWithCustomError(c.SystemParams, 'TooSoon').withArgs(again);
    await helpers.time.setNextBlockTimestamp(again);
    await send(c.SystemParams, admin, 'stop', OFFERS);
  });

  it('retroactive parameters: an offer keeps the lock of the day it was made', async () => {
    const world = await stage();
    const { c } = world;
    const node = await addNode(world, 1, world.others[0]!);
    await enact(world, rates(world, 1_500n * PINT));
    expect((await c.StakeVault.getFunction('keyOf')(node.address)).locked).to.equal(1_100n * PINT);
    expect(await c.NodeRegistry.getFunction('requiredStake')(100, 0)).to.equal(1_600n * PINT);
    await send(c.NodeRegistry, node.owner, 'setResources', node.address, [100, 0, 0, 0, 0]);
    expect((await c.StakeVault.getFunction('keyOf')(node.address)).locked).to.equal(1_600n * PINT);
  });

  it('every bound and every cross-check refuses by name', async () => {
    const world = await stage();
    const params = world.c.SystemParams;
    const name = (text: string): string => ethers.zeroPadBytes(ethers.toUtf8Bytes(text), 32);
    const bad: readonly (readonly [string, readonly unknown[], string, string])[] = [
      ['setStakeRates', [PINT - 1n, 0n, 0n], 'OutOfBounds', 'minimum stake'], ['setStakeRates', [10n ** 24n + 1n, 0n, 0n], 'OutOfBounds', 'minimum stake'],
      ['setStakeRates', [PINT, 10n ** 21n + 1n, 0n], 'OutOfBounds', 'stake per GiB'], ['setStakeRates', [PINT, 0n, 10n ** 21n + 1n], 'OutOfBounds', 'stake per vCPU'],
      ['setFeeLock', [50_001n, 14n * DAY], 'OutOfBounds', 'fee lock'], ['setFeeLock', [1n, 14n * DAY - 1n], 'CrossCheckFailed', 'fees locked while evidence lasts'],
      ['setFeeLock', [1n, 22n * DAY + 1n], 'CrossCheckFailed', 'fees locked no longer than exits'], ['setLadder', [30n * DAY - 1n, 0n], 'OutOfBounds', 'service'],
      ['setLadder', [730n * DAY + 1n, 0n], 'OutOfBounds', 'service'], ['setLadder', [30n * DAY, 10n ** 24n + 1n], 'OutOfBounds', 'fees'],
      ['setDraw', [1n], 'OutOfBounds', 'draw delay'], ['setDraw', [1_001n], 'OutOfBounds', 'draw delay'],
    ];
    for (const [method, values, error, rule] of bad) {
      const snapshot = await helpers.takeSnapshot();
      const refused = enact(world, { target: params, method, args: [values] });
      await expect(refused, rule)
        .to.be.revertedWithCustomError(params, error).withArgs(...(error === 'OutOfBounds' ? [name(rule), (v: bigint) => v >= 0n] : [name(rule)]));
      await snapshot.restore();
    }
    const rate = enact(world, { target: params, method: 'setFeeRate', args: [ethers.ZeroAddress, 10n ** 27n + 1n] });
    await expect(rate).to.be.revertedWithCustomError(params, 'OutOfBounds');
  });

  it('every group says what it was and what it is', async () => {
    const world = await stage();
    const params = world.c.SystemParams;
    const acts: readonly (readonly [string, readonly bigint[], string, string])[] = [
      ['setStakeRates', [2n * PINT, 3n, 4n], 'StakeRatesChanged', 'stakeRates'],
      ['setFeeLock', [7n, 15n * DAY], 'FeeLockChanged', 'feeLock'], ['setLadder', [31n * DAY, 9n], 'LadderChanged', 'ladder'], ['setDraw', [9n], 'DrawChanged', 'draw'],
    ];
    for (const [method, values, event, getter] of acts) {
      const before = [...(await params.getFunction(getter)())];
      await expect(enact(world, { target: params, method, args: [values] })).to.emit(params, event).withArgs(before, values);
      expect([...(await params.getFunction(getter)())]).to.deep.equal(values);
    }
    await expect(enact(world, { target: params, method: 'setFeeRate', args: [ethers.ZeroAddress, 5n] }))
      .to.emit(params, 'FeeRateChanged').withArgs(ethers.ZeroAddress, 0n, 5n);
  });
});

describe('PintGovernor and StakeVotes', () => {
  it('from a proposal to the change: liquid and staked votes, late refusals, the wait of its class', async () => {
    const world = await stage();
    const { c, admin, watcher } = world;
    const owner = world.others[0]!;
    const node = await addNode(world, 1, owner, { stake: 30_000_000n * PINT });
    await send(c.StakeVotes, owner, 'record', [node.address]);
    await send(c.PintToken, admin, 'transfer', await watcher.getAddress(), 20_000_000n * PINT);
    await send(c.PintToken, watcher, 'delegate', await watcher.getAddress());
    await helpers.mine();
    const calls = [[await c.SystemParams.getAddress()], [0n], [c.SystemParams.interface.encodeFunctionData('setLadder', ladder(world).args)]];
    const why = 'Sixty days are enough';
    await expect(send(c.PintGovernor, admin, 'propose', ...calls, why)).to.be.revertedWithCustomError(c.PintGovernor, 'GovernorInsufficientProposerVotes');
    await send(c.PintGovernor, owner, 'propose', ...calls, why);
    const id = await c.PintGovernor.getFunction('hashProposal')(...calls, ethers.id(why));
    await helpers.time.increase(DAY + 1n);
    await send(c.PintGovernor, owner, 'castVote', id, 1);
    await expect(send(c.PintGovernor, owner, 'castVote', id, 1)).to.be.revertedWithCustomError(c.PintGovernor, 'GovernorAlreadyCastVote');
    await send(c.PintGovernor, watcher, 'castVote', id, 1);
    expect((await c.PintGovernor.getFunction('proposalVotes')(id)).forVotes).to.equal(50_000_000n * PINT);
    await helpers.time.increase(6n * DAY);
    await send(c.PintGovernor, admin, 'queue', ...calls, ethers.id(why));
    expect(((await c.PintGovernor.getFunction('proposalEta')(id)) as bigint) - (await now())).to.equal(7n * DAY);
    await expect(send(c.PintGovernor, admin, 'execute', ...calls, ethers.id(why))).to.be.revertedWithCustomError(c.PintGovernor, 'GovernorUnmetDelay');
    await helpers.time.increase(7n * DAY);
    await send(c.PintGovernor, admin, 'execute', ...calls, ethers.id(why));
    expect((await c.SystemParams.getFunction('ladder')()).service).to.equal(60n * DAY);
  });

  it('who proposed takes it back before the vote, and nobody else', async () => {
    const { c, admin, watcher } = await stage();
    await send(c.PintToken, admin, 'transfer', await watcher.getAddress(), 50_000_000n * PINT);
    await send(c.PintToken, watcher, 'delegate', await watcher.getAddress());
    await helpers.mine();
    const calls = [[await c.SystemParams.getAddress()], [0n], [c.SystemParams.interface.encodeFunctionData('setDraw', [[9n]])]];
    await send(c.PintGovernor, watcher, 'propose', ...calls, 'a mistake');
    const id = await c.PintGovernor.getFunction('hashProposal')(...calls, ethers.id('a mistake'));
    await expect(send(c.PintGovernor, admin, 'cancel', ...calls, ethers.id('a mistake'))).to.be.revertedWithCustomError(c.PintGovernor, 'GovernorUnableToCancel');
    await expect(send(c.PintGovernor, watcher, 'cancel', ...calls, ethers.id('a mistake'))).to.emit(c.PintGovernor, 'ProposalCanceled').withArgs(id);
    await helpers.time.increase(DAY + 1n);
    await expect(send(c.PintGovernor, watcher, 'castVote', id, 1)).to.be.revertedWithCustomError(c.PintGovernor, 'GovernorUnexpectedProposalState');
  });

  it('below four percent of the supply nothing passes', async () => {
    const world = await stage();
    const { c, admin, watcher } = world;
    await send(c.PintToken, admin, 'transfer', await watcher.getAddress(), 39_000_000n * PINT);
    await send(c.PintToken, watcher, 'delegate', await watcher.getAddress());
    await helpers.mine();
    const calls = [[await c.SystemParams.getAddress()], [0n], [c.SystemParams.interface.encodeFunctionData('setDraw', [[9n]])]];
    await send(c.PintGovernor, watcher, 'propose', ...calls, 'few');
    const id = await c.PintGovernor.getFunction('hashProposal')(...calls, ethers.id('few'));
    await helpers.time.increase(DAY + 1n);
    await send(c.PintGovernor, watcher, 'castVote', id, 1);
    await helpers.time.increase(6n * DAY);
    await expect(send(c.PintGovernor, admin, 'queue', ...calls, ethers.id('few'))).to.be.revertedWithCustomError(c.PintGovernor, 'GovernorUnexpectedProposalState');
  });

  it('no PINT votes twice: a record ends in the second in which its stake could be liquid', async () => {
    const world = await stage();
    const { c } = world;
    const owner = world.others[0]!;
    const account = await owner.getAddress();
    const node = await addNode(world, 1, owner, { gib: 0 });
    await send(c.PintToken, owner, 'delegate', account);
    await send(c.StakeVotes, owner, 'record', [node.address]);
    const recorded = await now();
    await send(c.StakeVault, owner, 'requestUnbond', node.address, 2_000n * PINT);
    const { unlockAt } = await c.StakeVault.getFunction('accountOf')(node.address);
    await helpers.time.setNextBlockTimestamp(unlockAt);
    await send(c.StakeVault, owner, 'withdraw', node.address);
    await helpers.mine();
    const together = async (at: bigint): Promise<bigint> => (
      (await c.StakeVotes.getFunction('getPastVotes')(account, at)) as bigint) + ((await c.PintToken.getFunction('getPastVotes')(account, at)) as bigint);
    for (const at of [recorded, recorded + 22n * DAY - 1n, recorded + 22n * DAY, unlockAt as bigint]) expect(await together(at)).to.be.at.most(2_000n * PINT);
    expect(await c.StakeVotes.getFunction('getPastVotes')(account, recorded + 22n * DAY - 1n)).to.equal(2_000n * PINT);
    expect(await c.StakeVotes.getFunction('getPastVotes')(account, recorded + 22n * DAY)).to.equal(0n);
    expect(await c.StakeVotes.getFunction('getPastVotes')(account, recorded - 1n)).to.equal(0n);
  });

  it('a record names its own distinct nodes; anybody lowers it after an exit, nobody lengthens it', async () => {
    const world = await stage();
    const { c, watcher } = world;
    const owner = world.others[0]!;
    const account = await owner.getAddress();
    const own = [await addNode(world, 1, owner, { gib: 0 }), await addNode(world, 2, owner, { gib: 0 })].sort(bySigner);
    const [a, b] = own.map(({ address }) => address);
    const other = await addNode(world, 3, world.others[1]!, { gib: 0 });
    await expect(send(c.StakeVotes, owner, 'record', [b, a])).to.be.revertedWithCustomError(c.StakeVotes, 'NotAscending');
    await expect(send(c.StakeVotes, owner, 'record', [a, a])).to.be.revertedWithCustomError(c.StakeVotes, 'NotAscending');
    await expect(send(c.StakeVotes, owner, 'record', [other.address])).to.be.revertedWithCustomError(c.StakeVotes, 'NotOwner');
    await expect(send(c.StakeVotes, owner, 'record', Array(33).fill(a))).to.be.revertedWithCustomError(c.StakeVotes, 'TooManyNodes').withArgs(33n);
    await expect(send(c.StakeVotes, owner, 'record', [a, b])).to.emit(c.StakeVotes, 'StakeRecorded').withArgs(account, 4_000n * PINT, (await now()) + 1n + 22n * DAY);
    const until = (await now()) + 22n * DAY;
    await expect(send(c.StakeVotes, watcher, 'refresh', account, [a])).to.be.revertedWithCustomError(c.StakeVotes, 'OtherNodes');
    await expect(send(c.StakeVotes, watcher, 'refresh', account, [a, b])).not.to.emit(c.StakeVotes, 'StakeRecorded');
    await send(c.StakeVault, owner, 'requestUnbond', a, 1_500n * PINT);
    await expect(send(c.StakeVotes, watcher, 'refresh', account, [a, b])).to.emit(c.StakeVotes, 'StakeRecorded').withArgs(account, 2_500n * PINT, until);
  });
});

describe('replacement by address', () => {
  it('rehearsal: a second slasher takes over, nobody is forgiven and nothing is lost', async () => {
    const world = await stage();
    const { c, admin, consumer } = world;
    const group = await groupOf(world);
    const offence = doubleBlockVote({ world, group, epoch: 1n }, 0, `0x${'be'.repeat(20)}` as Address);
    const Slasher = await ethers.getContractFactory(SLASHER);
    const next = (await Slasher.deploy(await c.StakeVault.getAddress(), await c.ClusterRegistry.getAddress())) as unknown as Contract;
    const at = await next.getAddress();
    await enact(world, { target: c.StakeVault, method: 'proposeSlasher', args: [at] });
    const readyAt = (await c.StakeVault.getFunction('slasherReadyAt')(at)) as bigint;
    expect(readyAt - (await now())).to.equal(24n * DAY);
    await helpers.time.setNextBlockTimestamp(readyAt - 1n);
    await expect(send(c.StakeVault, consumer, 'acceptSlasher', at)).to.be.revertedWithCustomError(c.StakeVault, 'TooSoon');
    await helpers.time.setNextBlockTimestamp(readyAt);
    await send(c.StakeVault, consumer, 'acceptSlasher', at);
    const removal = ['removeSlasher', [await c[SLASHER].getAddress()]] as const;
    await send(c.Authority, admin, 'execute', await c.StakeVault.getAddress(), c.StakeVault.interface.encodeFunctionData(...removal));
    expect(await c.StakeVault.getFunction('isSlasher')(await c[SLASHER].getAddress())).to.equal(false);
    for (const { address } of group.members) expect((await c.StakeVault.getFunction('accountOf')(address)).active).to.equal(2_000n * PINT);
    // same rosters, same domain: it judges what was signed before it existed, and the old one judges nothing any more
    const { call } = encodeEvidence(offence);
    await expect(consumer.sendTransaction({ to: await c[SLASHER].getAddress(), data: call })).to.be.revertedWithCustomError(c.ClusterRegistry, 'NotSlasher');
    await consumer.sendTransaction({ to: at, data: call });
    expect((await c.StakeVault.getFunction('accountOf')(group.members[0]!.address)).status).to.equal(2n);
  });

  it('a slasher that governance distrusts is gone in one block; a guardian cannot bring one', async () => {
    const world = await stage();
    const { c, admin } = world;
    const vault = await c.StakeVault.getAddress();
    const call = (method: string, who: string): string => c.StakeVault.interface.encodeFunctionData(method, [who]);
    await expect(send(c.Authority, admin, 'execute', vault, call('proposeSlasher', await admin.getAddress())))
      .to.be.revertedWithCustomError(c.Authority, 'AccessManagerUnauthorizedCall');
    await expect(send(c.Authority, admin, 'execute', vault, call('proposeAdmin', await admin.getAddress())))
      .to.be.revertedWithCustomError(c.Authority, 'AccessManagerUnauthorizedCall');
    await expect(execute(world, { target: c.StakeVault, method: 'removeSlasher', args: [await c[SLASHER].getAddress()] })).to.emit(c.StakeVault, 'SlasherRemoved');
  });
});
