import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatEther } from 'ethers';
import { startProvider } from '../../cli/devnet/network.ts';
import { expectedDetectionMs } from '../../protocol/poq/index.ts';
import { providerOf } from '../../sdk/operator/index.ts';
import { tamper } from '../../test/byzantine/tamper.ts';
import { prove, type Step, type StepContext } from './story.ts';
import { until, type World } from './world.ts';

const ALTERED = 2;
const EQUIVOCATOR = 3;
export const CITY_COLUMNS = 6;
export const POPULATION = 3;

interface Slashed {
  readonly node: string;
  readonly kind: bigint;
  readonly amount: bigint;
  readonly reward: bigint;
  readonly beneficiary: string;
  readonly consumerShare: bigint;
  readonly transactionHash: string;
}

export const alterStep: Step<World> = {
  name: "A replica's SQLite file is altered behind its back; Proof-of-Query finds it; the contract decides",
  async run(world, step) {
    const victim = world.provider(ALTERED);
    const altered = tamper(ledgerOf(victim.dir, world.cluster.group), 'cities', CITY_COLUMNS, POPULATION, 1, (value) => (value as bigint) + 1n);
    step.say(`${altered.rows} populations in ${victim.name}'s file are now one too high, checksums included`);
    const leaves = Number((await certificateAt(victim.apiUrl, world.cluster.group)).detail.rowCount);
    const expectedMs = expectedDetectionMs({ corrupted: altered.rows, cells: leaves, challengers: 3, intervalMs: 1_000 });
    const startedMs = performance.now();
    const found = await slashOf(world, victim.node);
    const seconds = (performance.now() - startedMs) / 1000;
    step.say(`a peer's challenge hit an altered row after ${seconds.toFixed(1)} s (${leaves} leaves; expected within ${(expectedMs / 1000).toFixed(1)} s)`);
    tellSlash(step, found);
    const reporter = world.providers.find(({ node }) => node === found.beneficiary.toLowerCase());
    prove(reporter !== undefined, 'the reward belongs to the replica that asked');

    const client = await world.connect({ key: world.ownerKey, urls: [victim.apiUrl] });
    const db = await client.database(world.db.id);
    const report = await db.challenge({ count: 16, urls: [victim.apiUrl] });
    prove(report.verdicts[0]?.verdict === 'lied', "the client's own challenge finds it too");
    step.say(`the client's own challenge: ${report.lies.length} of 16 sampled rows are lies, each with its evidence`);
    altered.undo();
    step.say('the operator puts its file back');
    figures(step, found, { rowsAltered: altered.rows, leaves, detectionSeconds: seconds });
    await gasOf(world, 'falseAnswer', found.transactionHash);
  },
};

export const equivocateStep: Step<World> = {
  name: 'A replica runs a build that votes twice; an honest replica catches its two signatures',
  async run(world, step) {
    const liar = world.provider(EQUIVOCATOR);
    await liar.process?.stop();
    await startProvider(liar, undefined, 'test/byzantine/equivocating-node.ts');
    step.say(`${liar.name} now signs two votes for every round it votes in`);
    const found = await slashOf(world, liar.node);
    tellSlash(step, found);
    const account = await providerOf(world.network, liar.node);
    prove(account.status === 'tombstoned', 'its place is lost');
    step.say(`${liar.name} is tombstoned: it never serves again`);
    figures(step, found, { status: account.status });
    await gasOf(world, 'doubleBlockVote', found.transactionHash);
    await liar.process?.stop();
  },
};

/** The ledger of a group in a provider's folder. */
export function ledgerOf(dir: string, group: string): string {
  const groups = join(dir, 'data', 'groups');
  const name = readdirSync(groups).find((entry) => group.includes(entry));
  const file = join(groups, name ?? '', 'ledger.sqlite');
  prove(existsSync(file), `${file} exists`);
  return file;
}

interface Certificate {
  readonly checkpoint: { readonly height: string; readonly stateRoot: string; readonly epoch: string };
  readonly detail: { readonly rowCount: string };
}

export async function certificateAt(apiUrl: string, group: string): Promise<Certificate> {
  return (await (await fetch(`${apiUrl}/v1/checkpoint/${group}`)).json()) as Certificate;
}

async function slashOf(world: World, node: string): Promise<Slashed> {
  return until('the contract slashes', async () => {
    const [slash] = await world.network.events('StakeVault', 'Slashed', [node]);
    return slash as unknown as Slashed | undefined;
  }, 90_000);
}

function tellSlash(step: StepContext, { amount, reward, consumerShare }: Slashed): void {
  const burned = amount - reward - consumerShare;
  step.say(`slashed ${formatEther(amount)} PINT: reporter ${formatEther(reward)}, consumer ${formatEther(consumerShare)}, burned ${formatEther(burned)}`);
}

function figures(step: StepContext, { amount, reward, consumerShare }: Slashed, more: Record<string, string | number>): void {
  step.figure('slashed', { amountWei: amount, rewardWei: reward, consumerWei: consumerShare, burnedWei: amount - reward - consumerShare });
  for (const [name, value] of Object.entries(more)) step.figure(name, value);
}

async function gasOf(world: World, operation: string, hash: string): Promise<void> {
  const receipt = await world.network.provider.getTransactionReceipt(hash);
  world.gas[operation] = receipt?.gasUsed ?? 0n;
}
