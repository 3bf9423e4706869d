import { expect } from 'chai';
import type { Contract, Signer } from 'ethers';
import { sha256 } from '../../protocol/crypto/index.ts';
import {
  buyerKeyOf, complaintOf, hideKey, keyCommitOf, listingIdOf, pointOf, purchaseIdOf, termsWords, uncoverKey, type Terms,
} from '../../protocol/market/index.ts';
import { addressFrom, bytesOf, uintBytes, ZERO_ADDRESS, type Address, type Hash32 } from '../../protocol/types/index.ts';
import { h } from './cases.ts';
import { DAY, deployed, ethers, hash, helpers, now, send, type World } from './world.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const secretOf = (n: number): Uint8Array => sha256(uintBytes(n, 4));
const dataKey = bytesOf(h('the key of the data'));
const providerSecret = secretOf(1);
const price = 1_000n;
const bond = 400n;

interface Stage {
  readonly world: World;
  readonly market: Contract;
  readonly provider: Signer;
  readonly buyer: Signer;
  readonly terms: Terms;
  /** Wei of the terms' token, as call options. */
  pay(amount: bigint): { value: bigint } | Record<string, never>;
}

const row = (terms: Terms): readonly unknown[] => termsWords(terms);

async function stageWith(world: World, token: Address, overrides: Partial<Terms> = {}): Promise<Stage> {
  const provider = world.watcher;
  const terms: Terms = {
    provider: addressFrom(await provider.getAddress()), token, priceWei: price, bondWei: bond, keyCommit: keyCommitOf(dataKey), policy: h('policy'),
    point: pointOf(providerSecret), salt: hash(1), ...overrides,
  };
  const pay = (amount: bigint): { value: bigint } | Record<string, never> => (token === ZERO_ADDRESS ? { value: amount } : {});
  return { world, market: world.c.DataMarket, provider, buyer: world.consumer, terms, pay };
}

async function build(): Promise<Stage> {
  const stage = await stageWith(await deployed(), ZERO_ADDRESS);
  await send(stage.market, stage.provider, 'list', row(stage.terms), 1_000n, stage.pay(1_000n));
  return stage;
}
const listed = (): Promise<Stage> => helpers.loadFixture(build);

async function idsOf({ market, terms }: Stage, secret: Uint8Array): Promise<{ listing: Hash32; purchase: Hash32; buyerKey: Address }> {
  const listing = listingIdOf(31337n, addressFrom(await market.getAddress()), terms);
  return { listing, purchase: purchaseIdOf(listing, buyerKeyOf(secret)), buyerKey: buyerKeyOf(secret) };
}

function buy(s: Stage, secret: Uint8Array, amount = price, by = s.buyer): ReturnType<typeof send> {
  const { x, y } = pointOf(secret);
  return send(s.market, by, 'buy', row(s.terms), x, y, amount, s.pay(amount));
}

/** The provider's answer to a purchase: the right key, or another. */
async function deliver(s: Stage, secret: Uint8Array, key = dataKey): ReturnType<typeof send> {
  const { purchase, buyerKey } = await idsOf(s, secret);
  return send(s.market, s.provider, 'deliver', row(s.terms), buyerKey, hideKey(key, providerSecret, pointOf(secret), purchase));
}

function complain(s: Stage, secret: Uint8Array, by = s.buyer, point = s.terms.point): ReturnType<typeof send> {
  const { secret: scalar, sharedX, sharedY } = complaintOf(secret, point);
  return send(s.market, by, 'complain', row(s.terms), scalar, sharedX, sharedY);
}

async function settle(s: Stage, secret: Uint8Array, by: Signer): ReturnType<typeof send> {
  return send(s.market, by, 'settle', row(s.terms), (await idsOf(s, secret)).buyerKey);
}
async function reclaim(s: Stage, secret: Uint8Array, by: Signer): ReturnType<typeof send> {
  return send(s.market, by, 'reclaim', row(s.terms), (await idsOf(s, secret)).buyerKey);
}
async function purchaseOf(s: Stage, secret: Uint8Array): Promise<{ state: bigint; until: bigint; cipher: Hash32; buyer: string }> {
  return s.market.getFunction('purchaseOf')((await idsOf(s, secret)).purchase) as never;
}
const poolOf = async (s: Stage): Promise<bigint> => ((await s.market.getFunction('listingOf')((await idsOf(s, secretOf(0))).listing)) as { pool: bigint }).pool;
const refused = (s: Stage, sent: ReturnType<typeof send>, error: string): Promise<unknown> => expect(sent).to.be.revertedWithCustomError(s.market, error) as never;
const wrongKey = bytesOf(h('not the key'));

describe('DataMarket', () => {
  it('P-3.2-role-data-provider: the buyer pays, gets the committed key and settles; the provider is paid and keeps its bond', async () => {
    const s = await listed();
    const secret = secretOf(10);
    const { purchase, listing } = await idsOf(s, secret);
    expect(await s.market.getFunction('listingId')(row(s.terms))).to.equal(listing);
    const { x, y } = pointOf(secret);
    await expect(buy(s, secret)).to.emit(s.market, 'Bought').withArgs(purchase, listing, await s.buyer.getAddress(), x, y, (await now()) + DAY + 1n);
    expect(await poolOf(s)).to.equal(600n);
    await expect(deliver(s, secret)).to.emit(s.market, 'KeyDelivered');
    const { cipher } = await purchaseOf(s, secret);
    expect(uncoverKey(cipher, secret, s.terms.point, purchase, s.terms.keyCommit)).to.deep.equal(dataKey);
    await expect(settle(s, secret, s.buyer)).to.changeEtherBalance(ethers, s.provider, price);
    expect(await poolOf(s)).to.equal(1_000n);
    expect((await s.market.getFunction('reputationOf')(s.terms.provider)).sales).to.equal(1n);
  });

  it('a cheating provider loses its bond: the contract itself sees that the key is wrong', async () => {
    const s = await listed();
    const secret = secretOf(11);
    await buy(s, secret);
    await deliver(s, secret, wrongKey);
    const { purchase } = await idsOf(s, secret);
    await expect(complain(s, secret)).to.emit(s.market, 'Convicted').withArgs(purchase, ethers.getAddress(s.terms.provider), price, bond);
    expect((await purchaseOf(s, secret)).state).to.equal(5n);
    expect((await s.market.getFunction('reputationOf')(s.terms.provider)).convictions).to.equal(1n);
    expect(await ethers.provider.getBalance(await s.market.getAddress())).to.equal(600n);
    await refused(s, settle(s, secret, s.provider), 'WrongState');
  });

  it('griefing nodes (Rocket cooldown): no complaint about a correct key, nor with a secret or a shared point that is not the purchase\'s', async () => {
    const s = await listed();
    const secret = secretOf(12);
    await buy(s, secret);
    await refused(s, complain(s, secret), 'WrongState');
    await deliver(s, secret);
    await refused(s, complain(s, secret), 'KeyIsCorrect');
    const { secret: scalar, sharedX, sharedY } = complaintOf(secret, s.terms.point);
    const call = (...args: unknown[]): ReturnType<typeof send> => send(s.market, s.buyer, 'complain', row(s.terms), ...args);
    await refused(s, call(scalar, sharedX, sharedY + 1n), 'BadSecret');
    await refused(s, call(scalar, sharedX + 1n, sharedY), 'BadSecret');
    await refused(s, call(0n, sharedX, sharedY), 'BadSecret');
    await refused(s, call(scalar + 1n, sharedX, sharedY), 'BadSecret');
    await refused(s, complain(s, secretOf(13)), 'WrongState');
    const other = complaintOf(secret, pointOf(secretOf(99)));
    await refused(s, call(other.secret, other.sharedX, other.sharedY), 'BadSecret');
  });

  it('signature malleability (old ECDSA): a secret plus the group order, or its negative, is another secret', async () => {
    const s = await listed();
    const secret = secretOf(14);
    await buy(s, secret);
    await deliver(s, secret, wrongKey);
    const { secret: scalar, sharedX, sharedY } = complaintOf(secret, s.terms.point);
    if (scalar + ORDER < 1n << 256n) await refused(s, send(s.market, s.buyer, 'complain', row(s.terms), scalar + ORDER, sharedX, sharedY), 'BadSecret');
    await refused(s, send(s.market, s.buyer, 'complain', row(s.terms), ORDER - scalar, sharedX, sharedY), 'BadSecret');
    await refused(s, send(s.market, s.buyer, 'complain', row(s.terms), ORDER, sharedX, sharedY), 'BadSecret');
    await complain(s, secret);
  });

  it('evidence stealing (all permissionless designs): a copied complaint pays the buyer', async () => {
    const s = await listed();
    const secret = secretOf(15);
    await buy(s, secret);
    await deliver(s, secret, wrongKey);
    await expect(complain(s, secret, s.world.others[4]!)).to.changeEtherBalance(ethers, s.buyer, price + bond);
  });

  it('replay of evidence, double slash (Graph follow-up): one complaint per purchase, and a one-time key is used once', async () => {
    const s = await listed();
    const secret = secretOf(16);
    await buy(s, secret);
    await refused(s, buy(s, secret, price, s.world.others[3]!), 'PointUsed');
    await deliver(s, secret, wrongKey);
    await complain(s, secret);
    await refused(s, complain(s, secret), 'WrongState');
    await refused(s, buy(s, secret), 'PointUsed');
    await refused(s, deliver(s, secret), 'WrongState');
  });

  it('block stuffing, boundary seconds: delivery and complaint are in time in the last second and late in the next', async () => {
    const s = await listed();
    const [first, second] = [secretOf(17), secretOf(18)];
    await buy(s, first);
    await buy(s, second);
    const due = (await purchaseOf(s, first)).until;
    await refused(s, reclaim(s, first, s.buyer), 'TooEarly');
    await helpers.time.setNextBlockTimestamp(due);
    await deliver(s, first, wrongKey);
    const late = (await purchaseOf(s, second)).until;
    await helpers.time.setNextBlockTimestamp(late + 1n);
    await refused(s, deliver(s, second), 'TooLate');
    await expect(reclaim(s, second, s.world.others[5]!)).to.changeEtherBalance(ethers, s.buyer, price);
    expect(await poolOf(s)).to.equal(600n); // the bond of the late one is back, that of the first still stands
    const until = (await purchaseOf(s, first)).until;
    await helpers.time.setNextBlockTimestamp(until);
    await refused(s, settle(s, first, s.provider), 'TooEarly');
    const snapshot = await helpers.takeSnapshot();
    await helpers.time.setNextBlockTimestamp(until + 1n);
    await refused(s, complain(s, first), 'TooLate');
    await expect(settle(s, first, s.world.others[5]!)).to.changeEtherBalance(ethers, s.provider, price);
    await snapshot.restore();
    await helpers.time.setNextBlockTimestamp(until);
    await complain(s, first);
  });

  it('only the provider lists, delivers and ends; only the buyer settles early and rates', async () => {
    const s = await listed();
    const secret = secretOf(19);
    const stranger = s.world.others[6]!;
    const { buyerKey } = await idsOf(s, secret);
    await refused(s, send(s.market, stranger, 'list', row({ ...s.terms, salt: hash(2) }), 0n), 'NotProvider');
    await refused(s, send(s.market, stranger, 'delist', row(s.terms)), 'NotProvider');
    await buy(s, secret);
    await refused(s, send(s.market, stranger, 'deliver', row(s.terms), buyerKey, hash(3)), 'NotProvider');
    await deliver(s, secret);
    await refused(s, settle(s, secret, s.provider), 'TooEarly');
    await refused(s, send(s.market, s.buyer, 'rate', row(s.terms), buyerKey, 5), 'WrongState');
    await settle(s, secret, s.buyer);
    await refused(s, send(s.market, stranger, 'rate', row(s.terms), buyerKey, 5), 'NotBuyer');
    await refused(s, send(s.market, s.buyer, 'rate', row(s.terms), buyerKey, 0), 'BadStars');
    await refused(s, send(s.market, s.buyer, 'rate', row(s.terms), buyerKey, 6), 'BadStars');
    await expect(send(s.market, s.buyer, 'rate', row(s.terms), buyerKey, 4)).to.emit(s.market, 'Rated');
    await refused(s, send(s.market, s.buyer, 'rate', row(s.terms), buyerKey, 4), 'WrongState');
    const reputation = await s.market.getFunction('reputationOf')(s.terms.provider);
    expect([reputation.ratings, reputation.stars]).to.deep.equal([1n, 4n]);
  });

  it('a listing: its point is on the curve, its terms are new, its commitment is not zero', async () => {
    const s = await listed();
    const { x, y } = s.terms.point;
    const list = (change: Partial<Terms>): ReturnType<typeof send> => send(s.market, s.provider, 'list', row({ ...s.terms, salt: hash(4), ...change }), 0n);
    await refused(s, send(s.market, s.provider, 'list', row(s.terms), 0n), 'ListingExists');
    for (const point of [{ x, y: y + 1n }, { x: 0n, y }, { x, y: 0n }, { x: ORDER, y }, { x: (1n << 256n) - 1n, y }]) {
      await refused(s, list({ point }), 'BadPoint');
    }
    await refused(s, list({ keyCommit: hash(0) }), 'ZeroCommit');
    await expect(list({})).to.emit(s.market, 'Listed');
    await refused(s, send(s.market, s.buyer, 'buy', row(s.terms), x, y + 1n, price, { value: price }), 'BadPoint');
  });

  it('retroactive parameters (Graph L-19): other terms are another listing, so nothing changes under a purchase', async () => {
    const s = await listed();
    const secret = secretOf(20);
    await buy(s, secret);
    const cheaper = { ...s, terms: { ...s.terms, priceWei: 1n } };
    await refused(cheaper, deliver(cheaper, secret), 'WrongState');
    await refused(cheaper, buy(cheaper, secretOf(21), 1n), 'NotListed');
    await refused(s, send(s.market, s.provider, 'fundBond', row(cheaper.terms), 5n, { value: 5n }), 'NotListed');
  });

  it('exactly the price is paid, and never without a bond behind the purchase', async () => {
    const s = await listed();
    await refused(s, buy(s, secretOf(22), price - 1n), 'WrongAmount');
    await refused(s, buy(s, secretOf(22), price + 1n), 'WrongAmount');
    const { x, y } = pointOf(secretOf(22));
    await refused(s, send(s.market, s.buyer, 'buy', row(s.terms), x, y, price, { value: 1n }), 'TokenMismatch');
    await buy(s, secretOf(23));
    await buy(s, secretOf(24));
    await refused(s, buy(s, secretOf(25)), 'BondExhausted');
    await expect(send(s.market, s.world.others[7]!, 'fundBond', row(s.terms), 200n, { value: 200n })).to.emit(s.market, 'BondFunded');
    await buy(s, secretOf(25));
    await refused(s, send(s.market, s.provider, 'fundBond', row(s.terms), 0n), 'ZeroAmount');
  });

  it('bounded list filled by others (Trust H-3): a stranger\'s money in the pool takes nothing from provider or buyers', async () => {
    const s = await listed();
    await send(s.market, s.world.others[7]!, 'fundBond', row(s.terms), 300n, { value: 300n });
    await buy(s, secretOf(26));
    await expect(send(s.market, s.provider, 'delist', row(s.terms))).to.changeEtherBalance(ethers, s.provider, 900n);
  });

  it('delisting ends sales at once; bonds of running purchases follow when they end', async () => {
    const s = await listed();
    const [sold, late] = [secretOf(27), secretOf(28)];
    await buy(s, sold);
    await buy(s, late);
    await expect(send(s.market, s.provider, 'delist', row(s.terms))).to.changeEtherBalance(ethers, s.provider, 200n);
    await refused(s, send(s.market, s.provider, 'delist', row(s.terms)), 'NotListed');
    await refused(s, buy(s, secretOf(29)), 'NotListed');
    await refused(s, send(s.market, s.provider, 'list', row(s.terms), 0n), 'ListingExists');
    await deliver(s, sold);
    await expect(settle(s, sold, s.buyer)).to.changeEtherBalance(ethers, s.provider, price + bond);
    await helpers.time.increase(2n * DAY);
    await expect(reclaim(s, late, s.buyer)).to.changeEtherBalances(ethers, [s.buyer, s.provider], [price, bond]);
    expect(await ethers.provider.getBalance(await s.market.getAddress())).to.equal(0n);
  });

  it('key collisions (Trust H-2): purchases of two listings with one one-time key are two purchases', async () => {
    const s = await listed();
    const other = { ...s, terms: { ...s.terms, salt: hash(9) } };
    await send(s.market, s.provider, 'list', row(other.terms), bond, { value: bond });
    const secret = secretOf(30);
    await buy(s, secret);
    await buy(other, secret);
    await deliver(s, secret, wrongKey);
    await refused(other, complain(other, secret), 'WrongState');
    await complain(s, secret);
    expect((await purchaseOf(other, secret)).state).to.equal(1n);
  });

  describe('with tokens and payees that misbehave', () => {
    async function inToken(name: string, overrides: Partial<Terms> = {}): Promise<Stage & { token: Contract }> {
      const world = await helpers.loadFixture(deployed as () => Promise<World>);
      const token = (await ethers.deployContract(name)) as unknown as Contract;
      const s = await stageWith(world, addressFrom(await token.getAddress()), overrides);
      for (const account of [s.provider, s.buyer]) {
        await send(token, world.admin, 'transfer', await account.getAddress(), 1_000_000n);
        await send(token, account, 'approve', await s.market.getAddress(), ethers.MaxUint256);
      }
      return { ...s, token };
    }

    it('fee-on-transfer (SSV-16, Filecoin Pay): what arrives counts, and the price must arrive whole', async () => {
      const s = await inToken('FeeToken', { priceWei: 900n });
      await send(s.market, s.provider, 'list', row(s.terms), 1_000n);
      expect(await poolOf(s)).to.equal(900n);
      await refused(s, buy(s, secretOf(31), 900n), 'WrongAmount');
      await buy(s, secretOf(31), 1_000n);
      await deliver(s, secretOf(31), wrongKey);
      await complain(s, secretOf(31));
      expect(await s.token.getFunction('balanceOf')(await s.market.getAddress())).to.equal(500n);
      expect(await poolOf(s)).to.equal(500n);
    });

    it('rebasing (SSV-16, Filecoin Pay): a token that shrinks runs short in its own purchases only', async () => {
      const s = await inToken('RebasingToken');
      await send(s.market, s.provider, 'list', row(s.terms), 1_000n);
      await buy(s, secretOf(31));
      await deliver(s, secretOf(31), wrongKey);
      const inEther = { ...s, terms: { ...s.terms, token: ZERO_ADDRESS }, pay: (value: bigint) => ({ value }) };
      await send(s.market, s.provider, 'list', row(inEther.terms), bond, { value: bond });
      await buy(inEther, secretOf(31));
      await deliver(inEther, secretOf(31), wrongKey);
      await send(s.token, s.buyer, 'rebase', 10);
      await expect(complain(s, secretOf(31))).to.be.revertedWithCustomError(s.token, 'ERC20InsufficientBalance');
      expect((await purchaseOf(s, secretOf(31))).state, 'it waits').to.equal(2n);
      await expect(complain(inEther, secretOf(31))).to.changeEtherBalance(ethers, s.market, -(price + bond));
      await send(s.token, s.buyer, 'rebase', 200);
      await complain(s, secretOf(31));
      const held = await s.token.getFunction('balanceOf')(await s.market.getAddress());
      expect(held - (await poolOf(s)), 'the gain pays nobody').to.be.greaterThan(0n);
    });

    it('a token that answers false moves nothing', async () => {
      const s = await inToken('FalseToken');
      await send(s.market, s.provider, 'list', row(s.terms), 1_000n);
      await buy(s, secretOf(32));
      await deliver(s, secretOf(32));
      await send(s.token, s.buyer, 'setRefuse', true);
      await refused(s, buy(s, secretOf(33)), 'SafeERC20FailedOperation');
      await refused(s, settle(s, secretOf(32), s.buyer), 'SafeERC20FailedOperation');
      await send(s.token, s.buyer, 'setRefuse', false);
      await settle(s, secretOf(32), s.buyer);
    });

    it('ERC-777 / hook reentrancy (Eigen H-01): a hook cannot enter again, whatever it calls', async () => {
      const s = await inToken('HookToken');
      await send(s.market, s.provider, 'list', row(s.terms), 1_000n);
      const { buyerKey } = await idsOf(s, secretOf(34));
      const { x, y } = pointOf(secretOf(35));
      const entries: readonly [string, readonly unknown[]][] = [
        ['settle', [row(s.terms), buyerKey]], ['delist', [row(s.terms)]], ['fundBond', [row(s.terms), 1n]], ['buy', [row(s.terms), x, y, price]],
        ['reclaim', [row(s.terms), buyerKey]], ['list', [row({ ...s.terms, salt: hash(8) }), 0n]],
      ];
      for (const [method, args] of entries) {
        await send(s.token, s.buyer, 'arm', await s.market.getAddress(), s.market.interface.encodeFunctionData(method, args));
        await send(s.market, s.provider, 'fundBond', row(s.terms), 1n);
        expect(await s.token.getFunction('answered')(), method).to.equal(false);
        const answer = (await s.token.getFunction('answer')()) as string;
        if (method === 'delist' || method === 'list') expect(answer).to.equal(s.market.interface.getError('Reentered')!.selector);
      }
      expect(await poolOf(s)).to.equal(1_006n);
    });

    it('a buyer that refuses ether stops neither refund nor settlement, and pulls later', async () => {
      const s = await listed();
      const payee = (await ethers.deployContract('BadPayee')) as unknown as Contract;
      const address = await payee.getAddress();
      await helpers.impersonateAccount(address);
      await helpers.setBalance(address, 10n ** 18n);
      const buyer = (await ethers.getSigner(address)) as unknown as Signer;
      await buy(s, secretOf(36), price, buyer);
      await deliver(s, secretOf(36), wrongKey);
      await expect(complain(s, secretOf(36))).to.emit(s.market, 'PaymentOwed').withArgs(address, price + bond);
      await refused(s, send(s.market, s.provider, 'claimOwed', address), 'NotDelivered');
      await send(payee, s.provider, 'setAccept', true);
      await expect(send(s.market, s.provider, 'claimOwed', address)).to.changeEtherBalance(ethers, payee, price + bond);
      await refused(s, send(s.market, s.provider, 'claimOwed', address), 'ZeroAmount');
    });
  });

  it('duration overflow, unsafe casts (Graph M-01): a pool beyond 128 bits is refused', async () => {
    const world = await helpers.loadFixture(deployed as () => Promise<World>);
    const token = (await ethers.deployContract('EndlessToken')) as unknown as Contract;
    const s = await stageWith(world, addressFrom(await token.getAddress()));
    await refused(s, send(s.market, s.provider, 'list', row(s.terms), 1n << 128n), 'SafeCastOverflowedUintDowncast');
    await send(s.market, s.provider, 'list', row(s.terms), (1n << 128n) - 1n);
    await expect(send(s.market, s.provider, 'fundBond', row(s.terms), 1n)).to.be.revertedWithPanic(0x11);
  });

  it('TypeScript and Solidity agree on points, shared points and masks for random keys', async () => {
    const harness = (await ethers.deployContract('MarketHarness')) as unknown as Contract;
    for (let i = 0; i < 60; i++) {
      const [a, b] = [secretOf(1_000 + i), secretOf(2_000 + i)];
      const purchase = h(`purchase ${i}`);
      const { secret, sharedX, sharedY } = complaintOf(a, pointOf(b));
      const { x, y } = pointOf(b);
      const [own, shared, claimed, mask] = await harness.getFunction('derive')(secret, x, y, sharedX, sharedY, purchase);
      expect(addressFrom(own)).to.equal(buyerKeyOf(a));
      expect(shared).to.equal(claimed);
      expect(mask).to.equal(hideKey(new Uint8Array(32), b, pointOf(a), purchase));
    }
  });
});
