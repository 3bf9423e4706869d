/** A real network for a bench: chain, contracts, four staked replicas, each its own process on this machine. */
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Wallet } from 'ethers';
import { picolo } from '../../cli/devnet/commands.ts';
import { createProvider, fund, stakeProvider, startChain, type LocalProvider } from '../../cli/devnet/network.ts';
import { projectRoot, startProcess, waitFor } from '../../cli/devnet/processes.ts';
import { addressFrom, type Hex } from '../../protocol/types/index.ts';
import { progress } from '../report.ts';

const REPLICAS = 4;
/** Writing a profile takes a while. */
const STOP_MS = 30_000;

export interface BenchNetwork {
  /** API addresses of the replicas. */
  readonly apis: readonly string[];
  readonly pids: readonly number[];
  readonly group: Hex;
  /** A funded account: owner of the databases. */
  readonly key: Hex;
  /** SIGKILL for one replica; `restart` starts it again with the same folder. */
  kill(index: number): Promise<void>;
  restart(index: number): Promise<void>;
  /** Its log, over all its starts. */
  logOf(index: number): readonly Record<string, unknown>[];
}

export interface NetworkWish {
  /** Writes a CPU profile of every replica into this folder when it stops. */
  readonly profileDir?: string | undefined;
  /** Clock window of the group; the default of a node when left out. */
  readonly windowMs?: number | undefined;
  readonly classicOnly?: boolean;
}

/** Starts the network, hands it to `use` and takes it down. Files are under the project, on the disk that is measured. */
export async function withNetwork<T>(wish: NetworkWish, use: (network: BenchNetwork) => Promise<T>): Promise<T> {
  const dir = join(projectRoot, '.picolo/bench');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  progress(`a chain and ${REPLICAS} replicas start`);
  const chain = await startChain(dir);
  const providers: LocalProvider[] = [];
  try {
    for (let i = 0; i < REPLICAS; i++) {
      const provider = await createProvider(dir, chain, { name: `provider-${i + 1}` });
      liftRateLimit(provider);
      settle(provider, wish);
      await stakeProvider(provider);
      providers.push(provider);
      await start(provider, wish.profileDir);
    }
    const at = (index: number): LocalProvider => providers[index] as LocalProvider;
    return await use({
      ...await orderGroup(chain), apis: providers.map(({ apiUrl }) => apiUrl), pids: providers.map(({ process: child }) => child?.pid ?? -1),
      kill: (index) => at(index).process?.kill() ?? Promise.resolve(),
      restart: (index) => start(at(index), undefined),
      logOf: (index) => linesOf(at(index).process?.logFile ?? ''),
    });
  } finally {
    await Promise.all(providers.map(({ process: child }) => child?.stop(STOP_MS)));
    await chain.process.stop();
  }
}

/** Settings of the group that differ from a node's defaults. */
function settle({ dir }: LocalProvider, { windowMs, classicOnly }: NetworkWish): void {
  const lines = [...(windowMs === undefined ? [] : [`clock_window_ms = ${windowMs}`]), ...(classicOnly === true ? ['classic_only = true'] : [])];
  if (lines.length > 0) appendFileSync(join(dir, 'picolo.toml'), `\n[group]\n${lines.join('\n')}\n`);
}

/** All clients of a bench share one address; the limit per address is for strangers. */
function liftRateLimit({ dir }: LocalProvider): void {
  const file = join(dir, 'picolo.toml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('[listen]\n', '[listen]\nrequests_per_minute = 1000000000\n'));
}

async function start(provider: LocalProvider, profileDir: string | undefined): Promise<void> {
  const child = startProcess({
    name: 'node', logDir: provider.dir, file: 'cli/main.ts', args: ['node', 'start', '--dir', provider.dir],
    env: profileDir === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDir}` },
  });
  provider.process = child;
  await waitFor(`${provider.name} at ${provider.apiUrl}`, child, async () => ((await fetch(`${provider.apiUrl}/v1/status`)).ok ? true : undefined));
}

function linesOf(logFile: string): Record<string, unknown>[] {
  return readFileSync(logFile, 'utf8').split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []));
}

async function orderGroup(chain: Awaited<ReturnType<typeof startChain>>): Promise<{ group: Hex; key: Hex }> {
  const wallet = Wallet.createRandom();
  const key = wallet.privateKey as Hex;
  await fund(chain, addressFrom(wallet.address), '100', '10000');
  // the threshold is high enough that no bench stops to pay
  const at = ['--rpc', chain.rpcUrl, '--deployment', chain.deployment];
  const order = ['cluster', 'create', ...at, '--replicas', String(REPLICAS), '--threshold', '10', '--deposit', '10'];
  const { group } = await picolo<{ group: Hex }>(order, { PICOLO_KEY: key });
  return { group, key };
}
