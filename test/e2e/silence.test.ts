import { expect } from 'chai';
import { picolo } from '../../cli/devnet/commands.ts';
import { startProvider } from '../../cli/devnet/network.ts';
import { travel } from '../../cli/devnet/rpc.ts';
import { drainDue, offenceNumber } from '../../protocol/evidence/index.ts';
import type { GroupId } from '../../protocol/types/index.ts';
import { checkpointAt } from '../../sdk/index.ts';
import { challengeOf, groupRecord, openChallenge, providerOf, settleChallenge, type Network } from '../../sdk/operator/index.ts';
import { eventually, faultOf, openWorld, type Dapp, type World } from './world.ts';

describe('e2e: silence, failures, false histories', () => {
  let world: World;
  let dapp: Dapp;
  let network: Network;
  let group: GroupId;

  before(async () => {
    world = await openWorld({ poqIntervalMs: 500 }); // audits every three seconds
    dapp = await world.order();
    network = await world.network(dapp.key);
    group = dapp.group as GroupId;
    const client = await world.connect({ key: dapp.key });
    const spare = world.addProvider(); // no member: the group is formed
    const db = await client.createDatabase({ group, name: 'kept', schema: 'CREATE TABLE t (id INTEGER PRIMARY KEY)' });
    await db.table('t').insert({ id: 1 });
    await spare;
  });

  after(() => world?.close());

  const owner = <T>(action: 'replace' | 'close', ...args: string[]): Promise<T> => picolo<T>(
    ['cluster', action, '--rpc', world.chain.rpcUrl, '--deployment', world.chain.deployment, '--group', group, ...args], { PICOLO_KEY: dapp.key });
  const challenge = async (at: number, by: number): ReturnType<typeof openChallenge> => (
    openChallenge(network, await checkpointAt(world.providers[by]!.apiUrl, group), world.providers[at]!.node));
  const stakeOf = async (at: number): Promise<bigint> => (await providerOf(network, world.providers[at]!.node)).activeWei;
  const closed = (at: number): Promise<true> => eventually('the challenge is over', async () => (
    (await challengeOf(network, group, world.providers[at]!.node)) === undefined ? true : undefined), 60_000);

  it('a node that lives answers a challenge by itself and earns the bond', async () => {
    const stake = await stakeOf(0);
    await eventually('a certified checkpoint', () => challenge(0, 1), 30_000);
    await closed(0);
    const [answered] = await network.events('AvailabilityCourt', 'Answered', [group, world.providers[0]!.node]);
    expect(answered?.['late']).to.equal(false);
    expect(await stakeOf(0)).to.equal(stake);
  });

  it('T-4.3.6-complain: a member that signs another history is reported by a peer and fined by the contract', async () => {
    const liar = world.providers[3]!;
    await liar.process?.stop();
    await startProvider(liar, undefined, 'test/byzantine/rewriting-node.ts');
    const fine = await eventually('a peer\'s report', async () => (await network.events('StakeVault', 'Slashed', [liar.node]))[0], 60_000);
    expect(fine['kind']).to.equal(BigInt(offenceNumber.FalseHistory));
    expect(world.providers.map(({ node }) => node)).to.include(String(fine['beneficiary']).toLowerCase()); // who asked for the list
    expect((await providerOf(network, liar.node)).status).to.equal('active');
    await liar.process?.stop();
    await startProvider(liar);
  });

  it('P-6.2-drain: a silent node is drained by the formula, shows it in its status, and stops it by answering', async () => {
    const silent = world.providers[1]!;
    const stake = await stakeOf(1);
    await silent.process?.kill();
    await challenge(1, 0);
    expect((await faultOf(settleChallenge(network, group, silent.node))).code).to.equal('CHAIN_REFUSED');
    const asked = (await challengeOf(network, group, silent.node))!;
    await travel(world.chain.rpcUrl, 6 * 3_600);
    await settleChallenge(network, group, silent.node);
    const [drained] = await network.events('AvailabilityCourt', 'Drained', [group, silent.node]);
    expect(stake - (await stakeOf(1))).to.equal(drainDue(stake, asked.ratePerHour, (drained!['until'] as bigint) - asked.openedAt));
    const status = await picolo<{ challenges: { group: string }[] }>(['provider', 'status', '--dir', silent.dir]);
    expect(status.challenges.map((open) => open.group)).to.deep.equal([group]);
    await startProvider(silent);
    await closed(1);
    expect((await network.events('AvailabilityCourt', 'Answered', [group, silent.node])).map((event) => event['late'])).to.deep.equal([true]);
    expect((await faultOf(settleChallenge(network, group, silent.node))).code).to.equal('CHAIN_REFUSED');
  });

  it('P-6.2-hardware: a node whose operator declares a failure loses nothing, is replaced, and leaves with its stake', async () => {
    const broken = world.providers[2]!;
    const stake = await stakeOf(2);
    await broken.process?.kill();
    await challenge(2, 0);
    await picolo(['provider', 'failed', '--dir', broken.dir, '--group', group]);
    await travel(world.chain.rpcUrl, 48 * 3_600);
    await settleChallenge(network, group, broken.node);
    expect(await challengeOf(network, group, broken.node)).to.equal(undefined);
    expect(await stakeOf(2)).to.equal(stake);
    expect((await faultOf(challenge(2, 0))).code).to.equal('CHAIN_REFUSED');
    const { joined, epoch } = await owner<{ joined: string; epoch: string }>('replace', '--node', broken.node);
    expect([joined, epoch]).to.deep.equal([world.providers[4]!.node, '2']);
    const leaving = await picolo<{ step: string }>(['provider', 'exit', '--dir', broken.dir]);
    expect([leaving.step, (await providerOf(network, broken.node)).pendingWei]).to.deep.equal(['unbonding', stake]);
  });

  it('a member that gave notice and was not replaced closes the group; nobody else can', async () => {
    const leaving = world.providers[3]!;
    const leave = (at: number): Promise<{ step: string }> => picolo(['provider', 'leave', '--dir', world.providers[at]!.dir, '--group', group]);
    expect((await leave(3)).step).to.equal('notice');
    expect((await faultOf(leave(3))).code).to.equal('CHAIN_REFUSED');
    expect((await faultOf(leave(2))).facts['reason']).to.equal('not a member of the group'); // it was replaced
    await travel(world.chain.rpcUrl, 7 * 86_400);
    expect((await leave(3)).step).to.equal('closed');
    expect([(await groupRecord(network, group)).open, (await providerOf(network, leaving.node)).usedGib]).to.deep.equal([false, 0]);
    expect((await faultOf(owner('close'))).facts['reason']).to.match(/^GroupNotOpen/);
  });
});
