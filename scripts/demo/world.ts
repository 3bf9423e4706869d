import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEther, Wallet } from 'ethers';
import { loadDeployment } from '../../contracts/index.ts';
import { stopAll, type LocalChain, type LocalProvider } from '../../cli/devnet/network.ts';
import type { Domain } from '../../protocol/codec/index.ts';
import type { ClusterId, GroupId, Hash32, Hex } from '../../protocol/types/index.ts';
import { connect, type Database, type Picolo } from '../../sdk/index.ts';
import { openNetwork, type Network } from '../../sdk/operator/index.ts';
import { prove } from './story.ts';

/** Everything the steps hand to each other. Fields are filled in as the story goes; reading one too early is a broken demo. */
export class World {
  readonly dir = mkdtempSync(join(tmpdir(), 'picolo-demo-'));
  readonly owner = Wallet.createRandom();
  /** Somebody without stake or cluster who challenges nodes. */
  readonly watcher = Wallet.createRandom();
  readonly providers: LocalProvider[] = [];
  /** Cities to load, largest first. */
  readonly cityCount: number;
  readonly gas: Record<string, bigint> = {};
  private readonly parts = new Map<string, unknown>();
  private readonly closers: (() => unknown)[] = [];

  constructor(cityCount: number) {
    this.cityCount = cityCount;
  }

  get chain(): LocalChain { return this.part('chain'); }
  set chain(value: LocalChain) { this.parts.set('chain', value); }
  /** The owner's view of the contracts. */
  get network(): Network { return this.part('network'); }
  set network(value: Network) { this.parts.set('network', value); }
  get cluster(): { cluster: ClusterId; group: GroupId; channel: Hash32 } { return this.part('cluster'); }
  set cluster(value: { cluster: ClusterId; group: GroupId; channel: Hash32 }) { this.parts.set('cluster', value); }
  get picolo(): Picolo { return this.part('picolo'); }
  set picolo(value: Picolo) { this.parts.set('picolo', value); }
  get db(): Database { return this.part('db'); }
  set db(value: Database) { this.parts.set('db', value); }

  get ownerKey(): Hex {
    return this.owner.privateKey as Hex;
  }

  get watcherKey(): Hex {
    return this.watcher.privateKey as Hex;
  }

  get domain(): Domain {
    return loadDeployment(31_337, this.chain.deployment).domain;
  }

  provider(number: number): LocalProvider {
    const found = this.providers[number - 1];
    prove(found !== undefined, `provider ${number} exists`);
    return found;
  }

  /** A client with the chain as its root of trust. */
  connect(options: { readonly key: Hex; readonly pay?: boolean; readonly urls?: readonly string[] }): Promise<Picolo> {
    const { rpcUrl, deployment } = this.chain;
    const payment = { channel: this.cluster.channel, limitWei: parseEther('0.05'), aheadWei: 20_000_000_000_000n };
    const urls = options.urls ?? this.providers.filter(({ process }) => process?.alive()).map(({ apiUrl }) => apiUrl);
    return connect(urls, {
      key: options.key, chain: { rpcUrl, deployment: { ...loadDeployment(31_337, deployment).addresses } }, ...(options.pay === false ? {} : { payment }),
    });
  }

  openNetwork(key: Hex): Promise<Network> {
    return openNetwork({ rpcUrl: this.chain.rpcUrl, deployment: this.chain.deployment, key });
  }

  onClose(closer: () => unknown): void {
    this.closers.push(closer);
  }

  /** Stops every process that was started, and removes the folder. */
  async close(): Promise<void> {
    for (const closer of this.closers.splice(0)) await closer();
    await stopAll(this.providers.map(({ process }) => process));
    await (this.parts.get('chain') as LocalChain | undefined)?.process.stop();
    if (process.env['PICOLO_DEMO_KEEP'] === undefined) rmSync(this.dir, { recursive: true, force: true });
  }

  private part<T>(name: string): T {
    prove(this.parts.has(name), `the story reached the step that makes ${name}`);
    return this.parts.get(name) as T;
  }
}

/** Polls until `probe` gives a value. */
export async function until<T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = 60_000): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    prove(Date.now() < deadlineMs, `${what} within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
