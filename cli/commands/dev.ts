import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { Wallet } from 'ethers';
import { addressFrom, ZERO_ADDRESS, type Hex } from '../../protocol/types/index.ts';
import { createProvider, fund, stakeProvider, startChain, startProvider, stopAll, type LocalChain, type LocalProvider } from '../devnet/network.ts';
import { saveNetworkFile, type NetworkFile } from '../devnet/network-file.ts';
import { picolo } from '../devnet/commands.ts';
import { projectRoot } from '../devnet/processes.ts';
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
    .addHelpText('after', '\nExample:\n  picolo dev\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const dir = resolve(options.dir as string);
      const started: LocalProvider[] = [];
      let chain: LocalChain | undefined;
      const stop = new Promise<void>((done) => {
        process.once('SIGINT', () => done());
        process.once('SIGTERM', () => done());
      });
      const crashed = (log: string): void => void process.stderr.write(`${cliFaults.childFailed({ log }).message}\n`);
      try {
        rmSync(dir, { recursive: true, force: true });
        out.line('Starting the chain and deploying the contracts …');
        chain = await startChain(dir, { port: options.chainPort as number, deployment: join(projectRoot, 'deployments', '31337') });
        const count = options.providers as number;
        for (let i = 0; i < count; i++) {
          const provider = await createProvider(dir, chain, { name: `provider-${i + 1}`, apiPort: (options.apiPort as number) + i });
          await stakeProvider(provider);
          await startProvider(provider, crashed);
          started.push(provider);
          out.progress('Providers staked and serving', i + 1, count);
        }
        const network = await openCluster(dir, chain, started);
        print(out, network, started);
        out.result(network);
        await Promise.race([stop, chainEnded(chain)]);
      } finally {
        out.line('\nStopping …');
        await stopAll(started.map((provider) => provider.process));
        await chain?.process.stop();
      }
    });
}

async function openCluster(dir: string, chain: LocalChain, providers: readonly LocalProvider[]): Promise<NetworkFile> {
  const wallet = Wallet.createRandom();
  const key = wallet.privateKey as Hex;
  await fund(chain, addressFrom(wallet.address), '100', '10000');
  const made = await picolo<{ cluster: Hex; group: Hex; channel: Hex }>(['cluster', 'create', '--rpc', chain.rpcUrl, '--replicas', '4'], { PICOLO_KEY: key });
  const apis = providers.map((provider) => provider.apiUrl);
  const ordered = { rpc: chain.rpcUrl, url: apis[0] as string, apis, key, ...made };
  const { database } = await picolo<{ database: Hex }>(
    ['db', 'create', '--rpc', chain.rpcUrl, '--url', ordered.url, '--group', made.group, '--name', 'app'], { PICOLO_KEY: key },
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

async function chainEnded(chain: LocalChain): Promise<void> {
  while (chain.process.alive()) await new Promise((resolve) => setTimeout(resolve, 500));
  throw cliFaults.childFailed({ log: chain.process.logFile });
}
