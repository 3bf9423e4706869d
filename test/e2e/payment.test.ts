import { expect } from 'chai';
import { picolo } from '../../cli/devnet/commands.ts';
import { startProvider } from '../../cli/devnet/network.ts';
import { signStruct } from '../../protocol/codec/index.ts';
import { addressFrom, bytesOf, type Address, type GroupId, type Hash32, type Signature } from '../../protocol/types/index.ts';
import type { Database } from '../../sdk/index.ts';
import { channelKeyOf, channelState, claimShare, collectVoucher, providerOf, type ChannelKey, type Network } from '../../sdk/operator/index.ts';
import { getJson, groupAt } from './group.ts';
import { expectRefusal, post } from './raw.ts';
import { eventually, faultOf, openWorld, type Dapp, type World } from './world.ts';

const THRESHOLD_WEI = 50_000_000_000n; // about three small writes

describe('e2e: payment', () => {
  let world: World;
  let dapp: Dapp;
  let network: Network;
  let key: ChannelKey;
  let db: Database;
  let paidWei = 0n;
  let signature: Signature;

  before(async () => {
    world = await openWorld();
    dapp = await world.order({ thresholdWei: THRESHOLD_WEI });
    network = await world.network(dapp.key);
    key = channelKeyOf(network, dapp.cluster as never, addressFrom(network.wallet.address));
    db = await (await world.connect({ key: dapp.key })).createDatabase({ group: dapp.group, name: 'paid', schema: 'CREATE TABLE t (id INTEGER PRIMARY KEY)' });
  });

  after(() => world?.close());

  const sign = (cumulative: bigint, channel = dapp.channel, by = dapp.key): Signature => (
    signStruct(network.domain, 'Voucher', { channel, cumulative }, bytesOf(by)));
  const give = (at: number, cumulative: bigint, signed: Signature, channel = dapp.channel): ReturnType<typeof post> => post(
    `${world.providers[at]?.apiUrl}/v1/voucher`, JSON.stringify({ voucher: { channel, cumulative: String(cumulative) }, signature: signed }));
  const meters = (): Promise<{ servedWei: string; paidWei: string }[]> => (
    Promise.all(world.providers.map(({ apiUrl }) => getJson<{ servedWei: string; paidWei: string }>(`${apiUrl}/v1/meter/${dapp.cluster}`))));

  const claim = (roster: readonly Address[], member: Address): Promise<unknown> => (
    claimShare(network, dapp.group as GroupId, 1n, key.token, roster, member));

  it('P-6.5-cheating-owner: service stops at the agreed threshold and says what is owed', async () => {
    let written = 0;
    const fault = await faultOf((async () => {
      for (; written < 200; written++) await db.table('t').insert({ id: written });
    })());
    expect(fault.code).to.equal('PAYMENT_REQUIRED');
    expect(written).to.be.greaterThan(0);
    expect(BigInt(String(fault.facts['thresholdWei']))).to.equal(THRESHOLD_WEI);
    expect(BigInt(String(fault.facts['dueWei'])) > THRESHOLD_WEI).to.equal(true);
    paidWei = BigInt(String(fault.facts['cumulativeWei'])) + 10n ** 15n;
    expect((await faultOf(db.get('t', 0))).code).to.equal('PAYMENT_REQUIRED');
  });

  it('P-6.5-lying-consumer: a voucher for too much, by another key or for another channel buys nothing', async () => {
    const other = `0x${'12'.repeat(32)}` as Hash32;
    expectRefusal(await give(0, 10n ** 30n, sign(10n ** 30n)), 'PAYMENT_OVERDRAWN');
    expectRefusal(await give(0, paidWei, sign(paidWei, dapp.channel, other)), 'PAYMENT_WRONG_CHANNEL');
    expectRefusal(await give(0, paidWei, sign(paidWei, other), other), 'PAYMENT_WRONG_CHANNEL');
    expect((await faultOf(db.table('t').insert({ id: 1_000 }))).code).to.equal('PAYMENT_REQUIRED');
  });

  it('P-6.3-pay: a voucher brings service back; the same one again is stale', async () => {
    signature = sign(paidWei);
    for (const at of world.providers.keys()) expect((await give(at, paidWei, signature)).status).to.equal(200);
    await db.table('t').insert({ id: 1_000 });
    expect((await db.get('t', 1_000)).row).to.deep.equal({ id: 1_000 });
    expectRefusal(await give(0, paidWei, signature), 'PAYMENT_STALE_VOUCHER');
    expect((await meters()).map((meter) => meter.paidWei)).to.deep.equal(world.providers.map(() => String(paidWei)));
  });

  it('a client with a channel pays by itself, up to its limit', async () => {
    const rich = await world.connect({ key: dapp.key, payment: { channel: dapp.channel, limitWei: 10n ** 17n, promisedWei: paidWei } });
    const session = await rich.database(db.id);
    await session.table('t').insertMany(Array.from({ length: 100 }, (_, i) => ({ id: 2_000 + i })), { batchRows: 20 });
    expect((await session.table('t').count()).rows > 100n).to.equal(true);
  });

  it('a voucher is money: a node that was killed still knows it', async () => {
    const provider = world.providers[2];
    if (provider === undefined) throw new Error('no third provider');
    await provider.process?.kill();
    world.own(await startProvider(provider));
    await eventually('its group', async () => ((await groupAt(provider, dapp.group))?.state === 'live' ? true : undefined));
    expect(BigInt((await getJson<{ paidWei: string }>(`${provider.apiUrl}/v1/meter/${dapp.cluster}`)).paidWei) >= paidWei).to.equal(true);
  });

  it('P-6.3-pay: a member collects its voucher on chain, and every member\'s owner gets an equal part', async () => {
    const { groups } = await (await world.connect()).status();
    const roster = (groups.find(({ group }) => group === dapp.group)?.roster ?? []) as Address[];
    const [first, ...others] = roster as [Address, ...Address[]];
    const collector = world.providers.find(({ node }) => node === first);
    const [collected] = await picolo<{ channel: string; cumulative: string; fresh: boolean }[]>(['provider', 'collect', '--dir', collector?.dir ?? '']);
    expect(collected).to.include({ channel: dapp.channel, fresh: true });
    const { claimedWei } = await channelState(network, dapp.channel);
    expect(claimedWei).to.equal(BigInt(collected?.cumulative ?? 0));
    expect(claimedWei >= paidWei).to.equal(true);
    for (const member of others) {
      const { owner } = await providerOf(network, member);
      const before = await network.provider.getBalance(owner);
      await claim(roster, member);
      expect(await network.provider.getBalance(owner) - before).to.equal(claimedWei / 4n);
    }
    const claims = await network.events('ClusterSplitter', 'Claimed');
    expect(claims.map(({ amount }) => amount)).to.deep.equal(roster.map(() => claimedWei / 4n));
    for (const member of roster) expect((await faultOf(claim(roster, member))).facts['reason']).to.equal('NothingNew()');
    expect((await faultOf(collectVoucher(network, key, paidWei, signature, [0]))).facts['reason']).to.match(/^StaleVoucher/);
  });
});
