/**
 * A network of real processes in a temporary folder, on free ports: chain, contracts, staked providers, and a
 * dapp's wallet with a cluster and a payment channel. `close` ends every process by its pid, whatever happened.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEther, Wallet } from 'ethers';
import { parse, stringify } from 'smol-toml';
import { orderCluster } from '../../cli/commands/cluster.ts';
import {
  createProvider, fund, stakeProvider, startChain, startProvider, type LocalChain, type LocalProvider, type ProviderWish,
} from '../../cli/devnet/network.ts';
import type { RunningProcess } from '../../cli/devnet/processes.ts';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { addressFrom, ZERO_ADDRESS, type Hash32, type Hex } from '../../protocol/types/index.ts';
import { openProxy, type Proxy } from './proxy.ts';
import { connect, type ConnectOptions, type Picolo } from '../../sdk/index.ts';
import { openNetwork, type ClusterOrder, type Network } from '../../sdk/operator/index.ts';

export const TERMS: ClusterOrder['terms'] = {
  token: ZERO_ADDRESS,
  pricePerGibMonthWei: parseEther('0.02'), pricePerMillionReadsWei: parseEther('0.001'), pricePerMillionWritesWei: parseEther('0.005'),
  pricePerGibOutWei: parseEther('0.01'), thresholdWei: parseEther('0.00001'),
};

export interface Dapp {
  readonly key: Hex;
  readonly cluster: Hex;
  readonly group: Hex;
  readonly channel: Hash32;
}

export interface World {
  readonly dir: string;
  readonly chain: LocalChain;
  /** With `chainProxy`: takes the chain away and brings it back. */
  readonly chainSwitch: Proxy;
  readonly providers: LocalProvider[];
  /** A staked provider more; it runs when this resolves. */
  addProvider(wish?: Partial<ProviderWish>): Promise<LocalProvider>;
  /** A funded wallet with a cluster, its group and its channel; of four providers anywhere without `shape`. */
  order(terms?: Partial<ClusterOrder['terms']>, shape?: Partial<Omit<ClusterOrder, 'terms'>>): Promise<Dapp>;
  network(key: Hex): Promise<Network>;
  connect(options?: ConnectOptions, urls?: readonly string[]): Promise<Picolo>;
  /** Remembers a process for `close`. */
  own<T extends RunningProcess>(process: T): T;
  close(): Promise<void>;
}

export interface Wishes {
  /** Staked and running; 4 by default. */
  readonly providers?: number;
  /** Time between a node's Proof-of-Query rounds. */
  readonly poqIntervalMs?: number;
  /** Puts a proxy in front of the chain, so that it can go down and come back. */
  readonly chainProxy?: boolean;
  /** Sections of `picolo.toml`, for all providers that the world starts with. */
  readonly settings?: Settings;
}

export type Settings = Readonly<Record<string, Readonly<Record<string, boolean | number | string>>>>;

/** Chain, contracts and providers. Closes what it started when it fails on the way. */
export async function openWorld({ providers = 4, chainProxy = false, settings = {}, ...wish }: Wishes = {}): Promise<World> {
  await installNativeCrypto();
  const dir = mkdtempSync(join(tmpdir(), 'picolo-e2e-'));
  const world = new LocalWorld(dir);
  try {
    await world.start(providers, chainProxy, settings, wish);
    return world;
  } catch (error) {
    await world.close();
    throw error;
  }
}

class LocalWorld implements World {
  readonly dir: string;
  readonly providers: LocalProvider[] = [];
  private readonly started: RunningProcess[] = [];
  private readonly networks: Network[] = [];
  private running: LocalChain | undefined;
  private proxy: Proxy | undefined;
  /** A runner that is stopped in the middle of a test leaves no node behind. */
  private readonly onExit = (): void => {
    for (const { pid } of this.living()) process.kill(pid, 'SIGKILL');
  };

  constructor(dir: string) {
    this.dir = dir;
    process.once('exit', this.onExit);
  }

  get chain(): LocalChain {
    if (this.running === undefined) throw new Error('the chain did not start');
    return this.running;
  }

  get chainSwitch(): Proxy {
    if (this.proxy === undefined) throw new Error('this world has no proxy');
    return this.proxy;
  }

  async start(providers: number, chainProxy: boolean, settings: Settings, wish: Partial<ProviderWish>): Promise<void> {
    this.running = await startChain(this.dir);
    this.own(this.running.process);
    if (chainProxy) {
      this.proxy = await openProxy(Number(new URL(this.running.rpcUrl).port));
      this.running = { ...this.running, rpcUrl: `http://127.0.0.1:${this.proxy.port}` };
    }
    await Promise.all(Array.from({ length: providers }, () => this.addProvider(wish, settings)));
  }

  async addProvider(wish: Partial<ProviderWish> = {}, settings: Settings = {}): Promise<LocalProvider> {
    const at = this.providers.length;
    const name = wish.name ?? `provider-${at + 1}`;
    const reserved: LocalProvider = { name, dir: '', operator: ZERO_ADDRESS, node: ZERO_ADDRESS, apiUrl: '', peerPort: 0, process: undefined };
    this.providers.push(reserved); // keeps the names apart while several are made at once
    const provider = Object.assign(reserved, await createProvider(this.dir, this.chain, { ...wish, name }));
    configure(provider, settings);
    await stakeProvider(provider);
    await startProvider(provider).finally(() => provider.process && this.own(provider.process));
    return provider;
  }

  async order(terms: Partial<ClusterOrder['terms']> = {}, shape: Partial<Omit<ClusterOrder, 'terms'>> = {}): Promise<Dapp> {
    const wallet = Wallet.createRandom();
    const key = wallet.privateKey as Hex;
    await fund(this.chain, addressFrom(wallet.address), '100', '1000');
    const network = await this.network(key);
    const order = { replicationFactor: 4, regions: [], ...shape, terms: { ...TERMS, ...terms } };
    const { cluster, group, channel } = await orderCluster(network, order, 1, parseEther('0.1'));
    return { key, cluster, group, channel: channel as Hash32 };
  }

  async network(key: Hex): Promise<Network> {
    const network = await openNetwork({ rpcUrl: this.chain.rpcUrl, deployment: this.chain.deployment, key });
    this.networks.push(network);
    return network;
  }

  connect(options: ConnectOptions = {}, urls?: readonly string[]): Promise<Picolo> {
    const { rpcUrl, addresses } = this.chain;
    return connect(urls ?? this.providers.map(({ apiUrl }) => apiUrl), { chain: { rpcUrl, deployment: addresses }, ...options });
  }

  own<T extends RunningProcess>(process: T): T {
    this.started.push(process);
    return process;
  }

  async close(): Promise<void> {
    for (const network of this.networks) network.close();
    await this.proxy?.down();
    await Promise.all(this.living().map((child) => child.stop()));
    process.off('exit', this.onExit);
    if (process.env['PICOLO_KEEP'] === undefined) rmSync(this.dir, { recursive: true, force: true });
    else process.stderr.write(`kept ${this.dir}\n`);
  }

  private living(): RunningProcess[] {
    const all = new Set([...this.started, ...this.providers.flatMap((provider) => provider.process ?? [])]);
    return [...all].filter((child) => child.alive());
  }
}

/** Writes settings into `picolo.toml`, as an operator would; they hold from the next start. */
function configure({ dir }: LocalProvider, settings: Settings): void {
  const file = join(dir, 'picolo.toml');
  const before = parse(readFileSync(file, 'utf8')) as Settings;
  const merged = Object.entries(settings).map(([section, values]) => [section, { ...before[section], ...values }]);
  writeFileSync(file, stringify({ ...before, ...Object.fromEntries(merged) }));
}

/** The promise's fault, which must have a code. */
export async function faultOf(action: Promise<unknown>): Promise<{ code: string; todo: string; message: string; facts: Record<string, unknown> }> {
  try {
    await action;
  } catch (error) {
    const fault = error as { code?: unknown };
    if (typeof fault.code !== 'string') throw error;
    return error as { code: string; todo: string; message: string; facts: Record<string, unknown> };
  }
  throw new Error('it was expected to be refused, and was not');
}

/** Polls until `probe` gives a value; fails with `what` in the message. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = 30_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain for: ${what}${last instanceof Error ? ` (${last.message})` : ''}`);
}
