import { signStruct } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { addressFrom, regionCode, regions, type Address } from '../../protocol/types/index.ts';
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
  readonly lockedWei: bigint;
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
  const vault = network.contract('StakeVault');
  const [account, key, owner, resources] = (await Promise.all([
    vault.getFunction('accountOf')(node), vault.getFunction('keyOf')(node), vault.getFunction('ownerOf')(node),
    network.contract('NodeRegistry').getFunction('nodeOf')(node),
  ])) as [Record<string, bigint>, Record<string, string | bigint>, Record<string, string>, Record<string, bigint>];
  return {
    node,
    owner: addressFrom(owner['owner']),
    signer: addressFrom(key['signer']),
    status: STATUS[Number(account['status'])] ?? 'none',
    activeWei: account['active'] as bigint,
    pendingWei: account['pending'] as bigint,
    unlockAt: account['unlockAt'] as bigint,
    lockedWei: key['locked'] as bigint,
    offeredGib: Number(resources['offeredGib']),
    usedGib: Number(resources['usedGib']),
    region: regions[Number(resources['region'])] ?? 'unknown',
  };
}

/** Withdraws the offer and starts unbonding everything; refused while capacity is in use. */
export async function requestExit(network: Network, node: Address): Promise<{ readonly receipts: readonly Receipt[]; readonly unlockAt: bigint }> {
  const { region, activeWei } = await providerOf(network, node);
  const receipts = [await offerCapacity(network, node, 0, region), await network.send('StakeVault', 'requestUnbond', [node, activeWei])];
  return { receipts, unlockAt: (await providerOf(network, node)).unlockAt };
}

/** Pays the unbonded stake back to the owner; refused before `unlockAt`. */
export function withdrawStake(network: Network, node: Address): Promise<Receipt> {
  return network.send('StakeVault', 'withdraw', [node]);
}
