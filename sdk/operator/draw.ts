import { encodeRlp, toBeArray } from 'ethers';
import { addressFrom, compareHex, type Address, type ClusterId, type Hex } from '../../protocol/types/index.ts';
import { compactOffer, type SignedOffer } from './cluster.ts';
import { operatorFaults } from './faults.ts';
import { momentOf } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** Fields of a block header in the order of its encoding */
const headerFields: readonly (readonly [name: string, kind: 'bytes' | 'number'])[] = [
  ['parentHash', 'bytes'], ['sha3Uncles', 'bytes'], ['miner', 'bytes'], ['stateRoot', 'bytes'], ['transactionsRoot', 'bytes'],
  ['receiptsRoot', 'bytes'], ['logsBloom', 'bytes'], ['difficulty', 'number'], ['number', 'number'], ['gasLimit', 'number'],
  ['gasUsed', 'number'], ['timestamp', 'number'], ['extraData', 'bytes'], ['mixHash', 'bytes'], ['nonce', 'bytes'],
  ['baseFeePerGas', 'number'], ['withdrawalsRoot', 'bytes'], ['blobGasUsed', 'number'], ['excessBlobGas', 'number'],
  ['parentBeaconBlockRoot', 'bytes'], ['requestsHash', 'bytes'], ['blockAccessListHash', 'bytes'],
];

interface Rpc {
  send(method: string, params: unknown[]): Promise<unknown>;
}

async function blockOf(rpc: Rpc, number: bigint): Promise<Record<string, string | undefined>> {
  const block = (await rpc.send('eth_getBlockByNumber', [`0x${number.toString(16)}`, false])) as Record<string, string | undefined> | null;
  if (block === null) throw operatorFaults.refused({ block: number, reason: 'the block does not exist yet' });
  return block;
}

/**
 * The RLP encoding of a block's header, which contracts check against the block's hash.
 * @throws CHAIN_REFUSED when the block does not exist yet
 */
export async function headerOf(rpc: Rpc, number: bigint): Promise<Hex> {
  const block = await blockOf(rpc, number);
  const present = headerFields.filter(([name]) => block[name] !== undefined);
  return encodeRlp(present.map(([name, kind]) => (kind === 'bytes' ? (block[name] as string) : minimal(block[name] as string)))) as Hex;
}

/** Numbers are encoded without leading zeros, zero as nothing. */
function minimal(quantity: string): Uint8Array {
  return BigInt(quantity) === 0n ? new Uint8Array() : toBeArray(BigInt(quantity));
}

/** Commits to candidates (ascending) for a group of `gib` that the randomness of a later block composes. */
export async function openDraw(network: Network, cluster: ClusterId, gib: number, candidates: readonly Address[]): Promise<Receipt & { readonly seedBlock: bigint }> {
  const receipt = await network.send('ClusterRegistry', 'openDraw', [cluster, gib, candidates]);
  const draw = (await network.contract('ClusterRegistry').getFunction('drawOf')(cluster)) as Record<string, bigint>;
  return { ...receipt, seedBlock: draw['seedBlock'] as bigint };
}

/** Who the block of an open draw chose, in the order of the draw, and the header that proves it. */
export async function chosenOf(
  network: Network, cluster: ClusterId, candidates: readonly Address[],
): Promise<{ readonly header: Hex; readonly chosen: readonly Address[] }> {
  const at = await momentOf(network);
  const draw = await at.read<Record<string, bigint>>('ClusterRegistry', 'drawOf', cluster);
  if (draw['seedBlock'] === 0n) throw operatorFaults.refused({ cluster, reason: 'no draw is open' });
  const record = await at.read<Record<string, bigint>>('ClusterRegistry', 'clusterOf', cluster);
  const header = await headerOf(network.provider, draw['seedBlock'] as bigint);
  const seed = (await blockOf(network.provider, draw['seedBlock'] as bigint))['mixHash'];
  const question = [seed, [...candidates], record['replicationFactor'], draw['gib'], record['regionMask']];
  const chosen = await at.read<readonly string[]>('ClusterRegistry', 'choose', ...question);
  return { header, chosen: chosen.map((node) => addressFrom(node)) };
}

/** Forms the group that a draw chose from the offers of the chosen. */
export function formDrawnGroup(
  network: Network, cluster: ClusterId, header: Hex, candidates: readonly Address[], offers: readonly SignedOffer[],
): Promise<Receipt> {
  const sorted = [...offers].sort((a, b) => compareHex(a.signer, b.signer)).map(compactOffer);
  return network.send('ClusterRegistry', 'formDrawnGroup', [cluster, header, candidates, sorted]);
}
