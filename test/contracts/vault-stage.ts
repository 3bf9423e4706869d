/** A vault with one staked node, and a slasher and a registry that do what a test says. */
import { expect } from 'chai';
import type { Contract, Signer } from 'ethers';
import { addNode, DAY, deployed, ethers, hash, helpers, send, type TestNode, type World } from './world.ts';

export interface Stage { readonly world: World; readonly vault: Contract; readonly node: TestNode; readonly slasher: Signer; readonly registry: Signer }

async function as(contract: Contract): Promise<Signer> {
  const address = await contract.getAddress();
  await helpers.impersonateAccount(address);
  await helpers.setBalance(address, 10n ** 20n);
  return ethers.getSigner(address);
}

async function build(): Promise<Stage> {
  const world = await deployed();
  const node = await addNode(world, 1, world.others[0]!, { gib: 0 });
  return { world, vault: world.c.StakeVault, node, slasher: await as(world.c.SlasherConsensus), registry: await as(world.c.NodeRegistry) };
}
export const stage = (): Promise<Stage> => helpers.loadFixture(build);

export const GWEI = 10n ** 9n;
export const [NONE, ACTIVE, TOMBSTONED, VOID] = [0n, 1n, 2n, 3n];
export const reporter = ethers.getAddress(`0x${'aa'.repeat(20)}`);
export const consumer = ethers.getAddress(`0x${'bb'.repeat(20)}`);
export const group = hash(77);
export const UNBONDING = 22n * DAY;

export const view = (vault: Contract, name: string, of: string) => vault.getFunction(name)(of);
export const refuses = (sent: Promise<unknown>, vault: Contract, error: string, ...values: readonly unknown[]) =>
  expect(sent).to.be.revertedWithCustomError(vault, error).withArgs(...values);
export const at = (second: bigint): Promise<void> => helpers.time.setNextBlockTimestamp(second);
export const fine = ({ vault, slasher, node }: Stage, issuedAt: bigint) => send(vault, slasher, 'fine', node.address, 21, issuedAt, reporter, group);
export const convict = ({ vault, slasher, node }: Stage, everything = false, by = reporter) => send(vault, slasher, 'convict', node.address, group, 3, everything, by);
export const penalty = ({ node }: Stage, bps: number, over: { status?: bigint; group?: string; consumer?: string; reporterBps?: number; consumerBps?: number } = {}) =>
  [node.address, bps, 9, over.status ?? ACTIVE, reporter, over.reporterBps ?? 3_000, over.consumer ?? consumer, over.consumerBps ?? 2_000, over.group ?? ethers.ZeroHash];
