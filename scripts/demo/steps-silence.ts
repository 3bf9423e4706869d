import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatEther, formatUnits } from 'ethers';
import { picolo as command } from '../../cli/devnet/commands.ts';
import { fund, startProvider, type LocalProvider } from '../../cli/devnet/network.ts';
import { travel } from '../../cli/devnet/rpc.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { drainDue } from '../../protocol/evidence/index.ts';
import { addressFrom, type Hex } from '../../protocol/types/index.ts';
import { challengeOf, providerOf, settleChallenge } from '../../sdk/operator/index.ts';
import { showNewcomer } from './steps-members.ts';
import { prove, type Step, type StepContext } from './story.ts';
import { until, type World } from './world.ts';

const LIVING = 1;
const SILENT = 5;
const BROKEN = 4;
const SPARE = 6;
const HOUR_SECONDS = 3_600;
const SILENT_HOURS = 6;
const BROKEN_HOURS = 48;
const UNBONDING_SECONDS = 22 * 86_400;

export const drainStep: Step<World> = {
  name: 'A watcher asks two members on chain: one answers, the other is silent and loses stake until it answers',
  async run(world, step) {
    await fund(world.chain, addressFrom(world.watcher.address), '1', '0');
    await answers(world, step);
    await drains(world, step);
  },
};

/** A living node answers by itself: its stake is untouched and the bond pays for the gas. */
async function answers(world: World, step: StepContext): Promise<void> {
  const [node, group] = [world.provider(LIVING), world.cluster.group];
  const before = await providerOf(world.network, node.node);
  const asked = await ask(world, node, world.provider(SILENT));
  const startedMs = performance.now();
  await closed(world, node);
  const seconds = (performance.now() - startedMs) / 1000;
  const [answer] = await world.network.events('AvailabilityCourt', 'Answered', [group, node.node]);
  const gas = await gasOf(world, answer);
  const after = await providerOf(world.network, node.node);
  prove(answer?.['late'] === false && after.activeWei === before.activeWei, 'who answers in time loses nothing');
  step.say(`${node.name} answers with the proven cell after ${seconds.toFixed(1)} s, ${gas} gas; it earns the bond of ${formatEther(BigInt(asked.bondWei))} ether`);
  world.gas['openChallenge'] = BigInt(asked.gasUsed);
  world.gas['answerChallenge'] = gas;
  step.figure('answered', { seconds, gas, bondWei: asked.bondWei, stakeBeforeWei: before.activeWei, stakeAfterWei: after.activeWei });
}

async function drains(world: World, step: StepContext): Promise<void> {
  const [node, group] = [world.provider(SILENT), world.cluster.group];
  const before = await providerOf(world.network, node.node);
  process.kill(node.process?.pid ?? 0, 'SIGSTOP');
  await ask(world, node, world.provider(LIVING));
  const asked = await challengeOf(world.network, group, node.node);
  prove(asked !== undefined, 'the challenge stands');
  const early = await settleChallenge(world.network, group, node.node).then(() => undefined, (error: unknown) => error);
  prove(isPicoloError(early) && early.code === 'CHAIN_REFUSED', 'nothing is taken in the hour that a node has to answer');
  const [percent, stake] = [formatUnits(asked.ratePerHour, 16), formatEther(before.activeWei)];
  step.say(`SIGSTOP to ${node.name}: it is asked and has an hour; its silence costs ${percent} % of ${stake} PINT per hour`);
  await travel(world.chain.rpcUrl, SILENT_HOURS * HOUR_SECONDS);
  const settled = await typed<{ gasUsed: string }>(world, world.watcherKey, ['challenge', 'settle', '--group', group, '--node', node.node]);
  const taken = before.activeWei - (await providerOf(world.network, node.node)).activeWei;
  step.say(`${SILENT_HOURS} hours later anybody may take what is due: ${formatEther(taken)} PINT, ${settled.gasUsed} gas`);
  process.kill(node.process?.pid ?? 0, 'SIGCONT');
  await closed(world, node);
  const after = await providerOf(world.network, node.node);
  const drainedWei = before.activeWei - after.activeWei;
  const last = (await world.network.events('AvailabilityCourt', 'Drained', [group, node.node])).at(-1);
  const seconds = (last?.['until'] as bigint) - asked.openedAt;
  prove(drainedWei === drainDue(before.activeWei, asked.ratePerHour, seconds), 'the contract took what the formula says');
  prove(after.status === 'active', 'silence takes stake, not the place');
  step.say(`${node.name} wakes and answers, late: the drain ends at ${formatEther(drainedWei)} PINT, as the formula says; it goes on serving`);
  world.gas['settleChallenge'] = BigInt(settled.gasUsed);
  step.figure('drained', { ratePerHour: asked.ratePerHour, seconds, stakeBeforeWei: before.activeWei, stakeAfterWei: after.activeWei, drainedWei });
}

export const failureStep: Step<World> = {
  name: "A provider's machine breaks; its operator says so: it is replaced, not slashed, and leaves with its whole stake",
  async run(world, step) {
    const [broken, spare, { group }] = [world.provider(BROKEN), world.provider(SPARE), world.cluster];
    const before = await providerOf(world.network, broken.node);
    await broken.process?.kill();
    rmSync(join(broken.dir, 'data'), { recursive: true });
    step.say(`${broken.name} is gone, disk and all; the watcher asks it on chain`);
    await ask(world, broken, world.provider(LIVING));
    const declared = await command<{ gasUsed: string }>(['provider', 'failed', '--dir', broken.dir, '--group', group]);
    await travel(world.chain.rpcUrl, BROKEN_HOURS * HOUR_SECONDS);
    await settleChallenge(world.network, group, broken.node);
    const silent = await providerOf(world.network, broken.node);
    prove(silent.activeWei === before.activeWei, 'a declared failure costs nothing');
    prove((await challengeOf(world.network, group, broken.node)) === undefined, 'the challenge is over');
    step.say(`its operator declares a hardware failure; after ${BROKEN_HOURS} hours of silence nothing is due, and the challenge is over`);
    world.gas['declareFailure'] = BigInt(declared.gasUsed);

    await startProvider(spare);
    const replaced = await typed<{ joined: string }>(world, world.ownerKey, ['cluster', 'replace', '--group', group, '--node', broken.node]);
    prove(replaced.joined === spare.node, 'the only free provider takes the place');
    const members = [LIVING, 2, SILENT, SPARE].map((number) => world.provider(number));
    await showNewcomer(world, step, { leaving: broken, joining: spare, members, epoch: '3' });
    await leaves(world, step, broken, before.activeWei);
  },
};

/** Out of every group, the stake comes back after the unbonding time, and not before. */
async function leaves(world: World, step: StepContext, { name, dir }: LocalProvider, stakeWei: bigint): Promise<void> {
  const exit = <T>(): Promise<T> => command<T>(['provider', 'exit', '--dir', dir]);
  await exit();
  const early = await exit().then(() => undefined, (error: unknown) => error);
  prove(isPicoloError(early) && early.code === 'CHAIN_REFUSED', 'stake does not leave before its time');
  await travel(world.chain.rpcUrl, UNBONDING_SECONDS + 60);
  const { amountWei } = await exit<{ amountWei: string }>();
  prove(BigInt(amountWei) === stakeWei, 'the whole stake came back');
  step.say(`${name} leaves: refused before 22 days, ${formatEther(stakeWei)} PINT back after them`);
  step.figure('withdrawnWei', amountWei);
}

/** The watcher asks `node`; the certificate comes from another member. */
function ask(world: World, node: LocalProvider, witness: LocalProvider): Promise<{ bondWei: string; gasUsed: string }> {
  return typed(world, world.watcherKey, ['challenge', 'open', '--url', witness.apiUrl, '--group', world.cluster.group, '--node', node.node]);
}

/** A `picolo` command of somebody who has nothing but a wallet. */
function typed<T>({ chain }: World, key: Hex, args: readonly string[]): Promise<T> {
  return command<T>([...args, '--rpc', chain.rpcUrl, '--deployment', chain.deployment], { PICOLO_KEY: key });
}

function closed(world: World, { name, node }: LocalProvider): Promise<true> {
  return until(`${name} answers`, async () => ((await challengeOf(world.network, world.cluster.group, node)) === undefined ? true : undefined));
}

async function gasOf(world: World, event: Record<string, unknown> | undefined): Promise<bigint> {
  const receipt = await world.network.provider.getTransactionReceipt(event?.['transactionHash'] as Hex);
  return receipt?.gasUsed ?? 0n;
}
