import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatEther, parseEther, Wallet } from 'ethers';
import { fund, type LocalProvider } from '../../cli/devnet/network.ts';
import { addressFrom, bytesOf, ZERO_ADDRESS, type Address, type Hex } from '../../protocol/types/index.ts';
import { openMx, type MxChannel } from '../../sdk/mx/index.ts';
import { collectOffers, createCluster, formGroup, listProviders, waitForGroup } from '../../sdk/operator/index.ts';
import { prove, type Step, type StepContext } from './story.ts';
import { until, type World } from './world.ts';

const ASKED = 4;
const NEIGHBOUR = 5;
const PLACES = [['Shangri-La', 'CN', 7], ['Penglai', 'CN', 3_200], ['Avalon', 'GB', 9]] as const;
const QUESTIONS = 40;
const QUESTION = 'SELECT name FROM cities WHERE country = ?';

export const strangersStep: Step<World> = {
  name: 'A data consumer without stake asks the network; a free rider stops being served; a deposit raises the floor',
  async run(world, step) {
    await secondCluster(world, step);
    const rider = await dial(world, world.provider(ASKED), Wallet.createRandom());
    const early = await served(rider);
    await askStrangers(world, step);
    const late = await served(rider);
    rider.close();
    step.say(`a free rider that only asks: served ${early} of 20 while nobody had done more than it, ${late} of 20 since others answer`);
    step.figure('freeRider', { early, late });
    prove(late < early / 2, "the free rider's questions stop being served");
    await newcomer(world, step, late);
  },
};

/** Another owner's cluster on the fifth provider, the same kind of data under other names. */
async function secondCluster(world: World, step: StepContext): Promise<void> {
  const stranger = Wallet.createRandom();
  const key = stranger.privateKey as Hex;
  await fund(world.chain, addressFrom(stranger.address), '10', '0');
  const network = await world.openNetwork(key);
  world.onClose(() => network.close());
  const free = { token: ZERO_ADDRESS, pricePerGibMonthWei: 0n, pricePerMillionReadsWei: 0n, pricePerMillionWritesWei: 0n, pricePerGibOutWei: 0n, thresholdWei: 0n };
  const { cluster } = await createCluster(network, { replicationFactor: 1, regions: [], terms: free });
  const [asked, neighbour] = [world.provider(ASKED), world.provider(NEIGHBOUR)];
  const listing = (await listProviders(network)).filter(({ node }) => node === neighbour.node);
  const { group } = await formGroup(network, cluster, 1, await collectOffers(network.domain, listing, cluster, 1, 1));
  await waitForGroup([neighbour.apiUrl], group);
  const client = await world.connect({ key, urls: [neighbour.apiUrl], pay: false });
  const db = await client.createDatabase({
    group, name: 'places of legend', schema: 'CREATE TABLE places (id INTEGER PRIMARY KEY, label TEXT NOT NULL, land TEXT NOT NULL, inhabitants INTEGER)',
  });
  await db.table('places').insertMany(PLACES.map(([label, land, inhabitants], i) => ({ id: i + 1, label, land, inhabitants })));
  exportTables(world, asked, world.db.id, { cities: { keywords: ['city', 'town'], columns: { name: [], country: ['land'], population: ['people'] } } });
  exportTables(world, neighbour, db.id, { places: { keywords: ['cities', 'city'], columns: { label: ['name'], land: ['country'], inhabitants: ['population'] } } });
  step.say(`a second cluster on ${neighbour.name}: table places(label, land, inhabitants)`);
}

function exportTables(world: World, provider: LocalProvider, database: string, exports: unknown): void {
  writeFileSync(join(world.dir, `${provider.name}.dictionary.json`), JSON.stringify({ database, exports }));
}

async function askStrangers(world: World, step: StepContext): Promise<void> {
  const [asked, neighbour] = [world.provider(ASKED), world.provider(NEIGHBOUR)];
  const consumer = Wallet.createRandom();
  const channel = await dial(world, asked, consumer);
  const answer = await until('both nodes answer', async () => {
    const got = await channel.ask(QUESTION, ['CN'], { hops: 2, results: 5_000 }).catch(() => undefined);
    const origins = new Set(got?.parts.map(({ origin }) => origin));
    return got !== undefined && origins.has(asked.node) && origins.has(neighbour.node) ? got : undefined;
  });
  for (let i = 0; i < QUESTIONS; i++) await channel.ask(QUESTION, ['CN'], { hops: 2, results: 5_000 }).catch(() => undefined);
  channel.close();
  const byOrigin = new Map<Address, number>();
  for (const { origin, rows } of answer.parts) byOrigin.set(origin, (byOrigin.get(origin) ?? 0) + rows.length);
  const labels = answer.parts.filter(({ origin }) => origin === neighbour.node).flatMap(({ rows }) => rows.flat());
  prove(labels.includes('Penglai'), 'the second cluster answered in its own words');
  step.say(`GET with 2 hops: ${byOrigin.get(asked.node)} cities from ${asked.name}, ${labels.join(' and ')} from ${neighbour.name} (its columns: label, land)`);
  step.say(`END: ${answer.ending.reason}, ${answer.ending.receipts.length} signed receipts, complete: ${answer.ending.complete}`);
  step.figure('mx', { rows: answer.ending.rows, origins: byOrigin.size, complete: answer.ending.complete });
}

/** A deposit raises the floor of a newcomer from its first question (P-6.3.2-epsilon). */
async function newcomer(world: World, step: StepContext, riderServed: number): Promise<void> {
  const account = Wallet.createRandom();
  await fund(world.chain, addressFrom(account.address), '1', '100');
  const network = await world.openNetwork(account.privateKey as Hex);
  const deposit = parseEther('64');
  await network.send('PintToken', 'approve', [network.address('AccessDeposits'), deposit]);
  const receipt = await network.send('AccessDeposits', 'deposit', [network.account, deposit]);
  world.gas['accessDeposit'] = receipt.gasUsed;
  const level = (await network.contract('AccessDeposits').getFunction('levelOf')(network.account)) as bigint;
  network.close();
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // the node reads the chain once a second
  const channel = await dial(world, world.provider(ASKED), account);
  const count = await served(channel);
  channel.close();
  step.say(`an honest newcomer with ${formatEther(deposit)} PINT deposited (level ${level}): served ${count} of its first 20`);
  step.figure('newcomer', { depositLevel: level, served: count });
  prove(count > riderServed, 'the deposit raised the floor');
}

/** How many of 20 questions a node answers from its own tables. */
async function served(channel: MxChannel): Promise<number> {
  let count = 0;
  for (let i = 0; i < 20; i++) {
    const got = await channel.ask(QUESTION, ['CN'], { hops: 0, results: 1, timeoutMs: 2_000 }).catch(() => undefined);
    if ((got?.parts.length ?? 0) > 0) count += 1;
  }
  return count;
}

function dial(world: World, node: LocalProvider, account: { readonly privateKey: string }): Promise<MxChannel> {
  const url = `${node.apiUrl.replace('http', 'ws')}/v1/mx`;
  return openMx(url, { key: bytesOf(account.privateKey as Hex), domain: world.domain, node: node.node });
}
