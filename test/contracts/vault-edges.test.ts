/** Periods, offices, identity and stake: every event with its values, every bound at its two sides. */
import { expect } from 'chai';
import { ContractFactory, encodeBytes32String, type BaseContract, type Contract } from 'ethers';
import { abis } from '../../contracts/index.ts';
import { compiledContract } from '../../scripts/compiled.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { ACTIVE, at, consumer, group, GWEI, NONE, penalty, refuses, reporter, stage, TOMBSTONED, UNBONDING, view } from './vault-stage.ts';
import { DAY, ethers, helpers, keyOf, now, PINT, possession, send } from './world.ts';

describe('StakeVault at its bounds: periods and slashers', () => {
  interface Deployment { readonly pint?: string; readonly registry?: string; readonly admin?: string; readonly slashers?: readonly string[] }
  async function vaultWith(periods: readonly [bigint, bigint, bigint], { pint, registry, admin, slashers = [] }: Deployment = {}): Promise<BaseContract> {
    const [deployer] = await ethers.getSigners();
    const factory = new ContractFactory(abis.StakeVault as never, compiledContract('StakeVault').bytecode, deployer);
    return factory.deploy(pint ?? reporter, registry ?? reporter, admin ?? consumer, periods, slashers);
  }

  it('every period at its last value and one second further', async () => {
    const { vault } = await stage();
    const rows: readonly [unbonding: bigint, window: bigint, dispute: bigint, rule: string | undefined][] = [
      [3n * DAY, DAY, DAY, undefined], [3n * DAY, DAY - 1n, DAY, 'evidence window'],
      [188n * DAY, 180n * DAY, 7n * DAY, undefined], [189n * DAY, 180n * DAY + 1n, 7n * DAY, 'evidence window'],
      [200n * DAY, 14n * DAY, 180n * DAY, undefined], [200n * DAY, 14n * DAY, 180n * DAY + 1n, 'dispute time'],
      [22n * DAY - 1n, 14n * DAY, 7n * DAY, 'unbonding outlives evidence'],
      [540n * DAY, 14n * DAY, 7n * DAY, undefined], [540n * DAY + 1n, 14n * DAY, 7n * DAY, 'unbonding'],
    ];
    for (const [unbonding, window, dispute, rule] of rows) {
      const made = vaultWith([unbonding, window, dispute]);
      if (rule === undefined) await made;
      else await refuses(made, vault, 'ParameterOutOfBounds', encodeBytes32String(rule));
    }
  });

  it('nobody is no token, no registry and no admin', async () => {
    const { vault } = await stage();
    const periods = [UNBONDING, 14n * DAY, 7n * DAY] as const;
    await expect(vaultWith(periods, { pint: ethers.ZeroAddress })).to.be.revertedWithCustomError(vault, 'ZeroAddress');
    await expect(vaultWith(periods, { registry: ethers.ZeroAddress })).to.be.revertedWithCustomError(vault, 'ZeroAddress');
    await refuses(vaultWith(periods, { admin: ethers.ZeroAddress }), vault, 'ParameterOutOfBounds', encodeBytes32String('admin'));
  });

  it('what it was made with is what it says', async () => {
    const made = (await vaultWith([30n * DAY, 15n * DAY, 8n * DAY], { slashers: [reporter, consumer] })) as Contract;
    await expect(made.deploymentTransaction()).to.emit(made, 'AdminChanged').withArgs(consumer);
    await expect(made.deploymentTransaction()).to.emit(made, 'SlasherActivated').withArgs(reporter);
    await expect(made.deploymentTransaction()).to.emit(made, 'SlasherActivated').withArgs(consumer);
    const names = ['UNBONDING', 'EVIDENCE_WINDOW', 'DISPUTE_TIME', 'SLASHER_DELAY', 'admin', 'PINT', 'REGISTRY', 'pendingAdmin'];
    const values = await Promise.all(names.map((name) => made.getFunction(name)()));
    expect(values).to.deep.equal([30n * DAY, 15n * DAY, 8n * DAY, 32n * DAY, consumer, reporter, reporter, ethers.ZeroAddress]);
    expect(await Promise.all([reporter, consumer, ethers.ZeroAddress].map((each) => view(made, 'isSlasher', each)))).to.deep.equal([true, true, false]);
  });

  it('a slasher comes at its second, once, and says so', async () => {
    const { vault, world, slasher } = await stage();
    await refuses(send(vault, world.admin, 'proposeSlasher', await slasher.getAddress()), vault, 'TooSoon', 0n);
    const start = (await now()) + 100n;
    await at(start);
    await expect(send(vault, world.admin, 'proposeSlasher', reporter)).to.emit(vault, 'SlasherProposed').withArgs(reporter, start + 24n * DAY);
    await at(start + 24n * DAY - 1n);
    await refuses(send(vault, world.watcher, 'acceptSlasher', reporter), vault, 'TooSoon', start + 24n * DAY);
    await at(start + 24n * DAY);
    await expect(send(vault, world.watcher, 'acceptSlasher', reporter)).to.emit(vault, 'SlasherActivated').withArgs(reporter);
    expect([await view(vault, 'isSlasher', reporter), await view(vault, 'slasherReadyAt', reporter)]).to.deep.equal([true, 0n]);
    await refuses(send(vault, world.watcher, 'acceptSlasher', reporter), vault, 'UnknownSlasher', reporter);
    await expect(send(vault, world.admin, 'removeSlasher', reporter)).to.emit(vault, 'SlasherRemoved').withArgs(reporter);
    expect(await view(vault, 'isSlasher', reporter)).to.equal(false);
    await send(vault, world.admin, 'proposeSlasher', reporter);
    await send(vault, world.admin, 'removeSlasher', reporter);
    expect(await view(vault, 'slasherReadyAt', reporter)).to.equal(0n);
  });

  it('the office changes hands once', async () => {
    const { vault, world } = await stage();
    const next = await world.watcher.getAddress();
    await expect(send(vault, world.admin, 'proposeAdmin', next)).to.emit(vault, 'AdminProposed').withArgs(next);
    expect([await vault.getFunction('admin')(), await vault.getFunction('pendingAdmin')()]).to.deep.equal([await world.admin.getAddress(), next]);
    await expect(send(vault, world.watcher, 'acceptAdmin')).to.emit(vault, 'AdminChanged').withArgs(next);
    expect([await vault.getFunction('admin')(), await vault.getFunction('pendingAdmin')()]).to.deep.equal([next, ethers.ZeroAddress]);
    await refuses(send(vault, world.watcher, 'acceptAdmin'), vault, 'NotAdmin', next);
    await expect(send(vault, world.admin, 'removeSlasher', reporter)).to.be.revertedWithCustomError(vault, 'NotAdmin');
  });
});

describe('StakeVault at its bounds: identity and stake', () => {
  it('a new node has nothing but its owner, its key and its time', async () => {
    const { vault, world } = await stage();
    const [key, owner] = [keyOf(2), world.others[1]!];
    const [node, holder] = [ethers.getAddress(addressOf(key)), await owner.getAddress()];
    await send(vault, owner, 'register', node, possession(world, key, holder));
    expect(await view(vault, 'ownerOf', node)).to.deep.equal([holder, await now(), 0n, 0n]);
    expect(await view(vault, 'accountOf', node)).to.deep.equal([0n, 0n, 0n, ACTIVE, 0n]);
    expect(await view(vault, 'keyOf', node)).to.deep.equal([node, 0n]);
    expect(await view(vault, 'bountyOf', node)).to.deep.equal([0n, 0n, 0n]);
    expect(await view(vault, 'standing', node)).to.deep.equal([node, ACTIVE, true]);
    expect(await view(vault, 'recordOfSigner', node)).to.deep.equal([node, ACTIVE, 0n, 0n]);
    expect(await view(vault, 'statusOfSigner', reporter)).to.deep.equal([reporter, NONE]);
    expect(await vault.getFunction('domainSeparator')()).to.equal(
      ethers.TypedDataEncoder.hashDomain({ name: 'Picolo', version: '1', chainId: 31337, verifyingContract: await vault.getAddress() }),
    );
    await refuses(send(vault, owner, 'register', ethers.ZeroAddress, `0x${'00'.repeat(65)}`), vault, 'BadPossession', ethers.ZeroAddress);
  });

  it('another key keeps the lock, and is no way back from a tombstone', async () => {
    const s = await stage();
    const { vault, world, node, registry } = s;
    const [owner, next] = [await node.owner.getAddress(), keyOf(3)];
    await send(vault, registry, 'setLock', node.address, 700n * PINT);
    const consent = possession(world, next, owner, node.address);
    await expect(send(vault, node.owner, 'rotateSigner', node.address, addressOf(keyOf(4)), consent)).to.be.revertedWithCustomError(vault, 'BadPossession');
    const [id, signer] = [ethers.getAddress(node.address), ethers.getAddress(addressOf(next))];
    await expect(send(vault, node.owner, 'rotateSigner', node.address, signer, consent)).to.emit(vault, 'SignerRotated').withArgs(id, signer, id);
    expect(await view(vault, 'keyOf', node.address)).to.deep.equal([signer, 700n * PINT]);
    expect(await view(vault, 'recordOfSigner', signer)).to.deep.equal([id, ACTIVE, 0n, 0n]);
    await send(vault, s.slasher, 'convict', signer, group, 3, false, reporter);
    const third = possession(world, keyOf(5), owner, node.address);
    await refuses(send(vault, node.owner, 'rotateSigner', node.address, addressOf(keyOf(5)), third), vault, 'NotActive', id, TOMBSTONED);
  });

  it('stake comes in whole gwei, is counted and announced', async () => {
    const { vault, world, node } = await stage();
    const [pint, from, id] = [world.c.PintToken, await world.admin.getAddress(), ethers.getAddress(node.address)];
    await send(pint, world.admin, 'approve', await vault.getAddress(), ethers.MaxUint256);
    for (const method of ['deposit', 'depositFor']) {
      await expect(send(vault, world.admin, method, node.address, 3n * GWEI)).to.emit(vault, 'Deposited').withArgs(id, from, 3n * GWEI);
      await expect(send(vault, world.admin, method, node.address, GWEI)).to.changeTokenBalances(ethers, pint, [vault, from], [GWEI, -GWEI]);
    }
    expect((await view(vault, 'accountOf', node.address)).active).to.equal(2_000n * PINT + 8n * GWEI);
    await refuses(send(vault, world.admin, 'deposit', node.address, GWEI + 1n), vault, 'NotWholeGwei', GWEI + 1n);
    await refuses(send(vault, node.owner, 'requestUnbond', node.address, GWEI - 1n), vault, 'NotWholeGwei', GWEI - 1n);
    await expect(send(vault, world.admin, 'deposit', node.address, GWEI << 64n)).to.be.revertedWithCustomError(vault, 'SafeCastOverflowedUintDowncast');
  });

  it('the way out: exactly what is free, its clock, back again, or paid once', async () => {
    const { vault, world, node, registry } = await stage();
    const [owner, id] = [await node.owner.getAddress(), ethers.getAddress(node.address)];
    await send(vault, registry, 'setLock', node.address, 1_500n * PINT);
    expect(await view(vault, 'freeOf', node.address)).to.equal(500n * PINT);
    await refuses(send(vault, node.owner, 'requestUnbond', node.address, 500n * PINT + GWEI), vault, 'Insufficient', 500n * PINT, 500n * PINT + GWEI);
    const start = (await now()) + 50n;
    await at(start);
    await expect(send(vault, node.owner, 'requestUnbond', node.address, 500n * PINT)).to.emit(vault, 'UnbondRequested').withArgs(id, 500n * PINT, start + UNBONDING);
    expect(await view(vault, 'accountOf', node.address)).to.deep.equal([1_500n * PINT, 500n * PINT, start + UNBONDING, ACTIVE, 0n]);
    expect([await view(vault, 'freeOf', node.address), await view(vault, 'standing', node.address)]).to.deep.equal([0n, [id, ACTIVE, true]]);
    await expect(send(vault, node.owner, 'cancelUnbond', node.address)).to.emit(vault, 'UnbondCancelled').withArgs(id, 500n * PINT);
    expect(await view(vault, 'accountOf', node.address)).to.deep.equal([2_000n * PINT, 0n, 0n, ACTIVE, 0n]);
    await send(vault, node.owner, 'requestUnbond', node.address, 20n * PINT);
    await helpers.time.increase(UNBONDING);
    await expect(send(vault, node.owner, 'withdraw', node.address)).to.emit(vault, 'Withdrawn').withArgs(id, owner, 20n * PINT);
    expect(await view(vault, 'accountOf', node.address)).to.deep.equal([1_980n * PINT, 0n, 0n, ACTIVE, 0n]);
    expect(await world.c.PintToken.getFunction('balanceOf')(owner)).to.equal(20n * PINT);
  });

  it('a lock: rounded up, up to all that is active, falls without stake, goes with the node', async () => {
    const s = await stage();
    const { vault, node, registry, slasher } = s;
    const id = ethers.getAddress(node.address);
    const lock = (amount: bigint) => send(vault, registry, 'setLock', node.address, amount);
    const locked = async (): Promise<bigint> => (await view(vault, 'keyOf', node.address)).locked;
    await expect(lock(GWEI + 1n)).to.emit(vault, 'Locked').withArgs(id, GWEI + 1n);
    expect(await locked()).to.equal(2n * GWEI);
    await lock(2_000n * PINT);
    expect(await view(vault, 'standing', node.address)).to.deep.equal([id, ACTIVE, true]);
    await refuses(lock(2_000n * PINT + 1n), vault, 'StakeTooLow', 2_000n * PINT + 1n);
    await send(vault, slasher, 'slash', penalty(s, 5_000));
    expect([await view(vault, 'standing', node.address), await view(vault, 'freeOf', node.address)]).to.deep.equal([[id, ACTIVE, false], 0n]);
    for (const amount of [2_000n * PINT, 1_500n * PINT]) await lock(amount);
    await expect(lock(1_500n * PINT + GWEI)).to.be.revertedWithCustomError(vault, 'StakeTooLow');
    await expect(lock(0n)).to.emit(vault, 'Locked').withArgs(id, 0n);
    expect([await locked(), await view(vault, 'freeOf', node.address)]).to.deep.equal([0n, 1_000n * PINT]);
    await lock(900n * PINT);
    await send(vault, slasher, 'slash', penalty(s, 1_000, { status: TOMBSTONED }));
    expect(await view(vault, 'freeOf', node.address)).to.equal(900n * PINT);
    await expect(lock(0n)).not.to.emit(vault, 'Locked');
    await refuses(lock(1n), vault, 'NotActive', id, TOMBSTONED);
  });
});
