import { expect } from 'chai';
import { enact, governed, impersonate } from './governance.ts';
import { DAY, deployed, ethers, helpers, now, PINT, send, type World } from './world.ts';

const YEAR = 365n * DAY;
const stage = (): Promise<World> => helpers.loadFixture(governed);
const account = `0x${'ab'.repeat(20)}` as const;

async function mint(world: World, amount: bigint) {
  return send(world.c.PintToken, await impersonate(world.c.Authority), 'mint', account, amount);
}

describe('PintToken', () => {
  it('the distribution of genesis is the whole supply, liquid and vesting', async () => {
    const grants = [
      { to: 'authority', amountWei: 500_000_000n * PINT, duration: 4n * YEAR, cliff: 0n },
      { to: account, amountWei: 200_000_000n * PINT, duration: 4n * YEAR, cliff: YEAR },
      { to: 'deployer', amountWei: 300_000_000n * PINT, duration: 0n, cliff: 0n },
    ] as const;
    const { c, admin } = await deployed({ grants });
    expect(await c.PintToken.getFunction('balanceOf')(await admin.getAddress())).to.equal(300_000_000n * PINT);
    const granted = await c.PintToken.queryFilter('Granted') as unknown as { args: { to: string; holder: string; amount: bigint } }[];
    expect(granted.map(({ args }) => args.amount)).to.deep.equal(grants.map(({ amountWei }) => amountWei));
    const wallet = await ethers.getContractAt('PintVesting', granted[1]!.args.holder);
    const [start, cliff] = [(await wallet.getFunction('start')()) as bigint, (await wallet.getFunction('cliff')()) as bigint];
    expect([await wallet.getFunction('owner')(), cliff - start]).to.deep.equal([ethers.getAddress(account), YEAR]);
    const vested = async (at: bigint): Promise<bigint> => wallet.getFunction('vestedAmount(address,uint64)')(await c.PintToken.getAddress(), at) as Promise<bigint>;
    expect(await vested(cliff - 1n)).to.equal(0n);
    expect(await vested(cliff)).to.equal(50_000_000n * PINT);
    expect(await vested(start + 4n * YEAR)).to.equal(200_000_000n * PINT);
    await helpers.time.setNextBlockTimestamp(cliff);
    await wallet.getFunction('release(address)')(await c.PintToken.getAddress());
    expect(await c.PintToken.getFunction('balanceOf')(account)).to.equal(50_000_000n * PINT);
  });

  it('a distribution of more or less than the supply is no token', async () => {
    for (const amountWei of [10n ** 27n - 1n, 10n ** 27n + 1n]) {
      const grants = [{ to: 'deployer', amountWei, duration: 0n, cliff: 0n }] as const;
      const refusal = await deployed({ grants }).then(() => 'deployed', (error: Error) => error.message);
      expect(refusal).to.contain('WrongDistribution');
    }
  });

  it('only the authority mints, two percent in any year', async () => {
    const world = await stage();
    const { PintToken } = world.c;
    await expect(send(PintToken, world.admin, 'mint', account, 1n)).to.be.revertedWithCustomError(PintToken, 'NotMinter').withArgs(await world.admin.getAddress());
    expect(await PintToken.getFunction('mintable')()).to.equal(20_000_000n * PINT);
    await mint(world, 12_000_000n * PINT);
    const first = await now();
    await helpers.time.increase(100n * DAY);
    await expect(mint(world, 8_000_000n * PINT + 1n)).to.be.revertedWithCustomError(PintToken, 'RateLimitExceeded');
    await mint(world, 8_000_000n * PINT);
    await helpers.time.setNextBlockTimestamp(first + YEAR - 1n);
    await expect(mint(world, 1n)).to.be.revertedWithCustomError(PintToken, 'RateLimitExceeded');
    await helpers.time.setNextBlockTimestamp(first + YEAR);
    await mint(world, 12_000_000n * PINT);
    await expect(mint(world, 1n)).to.be.revertedWithCustomError(PintToken, 'RateLimitExceeded');
  });

  it('never more than 1.2e9 PINT, whatever governance wants', async () => {
    const world = await stage();
    for (let year = 0; year < 10; year++) {
      await mint(world, 20_000_000n * PINT);
      await helpers.time.increase(YEAR + 1n);
    }
    await expect(mint(world, 1n)).to.be.revertedWithCustomError(world.c.PintToken, 'BeyondMaxSupply').withArgs(12n * 10n ** 26n + 1n);
    await send(world.c.PintToken, world.admin, 'burn', 5n);
    await mint(world, 5n);
  });

  it('the treasury is the authority\'s balance: governance pays from it after two days', async () => {
    const world = await stage();
    const { c, admin } = world;
    await send(c.PintToken, admin, 'transfer', await c.Authority.getAddress(), 10n * PINT);
    await enact(world, { target: c.PintToken, method: 'transfer', args: [account, 4n * PINT] });
    expect(await c.PintToken.getFunction('balanceOf')(account)).to.equal(4n * PINT);
    const call = c.PintToken.interface.encodeFunctionData('transfer', [account, PINT]);
    await expect(send(c.Authority, admin, 'execute', await c.PintToken.getAddress(), call)).to.be.revertedWithCustomError(c.Authority, 'AccessManagerUnauthorizedCall');
  });
});
