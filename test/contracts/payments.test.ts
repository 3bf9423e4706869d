import { expect } from 'chai';
import type { Contract } from 'ethers';
import { signStruct } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import type { Hash32 } from '../../protocol/types/index.ts';
import { build, collect, fundEther, keyFor, recordOf, signer, stage, voucher, type Key, type Stage } from './channel-stage.ts';
import { impersonate } from './governance.ts';
import {
  addNode, bySigner, compactOf, createCluster, DAY, ethers, formGroup, groupOf, hash, helpers, keyOf, now, offer, packRoster, PINT, send,
  type TestGroup,
} from './world.ts';

describe('PaymentChannels', () => {
  it('P-6.3-pay: cumulative vouchers, anybody collects, always for the payee', async () => {
    const s = await stage();
    const key = await keyFor(s);
    await fundEther(s, key, 100n);
    await expect(collect(s, key, 30n)).to.changeEtherBalance(ethers, s.payee, 30n);
    await expect(collect(s, key, 45n)).to.changeEtherBalance(ethers, s.payee, 15n);
    await expect(collect(s, key, 45n)).to.be.revertedWithCustomError(s.channels, 'StaleVoucher');
    await expect(collect(s, key, 30n)).to.be.revertedWithCustomError(s.channels, 'StaleVoucher');
    await expect(collect(s, key, 500n)).to.changeEtherBalance(ethers, s.payee, 55n);
    await fundEther(s, key, 500n);
    await expect(collect(s, key, 500n)).to.changeEtherBalance(ethers, s.payee, 400n);
    expect((await recordOf(s.channels, key)).claimed).to.equal(500n);
  });

  it('signer/payer confusion (Trust H-1, M-10): a voucher is worthless in any other channel, chain or contract', async () => {
    const s = await stage();
    const key = await keyFor(s);
    const other = await keyFor(s, ethers.ZeroAddress, 1);
    await fundEther(s, key, 100n);
    await fundEther(s, other, 100n);
    const good = await voucher(s, key, 50n);
    await expect(send(s.channels, s.payee, 'collect', other, 50n, good)).to.be.revertedWithCustomError(s.channels, 'BadVoucher');
    await expect(send(s.channels, s.payee, 'collect', key, 51n, good)).to.be.revertedWithCustomError(s.channels, 'BadVoucher');
    await expect(collect(s, key, 50n, keyOf(801))).to.be.revertedWithCustomError(s.channels, 'BadVoucher');
    const channel = (await s.channels.getFunction('channelId')(key)) as Hash32;
    for (const domain of [{ ...s.world.domain, chainId: 5n }, { ...s.world.domain, verifyingContract: addressOf(signer) }]) {
      const foreign = signStruct(domain, 'Voucher', { channel, cumulative: 50n }, signer);
      await expect(send(s.channels, s.payee, 'collect', key, 50n, foreign)).to.be.revertedWithCustomError(s.channels, 'BadVoucher');
    }
    await expect(send(s.channels, s.payee, 'collect', key, 50n, '0x')).to.be.revertedWithCustomError(s.channels, 'BadVoucher');
  });

  it('closing: notice, last voucher in the grace, rest to the payer, vouchers keep counting afterwards', async () => {
    const s = await stage();
    const key = await keyFor(s);
    await fundEther(s, key, 100n);
    await expect(send(s.channels, s.payer, 'withdraw', key)).to.be.revertedWithCustomError(s.channels, 'NotClosable');
    await send(s.channels, s.payer, 'requestClose', key);
    const { closeAt } = await recordOf(s.channels, key);
    expect(closeAt).to.equal((await now()) + 2n * DAY);
    await expect(send(s.channels, s.payer, 'requestClose', key)).to.be.revertedWithCustomError(s.channels, 'NotClosable');
    await fundEther(s, key, 1n);
    expect((await recordOf(s.channels, key)).closeAt).to.equal(closeAt);
    await collect(s, key, 40n);
    await helpers.time.setNextBlockTimestamp(closeAt - 1n);
    await expect(send(s.channels, s.payer, 'withdraw', key)).to.be.revertedWithCustomError(s.channels, 'NotClosable');
    await helpers.time.setNextBlockTimestamp(closeAt);
    await expect(send(s.channels, s.payer, 'withdraw', key)).to.changeEtherBalance(ethers, s.payer, 61n);
    await fundEther(s, key, 10n);
    await expect(collect(s, key, 40n)).to.be.revertedWithCustomError(s.channels, 'StaleVoucher');
    await expect(collect(s, key, 45n)).to.changeEtherBalance(ethers, s.payee, 5n);
    await expect(send(s.channels, s.payer, 'withdraw', key)).to.be.revertedWithCustomError(s.channels, 'NotClosable');
  });

  it('only the payer closes, cancels and withdraws; nothing withdraws nothing', async () => {
    const s = await stage();
    const key = await keyFor(s);
    await fundEther(s, key, 10n);
    for (const method of ['requestClose', 'cancelClose', 'withdraw']) {
      await expect(send(s.channels, s.payee, method, key)).to.be.revertedWithCustomError(s.channels, 'NotPayer');
    }
    await send(s.channels, s.payer, 'requestClose', key);
    await send(s.channels, s.payer, 'cancelClose', key);
    expect((await recordOf(s.channels, key)).closeAt).to.equal(0n);
    await send(s.channels, s.payer, 'requestClose', key);
    await collect(s, key, 10n);
    await helpers.time.increase(2n * DAY);
    await expect(send(s.channels, s.payer, 'withdraw', key)).to.be.revertedWithCustomError(s.channels, 'ZeroAmount');
  });

  it('funding: right value, no nothing, no nobody, no overflow', async () => {
    const s = await stage();
    const key = await keyFor(s);
    const token = await keyFor(s, await s.world.c.PintToken.getAddress());
    await expect(send(s.channels, s.payer, 'fund', key, 5n, { value: 4n })).to.be.revertedWithCustomError(s.channels, 'TokenMismatch');
    await expect(send(s.channels, s.payer, 'fund', token, 5n, { value: 5n })).to.be.revertedWithCustomError(s.channels, 'TokenMismatch');
    await expect(fundEther(s, key, 0n)).to.be.revertedWithCustomError(s.channels, 'ZeroAmount');
    for (const place of [0, 1, 3]) {
      const nobody = key.map((part, i) => (i === place ? ethers.ZeroAddress : part)) as unknown as Key;
      await expect(fundEther(s, nobody, 1n)).to.be.revertedWithCustomError(s.channels, 'ZeroAddress');
    }
    await expect(send(s.channels, s.payer, 'fund', token, 5n)).to.emit(s.channels, 'ChannelOpened');
    await expect(send(s.channels, s.payer, 'fund', token, 5n)).to.emit(s.channels, 'ToppedUp');
  });

  it('P-6.3.1-any-money: collectMany is one transfer for one payee and token; a voucher of another is refused', async () => {
    const s = await stage();
    const pint = await s.world.c.PintToken.getAddress();
    const keys = await Promise.all([1, 2, 3].map((salt) => keyFor(s, pint, salt)));
    for (const key of keys) await send(s.channels, s.payer, 'fund', key, PINT);
    const claim = async (key: Key, amount: bigint) => [key[0], key[3], key[4], amount, ...compactOf((await voucher(s, key, amount)) as never)];
    const claims = await Promise.all(keys.map((key, i) => claim(key, BigInt(i + 1))));
    const payee = await s.payee.getAddress();
    await expect(send(s.channels, s.world.others[1]!, 'collectMany', ethers.ZeroAddress, pint, claims)).to.be.revertedWithCustomError(s.channels, 'BadVoucher');
    await expect(send(s.channels, s.world.others[1]!, 'collectMany', payee, pint, claims)).to.changeTokenBalance(ethers, s.world.c.PintToken, payee, 6n);
    await expect(send(s.channels, s.payer, 'collectMany', payee, pint, claims)).to.be.revertedWithCustomError(s.channels, 'StaleVoucher');
    await expect(send(s.channels, s.payer, 'collectMany', payee, pint, Array(51).fill(claims[0]))).to.be.revertedWithCustomError(s.channels, 'BatchTooLong');
  });

  it('fee-on-transfer (SSV-16, Filecoin Pay): what arrived is credited, others\' money is not touched', async () => {
    const s = await stage();
    const token = (await ethers.deployContract('FeeToken')) as unknown as Contract;
    const address = await token.getAddress();
    await send(token, s.world.admin, 'transfer', await s.payer.getAddress(), 1_000n);
    await send(token, s.payer, 'approve', await s.channels.getAddress(), 1_000n);
    const key = await keyFor(s, address);
    await send(s.channels, s.payer, 'fund', key, 100n);
    expect((await recordOf(s.channels, key)).deposit).to.equal(90n);
    await send(s.channels, s.payer, 'fund', key, 200n); // what was there before does not count again
    expect((await recordOf(s.channels, key)).deposit).to.equal(270n);
    await collect(s, key, 1_000n);
    expect(await token.getFunction('balanceOf')(await s.channels.getAddress())).to.equal(0n);
  });

  it('rebasing (SSV-16, Filecoin Pay): a token that shrinks runs short in its own channels only; what it gains is nobody\'s', async () => {
    const s = await stage();
    const token = (await ethers.deployContract('RebasingToken')) as unknown as Contract;
    const held = async (): Promise<bigint> => token.getFunction('balanceOf')(await s.channels.getAddress());
    await send(token, s.world.admin, 'transfer', await s.payer.getAddress(), 1_000n);
    await send(token, s.payer, 'approve', await s.channels.getAddress(), 1_000n);
    const pint = await keyFor(s, await s.world.c.PintToken.getAddress());
    const [first, second] = await Promise.all([0, 1].map(async (salt) => keyFor(s, await token.getAddress(), salt)));
    for (const key of [pint, first as Key, second as Key]) await send(s.channels, s.payer, 'fund', key, 100n);
    await fundEther(s, await keyFor(s), 100n);
    await send(token, s.payee, 'rebase', 50);
    await collect(s, first as Key, 80n);
    await expect(collect(s, second as Key, 30n)).to.be.revertedWithCustomError(token, 'ERC20InsufficientBalance');
    expect((await recordOf(s.channels, second as Key)).claimed, 'its voucher is not used up').to.equal(0n);
    await expect(collect(s, pint, 100n)).to.changeTokenBalance(ethers, s.world.c.PintToken, s.payee, 100n);
    await expect(collect(s, await keyFor(s), 100n)).to.changeEtherBalance(ethers, s.payee, 100n);
    await send(token, s.payee, 'rebase', 1_000);
    expect(await held()).to.equal(400n);
    await collect(s, first as Key, 500n);
    await collect(s, second as Key, 500n);
    expect(await held(), 'no voucher reaches beyond what was paid in').to.equal(280n);
  });

  it('a token that answers false moves nothing', async () => {
    const s = await stage();
    const token = (await ethers.deployContract('FalseToken')) as unknown as Contract;
    await send(token, s.world.admin, 'transfer', await s.payer.getAddress(), 1_000n);
    await send(token, s.payer, 'approve', await s.channels.getAddress(), 1_000n);
    const key = await keyFor(s, await token.getAddress());
    await send(s.channels, s.payer, 'fund', key, 100n);
    await send(token, s.payer, 'setRefuse', true);
    await expect(send(s.channels, s.payer, 'fund', key, 100n)).to.be.revertedWithCustomError(s.channels, 'SafeERC20FailedOperation');
    await expect(collect(s, key, 50n)).to.be.revertedWithCustomError(s.channels, 'SafeERC20FailedOperation');
    expect((await recordOf(s.channels, key)).claimed).to.equal(0n);
  });

  it('ERC-777 / hook reentrancy (Eigen H-01): a hook cannot enter again', async () => {
    const s = await stage();
    const token = (await ethers.deployContract('HookToken')) as unknown as Contract;
    await send(token, s.world.admin, 'transfer', await s.payer.getAddress(), 1_000n);
    await send(token, s.payer, 'approve', await s.channels.getAddress(), 1_000n);
    const key = await keyFor(s, await token.getAddress());
    await send(s.channels, s.payer, 'fund', key, 100n);
    const again = s.channels.interface.encodeFunctionData('collect', [key, 80n, await voucher(s, key, 80n)]);
    await send(token, s.payer, 'arm', await s.channels.getAddress(), again);
    await collect(s, key, 40n);
    expect(await token.getFunction('answered')()).to.equal(false);
    expect(await token.getFunction('answer')()).to.equal(s.channels.interface.getError('Reentered')!.selector);
    expect((await recordOf(s.channels, key)).claimed).to.equal(40n);
  });

  it('a payee that refuses ether blocks nobody and can pull later', async () => {
    const s = await stage();
    const payee = (await ethers.deployContract('BadPayee')) as unknown as Contract;
    const address = await payee.getAddress();
    const key = await keyFor(s, ethers.ZeroAddress, 0, address);
    await fundEther(s, key, 100n);
    await expect(collect(s, key, 60n)).to.emit(s.channels, 'PaymentOwed').withArgs(address, 60n);
    await expect(send(s.channels, s.payer, 'claimOwed', address)).to.be.revertedWithCustomError(s.channels, 'NotDelivered');
    await send(payee, s.payer, 'setAccept', true);
    const again = s.channels.interface.encodeFunctionData('claimOwed', [address]);
    await send(payee, s.payer, 'arm', await s.channels.getAddress(), again);
    await expect(send(s.channels, s.payer, 'claimOwed', address)).to.changeEtherBalance(ethers, payee, 60n);
    expect(await payee.getFunction('reentered')()).to.equal(false);
    await expect(send(s.channels, s.payer, 'claimOwed', address)).to.be.revertedWithCustomError(s.channels, 'ZeroAmount');
  });

  it('fundWithPermit opens without an approval', async () => {
    const s = await stage();
    const pint = s.world.c.PintToken;
    const owner = ethers.Wallet.createRandom(ethers.provider);
    await helpers.setBalance(owner.address, 10n ** 20n);
    await send(pint, s.world.admin, 'transfer', owner.address, 7n);
    const deadline = (await now()) + DAY;
    const fields = ['owner address', 'spender address', 'value uint256', 'nonce uint256', 'deadline uint256'];
    const types = { Permit: fields.map((f) => ({ name: f.split(' ')[0]!, type: f.split(' ')[1]! })) };
    const domain = { name: 'Picolo Integrity Token', version: '1', chainId: 31337, verifyingContract: await pint.getAddress() };
    const permit = await owner.signTypedData(domain, types, { owner: owner.address, spender: await s.channels.getAddress(), value: 7n, nonce: 0, deadline });
    const { v, r, s: sigS } = ethers.Signature.from(permit);
    const key: Key = [owner.address, await s.payee.getAddress(), await pint.getAddress(), addressOf(signer), hash(0)];
    await send(s.channels, owner, 'fundWithPermit', key, 7n, deadline, v, r, sigS);
    expect((await recordOf(s.channels, key)).deposit).to.equal(7n);
    expect(await pint.getFunction('nonces')(owner.address)).to.equal(1n);
  });
});

describe('ClusterSplitter', () => {
  interface Split extends Stage {
    readonly group: TestGroup;
    readonly key: Key;
    readonly splitter: Contract;
  }
  async function buildSplit(): Promise<Split> {
    const s = await build();
    const group = await groupOf(s.world);
    const splitter = s.world.c.ClusterSplitter;
    const key: Key = [await s.payer.getAddress(), await splitter.getAddress(), ethers.ZeroAddress, addressOf(signer), group.cluster];
    await fundEther(s, key, 1_000n);
    return { ...s, group, key, splitter };
  }
  const split = (): Promise<Split> => helpers.loadFixture(buildSplit);
  const claim = ({ splitter, group, world }: Split, index: number, epoch = 1) =>
    send(splitter, world.others[9]!, 'claim', group.group, epoch, ethers.ZeroAddress, group.packed, index);

  it('P-6.3-pay: members share equally, whoever collected, and claim once', async () => {
    const s = await split();
    await collect(s, s.key, 402n); // past the splitter
    await send(s.splitter, s.payee, 'share', s.key, [0]);
    await expect(claim(s, 1)).to.changeEtherBalance(ethers, s.group.members[1]!.owner, 100n);
    await expect(claim(s, 1)).to.be.revertedWithCustomError(s.splitter, 'NothingNew');
    await send(s.splitter, s.payee, 'collect', s.key, 800n, await voucher(s, s.key, 800n), [0]);
    await expect(claim(s, 1)).to.changeEtherBalance(ethers, s.group.members[1]!.owner, 100n);
    await expect(claim(s, 3)).to.changeEtherBalance(ethers, s.group.members[3]!.owner, 200n);
    await expect(send(s.splitter, s.payee, 'share', s.key, [0])).to.be.revertedWithCustomError(s.splitter, 'NothingNew');
  });

  it('money follows the epoch in which it was shared', async () => {
    const s = await split();
    const { world, group } = s;
    await send(s.splitter, s.payee, 'collect', s.key, 400n, await voucher(s, s.key, 400n), [0]);
    const incoming = await addNode(world, 90, world.others[8]!);
    await send(world.c.ClusterRegistry, world.consumer, 'replaceMember', group.cluster, 0, group.packed, group.roster[0], await offer(world, group.cluster, incoming));
    await send(s.splitter, s.payee, 'collect', s.key, 800n, await voucher(s, s.key, 800n), [0]);
    await expect(claim(s, 0)).to.changeEtherBalance(ethers, group.members[0]!.owner, 100n);
    const next = [...group.members.slice(1), incoming].sort(bySigner);
    const packed = packRoster(next.map((node) => node.address));
    const seat = next.indexOf(incoming);
    await expect(send(s.splitter, s.payee, 'claim', group.group, 2, ethers.ZeroAddress, packed, seat)).to.changeEtherBalance(ethers, incoming.owner, 100n);
    await expect(send(s.splitter, s.payee, 'claim', group.group, 1, ethers.ZeroAddress, packed, seat)).to.be.revertedWithCustomError(s.splitter, 'BadRoster');
    await expect(send(s.splitter, s.payee, 'claim', group.group, 2, ethers.ZeroAddress, packed, 4)).to.be.revertedWithCustomError(s.splitter, 'NotMember');
  });

  it('all open groups and only they; the last one when none is open', async () => {
    const s = await split();
    const { world, group } = s;
    const second = await formGroup(world, group.cluster, group.members, 1);
    await collect(s, s.key, 801n);
    for (const wrong of [[0], [0, 0], [1, 0], [0, 1, 2], [0, 2]]) {
      await expect(send(s.splitter, s.payee, 'share', s.key, wrong)).to.be.revertedWithCustomError(s.splitter, 'BadGroups');
    }
    await send(s.splitter, s.payee, 'share', s.key, [0, 1]);
    for (const id of [group.group, second.group]) {
      const pot = await s.splitter.getFunction('potOf')(await s.splitter.getFunction('potId')(id, 1, ethers.ZeroAddress));
      expect(pot).to.equal(400n);
    }
    for (const index of [0, 1]) await send(world.c.ClusterRegistry, world.consumer, 'closeGroup', group.cluster, index, group.packed);
    await expect(send(s.splitter, s.payee, 'share', s.key, [0])).to.be.revertedWithCustomError(s.splitter, 'BadGroups');
    await send(s.splitter, s.payee, 'share', s.key, [1]);
  });

  it('a cluster that is paid in tokens pays its members in tokens', async () => {
    const s = await split();
    const pint = await s.world.c.PintToken.getAddress();
    const key = s.key.with(2, pint) as unknown as Key;
    await send(s.channels, s.payer, 'fund', key, 400n);
    await send(s.splitter, s.payee, 'collect', key, 400n, await voucher(s, key, 400n), [0]);
    const owner = await s.group.members[2]!.owner.getAddress();
    await expect(send(s.splitter, s.payee, 'claim', s.group.group, 1, pint, s.group.packed, 2)).to.changeTokenBalance(ethers, s.world.c.PintToken, owner, 100n);
  });

  it('an owner that refuses ether holds up nobody, and gets its part when it takes it', async () => {
    const s = await split();
    const payee = (await ethers.deployContract('BadPayee')) as unknown as Contract;
    const cluster = await createCluster(s.world, 4, { salt: hash(6) });
    const incoming = await addNode(s.world, 91, await impersonate(payee));
    const group = await formGroup(s.world, cluster, [...s.group.members.slice(0, 3), incoming]);
    const key: Key = [s.key[0], s.key[1], s.key[2], s.key[3], cluster];
    await fundEther(s, key, 400n);
    await send(s.splitter, s.payee, 'collect', key, 400n, await voucher(s, key, 400n), [0]);
    const [own, other] = [group.members.indexOf(incoming), group.members.indexOf(s.group.members[0]!)];
    const pay = (index: number) => send(s.splitter, s.payee, 'claim', group.group, 1, ethers.ZeroAddress, group.packed, index);
    await expect(pay(own)).to.be.revertedWithCustomError(s.splitter, 'NotDelivered').withArgs(await payee.getAddress());
    await expect(pay(other)).to.changeEtherBalance(ethers, group.members[other]!.owner, 100n);
    await send(payee, s.payer, 'setAccept', true);
    await expect(pay(own)).to.changeEtherBalance(ethers, payee, 100n);
  });

  it('a channel for somebody else, or of a cluster without groups, cannot be shared', async () => {
    const s = await split();
    await expect(send(s.splitter, s.payee, 'share', await keyFor(s), [0])).to.be.revertedWithCustomError(s.splitter, 'NotPayee');
    const cluster = await createCluster(s.world, 4, { salt: hash(5) });
    const key: Key = [s.key[0], s.key[1], s.key[2], s.key[3], cluster];
    await fundEther(s, key, 10n);
    await collect(s, key, 10n);
    await expect(send(s.splitter, s.payee, 'share', key, [0])).to.be.revertedWithCustomError(s.splitter, 'BadGroups');
  });
});

describe('AccessDeposits', () => {
  it('P-6.3.2-epsilon: levels double, leave with notice, touch no clock of others', async () => {
    const { world } = await stage();
    const access = world.c.AccessDeposits;
    const account = await world.consumer.getAddress();
    await send(world.c.PintToken, world.consumer, 'approve', await access.getAddress(), ethers.MaxUint256);
    const level = (): Promise<bigint> => access.getFunction('levelOf')(account);
    for (const [deposit, expected] of [[PINT - 1n, 0n], [1n, 1n], [PINT, 2n], [2n * PINT - 1n, 2n], [1n, 3n], [500n * PINT, 9n]] as const) {
      await send(access, world.consumer, 'deposit', account, deposit);
      expect(await level()).to.equal(expected);
    }
    await send(access, world.consumer, 'requestWithdraw', 500n * PINT);
    expect(await level()).to.equal(3n);
    const { unlockAt } = await access.getFunction('depositOf')(account);
    await helpers.time.setNextBlockTimestamp(unlockAt - 1n);
    await expect(send(access, world.consumer, 'withdraw')).to.be.revertedWithCustomError(access, 'StillLocked');
    await helpers.time.setNextBlockTimestamp(unlockAt);
    await expect(send(access, world.consumer, 'withdraw')).to.changeTokenBalance(ethers, world.c.PintToken, account, 500n * PINT);
    await expect(send(access, world.consumer, 'withdraw')).to.be.revertedWithCustomError(access, 'ZeroAmount');
    await expect(send(access, world.consumer, 'requestWithdraw', 5n * PINT)).to.be.revertedWithCustomError(access, 'Insufficient');
    await expect(send(access, world.consumer, 'requestWithdraw', 0)).to.be.revertedWithCustomError(access, 'ZeroAmount');
    await expect(send(access, world.consumer, 'deposit', account, 0)).to.be.revertedWithCustomError(access, 'ZeroAmount');
  });
});
