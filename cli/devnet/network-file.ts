import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Address, Hex } from '../../protocol/types/index.ts';
import { projectRoot } from './processes.ts';

/** What `picolo dev` leaves for the other commands: where the local network is and who may use it. */
export interface NetworkFile {
  readonly rpc: string;
  /** One node's API, and all of them. */
  readonly url: string;
  readonly apis: readonly string[];
  /** A funded key of the local network; worthless elsewhere. */
  readonly key: Hex;
  readonly cluster: Hex;
  readonly group: Hex;
  readonly channel: Hex;
  readonly token: Address;
  readonly database: Hex;
  readonly addresses: Readonly<Record<string, Address>>;
}

const fileIn = (dir: string): string => join(dir, 'network.json');

export function saveNetworkFile(dir: string, network: NetworkFile): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(fileIn(dir), `${JSON.stringify(network, null, 2)}\n`, { mode: 0o600 });
}

/** The running local network's file, if there is one. */
export function loadNetworkFile(dir = join(projectRoot, '.picolo/dev')): NetworkFile | undefined {
  return existsSync(fileIn(dir)) ? (JSON.parse(readFileSync(fileIn(dir), 'utf8')) as NetworkFile) : undefined;
}
