import { isAbsolute, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseEther } from 'ethers';
import { loadDeployment } from '../contracts/index.ts';
import { isHex, type Hash32, type Hex } from '../protocol/types/index.ts';
import { connect, type Database, type Picolo } from '../sdk/index.ts';
import { loadNetworkFile, type NetworkFile } from './devnet/network-file.ts';
import { projectRoot } from './devnet/processes.ts';
import { cliFaults } from './faults.ts';
import { rpc } from './devnet/rpc.ts';

export interface ConnectionOptions {
  readonly url?: string;
  readonly rpc?: string;
  readonly deployment?: string;
  readonly key?: string;
  readonly channel?: string;
  readonly limit?: string;
  readonly database?: string;
}

/** Options of everything that talks to a node; a running `picolo dev` supplies what is left out. */
export function withConnection(command: Command): Command {
  return command
    .option('--url <url>', "any node's API (default: the local network)")
    .option('--rpc <url>', 'JSON-RPC of the chain, the root of trust (default: the local network)')
    .option('--deployment <dir>', 'folder with the addresses of the contracts (default: deployments/<chain id>)')
    .option('--key <hex>', 'private key that signs writes (default: PICOLO_KEY, or the local network\'s wallet)')
    .option('--channel <id>', 'payment channel to pay from, signed by the same key')
    .option('--limit <ether>', 'never promise more than this', '0.05');
}

/** Connects with the chain as the root of trust. */
export async function connectFrom(options: ConnectionOptions): Promise<Picolo> {
  const local = loadNetworkFile();
  const url = options.url ?? local?.url;
  if (url === undefined) throw cliFaults.noNetwork({ url: 'none given' });
  const rpcUrl = options.rpc ?? local?.rpc ?? 'http://127.0.0.1:8545';
  const key = keyFrom(options, local);
  const channel = (options.channel ?? (options.url === undefined ? local?.channel : undefined)) as Hash32 | undefined;
  const deployment = await deploymentAt(rpcUrl, options.deployment);
  return connect(url, {
    chain: { rpcUrl, deployment },
    ...(key === undefined ? {} : { key }),
    ...(channel === undefined ? {} : { payment: { channel, limitWei: parseEther(options.limit ?? '0.05') } }),
  });
}

export async function openDatabase(picolo: Picolo, options: ConnectionOptions): Promise<Database> {
  const id = options.database ?? loadNetworkFile()?.database;
  if (!isHex(id, 32)) throw cliFaults.badOption({ option: '--database', expected: 'the id of a database' });
  return picolo.database(id);
}

async function deploymentAt(rpcUrl: string, folder: string | undefined): Promise<Record<string, unknown>> {
  const chainId = Number(await rpc<string>(rpcUrl, 'eth_chainId'));
  const at = folder === undefined ? join(projectRoot, 'deployments', String(chainId)) : isAbsolute(folder) ? folder : resolve(folder);
  return { ...loadDeployment(chainId, at).addresses };
}

function keyFrom(options: ConnectionOptions, local: NetworkFile | undefined): Hex | undefined {
  const key = (options.key ?? (process.env['PICOLO_KEY'] || local?.key))?.toLowerCase();
  if (key !== undefined && !isHex(key, 32)) throw cliFaults.badOption({ option: '--key', expected: '0x and 64 hex digits' });
  return key;
}
