/** Payment channels at their bounds: every event with its values, every limit at its two sides, every door while another is open. */
import { expect } from 'chai';
import type { Contract } from 'ethers';
import { collect, fundEther, keyFor, recordOf, stage, voucher, type Key, type Stage } from './channel-stage.ts';
import { calldataOf, impersonate, schedule, type Act } from './governance.ts';
import { compactOf, DAY, ethers, helpers, keyOf, now, send } from './world.ts';

const LARGEST = 2n ** 112n - 1n;
const idOf = (s: Stage, key: Key): Promise<string> => s.channels.getFunction('channelId')(key);
const claimOf = async (s: Stage, key: Key, amount: bigint) => [key[0], key[3], key[4], amount, ...compactOf((await voucher(s, key, amount)) as never)];

/** A channel in a token that calls `payload` of the channels in the middle of each transfer from now on. */
async function hooked(s: Stage) {
  const token = (await ethers.deployContract('HookToken')) as unknown as Contract;
  await send(token, s.world.admin, 'transfer', await s.payer.getAddress(), 1_000n);
  await send(token, s.payer, 'approve', await s.channels.getAddress(), 1_000n);
  const key = await keyFor(s, await token.getAddress());
  await send(s.channels, s.payer, 'fund', key, 100n);
  const arm = async (method: string, ...args: readonly unknown[]) =>
    send(token, s.payer, 'arm', await s.channels.getAddress(), s.channels.interface.encodeFunctionData(method, args));
  return { token, key, arm };
}

describe('PaymentChannels at their bounds', () => {
  it('every step says what it did', async () => {
    const s = await stage();
    const key = await keyFor(s);
    const id = await idOf(s, key);
    await expect(fundEther(s, key, 100n)).to.emit(s.channels, 'ChannelOpened').withArgs(id, ...key.with(3, ethers.getAddress(key[3])), 100n);
    await expect(fundEther(s, key, 11n)).to.emit(s.channels, 'ToppedUp').withArgs(id, 11n);
    await expect(collect(s, key, 30n)).to.emit(s.channels, 'Collected').withArgs(id, 30n, 30n);
    await expect(collect(s, key, 5_000n)).to.emit(s.channels, 'Collected').withArgs(id, 5_000n, 81n);
    const start = (await now()) + 10n;
    await helpers.time.setNextBlockTimestamp(start);
    await expect(send(s.channels, s.payer, 'requestClose', key)).to.emit(s.channels, 'CloseRequested').withArgs(id, start + 2n * DAY);
    await expect(send(s.channels, s.payer, 'cancelClose', key)).to.emit(s.channels, 'CloseCancelled').withArgs(id);
    await fundEther(s, key, 7n);
    await helpers.time.setNextBlockTimestamp(start + 20n);
    await send(s.channels, s.payer, 'requestClose', key);
    await helpers.time.setNextBlockTimestamp(start + 20n + 2n * DAY);
    await expect(send(s.channels, s.payer, 'withdraw', key)).to.emit(s.channels, 'ChannelWithdrawn').withArgs(id, 7n);
    expect([...(await recordOf(s.channels, key))]).to.deep.equal([111n, 111n, 0n]);
  });

  it('refusals name the channel, its time and what was claimed', async () => {
    const s = await stage();
    const key = await keyFor(s);
    const id = await idOf(s, key);
    await fundEther(s, key, 100n);
    await collect(s, key, 40n);
    await expect(collect(s, key, 40n)).to.be.revertedWithCustomError(s.channels, 'StaleVoucher').withArgs(id, 40n);
    await expect(collect(s, key, 50n, keyOf(801))).to.be.revertedWithCustomError(s.channels, 'BadVoucher').withArgs(id);
    await expect(send(s.channels, s.payer, 'withdraw', key)).to.be.revertedWithCustomError(s.channels, 'NotClosable').withArgs(0n);
    await send(s.channels, s.payer, 'requestClose', key);
    const { closeAt } = await recordOf(s.channels, key);
    for (const method of ['requestClose', 'withdraw']) {
      await expect(send(s.channels, s.payer, method, key)).to.be.revertedWithCustomError(s.channels, 'NotClosable').withArgs(closeAt);
    }
    await expect(send(s.channels, s.payee, 'withdraw', key)).to.be.revertedWithCustomError(s.channels, 'NotPayer').withArgs(await s.payee.getAddress());
  });

  it('a channel holds 2^112 - 1 wei and not one more', async () => {
    const s = await stage();
    const key = await keyFor(s);
    await helpers.setBalance(await s.payer.getAddress(), 2n ** 120n);
    await fundEther(s, key, LARGEST - 1n);
    await expect(fundEther(s, key, 2n)).to.be.revertedWithCustomError(s.channels, 'TooMuch');
    await fundEther(s, key, 1n);
    expect((await recordOf(s.channels, key)).deposit).to.equal(LARGEST);
    await expect(fundEther(s, key, 1n)).to.be.revertedWithCustomError(s.channels, 'TooMuch');
    await expect(collect(s, key, 2n ** 128n - 1n)).to.changeEtherBalance(ethers, s.payee, LARGEST);
  });

  it('fifty vouchers in one call and not fifty-one', async () => {
    const s = await stage();
    const keys = await Promise.all(Array.from({ length: 50 }, (_, salt) => keyFor(s, ethers.ZeroAddress, salt)));
    for (const key of keys) await fundEther(s, key, 3n);
    const claims = await Promise.all(keys.map((key) => claimOf(s, key, 2n)));
    const payee = await s.payee.getAddress();
    const many = (list: readonly unknown[]) => send(s.channels, s.world.admin, 'collectMany', payee, ethers.ZeroAddress, list);
    await expect(many([...claims, claims[0]])).to.be.revertedWithCustomError(s.channels, 'BatchTooLong').withArgs(51n);
    await expect(many(claims)).to.changeEtherBalance(ethers, s.payee, 100n);
    expect(await s.channels.getFunction('collectMany').staticCall(payee, ethers.ZeroAddress, [])).to.equal(0n);
  });

  it('nobody signs: a signature that recovers to nothing is no signature of the zero address', async () => {
    const s = await stage();
    const key = (await keyFor(s)).with(3, ethers.ZeroAddress);
    await expect(send(s.channels, s.payee, 'collect', key, 1n, `0x${'00'.repeat(65)}`)).to.be.revertedWithCustomError(s.channels, 'BadVoucher');
    const nothing = [key[0], key[3], key[4], 1n, ethers.ZeroHash, ethers.ZeroHash];
    await expect(send(s.channels, s.payee, 'collectMany', key[1], key[2], [nothing])).to.be.revertedWithCustomError(s.channels, 'BadVoucher');
  });

  it('a permit that somebody spent before is no obstacle; without permit and approval there is no money', async () => {
    const s = await stage();
    const pint = s.world.c.PintToken;
    const key = await keyFor(s, await pint.getAddress());
    const [r, compact] = compactOf((await voucher(s, key, 1n)) as never);
    await send(s.channels, s.payer, 'fundWithPermit', key, 9n, 0n, 27, r, compact);
    expect([...(await recordOf(s.channels, key))]).to.deep.equal([9n, 0n, 0n]);
    await send(pint, s.payer, 'approve', await s.channels.getAddress(), 0n);
    await expect(send(s.channels, s.payer, 'fundWithPermit', key, 9n, 0n, 27, r, compact))
      .to.be.revertedWithCustomError(pint, 'ERC20InsufficientAllowance');
    expect(await pint.getFunction('balanceOf')(await s.channels.getAddress())).to.equal(9n);
  });

  it('ERC-777 / hook reentrancy: while one door is open every other is shut', async () => {
    const s = await stage();
    const { token, key, arm } = await hooked(s);
    const [payee, asset] = [key[1], key[2]];
    const doors: readonly (readonly [string, ...unknown[]])[] = [
      ['fund', key, 1n], ['fundWithPermit', key, 1n, 0n, 27, ethers.ZeroHash, ethers.ZeroHash], ['withdraw', key],
      ['collect', key, 90n, await voucher(s, key, 90n)], ['collectMany', payee, asset, [await claimOf(s, key, 90n)]], ['claimOwed', payee],
    ];
    let earned = 0n;
    for (const [method, ...args] of doors) {
      await arm(method, ...args);
      earned += 1n;
      await collect(s, key, earned);
      expect(await token.getFunction('answer')(), method).to.equal(s.channels.interface.getError('Reentered')!.selector);
    }
    expect((await recordOf(s.channels, key)).claimed).to.equal(6n);
  });

  it('a door that was shut behind a call opens again in the same transaction', async () => {
    const s = await stage();
    const { Authority, PintGovernor } = s.world.c;
    const key = await keyFor(s);
    await fundEther(s, key, 100n);
    const acts: Act[] = [];
    for (const earned of [10n, 25n]) acts.push({ target: s.channels, method: 'collect', args: [key, earned, await voucher(s, key, earned)] });
    const [, ready] = [await schedule(s.world, acts[0]!), await schedule(s.world, acts[1]!)];
    await helpers.time.increaseTo(ready);
    const target = await s.channels.getAddress();
    const calls = acts.map((act) => Authority.interface.encodeFunctionData('execute', [target, calldataOf(act)]));
    const governor = await impersonate(PintGovernor);
    await expect(send(Authority, governor, 'multicall', calls)).to.changeEtherBalance(ethers, s.payee, 25n);
  });

  it('what a payee refused adds up, whoever collects, and is nobody else\'s', async () => {
    const s = await stage();
    const payee = (await ethers.deployContract('BadPayee')) as unknown as Contract;
    const address = await payee.getAddress();
    const key = await keyFor(s, ethers.ZeroAddress, 0, address);
    await fundEther(s, key, 100n);
    await collect(s, key, 60n);
    await expect(collect(s, key, 75n)).to.emit(s.channels, 'PaymentOwed').withArgs(address, 15n);
    expect([await s.channels.getFunction('owed')(address), await s.channels.getFunction('owed')(key[0])]).to.deep.equal([75n, 0n]);
    await expect(send(s.channels, s.payer, 'claimOwed', address)).to.be.revertedWithCustomError(s.channels, 'NotDelivered').withArgs(address);
    await send(payee, s.payer, 'setAccept', true);
    expect(await s.channels.getFunction('claimOwed').staticCall(address)).to.equal(75n);
    await expect(send(s.channels, s.payer, 'claimOwed', address)).to.changeEtherBalance(ethers, payee, 75n);
    await expect(send(s.channels, s.payer, 'claimOwed', address)).to.be.revertedWithCustomError(s.channels, 'ZeroAmount');
  });

  it('a payee that is a contract gets 50,000 gas, with the stipend of a payment, and no more', async () => {
    const s = await stage();
    const address = `0x${'c0de'.repeat(10)}`;
    await helpers.setCode(address, '0x5a5f5500'); // GAS PUSH0 SSTORE STOP: keeps what was left
    const key = await keyFor(s, ethers.ZeroAddress, 0, address);
    await fundEther(s, key, 1n);
    await send(s.channels, s.payee, 'collect', key, 1n, await voucher(s, key, 1n), { gasLimit: 1_000_000 });
    expect(BigInt(await ethers.provider.getStorage(address, 0))).to.equal(50_000n + 2_300n - 2n);
  });

  it('the domain is the vault\'s, and a channel is told from every other', async () => {
    const s = await stage();
    expect(await s.channels.getFunction('VAULT')()).to.equal(ethers.getAddress(await s.world.c.StakeVault.getAddress()));
    const key = await keyFor(s);
    const other = `0x${'12'.repeat(20)}`;
    const keys = [key, key.with(0, other), key.with(1, other), key.with(2, other), key.with(3, other), key.with(4, ethers.id('salt'))];
    expect(new Set(await Promise.all(keys.map((each) => idOf(s, each as unknown as Key)))).size).to.equal(6);
  });
});
