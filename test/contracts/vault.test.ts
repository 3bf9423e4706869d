import { expect } from 'chai';
import { addressOf } from '../../protocol/crypto/index.ts';
import { signStruct } from '../../protocol/codec/index.ts';
import type { Contract } from 'ethers';
import { addNode, DAY, deployed, ethers, fund, helpers, keyOf, now, PINT, possession, send, type TestNode, type World } from './world.ts';

/** A world with one staked node and, as genesis slasher stand-in, an impersonated slasher contract. */
interface Stage {
  readonly world: World;
  readonly vault: Contract;
  readonly node: TestNode;
  readonly slasher: Awaited<ReturnType<typeof ethers.getSigner>>;
}

async function build(): Promise<Stage> {
  const world = await deployed();
  const node = await addNode(world, 1, world.others[0]!, { gib: 0 });
  const address = await world.c.SlasherConsensus.getAddress();
  await helpers.impersonateAccount(address);
  await helpers.setBalance(address, 10n ** 20n);
  return { world, vault: world.c.StakeVault, node, slasher: await ethers.getSigner(address) };
}
const stage = (): Promise<Stage> => helpers.loadFixture(build);

const account = (vault: Contract, node: TestNode) => vault.getFunction('accountOf')(node.address);
const reporter = `0x${'aa'.repeat(20)}`;
const consumer = `0x${'bb'.repeat(20)}`;

function penalty(node: string, bps: number, status = 1, over: Partial<{ reporter: string; reporterBps: number; consumer: string; consumerBps: number }> = {}) {
  const p = { reporter, reporterBps: 3000, consumer, consumerBps: 2000, ...over };
  return [node, bps, 9, status, p.reporter, p.reporterBps, p.consumer, p.consumerBps, ethers.ZeroHash];
}

describe('PintToken', () => {
  it('fixed genesis supply, burn, permit domain, votes by timestamp', async () => {
    const { world } = await stage();
    const { PintToken } = world.c;
    expect(await PintToken.getFunction('totalSupply')()).to.equal(10n ** 27n);
    await send(PintToken, world.admin, 'burn', PINT);
    expect(await PintToken.getFunction('totalSupply')()).to.equal(10n ** 27n - PINT);
    expect(await PintToken.getFunction('clock')()).to.equal(await now());
    expect(await PintToken.getFunction('CLOCK_MODE')()).to.equal('mode=timestamp');
    await send(PintToken, world.admin, 'delegate', await world.admin.getAddress());
    expect(await PintToken.getFunction('getVotes')(await world.admin.getAddress())).to.be.greaterThan(0n);
  });
});

describe('StakeVault: identity', () => {
  it('registration needs the key\'s consent to this owner (SSV-18: nobody can be registered by a bystander)', async () => {
    const { world, vault } = await stage();
    const key = keyOf(2);
    const [owner, thief] = [world.others[1]!, world.others[2]!];
    const consent = possession(world, key, await owner.getAddress());
    await expect(send(vault, thief, 'register', addressOf(key), consent)).to.be.revertedWithCustomError(vault, 'BadPossession');
    const node = ethers.getAddress(addressOf(key));
    await expect(send(vault, owner, 'register', addressOf(key), consent)).to.emit(vault, 'Registered').withArgs(node, await owner.getAddress(), node);
    await expect(send(vault, owner, 'register', addressOf(key), consent)).to.be.revertedWithCustomError(vault, 'SignerTaken');
  });

  it('a consent for another chain or vault is worthless', async () => {
    const { world, vault } = await stage();
    const key = keyOf(2);
    const owner = world.others[1]!;
    const value = { node: addressOf(key), owner: (await owner.getAddress()).toLowerCase() as never, signer: addressOf(key) };
    for (const domain of [{ ...world.domain, chainId: 1n }, { ...world.domain, verifyingContract: addressOf(key) }]) {
      await expect(send(vault, owner, 'register', addressOf(key), signStruct(domain, 'NodeKey', value, key))).to.be.revertedWithCustomError(vault, 'BadPossession');
    }
  });

  it('rotation keeps the old key mapped; no key serves two nodes', async () => {
    const { world, vault, node } = await stage();
    const next = keyOf(3);
    const owner = await node.owner.getAddress();
    await send(vault, node.owner, 'rotateSigner', node.address, addressOf(next), possession(world, next, owner, node.address));
    for (const signer of [node.address, addressOf(next)]) {
      expect((await vault.getFunction('nodeOfSigner')(signer)).toLowerCase()).to.equal(node.address);
      await expect(send(vault, node.owner, 'rotateSigner', node.address, signer, '0x')).to.be.revertedWithCustomError(vault, 'SignerTaken');
    }
    expect((await vault.getFunction('keyOf')(node.address)).signer.toLowerCase()).to.equal(addressOf(next));
    expect(await vault.getFunction('nodeOfSigner')(addressOf(keyOf(4)))).to.equal(ethers.ZeroAddress);
    await expect(send(vault, world.others[5]!, 'rotateSigner', node.address, addressOf(keyOf(4)), '0x')).to.be.revertedWithCustomError(vault, 'NotOwner');
  });
});

describe('StakeVault: stake', () => {
  it('deposits add up; unknown nodes, nothing and strangers\' clocks', async () => {
    const { world, vault, node } = await stage();
    await fund(world, node, 5n * PINT);
    expect((await account(vault, node)).active).to.equal(2_005n * PINT);
    await expect(send(vault, node.owner, 'deposit', node.address, 0)).to.be.revertedWithCustomError(vault, 'ZeroAmount');
    await expect(send(vault, node.owner, 'deposit', addressOf(keyOf(9)), 1)).to.be.revertedWithCustomError(vault, 'NotActive');
  });

  it('bounded list filled by others (Trust H-3, Livepeer): a stranger\'s deposit never touches the clock of a leaving node', async () => {
    const { world, vault, node } = await stage();
    await send(vault, node.owner, 'requestUnbond', node.address, PINT);
    const { unlockAt } = await account(vault, node);
    await helpers.time.increase(DAY);
    await send(world.c.PintToken, world.admin, 'approve', await vault.getAddress(), PINT);
    await send(vault, world.admin, 'depositFor', node.address, PINT);
    expect((await account(vault, node)).unlockAt).to.equal(unlockAt);
  });

  it('depositWithPermit works also when somebody used the permit first', async () => {
    const { world, vault, node } = await stage();
    const pint = world.c.PintToken;
    const owner = ethers.Wallet.createRandom(ethers.provider);
    await helpers.setBalance(owner.address, 10n ** 20n);
    await send(pint, world.admin, 'transfer', owner.address, 2n * PINT);
    const deadline = (await now()) + DAY;
    const domain = { name: 'Picolo Integrity Token', version: '1', chainId: 31337, verifyingContract: await pint.getAddress() };
    const fields = ['owner address', 'spender address', 'value uint256', 'nonce uint256', 'deadline uint256'];
    const types = { Permit: fields.map((f) => ({ name: f.split(' ')[0]!, type: f.split(' ')[1]! })) };
    const message = { owner: owner.address, spender: await vault.getAddress(), value: 2n * PINT, nonce: 0, deadline };
    const { v, r, s } = ethers.Signature.from(await owner.signTypedData(domain, types, message));
    await send(pint, world.admin, 'permit', owner.address, await vault.getAddress(), 2n * PINT, deadline, v, r, s);
    await send(vault, owner, 'depositWithPermit', node.address, 2n * PINT, deadline, v, r, s);
    expect((await account(vault, node)).active).to.equal(2_002n * PINT);
  });

  it('leaving: unbonding outlives evidence and disputes, one entry restarts, cancel, withdraw at the second', async () => {
    const { vault, node, world } = await stage();
    await send(vault, node.owner, 'requestUnbond', node.address, 10n * PINT);
    await helpers.time.increase(10n * DAY);
    await send(vault, node.owner, 'requestUnbond', node.address, 5n * PINT);
    const { unlockAt, pending } = await account(vault, node);
    expect(unlockAt).to.equal((await now()) + 22n * DAY);
    expect(pending).to.equal(15n * PINT);
    await helpers.time.setNextBlockTimestamp(unlockAt - 1n);
    await expect(send(vault, node.owner, 'withdraw', node.address)).to.be.revertedWithCustomError(vault, 'StillLocked').withArgs(unlockAt);
    await helpers.time.setNextBlockTimestamp(unlockAt);
    await send(vault, node.owner, 'withdraw', node.address);
    expect(await world.c.PintToken.getFunction('balanceOf')(await node.owner.getAddress())).to.equal(15n * PINT);
    await expect(send(vault, node.owner, 'withdraw', node.address)).to.be.revertedWithCustomError(vault, 'ZeroAmount');
    await send(vault, node.owner, 'requestUnbond', node.address, PINT);
    await send(vault, node.owner, 'cancelUnbond', node.address);
    expect((await account(vault, node)).active).to.equal(1_985n * PINT);
    await expect(send(vault, node.owner, 'cancelUnbond', node.address)).to.be.revertedWithCustomError(vault, 'ZeroAmount');
  });

  it('only the owner moves stake, and only free stake', async () => {
    const { vault, node, world } = await stage();
    for (const [method, ...args] of [['requestUnbond', PINT], ['cancelUnbond'], ['withdraw']] as const) {
      await expect(send(vault, world.watcher, method, node.address, ...args)).to.be.revertedWithCustomError(vault, 'NotOwner');
    }
    await expect(send(vault, node.owner, 'requestUnbond', node.address, 0)).to.be.revertedWithCustomError(vault, 'ZeroAmount');
    await send(world.c.NodeRegistry, node.owner, 'setResources', node.address, [500, 0, 0, 0, 0]);
    await expect(send(vault, node.owner, 'requestUnbond', node.address, 501n * PINT))
      .to.be.revertedWithCustomError(vault, 'Insufficient').withArgs(500n * PINT, 501n * PINT);
    await send(vault, node.owner, 'requestUnbond', node.address, 500n * PINT);
    await expect(send(vault, world.watcher, 'setLock', node.address, 0)).to.be.revertedWithCustomError(vault, 'NotRegistry');
  });
});

describe('StakeVault: slashing', () => {
  it('slash front-run by withdrawal (Graph M-01): pending stake is slashed after active', async () => {
    const { vault, node, slasher } = await stage();
    await send(vault, node.owner, 'requestUnbond', node.address, 1_500n * PINT);
    await send(vault, slasher, 'slash', penalty(node.address, 5_000));
    const { active, pending } = await account(vault, node);
    expect([active, pending]).to.deep.equal([0n, 1_000n * PINT]);
  });

  it('slash reverts (Graph M-02, L-18): bps and shares that ask too much are clamped, at least half burns', async () => {
    const { vault, node, slasher, world } = await stage();
    await send(vault, slasher, 'slash', penalty(node.address, 60_000, 1, { reporterBps: 65_535, consumerBps: 65_535 }));
    const credits = [await vault.getFunction('creditOf')(reporter), await vault.getFunction('creditOf')(consumer)];
    expect(credits.map((credit) => credit.amount)).to.deep.equal([600n * PINT, 400n * PINT]);
    expect(await vault.getFunction('burnPot')()).to.equal(1_000n * PINT);
    await send(vault, slasher, 'slash', penalty(node.address, 10_000));
    await expect(send(vault, world.watcher, 'sweep')).to.emit(vault, 'Burned').withArgs(1_000n * PINT);
    expect(await world.c.PintToken.getFunction('totalSupply')()).to.equal(10n ** 27n - 1_000n * PINT);
    await expect(send(vault, world.watcher, 'sweep')).to.be.revertedWithCustomError(vault, 'ZeroAmount');
  });

  it('the reporter\'s reward is capped; shares without a recipient burn', async () => {
    const { vault, node, slasher, world } = await stage();
    await fund(world, node, 98_000n * PINT);
    await send(vault, slasher, 'slash', penalty(node.address, 5_000, 1, { consumer: ethers.ZeroAddress }));
    expect((await vault.getFunction('creditOf')(reporter)).amount).to.equal(5_000n * PINT);
    expect((await vault.getFunction('creditOf')(ethers.ZeroAddress)).amount).to.equal(0n);
    expect(await vault.getFunction('burnPot')()).to.equal(45_000n * PINT);
  });

  it('rewards vest as long as unbonding; a speck does not delay them for ever, an old speck does not speed them up', async () => {
    const { vault, node, slasher, world } = await stage();
    await send(vault, slasher, 'slash', penalty(node.address, 5_000));
    const first = (await vault.getFunction('creditOf')(reporter)).vestAt;
    expect(first).to.equal((await now()) + 22n * DAY);
    await expect(send(vault, world.watcher, 'claimCredit', reporter)).to.be.revertedWithCustomError(vault, 'StillLocked');
    await helpers.time.increase(20n * DAY);
    await send(vault, slasher, 'slash', penalty(node.address, 1)); // 0.1 PINT of 1000
    const second = (await vault.getFunction('creditOf')(reporter)).vestAt;
    expect(second - first).to.be.lessThan(DAY / 24n);
    await send(vault, slasher, 'slash', penalty(node.address, 10_000));
    expect((await vault.getFunction('creditOf')(reporter)).vestAt - second).to.be.greaterThan(9n * DAY);
    await helpers.time.increase(22n * DAY);
    const credit = 300n * PINT + (999n * PINT + 9n * PINT / 10n) * 3n / 10n + 3n * PINT / 100n;
    await expect(send(vault, world.watcher, 'claimCredit', reporter)).to.changeTokenBalance(ethers, world.c.PintToken, reporter, credit);
    await expect(send(vault, world.watcher, 'claimCredit', reporter)).to.be.revertedWithCustomError(vault, 'ZeroAmount');
  });

  it('a tombstoned node takes no deposit, no lock, no cancel, but its rest can leave', async () => {
    const { vault, node, slasher, world } = await stage();
    await send(world.c.NodeRegistry, node.owner, 'setResources', node.address, [500, 0, 0, 0, 0]);
    await expect(send(vault, slasher, 'slash', penalty(node.address, 5_000, 2))).to.emit(vault, 'Slashed');
    expect((await account(vault, node)).status).to.equal(2n);
    await expect(fund(world, node, PINT)).to.be.revertedWithCustomError(vault, 'NotActive');
    await expect(send(world.c.NodeRegistry, node.owner, 'setResources', node.address, [600, 0, 0, 0, 0])).to.be.revertedWithCustomError(vault, 'NotActive');
    await send(vault, node.owner, 'requestUnbond', node.address, 1_000n * PINT);
    await expect(send(vault, node.owner, 'cancelUnbond', node.address)).to.be.revertedWithCustomError(vault, 'NotActive');
    await helpers.time.increase(22n * DAY);
    await send(vault, node.owner, 'withdraw', node.address);
  });

  it('nobody but an active slasher slashes', async () => {
    const { vault, node, world } = await stage();
    await expect(send(vault, world.admin, 'slash', penalty(node.address, 1))).to.be.revertedWithCustomError(vault, 'NotSlasher');
  });
});

describe('VaultModules', () => {
  it('a new slasher comes later than anybody can leave; removal is immediate', async () => {
    const { vault, world, node } = await stage();
    const fresh = world.others[7]!;
    const address = await fresh.getAddress();
    await send(vault, world.admin, 'proposeSlasher', address);
    const readyAt = await vault.getFunction('slasherReadyAt')(address);
    expect(readyAt).to.equal((await now()) + 24n * DAY);
    await send(vault, node.owner, 'requestUnbond', node.address, 2_000n * PINT);
    await expect(send(vault, world.admin, 'proposeSlasher', address)).to.be.revertedWithCustomError(vault, 'TooSoon');
    await helpers.time.increaseTo((await account(vault, node)).unlockAt);
    await send(vault, node.owner, 'withdraw', node.address);
    await expect(send(vault, world.watcher, 'acceptSlasher', address)).to.be.revertedWithCustomError(vault, 'TooSoon').withArgs(readyAt);
    await helpers.time.increaseTo(readyAt);
    await send(vault, world.watcher, 'acceptSlasher', address);
    await send(vault, fresh, 'slash', penalty(node.address, 1));
    await send(vault, world.admin, 'removeSlasher', address);
    await expect(send(vault, fresh, 'slash', penalty(node.address, 1))).to.be.revertedWithCustomError(vault, 'NotSlasher');
    for (const method of ['removeSlasher', 'acceptSlasher']) {
      await expect(send(vault, world.admin, method, address)).to.be.revertedWithCustomError(vault, 'UnknownSlasher');
    }
  });

  it('a withdrawn proposal cannot be activated; strangers cannot propose', async () => {
    const { vault, world } = await stage();
    const address = await world.others[7]!.getAddress();
    await send(vault, world.admin, 'proposeSlasher', address);
    await send(vault, world.admin, 'removeSlasher', address);
    await helpers.time.increase(30n * DAY);
    await expect(send(vault, world.admin, 'acceptSlasher', address)).to.be.revertedWithCustomError(vault, 'UnknownSlasher');
    await expect(send(vault, world.watcher, 'proposeSlasher', address)).to.be.revertedWithCustomError(vault, 'NotAdmin');
    await expect(send(vault, world.watcher, 'removeSlasher', address)).to.be.revertedWithCustomError(vault, 'NotAdmin');
    await expect(send(vault, world.admin, 'proposeSlasher', ethers.ZeroAddress)).to.be.revertedWithCustomError(vault, 'ZeroAddress');
  });

  it('the office changes hands in two steps', async () => {
    const { vault, world } = await stage();
    await send(vault, world.admin, 'proposeAdmin', await world.watcher.getAddress());
    await expect(send(vault, world.consumer, 'acceptAdmin')).to.be.revertedWithCustomError(vault, 'NotAdmin');
    await send(vault, world.watcher, 'acceptAdmin');
    await expect(send(vault, world.admin, 'proposeAdmin', ethers.ZeroAddress)).to.be.revertedWithCustomError(vault, 'NotAdmin');
  });

  it('evidence outlives stake (Trust M-9, CometBFT ASA-2024-004): periods in which it could cannot be deployed', async () => {
    const wrong: readonly [Record<string, bigint>, string][] = [
      [{ unbonding: 22n * DAY - 1n }, 'unbonding outlives evidence'],
      [{ evidenceWindow: 14n * DAY + 1n }, 'unbonding outlives evidence'],
      [{ evidenceWindow: 1n }, 'evidence window'],
      [{ dispute: 2n ** 255n }, 'dispute time'],
      [{ unbonding: 600n * DAY }, 'unbonding'],
    ];
    for (const [parameters, rule] of wrong) {
      await expect(deployed(parameters), rule).to.be.revert(ethers);
    }
    await deployed({ unbonding: 22n * DAY });
  });
});
