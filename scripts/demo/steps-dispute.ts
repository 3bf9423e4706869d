import { formatEther, parseEther } from 'ethers';
import { fund, type LocalProvider } from '../../cli/devnet/network.ts';
import { mine, travel } from '../../cli/devnet/rpc.ts';
import { openProvider } from '../../cli/options.ts';
import type { DisputedResult } from '../../protocol/query/index.ts';
import { runAgain, signedResult } from '../../sdk/index.ts';
import {
  answerDispute, collectCredit, commitBallot, creditOf, disputeById, disputeResult, drawCommittee, newBallots, providerOf, revealBallot, settleDispute,
  takeSeats, type Ballot, type Network,
} from '../../sdk/operator/index.ts';
import { tamper } from '../../test/byzantine/tamper.ts';
import { CITY_COLUMNS, ledgerOf, POPULATION } from './steps-lies.ts';
import { prove, type Step, type StepContext } from './story.ts';
import type { World } from './world.ts';

const ACCUSED = 1;
const JURORS = [2, 4, 5] as const;
const SEATS = 3;
const PLACES = 7;
const DAY_SECONDS = 86_401;
/** More blocks than a draw is announced ahead. */
const DRAW_BLOCKS = 65;
/** So that one row alone is altered. */
const EVERY_MILLIONTH = 1_000_000;
const SQL = 'SELECT sum(population) AS people FROM cities';

interface Party {
  readonly provider: LocalProvider;
  readonly network: Network;
}

export const disputeStep: Step<World> = {
  name: 'A node signs a wrong sum, which no contract can judge: a committee of other providers asks again and decides',
  async run(world, step) {
    const accused = await party(world, ACCUSED);
    const jurors = await Promise.all(JURORS.map((number) => party(world, number)));
    await seats(world, step, accused, jurors);
    const evidence = await wrongSum(world, step);
    const dispute = await opened(world, step, evidence, accused);
    const sitting = await drawn(world, dispute, jurors);
    await vote(world, step, dispute, evidence, sitting);
    await verdict(world, step, dispute, accused, sitting);
  },
};

async function party(world: World, number: number): Promise<Party> {
  const provider = world.provider(number);
  const { network } = await openProvider(provider.dir, undefined);
  world.onClose(() => network.close());
  return { provider, network };
}

/** Seats count for disputes that are opened a day later: nobody joins a committee that it knows of. */
async function seats(world: World, step: StepContext, accused: Party, jurors: readonly Party[]): Promise<void> {
  for (const { provider, network } of jurors) {
    await fund(world.chain, provider.operator, '0', '1500');
    await takeSeats(network, provider.node, SEATS);
  }
  await fund(world.chain, accused.provider.operator, '0', '200');
  await travel(world.chain.rpcUrl, DAY_SECONDS);
  step.say(`${jurors.length} providers hold ${SEATS} seats of jurors each, 500 PINT behind every seat`);
}

/** One population in the accused's file is too high while it answers; its signature is on the sum. */
async function wrongSum(world: World, step: StepContext): Promise<DisputedResult> {
  const { name, dir, apiUrl } = world.provider(ACCUSED);
  const client = await world.connect({ key: world.ownerKey, urls: [apiUrl] });
  const db = await client.database(world.db.id);
  const altered = tamper(
    ledgerOf(dir, world.cluster.group), 'cities', CITY_COLUMNS, POPULATION, EVERY_MILLIONTH, (value) => (value as bigint) + 1_000_000n,
  );
  const evidence = await signedResult(db, SQL).finally(() => altered.undo());
  step.say(`${name} signs that ${String(evidence.answer.rows[0]?.[0])} people live in all cities, a million too many`);
  return evidence;
}

async function opened(world: World, step: StepContext, evidence: DisputedResult, accused: Party): Promise<bigint> {
  const { dispute, gasUsed } = await disputeResult(world.network, evidence.answer, 'https://evidence.example/sum.json');
  await answerDispute(accused.network, dispute, 'https://evidence.example/answer.json');
  step.say('the owner disputes it with a bond of 200 PINT, the accused answers with the same');
  world.gas['openDispute'] = gasUsed;
  return dispute;
}

/** Jurors with a place in the committee. */
async function drawn(world: World, dispute: bigint, jurors: readonly Party[]): Promise<Party[]> {
  await mine(world.chain.rpcUrl, DRAW_BLOCKS);
  const committee = await drawCommittee(world.network, dispute);
  prove(committee.length === PLACES, 'the committee is complete');
  return jurors.filter(({ network }) => committee.some(({ juror }) => juror === network.account));
}

/** Everyone asks its own replica at the snapshot of the disputed answer, commits, and shows its vote a day later. */
async function vote(world: World, step: StepContext, dispute: bigint, evidence: DisputedResult, jurors: readonly Party[]): Promise<void> {
  const kept: { readonly network: Network; readonly ballots: readonly Ballot[] }[] = [];
  await travel(world.chain.rpcUrl, DAY_SECONDS);
  for (const { provider, network } of jurors) {
    const client = await world.connect({ key: world.ownerKey, urls: [provider.apiUrl] });
    const { honest } = await runAgain(await client.database(world.db.id), evidence);
    prove(!honest, `${provider.name} finds another sum than the one that was signed`);
    const ballots = await newBallots(network, dispute, 'upheld');
    for (const ballot of ballots) await commitBallot(network, ballot);
    kept.push({ network, ballots });
  }
  await travel(world.chain.rpcUrl, DAY_SECONDS);
  for (const { network, ballots } of kept) for (const ballot of ballots) await revealBallot(network, ballot);
  const { committee } = await disputeById(world.network, dispute);
  prove(committee.every(({ vote: shown }) => shown === 'upheld'), 'every vote is shown');
  const names = jurors.map(({ provider }) => provider.name).join(', ');
  step.say(`a later block draws ${PLACES} places: ${names} run the question again, commit to their votes, and show them a day later`);
}

async function verdict(world: World, step: StepContext, dispute: bigint, accused: Party, jurors: readonly Party[]): Promise<void> {
  const before = await providerOf(world.network, accused.provider.node);
  await travel(world.chain.rpcUrl, 2 * DAY_SECONDS);
  const { verdict: found, takenWei, feesWei, gasUsed } = await settleDispute(world.network, dispute);
  const after = await providerOf(world.network, accused.provider.node);
  prove(found === 'upheld' && takenWei > 0n && before.activeWei - after.activeWei === takenWei, 'the verdict took what it says');
  prove(after.status === 'active', 'a verdict takes stake, never the place');
  const wonWei = await creditOf(world.network, world.network.account);
  prove(wonWei === parseEther('400') - feesWei, 'the winner has both bonds less the fees');
  for (const { network } of [world, ...jurors]) await collectCredit(network, network.account);
  step.say(`upheld: ${formatEther(takenWei)} PINT of ${accused.provider.name}'s stake, both bonds to the owner, ${formatEther(feesWei)} PINT to the jurors`);
  world.gas['settleDispute'] = gasUsed;
  step.figure('dispute', { takenWei, feesWei, wonWei });
}
