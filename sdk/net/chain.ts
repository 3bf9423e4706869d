import type { Domain } from '../../protocol/codec/index.ts';
import { keccak256 } from '../../protocol/crypto/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { rosterOf, type Roster } from '../../protocol/membership/index.ts';
import { addressFrom, bytesOf, concatBytes, hexOf, isHex, type Address, type Epoch, type GroupId, type Hex } from '../../protocol/types/index.ts';
import { sdkFaults } from '../errors.ts';
import type { Fetch } from './exchange.ts';

/** Addresses of the contracts: the parsed deployment file, or just these two names. */
export type Deployment = Readonly<Record<string, unknown>>;

export interface ChainOptions {
  readonly rpcUrl: string;
  readonly deployment: Deployment;
}

/** One membership epoch as the registry stores it. */
interface EpochRecord {
  readonly rosterDigest: bigint;
  readonly size: number;
  /** Seconds; zero while it lasts. */
  readonly endedAt: bigint;
}

const TIMEOUT_MS = 10_000;
const utf8 = new TextEncoder();
const selector = (signature: string): Hex => hexOf(keccak256(utf8.encode(signature)).subarray(0, 4));
const GROUP_OF = selector('groupOf(bytes32)');
const MEMBERSHIP = selector('membership(bytes32,uint64)');
const EPOCH_STARTED = hexOf(keccak256(utf8.encode('EpochStarted(bytes32,uint64,bytes)')));

/**
 * The chain as the root of trust: who a group is, and which contract the signatures are for, without asking any
 * Picolo node. Reads two views of the cluster registry over plain JSON-RPC.
 */
export class Chain {
  private readonly rpcUrl: string;
  private readonly registry: Address;
  private readonly vault: Address;
  private readonly fetch: Fetch;
  private nextId = 1;

  constructor(options: ChainOptions, fetcher: Fetch) {
    this.rpcUrl = options.rpcUrl;
    this.registry = contractIn(options.deployment, 'ClusterRegistry');
    this.vault = contractIn(options.deployment, 'StakeVault');
    this.fetch = fetcher;
  }

  async domain(): Promise<Domain> {
    return { chainId: BigInt(await this.rpc('eth_chainId', []) as string), verifyingContract: this.vault };
  }

  /** Number of the current epoch of a group; zero when there is no such group. */
  async currentEpoch(group: GroupId): Promise<Epoch> {
    const words = await this.view(GROUP_OF, bytesOf(group));
    return words[1] ?? 0n;
  }

  /**
   * Roster of an epoch and when it ended. The addresses may come from anybody (`claimed`, a node's status), because
   * the registry holds their hash; without a fitting claim they are read from the registry's events.
   */
  async roster(group: GroupId, epoch: Epoch, claimed: readonly (readonly Address[])[]): Promise<{ roster: Roster; endedAt: bigint }> {
    const record = await this.epochRecord(group, epoch);
    const fitting = claimed.find((addresses) => fits(record, addresses)) ?? await this.rosterFromEvents(group, epoch);
    if (!fits(record, fitting)) throw sdkFaults.unknownRoster({ group, epoch });
    return { roster: rosterOf(group, epoch, fitting), endedAt: record.endedAt };
  }

  private async epochRecord(group: GroupId, epoch: Epoch): Promise<EpochRecord> {
    const argument = new Uint8Array(64);
    argument.set(bytesOf(group));
    new DataView(argument.buffer).setBigUint64(56, epoch);
    const [rosterDigest = 0n, endedAt = 0n, size = 0n] = await this.view(MEMBERSHIP, argument);
    return { rosterDigest, endedAt, size: Number(size) };
  }

  private async rosterFromEvents(group: GroupId, epoch: Epoch): Promise<readonly Address[]> {
    const logs = await this.rpc('eth_getLogs', [{ address: this.registry, topics: [EPOCH_STARTED, group], fromBlock: '0x0', toBlock: 'latest' }]);
    for (const log of Array.isArray(logs) ? logs : []) {
      const data = bytesOf(String((log as { data?: unknown }).data ?? '0x') as Hex);
      const [started, , length] = wordsOf(data);
      if (started === epoch && length !== undefined) return addressesIn(data.subarray(96, 96 + Number(length)));
    }
    return [];
  }

  private async view(method: Hex, argument: Uint8Array): Promise<bigint[]> {
    const data = hexOf(concatBytes(bytesOf(method), argument));
    const result = await this.rpc('eth_call', [{ to: this.registry, data }, 'latest']);
    if (!isHex(result) || result.length < 66) throw sdkFaults.notDeployed({ contract: 'ClusterRegistry', address: this.registry });
    return wordsOf(bytesOf(result));
  }

  private async rpc(method: string, params: unknown[]): Promise<unknown> {
    try {
      const body = JSON.stringify({ jsonrpc: '2.0', id: this.nextId++, method, params });
      const response = await this.fetch(this.rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const reply = await response.json() as { result?: unknown; error?: { message?: string } };
      if (reply.error !== undefined) throw sdkFaults.chainRpc({ method, reason: String(reply.error.message).slice(0, 200) });
      return reply.result;
    } catch (error) {
      if (isPicoloError(error)) throw error;
      throw sdkFaults.chainRpc({ method, reason: error instanceof Error ? error.name : 'unknown' }, error);
    }
  }
}

/** The registry keeps the low 192 bits of keccak of the packed addresses. */
function fits(record: EpochRecord, addresses: readonly Address[]): boolean {
  if (record.size === 0 || addresses.length !== record.size) return false;
  const digest = BigInt(hexOf(keccak256(concatBytes(...addresses.map(bytesOf)))));
  return (digest & ((1n << 192n) - 1n)) === record.rosterDigest;
}

function addressesIn(packed: Uint8Array): Address[] {
  return Array.from({ length: Math.floor(packed.length / 20) }, (_, i) => hexOf(packed.subarray(i * 20, i * 20 + 20)) as Address);
}

function wordsOf(data: Uint8Array): bigint[] {
  return Array.from({ length: Math.floor(data.length / 32) }, (_, i) => BigInt(hexOf(data.subarray(i * 32, i * 32 + 32))));
}

/** A deployment file may name contracts flat, under `contracts`, as an address or as { address }. */
function contractIn(deployment: Deployment, name: string): Address {
  const places = [deployment, deployment.contracts, deployment.addresses].filter((place) => typeof place === 'object' && place !== null);
  for (const place of places) {
    for (const [key, value] of Object.entries(place as object)) {
      if (key.toLowerCase() !== name.toLowerCase()) continue;
      const text = typeof value === 'object' && value !== null ? (value as { address?: unknown }).address : value;
      if (typeof text === 'string' && isHex(text.toLowerCase(), 20)) return addressFrom(text);
    }
  }
  throw sdkFaults.notDeployed({ contract: name });
}
