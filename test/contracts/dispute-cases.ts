import type { Signer } from 'ethers';
import { resultHashOf } from '../../protocol/query/index.ts';
import type { Address, Hash32, Signature } from '../../protocol/types/index.ts';
import { headerOf } from '../../sdk/operator/draw.ts';
import { h } from './cases.ts';
import {
  addNode, DAY, deployed, ethers, groupOf, helpers, now, PINT, send, sign, type TestGroup, type TestNode, type World,
} from './world.ts';

export const BOND = 200n * PINT;
export const APPEAL_BOND = 400n * PINT;
export const FEE = 5n * PINT;
export const FINE = 10n * PINT;
export const SEAT = 500n * PINT;
export const HOUR = 3_600n;
/** Last seconds of the phases, counted from the opening. */
export const BY = { answer: DAY, commit: 2n * DAY, reveal: 3n * DAY, appeal: 4n * DAY, commitAgain: 132n * HOUR, revealAgain: 156n * HOUR } as const;
export const KIND = { wrongResult: 0, withheld: 1, falseEgress: 2, falseRegion: 3 } as const;
export const VERDICT = { none: 0n, undecided: 1n, upheld: 2n, rejected: 3n } as const;
export const SALT = h('salt');

/** An accused member of a group, six jurors with six seats each, a plaintiff with bonds to lose. */
export interface Case {
  readonly world: World;
  readonly group: TestGroup;
  readonly accused: TestNode;
  readonly jurors: readonly TestNode[];
  readonly plaintiff: Signer;
}

export async function furnish(world: World): Promise<Case> {
  const group = await groupOf(world);
  const accused = group.members[1]!;
  const jurors: TestNode[] = [];
  for (let i = 0; i < 6; i++) jurors.push(await addNode(world, 100 + i, world.others[5 + i]!));
  for (const juror of jurors) await takeSeats(world, juror, 6);
  for (const account of [world.watcher, accused.owner]) await enrich(world, account, 5_000n * PINT);
  await helpers.time.increase(DAY);
  return { world, group, accused, jurors, plaintiff: world.watcher };
}
const build = async (): Promise<Case> => furnish(await deployed());
export const stage = (): Promise<Case> => helpers.loadFixture(build);

/** PINT that the court and its seats may take. */
export async function enrich(world: World, account: Signer, amount: bigint): Promise<void> {
  const { PintToken, DisputeCourt, JurorSeats } = world.c;
  await send(PintToken, world.admin, 'transfer', await account.getAddress(), amount);
  for (const spender of [DisputeCourt, JurorSeats]) await send(PintToken, account, 'approve', await spender.getAddress(), ethers.MaxUint256);
}

export async function takeSeats(world: World, node: TestNode, count: number): Promise<void> {
  await enrich(world, node.owner, SEAT * BigInt(count));
  await send(world.c.JurorSeats, node.owner, 'takeSeats', node.address, count);
}

export const court = ({ world }: Case) => world.c.DisputeCourt;
export const seats = ({ world }: Case) => world.c.JurorSeats;

/** What the accused signed about a query. */
export function statementOf(place: Case, { querier = ethers.ZeroAddress as string, epoch = 1n, seq = 1n, group = place.group.group as string } = {}) {
  return {
    group: group as Hash32, epoch, height: 40n, snapshot: 9n, queryHash: h('SELECT 1'), resultHash: resultHashOf(['n'], [[2n]]),
    querier: querier.toLowerCase() as Address, seq, issuedAt: 1_800_000_000n,
  };
}

export async function openStatement(place: Case, from = place.plaintiff, options: Parameters<typeof statementOf>[1] = {}, node: { key: Uint8Array } = place.accused) {
  const statement = statementOf(place, options);
  const signature: Signature = sign(place.world, node, 'Statement', statement);
  return send(court(place), from, 'openStatement', Object.values(statement), signature, 'https://evidence.example/1');
}

export const open = (
  place: Case,
  { from = place.plaintiff, kind = KIND.falseEgress as number, node = place.accused.address as string, claim = h('claim') as string, uri = 'u' } = {},
) => send(court(place), from, 'open', kind, node, claim, uri);
export const answer = (place: Case, id = 1n, from = place.accused.owner, uri = 'a') => send(court(place), from, 'answer', id, h('reason'), uri);
export const appeal = (place: Case, from: Signer, id = 1n, uri = 'b') => send(court(place), from, 'appeal', id, h('again'), uri);
export const settle = (place: Case, id = 1n) => send(court(place), place.world.watcher, 'settle', id);

/** The next block stands at `offset` seconds from the dispute's opening. */
export async function at(place: Case, offset: bigint, id = 1n): Promise<void> {
  const { openedAt } = await court(place).getFunction('disputeOf')(id);
  await helpers.time.setNextBlockTimestamp((openedAt as bigint) + offset);
}
export async function past(place: Case, offset: bigint, id = 1n): Promise<void> {
  const { openedAt } = await court(place).getFunction('disputeOf')(id);
  const wanted = (openedAt as bigint) + offset + 1n;
  if ((await now()) < wanted) await helpers.time.increaseTo(wanted);
}

export async function seedHeader(place: Case, round = 0, id = 1n): Promise<string> {
  const { seedBlock } = await court(place).getFunction('roundOf')(id, round);
  const height = BigInt(await ethers.provider.getBlockNumber());
  if (height <= seedBlock) await helpers.mine(Number(seedBlock - height) + 1);
  return headerOf(ethers.provider as never, seedBlock);
}
export async function draw(place: Case, round = 0, id = 1n) {
  return send(court(place), place.world.watcher, 'draw', id, await seedHeader(place, round, id));
}

export const committee = async (place: Case, round = 0, id = 1n): Promise<bigint[]> => [...(await court(place).getFunction('committeeOf')(id, round))];

/** Owner of the node behind a seat. */
export async function jurorOf(place: Case, seat: bigint): Promise<Signer> {
  const address = await seats(place).getFunction('jurorOf')(seat);
  for (const signer of place.world.others) if ((await signer.getAddress()) === address) return signer;
  throw new Error(`seat ${seat} has no signer here`);
}

export async function commitmentOf(place: Case, round: number, at: number, juror: Signer, vote: bigint, id = 1n): Promise<string> {
  return court(place).getFunction('commitmentFor')(id, round, at, await juror.getAddress(), vote, SALT);
}

export async function commit(place: Case, round: number, at: number, vote: bigint, id = 1n) {
  const juror = await jurorOf(place, (await committee(place, round, id))[at]!);
  return send(court(place), juror, 'commit', id, at, await commitmentOf(place, round, at, juror, vote, id));
}
export const reveal = (place: Case, at: number, vote: bigint, id = 1n) => send(court(place), place.world.watcher, 'reveal', id, at, vote, SALT);

/** Draws, commits and reveals: `upheld` places, then `rejected` places, the rest absent. Leaves the clock in the time to reveal. */
export async function hear(place: Case, upheld: number, rejected: number, round = 0, id = 1n): Promise<void> {
  await draw(place, round, id);
  await past(place, round === 0 ? BY.answer : BY.appeal, id);
  const vote = (i: number): bigint => (i < upheld ? VERDICT.upheld : VERDICT.rejected);
  for (let i = 0; i < upheld + rejected; i++) await commit(place, round, i, vote(i), id);
  await past(place, round === 0 ? BY.commit : BY.commitAgain, id);
  for (let i = 0; i < upheld + rejected; i++) await reveal(place, i, vote(i), id);
}

/** A decided or undecided first round, settled. */
export async function judged(place: Case, upheld: number, rejected: number, id = 1n) {
  await hear(place, upheld, rejected, 0, id);
  await past(place, BY.appeal, id);
  return settle(place, id);
}

export const owed = async (place: Case, account: Signer): Promise<bigint> => court(place).getFunction('owed')(await account.getAddress());
export const balance = async (place: Case, account: string): Promise<bigint> => place.world.c.PintToken.getFunction('balanceOf')(account);
export async function stakeOf({ world, accused }: Case): Promise<bigint> {
  const { active, pending } = await world.c.StakeVault.getFunction('accountOf')(accused.address);
  return active + pending;
}
export const verdictOf = async (place: Case, id = 1n): Promise<bigint> => (await court(place).getFunction('disputeOf')(id)).verdict;

/** The court holds what it owes and the bonds of what is open, the seats what their units are worth. */
export async function books(place: Case, openBonds: bigint): Promise<readonly [bigint, bigint, bigint, bigint]> {
  const { world } = place;
  const accounts = [world.watcher, world.consumer, world.admin, ...world.others];
  let debts = openBonds;
  for (const account of accounts) debts += await owed(place, account);
  let deposits = 0n;
  for (let i = 0n; i < (await seats(place).getFunction('seatCount')()); i++) deposits += (await seats(place).getFunction('seatOf')(i)).units * FINE;
  return [await balance(place, await court(place).getAddress()), debts, await balance(place, await seats(place).getAddress()), deposits];
}
