import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { Wallet } from 'ethers';
import { addressFrom, ZERO_ADDRESS, type Hex } from '../../protocol/types/index.ts';
import { createProvider, fund, stakeProvider, startChain, startProvider, type LocalChain, type LocalProvider } from '../devnet/network.ts';
import { saveNetworkFile, type NetworkFile } from '../devnet/network-file.ts';
import { picolo } from '../devnet/commands.ts';
import { projectRoot, stopEverything } from '../devnet/processes.ts';
import { cliFaults } from '../faults.ts';
import { outputOf, wholeNumber } from '../options.ts';
import type { Output } from '../output.ts';

const FIRST_API_PORT = 4101;

export function devCommand(): Command {
  return new Command('dev')
    .description('A local network on this machine until Ctrl-C: chain, contracts, staked providers, a funded wallet, a cluster.')
    .option('--providers <n>', 'how many providers', wholeNumber('--providers', 4, 16), 4)
    .option('--chain-port <port>', 'port of the chain', wholeNumber('--chain-port', 1, 65_535), 8545)
    .option('--api-port <port>', 'port of the first provider; the others follow', wholeNumber('--api-port', 1, 65_000), FIRST_API_PORT)
    .option('--dir <dir>', 'where its files go; emptied at the start', join(projectRoot, '.picolo/dev'))
    .option('--deployment <dir>', 'where the addresses of the contracts go', join(projectRoot, 'deployments', '31337'))
    .addHelpText('after', '\nExample:\n  picolo dev\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const stopped = new Promise<void>((done) => {
        process.once('SIGINT', () => done());
        process.once('SIGTERM', () => done());
      });
      const network = runNetwork(out, {
        dir: resolve(options.dir as string), deployment: resolve(options.deployment as string), providers: options.providers as number,
        chainPort: options.chainPort as number, apiPort: options.apiPort as number,
      });
      try {
        await Promise.race([stopped, network]);
      } finally {
        out.line('\nStopping …');
        await stopEverything(); // also what a start that was interrupted has begun
        await network.catch(() => undefined);
      }
    });
}

interface DevNetwork {
  readonly dir: string;
  readonly deployment: string;
  readonly providers: number;
  readonly chainPort: number;
  readonly apiPort: number;
}

/** Starts everything, says where it is, and then fails when the chain ends. */
async function runNetwork(out: Output, { dir, deployment, providers, chainPort, apiPort }: DevNetwork): Promise<never> {
  const crashed = (log: string): void => void process.stderr.write(`${cliFaults.childFailed({ log }).message}\n`);
  rmSync(dir, { recursive: true, force: true });
  out.line('Starting the chain and deploying the contracts …');
  const chain = await startChain(dir, { port: chainPort, deployment });
  const started: LocalProvider[] = [];
  for (let i = 0; i < providers; i++) {
    const provider = await createProvider(dir, chain, { name: `provider-${i + 1}`, apiPort: apiPort + i });
    await stakeProvider(provider);
    await startProvider(provider, crashed);
    started.push(provider);
    out.progress('Providers staked and serving', i + 1, providers);
  }
  const network = await openCluster(dir, chain, started);
  print(out, network, started);
  out.result(network);
  return chainEnded(chain);
}

async function openCluster(dir: string, chain: LocalChain, providers: readonly LocalProvider[]): Promise<NetworkFile> {
  const wallet = Wallet.createRandom();
  const key = wallet.privateKey as Hex;
  await fund(chain, addressFrom(wallet.address), '100', '10000');
  const at = ['--rpc', chain.rpcUrl, '--deployment', chain.deployment];
  const made = await picolo<{ cluster: Hex; group: Hex; channel: Hex }>(['cluster', 'create', ...at, '--replicas', '4'], { PICOLO_KEY: key });
  const apis = providers.map((provider) => provider.apiUrl);
  const ordered = { rpc: chain.rpcUrl, url: apis[0] as string, apis, key, ...made };
  const { database } = await picolo<{ database: Hex }>(
    ['db', 'create', ...at, '--url', ordered.url, '--group', made.group, '--name', 'app'], { PICOLO_KEY: key },
  );
  const network: NetworkFile = { ...ordered, token: ZERO_ADDRESS, database, addresses: chain.addresses };
  saveNetworkFile(dir, network);
  return network;
}

function print(out: Output, network: NetworkFile, providers: readonly LocalProvider[]): void {
  out.title('Picolo runs on this machine');
  out.table(['what', 'where'], [
    ['chain', network.rpc],
    ...providers.map((provider) => [provider.name, provider.apiUrl]),
    ...Object.entries(network.addresses),
    ['wallet key', network.key], ['cluster', network.cluster], ['group', network.group], ['database', network.database],
  ]);
  out.title('Try');
  out.line('  npx picolo sql -c "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"');
  out.line('  npx picolo sql -c "INSERT INTO notes (id, text) VALUES (1, \'verified\')"');
  out.line('  npx picolo sql -c "SELECT * FROM notes"');
  out.line('\nCtrl-C stops everything.');
}

async function chainEnded(chain: LocalChain): Promise<never> {
  while (chain.process.alive()) await new Promise((resolve) => setTimeout(resolve, 500));
  throw cliFaults.childFailed({ log: chain.process.logFile });
}
