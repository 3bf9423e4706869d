import { signStruct } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { addressFrom, regionCode, regions, type Address } from '../../protocol/types/index.ts';
import { momentOf } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** A provider as the chain knows it; wei of PINT. */
export interface Provider {
  readonly node: Address;
  readonly owner: Address;
  readonly signer: Address;
  readonly status: 'none' | 'active' | 'tombstoned' | 'void';
  readonly activeWei: bigint;
  readonly pendingWei: bigint;
  /** Unix seconds; zero when nothing is leaving. */
  readonly unlockAt: bigint;
  /** Backs an offer, or fees that were collected lately. */
  readonly lockedWei: bigint;
  /** Active stake that no lock holds: what can leave now. */
  readonly freeWei: bigint;
  readonly offeredGib: number;
  readonly usedGib: number;
  readonly region: string;
}

const STATUS = ['none', 'active', 'tombstoned', 'void'] as const;

/** Registers the wallet as owner of a new node that signs with `nodeKey` (the key consents by a signature). */
export async function registerProvider(network: Network, nodeKey: Uint8Array): Promise<Receipt & { node: Address }> {
  const signer = addressOf(nodeKey);
  const consent = signStruct(network.domain, 'NodeKey', { node: signer, owner: network.account, signer }, nodeKey);
  const receipt = await network.send('StakeVault', 'register', [signer, consent]);
  return { ...receipt, node: signer };
}

/** Deposits PINT of the wallet as stake of `node`. */
export async function stake(network: Network, node: Address, amountWei: bigint): Promise<readonly [approve: Receipt, deposit: Receipt]> {
  const approve = await network.send('PintToken', 'approve', [network.address('StakeVault'), amountWei]);
  return [approve, await network.send('StakeVault', 'deposit', [node, amountWei])];
}

/** Declares capacity; the contract refuses it without enough stake (CHAIN_STAKE_TOO_LOW). */
export function offerCapacity(network: Network, node: Address, gib: number, region: string): Promise<Receipt> {
  const resources = { gib, vcpu: 0, memoryGib: 0, mbps: 0, region: regionCode(region) };
  return network.send('NodeRegistry', 'setResources', [node, resources]);
}

/** Where clients and peers reach the node: `http://HOST:PORT tls://HOST:PORT`. */
export function announce(network: Network, node: Address, apiUrl: string, peers: { host: string; port: number }): Promise<Receipt> {
  return network.send('NodeRegistry', 'announce', [node, `${apiUrl} tls://${peers.host}:${peers.port}`]);
}

export async function requiredStakeWei(network: Network, gib: number): Promise<bigint> {
  return (await network.contract('NodeRegistry').getFunction('requiredStake')(gib, 0)) as bigint;
}

export async function providerOf(network: Network, node: Address): Promise<Provider> {
  const at = await momentOf(network);
  const [account, key, owner, resources, freeWei] = await Promise.all([
    at.read<Record<string, bigint>>('StakeVault', 'accountOf', node), at.read<Record<string, string | bigint>>('StakeVault', 'keyOf', node),
    at.read<Record<string, string>>('StakeVault', 'ownerOf', node), at.read<Record<string, bigint>>('NodeRegistry', 'nodeOf', node),
    at.read<bigint>('StakeVault', 'freeOf', node),
  ]);
  return {
    node,
    owner: addressFrom(owner['owner']),
    signer: addressFrom(key['signer']),
    status: STATUS[Number(account['status'])] ?? 'none',
    activeWei: account['active'] as bigint,
    pendingWei: account['pending'] as bigint,
    unlockAt: account['unlockAt'] as bigint,
    lockedWei: key['locked'] as bigint,
    freeWei,
    offeredGib: Number(resources['offeredGib']),
    usedGib: Number(resources['usedGib']),
    region: regions[Number(resources['region'])] ?? 'unknown',
  };
}

/** What an exit has set going; wei of PINT. */
export interface Exit {
  readonly receipts: readonly Receipt[];
  /** Leaves at `unlockAt`, in unix seconds; both are zero when fees lock everything. */
  readonly leavingWei: bigint;
  readonly unlockAt: bigint;
  /** Stays until the fees that lock it are old enough. */
  readonly stayingWei: bigint;
}

/** Withdraws the offer and starts unbonding what fees do not lock; refused while capacity is in use. */
export async function requestExit(network: Network, node: Address): Promise<Exit> {
  const { region } = await providerOf(network, node);
  const receipts = [await offerCapacity(network, node, 0, region)];
  const { activeWei, freeWei } = await providerOf(network, node);
  const stayingWei = activeWei - freeWei;
  if (freeWei > 0n || stayingWei === 0n) receipts.push(await network.send('StakeVault', 'requestUnbond', [node, freeWei]));
  return { receipts, leavingWei: freeWei, unlockAt: (await providerOf(network, node)).unlockAt, stayingWei };
}

/** Pays the unbonded stake back to the owner; refused before `unlockAt`. */
export function withdrawStake(network: Network, node: Address): Promise<Receipt> {
  return network.send('StakeVault', 'withdraw', [node]);
}
