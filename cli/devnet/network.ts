/**
 * A whole network on this machine: Hardhat's chain node, the contracts, staked providers. Every part is its own
 * process with its own keys and folder; providers are made and staked with the same commands a person would type.
 */
import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Contract, JsonRpcProvider, parseEther, type InterfaceAbi } from 'ethers';
import { abis, loadDeployment } from '../../contracts/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import { picolo, runJson } from './commands.ts';
import { freePort, startProcess, waitFor, type RunningProcess } from './processes.ts';
import { rpc } from './rpc.ts';

const PASSWORD = 'local network only';
const CHAIN_ID = 31_337;
const HARDHAT = 'node_modules/hardhat/dist/src/cli.js';

export interface LocalChain {
  readonly rpcUrl: string;
  readonly process: RunningProcess;
  readonly deployment: string;
  readonly addresses: Readonly<Record<string, Address>>;
}

export interface LocalProvider {
  readonly name: string;
  readonly dir: string;
  readonly operator: Address;
  readonly node: Address;
  readonly apiUrl: string;
  readonly peerPort: number;
  /** Undefined while its node does not run. */
  process: RunningProcess | undefined;
}

export interface ChainWish {
  /** A free one by default. */
  readonly port?: number;
  /** Folder for the addresses of the contracts; default `<dir>/deployments/31337`, so that several networks can run at once. */
  readonly deployment?: string;
}

/** Starts the chain and deploys the contracts. */
export async function startChain(dir: string, wish: ChainWish = {}): Promise<LocalChain> {
  const chosen = wish.port ?? (await freePort());
  const deployment = wish.deployment ?? join(dir, 'deployments', String(CHAIN_ID));
  const rpcUrl = `http://127.0.0.1:${chosen}`;
  const child = startProcess({
    name: 'chain', logDir: join(dir, 'logs'), file: HARDHAT, args: ['node', '--hostname', '127.0.0.1', '--port', String(chosen)],
  });
  await waitFor('the chain', child, () => rpc<string>(rpcUrl, 'eth_chainId'));
  try {
    const { addresses } = await runJson<{ addresses: Record<string, Address> }>('scripts/deploy.ts', ['--rpc', rpcUrl, '--folder', deployment]);
    return { rpcUrl, process: child, deployment, addresses };
  } catch (error) {
    await child.stop(); // nobody else knows of it yet
    throw error;
  }
}

/** Gives an account ether and PINT from the chain's first account, which holds the supply on a local chain. */
export async function fund(chain: LocalChain, account: Address, ether: string, pint: string): Promise<void> {
  const provider = new JsonRpcProvider(chain.rpcUrl, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1, pollingInterval: 50 });
  try {
    const treasury = await provider.getSigner(0);
    await (await treasury.sendTransaction({ to: account, value: parseEther(ether) })).wait();
    if (pint === '0') return;
    const { addresses } = loadDeployment(CHAIN_ID, chain.deployment);
    const token = new Contract(addresses.PintToken, abis.PintToken as InterfaceAbi, treasury);
    await (await token.getFunction('transfer')(account, parseEther(pint))).wait();
  } finally {
    provider.destroy();
  }
}

export interface ProviderWish {
  readonly name: string;
  readonly region?: string;
  readonly capacityGib?: number;
  readonly apiPort?: number;
  readonly neighbours?: readonly string[];
  readonly dictionary?: string;
  readonly poqIntervalMs?: number;
}

/** `picolo provider init`, then a funded operator; not yet staked. */
export async function createProvider(dir: string, chain: LocalChain, wish: ProviderWish): Promise<LocalProvider> {
  const home = join(dir, wish.name);
  const apiPort = wish.apiPort ?? (await freePort());
  const peerPort = await freePort();
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(join(home, 'password'), PASSWORD, { mode: 0o600 });
  const made = await picolo<{ operator: Address; node: Address }>([
    'provider', 'init', '--dir', home, '--region', wish.region ?? 'eu-west', '--capacity', `${wish.capacityGib ?? 50}GB`, '--rpc', chain.rpcUrl,
    '--deployment', chain.deployment, '--api-port', String(apiPort), '--peer-port', String(peerPort), '--light-keys',
    '--poq-interval', String(wish.poqIntervalMs ?? 10_000),
    ...(wish.neighbours ?? []).flatMap((url) => ['--neighbour', url]),
    ...(wish.dictionary === undefined ? [] : ['--dictionary', wish.dictionary]),
  ]);
  await fund(chain, made.operator, '10', '2000');
  return { name: wish.name, dir: home, ...made, apiUrl: `http://127.0.0.1:${apiPort}`, peerPort, process: undefined };
}

/** `picolo node start` (or another main, for tests of misbehaviour) and wait until it answers. */
export async function startProvider(provider: LocalProvider, onCrash?: (logFile: string) => void, main?: string): Promise<RunningProcess> {
  const child = startProcess({
    name: 'node', logDir: provider.dir, file: main ?? 'cli/main.ts',
    args: [...(main === undefined ? ['node', 'start'] : []), '--dir', provider.dir],
    ...(onCrash === undefined ? {} : { onCrash }),
  });
  provider.process = child;
  await waitFor(`${provider.name} at ${provider.apiUrl}`, child, async () => {
    const response = await fetch(`${provider.apiUrl}/v1/status`);
    return response.ok ? true : undefined;
  });
  return child;
}

/** `picolo provider stake`: registers, deposits, offers, announces. */
export function stakeProvider(provider: LocalProvider, amountPint?: string): Promise<Record<string, unknown>> {
  return picolo(['provider', 'stake', '--dir', provider.dir, ...(amountPint === undefined ? [] : ['--amount', amountPint])]);
}

export async function stopAll(processes: readonly (RunningProcess | undefined)[]): Promise<void> {
  await Promise.all(processes.map((child) => child?.stop()));
}
