import { network } from 'hardhat';
import type { HardhatEthers } from '@nomicfoundation/hardhat-ethers/types';
import type { NetworkHelpers } from '@nomicfoundation/hardhat-network-helpers/types';
import type { Contract, HDNodeWallet, Signer } from 'ethers';
import { Wallet } from 'ethers';
import { abis, type ContractName } from '../../contracts/index.ts';
import { signStruct, type Domain, type StructName, type StructValue } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { bytesOf, hexOf, type Address, type GroupId, type Hash32, type Signature } from '../../protocol/types/index.ts';
import { deployWith, type DeployParameters } from '../../scripts/deploy.ts';

const connection = await network.create();
export const ethers: HardhatEthers = connection.ethers;
export const helpers: NetworkHelpers = connection.networkHelpers as NetworkHelpers;
export const provider = connection.provider;

export const PINT = 10n ** 18n;
export const DAY = 86_400n;

/** A node of the test world: its hot key and the wallet that owns it. */
export interface TestNode {
  readonly key: Uint8Array;
  readonly address: Address;
  readonly owner: Signer;
}

export type Contracts = { readonly [N in ContractName]: Contract };

export interface World {
  readonly c: Contracts;
  readonly domain: Domain;
  readonly admin: Signer;
  readonly consumer: Signer;
  readonly watcher: Signer;
  readonly others: readonly Signer[];
}

/** Deterministic keys, so that failures repeat. */
export function keyOf(n: number): Uint8Array {
  return bytesOf(`0x${(0x1000 + n).toString(16).padStart(64, '0')}`);
}

export async function deployed(parameters: Partial<DeployParameters> = {}): Promise<World> {
  const [admin, consumer, watcher, ...others] = await ethers.getSigners();
  const result = await deployWith(admin as Signer, { vaultAdmin: 'deployer', ...parameters });
  const c = Object.fromEntries(
    Object.entries(result.addresses).map(([name, address]) => [
      name, new ethers.Contract(address, abis[name as ContractName] as never, admin as Signer),
    ]),
  ) as unknown as Contracts;
  return { c, domain: result.domain, admin: admin as Signer, consumer: consumer as Signer, watcher: watcher as Signer, others: others as Signer[] };
}

export async function now(): Promise<bigint> {
  return BigInt(await helpers.time.latest());
}

export function possession(world: World, key: Uint8Array, owner: string, node: Address = addressOf(key)): Signature {
  const value = { node, owner: owner.toLowerCase() as Address, signer: addressOf(key) };
  return signStruct(world.domain, 'NodeKey', value, key);
}

/** Registers a node of `owner`, deposits `stake` and, with it, offers capacity. */
export async function addNode(
  world: World, n: number, owner: Signer, { stake = 2_000n * PINT, gib = 100, region = 0 } = {},
): Promise<TestNode> {
  const { c } = world;
  const key = keyOf(n);
  const node = { key, address: addressOf(key), owner };
  const ownerAddress = await owner.getAddress();
  await send(c.StakeVault, owner, 'register', node.address, possession(world, key, ownerAddress));
  if (stake > 0n) await fund(world, node, stake);
  if (gib > 0) await send(c.NodeRegistry, owner, 'setResources', node.address, [gib, 0, 0, 0, region]);
  return node;
}

export async function fund(world: World, node: TestNode, amount: bigint): Promise<void> {
  const { c, admin } = world;
  await send(c.PintToken, admin, 'transfer', await node.owner.getAddress(), amount);
  await send(c.PintToken, node.owner, 'approve', await c.StakeVault.getAddress(), amount);
  await send(c.StakeVault, node.owner, 'deposit', node.address, amount);
}

export function send(contract: Contract, from: Signer, method: string, ...args: readonly unknown[]) {
  return (contract.connect(from) as Contract).getFunction(method)(...args);
}

export const freeTerms = [ethers.ZeroAddress, 0n, 0n, 0n, 0n, 0n] as const;

/** Compact form of a 65-byte signature as [r, yParityAndS]. */
export function compactOf(signature: Signature): readonly [string, string] {
  const bytes = bytesOf(signature);
  if (bytes[64] === 28) bytes[32] = (bytes[32] as number) | 0x80;
  return [hexOf(bytes.subarray(0, 32)), hexOf(bytes.subarray(32, 64))];
}

export async function offer(world: World, cluster: Hash32, node: TestNode, { gib = 10, expiresAt = 0n, key = node.key } = {}) {
  const until = expiresAt === 0n ? (await now()) + DAY : expiresAt;
  const signature = signStruct(world.domain, 'Offer', { cluster, node: node.address, gib, expiresAt: until }, key);
  return [node.address, gib, until, ...compactOf(signature)] as const;
}

export interface TestGroup {
  readonly cluster: Hash32;
  readonly group: GroupId;
  readonly index: number;
  /** Ascending by signer; the place is the replica index. */
  readonly members: readonly TestNode[];
  readonly roster: readonly Address[];
  readonly packed: string;
}

export function packRoster(roster: readonly string[]): string {
  return `0x${roster.map((address) => address.slice(2).toLowerCase()).join('')}`;
}

export const bySigner = (a: { readonly address: string }, b: { readonly address: string }): number => (a.address < b.address ? -1 : 1);

export async function createCluster(world: World, size: number, { salt = ethers.ZeroHash, regionMask = 0, terms = freeTerms as readonly unknown[] } = {}) {
  const owner = await world.consumer.getAddress();
  await send(world.c.ClusterRegistry, world.consumer, 'createCluster', salt, size, regionMask, terms);
  return (await world.c.ClusterRegistry.getFunction('clusterId')(owner, salt)) as Hash32;
}

export async function formGroup(world: World, cluster: Hash32, nodes: readonly TestNode[], index = 0, gib = 10): Promise<TestGroup> {
  const members = [...nodes].sort(bySigner);
  const offers = await Promise.all(members.map((node) => offer(world, cluster, node, { gib })));
  await send(world.c.ClusterRegistry, world.consumer, 'formGroup', cluster, gib, offers);
  const group = (await world.c.ClusterRegistry.getFunction('groupId')(cluster, index)) as GroupId;
  const roster = members.map((node) => node.address);
  return { cluster, group, index, members, roster, packed: packRoster(roster) };
}

/** A group of `size` staked nodes of different owners in epoch 1. */
export async function groupOf(world: World, size = 4, first = 1): Promise<TestGroup> {
  const cluster = await createCluster(world, size);
  const nodes: TestNode[] = [];
  for (let i = 0; i < size; i++) nodes.push(await addNode(world, first + i, world.others[i] as Signer));
  return formGroup(world, cluster, nodes);
}

export function sign<N extends StructName>(world: World, node: { readonly key: Uint8Array }, name: N, value: StructValue<N>): Signature {
  return signStruct(world.domain, name, value, node.key);
}

export const wallet = (n: number): Wallet | HDNodeWallet => new Wallet(hexOf(keyOf(n)), ethers.provider);

export const hash = (n: number): Hash32 => `0x${n.toString(16).padStart(64, '0')}` as Hash32;
