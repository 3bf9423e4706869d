/** Faults of both kinds, and where their money goes: every event with its values, every bound at its two sides. */
import { expect } from 'chai';
import type { Signer } from 'ethers';
import { ACTIVE, at, consumer, convict, fine, group, GWEI, penalty, refuses, reporter, stage, TOMBSTONED, UNBONDING, view, VOID } from './vault-stage.ts';
import { DAY, ethers, fund, helpers, now, PINT, send } from './world.ts';

describe('StakeVault at its bounds: grave faults', () => {
  it('a conviction takes half, rounded up; a tenth and a fifth of it are promised', async () => {
    const s = await stage();
    const { vault, node, world } = s;
    await fund(world, node, GWEI);
    const id = ethers.getAddress(node.address);
    const taken = 1_000n * PINT + GWEI;
    const since = (await now()) + 10n;
    await at(since);
    await expect(convict(s)).to.emit(vault, 'Slashed').withArgs(id, 3n, taken, taken / 10n, reporter, taken / 5n, group, TOMBSTONED);
    expect(await view(vault, 'accountOf', node.address)).to.deep.equal([1_000n * PINT, 0n, 0n, TOMBSTONED, 1n]);
    const bounty = await view(vault, 'bountyOf', node.address);
    expect([bounty.amount, bounty.since]).to.deep.equal([taken, since]);
    expect(await view(vault, 'keyOf', node.address)).to.deep.equal([ethers.ZeroAddress, 0n]);
    expect(await view(vault, 'standing', node.address)).to.deep.equal([ethers.ZeroAddress, TOMBSTONED, false]);
    await refuses(convict(s), vault, 'AlreadyPunished', id);
    await refuses(fine(s, since), vault, 'AlreadyPunished', id);
  });

  it('everything, leaving stake too, when many were convicted; at most 5,000 PINT for a reporter, nothing for nobody', async () => {
    const s = await stage();
    const { vault, node, world } = s;
    await fund(world, node, 58_000n * PINT);
    await send(vault, node.owner, 'requestUnbond', node.address, 60_000n * PINT);
    const before = await helpers.takeSnapshot();
    const id = ethers.getAddress(node.address);
    await expect(convict(s, true)).to.emit(vault, 'Slashed').withArgs(id, 3n, 60_000n * PINT, 5_000n * PINT, reporter, 12_000n * PINT, group, VOID);
    expect((await view(vault, 'accountOf', node.address)).pending).to.equal(0n);
    await before.restore();
    await expect(convict(s, true, ethers.ZeroAddress))
      .to.emit(vault, 'Slashed').withArgs(id, 3n, 60_000n * PINT, 0n, ethers.ZeroAddress, 12_000n * PINT, group, VOID);
  });

  it('sharing out: after ten minutes and not a second before, once; without an owner the fifth burns too', async () => {
    const s = await stage();
    const { vault, node, world } = s;
    const id = ethers.getAddress(node.address);
    await convict(s);
    const { since } = await view(vault, 'bountyOf', node.address);
    const parts = [reporter, 100n * PINT, group, ethers.ZeroAddress, 200n * PINT];
    const share = (claim: readonly unknown[] = parts) => send(vault, world.watcher, 'shareOut', node.address, claim);
    await at(since + 600n);
    await refuses(share(), vault, 'StillLocked', since + 601n);
    await refuses(share([consumer, ...parts.slice(1)]), vault, 'WrongClaim', id);
    const supply = await world.c.PintToken.getFunction('totalSupply')();
    await at(since + 601n);
    const shared = await share();
    await expect(shared).to.emit(vault, 'BountyShared').withArgs(id, reporter, 100n * PINT, ethers.ZeroAddress, 0n, 900n * PINT);
    await expect(shared).to.emit(vault, 'Burned').withArgs(900n * PINT);
    expect(await world.c.PintToken.getFunction('totalSupply')()).to.equal(supply - 900n * PINT);
    expect(await view(vault, 'creditOf', reporter)).to.deep.equal([100n * PINT, since + UNBONDING]);
    expect(await view(vault, 'bountyOf', node.address)).to.deep.equal([0n, 0n, 0n]);
    expect(await view(vault, 'keyOf', node.address)).to.deep.equal([ethers.ZeroAddress, 0n]);
    await refuses(share(), vault, 'WrongClaim', id);
  });

  it('a bounty moves within ten minutes, by a slasher, to somebody else', async () => {
    const s = await stage();
    const { vault, node, world, slasher } = s;
    const id = ethers.getAddress(node.address);
    await convict(s);
    const { since } = await view(vault, 'bountyOf', node.address);
    const parts = (to: string): readonly unknown[] => [to, 100n * PINT, group, ethers.ZeroAddress, 200n * PINT];
    const move = (from: string, to: string, by: Signer = slasher) => send(vault, by, 'moveBounty', node.address, parts(from), to);
    await refuses(move(reporter, consumer, world.watcher), vault, 'NotSlasher', await world.watcher.getAddress());
    await at(since + 600n);
    await expect(move(reporter, consumer)).to.emit(vault, 'BountyMoved').withArgs(id, reporter, consumer);
    expect((await view(vault, 'bountyOf', node.address)).slice(1)).to.deep.equal([1_000n * PINT, since]);
    await refuses(move(consumer, reporter), vault, 'TooLate', since);
    await expect(send(vault, world.watcher, 'shareOut', node.address, parts(reporter))).to.be.revertedWithCustomError(vault, 'WrongClaim');
    await send(vault, world.watcher, 'shareOut', node.address, parts(consumer));
    expect((await view(vault, 'creditOf', consumer)).amount).to.equal(100n * PINT);
  });
});

describe('StakeVault at its bounds: lesser faults', () => {
  it('each is dated after the last one\'s day and not after now', async () => {
    const s = await stage();
    const { vault, node } = s;
    const id = ethers.getAddress(node.address);
    const first = (await now()) + 10n;
    await at(first);
    await refuses(fine(s, first + 1n), vault, 'FutureAnswer', first + 1n);
    await at(first + 1n);
    await expect(fine(s, first + 1n)).to.emit(vault, 'Slashed').withArgs(id, 21n, 200n * PINT, 60n * PINT, reporter, 40n * PINT, group, ACTIVE);
    expect(await view(vault, 'recordOfSigner', node.address)).to.deep.equal([id, ACTIVE, first + 1n, 1n]);
    expect(await view(vault, 'accountOf', node.address)).to.deep.equal([1_800n * PINT, 0n, 0n, ACTIVE, 1n]);
    const free = first + 1n + DAY;
    await at(free + 5n);
    await refuses(fine(s, free), vault, 'Absolved', free);
    await expect(fine(s, free + 1n)).to.emit(vault, 'Slashed').withArgs(id, 21n, 360n * PINT, 108n * PINT, reporter, 72n * PINT, group, ACTIVE);
    expect((await view(vault, 'ownerOf', node.address)).slice(2)).to.deep.equal([await now(), 2n]);
  });

  it('the ladder: thirty days to the second, four steps', async () => {
    const s = await stage();
    const { vault, node } = s;
    const step = async (): Promise<bigint> => (await view(vault, 'ownerOf', node.address)).ladder;
    await fine(s, await now());
    const { lastFaultAt } = await view(vault, 'ownerOf', node.address);
    const before = await helpers.takeSnapshot();
    await at(lastFaultAt + 30n * DAY + 1n);
    await fine(s, lastFaultAt + 30n * DAY);
    expect([await step(), (await view(vault, 'accountOf', node.address)).active]).to.deep.equal([1n, 1_620n * PINT]);
    await before.restore();
    await at(lastFaultAt + 30n * DAY);
    await fine(s, lastFaultAt + 30n * DAY);
    expect([await step(), (await view(vault, 'accountOf', node.address)).active]).to.deep.equal([2n, 1_440n * PINT]);
    for (const [ladder, active, status] of [[3n, 864n, ACTIVE], [4n, (864n * 6n) / 10n, TOMBSTONED]] as const) {
      await helpers.time.increase(2n * DAY);
      await fine(s, await now());
      expect(await step()).to.equal(ladder);
      const account = await view(vault, 'accountOf', node.address);
      expect([account.active / PINT, account.status]).to.deep.equal([active, status]);
    }
  });

  it('the pot of a group: sums, a weighted date, settled once; without an owner all of it burns', async () => {
    const s = await stage();
    const { vault, node, world } = s;
    await expect(send(vault, world.watcher, 'settle', group)).to.be.revertedWithCustomError(vault, 'ZeroAmount');
    await fine(s, await now());
    const first = await now();
    expect(await view(vault, 'potOf', group)).to.deep.equal([40n * PINT, 100n * PINT, first + UNBONDING]);
    await helpers.time.increase(5n * DAY);
    await fine(s, await now());
    const second = await now();
    const [a, b] = [40n * PINT, 72n * PINT];
    const vests = (a * (first + UNBONDING) + b * (second + UNBONDING) + a + b - 1n) / (a + b);
    expect(await view(vault, 'potOf', group)).to.deep.equal([112n * PINT, 280n * PINT, vests]);
    const [c, d] = [60n * PINT, 108n * PINT];
    expect(await view(vault, 'creditOf', reporter)).to.deep.equal([168n * PINT, (c * (first + UNBONDING) + d * (second + UNBONDING) + c + d - 1n) / (c + d)]);
    const settled = await send(vault, world.watcher, 'settle', group);
    await expect(settled).to.emit(vault, 'PotSettled').withArgs(group, ethers.ZeroAddress, 0n, 392n * PINT);
    await expect(settled).to.emit(vault, 'Burned').withArgs(392n * PINT);
    expect(await view(vault, 'potOf', group)).to.deep.equal([0n, 0n, vests]);
    await expect(send(vault, world.watcher, 'settle', group)).to.be.revertedWithCustomError(vault, 'ZeroAmount');
    await send(vault, s.slasher, 'slash', penalty(s, 1_000, { group, consumerBps: 0 }));
    expect((await view(vault, 'potOf', group)).slice(0, 2)).to.deep.equal([0n, (144n * PINT * 7n) / 10n]);
    await expect(send(vault, world.watcher, 'settle', group)).to.emit(vault, 'Burned').withArgs((144n * PINT * 7n) / 10n);
    expect((await view(vault, 'accountOf', node.address)).active).to.equal(1_296n * PINT);
  });

  it('a slash: status or step, shares as asked, the rest to the fire; the credit is paid at its second', async () => {
    const s = await stage();
    const { vault, node, world, slasher } = s;
    const id = ethers.getAddress(node.address);
    await expect(send(vault, slasher, 'slash', penalty(s, 1_000)))
      .to.emit(vault, 'Slashed').withArgs(id, 9n, 200n * PINT, 60n * PINT, reporter, 40n * PINT, ethers.ZeroHash, ACTIVE);
    const made = await now();
    expect((await view(vault, 'ownerOf', node.address)).slice(2)).to.deep.equal([made, 1n]);
    expect(await vault.getFunction('burnPot')()).to.equal(100n * PINT);
    await expect(send(vault, slasher, 'slash', penalty(s, 1, { status: VOID, group, reporterBps: 1, consumerBps: 1 })))
      .to.emit(vault, 'Slashed').withArgs(id, 9n, 180n * PINT / 1_000n, 18n * PINT / 1_000_000n, reporter, 18n * PINT / 1_000_000n, group, VOID);
    expect(await view(vault, 'ownerOf', node.address)).to.deep.equal([await node.owner.getAddress(), (await view(vault, 'ownerOf', node.address)).joinedAt, made, 1n]);
    await send(vault, world.watcher, 'sweep');
    expect(await vault.getFunction('burnPot')()).to.equal(0n);
    const [amount, vestAt] = await view(vault, 'creditOf', consumer);
    expect([amount, vestAt]).to.deep.equal([40n * PINT, made + UNBONDING]);
    await at(vestAt - 1n);
    await refuses(send(vault, world.watcher, 'claimCredit', consumer), vault, 'StillLocked', vestAt);
    await at(vestAt);
    await expect(send(vault, world.watcher, 'claimCredit', consumer)).to.emit(vault, 'CreditClaimed').withArgs(consumer, 40n * PINT);
    expect(await view(vault, 'creditOf', consumer)).to.deep.equal([0n, 0n]);
  });

  it('an old reward that has vested waits at most until now', async () => {
    const s = await stage();
    const { vault, slasher } = s;
    await send(vault, slasher, 'slash', penalty(s, 1_000));
    await helpers.time.increase(100n * DAY);
    await send(vault, slasher, 'slash', penalty(s, 1_000));
    const second = await now();
    const [a, b] = [60n * PINT, 54n * PINT];
    expect(await view(vault, 'creditOf', reporter)).to.deep.equal([a + b, (a * second + b * (second + UNBONDING) + a + b - 1n) / (a + b)]);
  });

  it('a drain takes whole gwei, what there is, and leaves no mark', async () => {
    const s = await stage();
    const { vault, node, slasher, world } = s;
    const id = ethers.getAddress(node.address);
    await send(vault, node.owner, 'requestUnbond', node.address, 500n * PINT);
    const drain = (amount: bigint) => send(vault, slasher, 'drain', penalty(s, 0), amount);
    await expect(drain(10n * PINT + GWEI - 1n)).to.emit(vault, 'Slashed').withArgs(id, 9n, 10n * PINT, 3n * PINT, reporter, 2n * PINT, ethers.ZeroHash, ACTIVE);
    const { unlockAt } = await view(vault, 'accountOf', node.address);
    expect(await view(vault, 'accountOf', node.address)).to.deep.equal([1_490n * PINT, 500n * PINT, unlockAt, ACTIVE, 0n]);
    expect((await view(vault, 'ownerOf', node.address)).slice(2)).to.deep.equal([0n, 0n]);
    await drain(1_500n * PINT);
    expect((await view(vault, 'accountOf', node.address)).slice(0, 2)).to.deep.equal([0n, 490n * PINT]);
    await expect(drain(10_000n * PINT)).to.emit(vault, 'Slashed').withArgs(id, 9n, 490n * PINT, 147n * PINT, reporter, 98n * PINT, ethers.ZeroHash, ACTIVE);
    await expect(send(vault, world.watcher, 'drain', penalty(s, 0), 1n)).to.be.revertedWithCustomError(vault, 'NotSlasher');
    for (const method of ['convict', 'fine'] as const) {
      const args = method === 'fine' ? [node.address, 21, 1n, reporter, group] : [node.address, group, 3, false, reporter];
      await expect(send(vault, world.watcher, method, ...args)).to.be.revertedWithCustomError(vault, 'NotSlasher');
    }
  });
});
