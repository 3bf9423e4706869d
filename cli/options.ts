import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseEther } from 'ethers';
import { loadConfig, type NodeConfig } from '../node/config/index.ts';
import { loadKeystore, readPassword } from '../node/signer/index.ts';
import { addressOf } from '../protocol/crypto/index.ts';
import { bytesOf, hexOf, isHex, type Address, type Hex } from '../protocol/types/index.ts';
import { openNetwork, type Network } from '../sdk/operator/index.ts';
import { cliFaults } from './faults.ts';
import { createOutput, type Output } from './output.ts';

/** Output of the command, from the global `--json`. */
export function outputOf(command: Command): Output {
  return createOutput(command.optsWithGlobals<{ json?: boolean }>().json === true);
}

/** Options of everything that signs for an owner: key, chain, deployment. */
export function withWallet(command: Command): Command {
  return command
    .option('--rpc <url>', 'JSON-RPC of the chain', 'http://127.0.0.1:8545')
    .option('--deployment <dir>', 'folder with the addresses of the contracts (default: deployments/<chain id>)')
    .option('--key <hex>', 'private key (default: the environment variable PICOLO_KEY)')
    .option('--keystore <file>', 'key file instead of --key; its password is in PICOLO_PASSWORD or --password-file')
    .option('--password-file <file>', 'file with the password of the key file');
}

export interface WalletOptions {
  readonly rpc: string;
  readonly deployment?: string;
  readonly key?: string;
  readonly keystore?: string;
  readonly passwordFile?: string;
}

export async function walletKey(options: WalletOptions): Promise<Hex> {
  if (options.keystore !== undefined) {
    return hexOf(await loadKeystore({ path: options.keystore, password: await readPassword({ file: options.passwordFile }) }));
  }
  const key = options.key ?? process.env['PICOLO_KEY'];
  if (!isHex(key?.toLowerCase(), 32)) throw cliFaults.badOption({ option: '--key', expected: '0x and 64 hex digits, or set PICOLO_KEY' });
  return (key as string).toLowerCase() as Hex;
}

export async function networkOf(options: WalletOptions): Promise<Network> {
  const { rpc, deployment } = options;
  return openNetwork({ rpcUrl: rpc, key: await walletKey(options), ...(deployment === undefined ? {} : { deployment }) });
}

/** Runs an action with the wallet on the chain (by default the local one) and closes the connection whatever happens. */
export async function onChain<T>(options: Partial<WalletOptions>, action: (network: Network) => Promise<T>): Promise<T> {
  const network = await networkOf({ ...options, rpc: options.rpc ?? 'http://127.0.0.1:8545' });
  try {
    return await action(network);
  } finally {
    network.close();
  }
}

/** Who acts with a wallet or as the operator of a provider. */
export function withAccount(command: Command): Command {
  return withWallet(command).option('--dir <dir>', "the provider's folder: its operator, its chain, its node");
}

/** Runs an action with the wallet, or with the operator of `--dir` and the address of its node. */
export async function onAccount<T>(
  options: Partial<WalletOptions> & { readonly dir?: string }, action: (network: Network, node: Address | undefined) => Promise<T>,
): Promise<T> {
  if (options.dir === undefined) return onChain(options, (network) => action(network, undefined));
  const { network, nodeKey } = await openProvider(resolve(options.dir), options.passwordFile);
  try {
    return await action(network, addressOf(nodeKey));
  } finally {
    network.close();
  }
}

/** A provider's folder: its configuration, its operator on the chain, its node key. */
export async function openProvider(dir: string, passwordFile: string | undefined): Promise<{ config: NodeConfig; network: Network; nodeKey: Uint8Array }> {
  const config = loadConfig(dir);
  const password = await providerPassword(dir, passwordFile);
  const operator = await loadKeystore({ path: config.operatorKeyFile, password });
  const nodeKey = await loadKeystore({ path: config.nodeKeyFile, password });
  const network = await openNetwork({ rpcUrl: config.chain.rpcUrl, deployment: config.chain.deployment, key: hexOf(operator) });
  return { config, network, nodeKey };
}

/** `--password-file`, then `<dir>/password`, then PICOLO_PASSWORD. */
export function providerPassword(dir: string, passwordFile: string | undefined): Promise<string> {
  const beside = join(dir, 'password');
  return readPassword({ file: passwordFile ?? (existsSync(beside) ? beside : undefined) });
}

export function wholeNumber(option: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max) throw cliFaults.badOption({ option, value: text, expected: `${min} to ${max}` });
    return value;
  };
}

/** Capacity such as `50GB`, `50GiB` or `50`: whole gibibytes. */
export function capacity(text: string): number {
  const match = /^(\d+)(?:\s*(?:GB|GiB|G))?$/i.exec(text);
  const gib = Number(match?.[1]);
  if (!Number.isInteger(gib) || gib < 1 || gib > 1_000_000) throw cliFaults.badOption({ option: '--capacity', value: text, expected: 'such as 50GB' });
  return gib;
}

/** Amount of a token with 18 decimals, as wei. */
export function tokens(option: string): (text: string) => bigint {
  return (text) => {
    try {
      return parseEther(text);
    } catch {
      throw cliFaults.badOption({ option, value: text, expected: 'an amount such as 1050 or 0.5' });
    }
  };
}

export function hex32(option: string): (text: string) => Hex {
  return (text) => {
    const value = text.toLowerCase();
    if (!isHex(value, 32)) throw cliFaults.badOption({ option, value: text, expected: '0x and 64 hex digits' });
    bytesOf(value);
    return value;
  };
}

/** Adds the commands of a group, each with its example, and shows all of them in the help of the group. */
export function withExamples(group: Command, commands: readonly Command[], examples: Readonly<Record<string, string>>): Command {
  const lines = commands.map((command) => `  picolo ${group.name()} ${examples[command.name()] ?? command.name()}`);
  commands.forEach((command, i) => group.addCommand(command.addHelpText('after', `\nExample:\n${lines[i]}\n`)));
  return group.addHelpText('after', `\nExamples:\n${lines.join('\n')}\n`);
}
