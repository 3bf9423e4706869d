import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { parse, stringify } from 'smol-toml';
import { limits } from '../../protocol/limits/index.ts';
import { regionCode, type Region } from '../../protocol/types/index.ts';
import { configFaults } from './errors.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Group settings that differ between a local network and a wide one; milliseconds. */
export interface GroupTiming {
  readonly clockWindowMs: number;
  readonly viewDurationMs: number;
  readonly commandTimeoutMs: number;
  readonly closeIntervalMs: number;
  readonly checkpointIntervalMs: number;
}

export interface NodeConfig {
  readonly dir: string;
  readonly region: Region;
  readonly capacityGib: number;
  readonly dataDir: string;
  readonly operatorKeyFile: string;
  readonly nodeKeyFile: string;
  readonly chain: { readonly rpcUrl: string; readonly deployment: string; readonly confirmations: number };
  /** `libp2p`: links between nodes over libp2p instead of TLS. `requestsPerMinute`: what one client address may ask for. */
  readonly listen: { readonly api: Endpoint; readonly peers: Endpoint; readonly libp2p: boolean; readonly requestsPerMinute: number };
  readonly mx: { readonly neighbours: readonly string[]; readonly dictionaryFile: string | undefined };
  /** `historyMs`: how far AS OF and catch-up by replay reach back. */
  readonly group: GroupTiming & { readonly classicOnly: boolean; readonly historyMs: number };
  readonly poqIntervalMs: number;
  /** Unanswered PoQ questions in a row after which this node challenges the silent member on chain; 0: never. */
  readonly challengeAfter: number;
}

type Table = Record<string, unknown>;

/** Reads `<dir>/picolo.toml`; relative paths in it are relative to `dir`. */
export function loadConfig(dir: string): NodeConfig {
  const file = join(dir, 'picolo.toml');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw configFaults.missing({ file }, error);
  }
  return parseConfig(text, dir);
}

export function parseConfig(text: string, dir: string): NodeConfig {
  const root = readToml(text);
  const node = section(root, 'node', ['region', 'capacity_gib', 'data']);
  const keys = section(root, 'keys', ['operator', 'node']);
  const chain = section(root, 'chain', ['rpc', 'deployment', 'confirmations']);
  const listen = section(root, 'listen', ['api', 'peers', 'libp2p', 'requests_per_minute']);
  const mx = section(root, 'mx', ['neighbours', 'dictionary']);
  const group = section(root, 'group', [
    'classic_only', 'clock_window_ms', 'view_duration_ms', 'command_timeout_ms', 'close_interval_ms', 'checkpoint_interval_ms', 'history_ms',
  ]);
  const poq = section(root, 'poq', ['interval_ms', 'challenge_after']);
  for (const name of Object.keys(root)) {
    if (!['node', 'keys', 'chain', 'listen', 'mx', 'group', 'poq'].includes(name)) throw configFaults.unknownKey({ key: name });
  }
  const at = (path: string): string => (isAbsolute(path) ? path : join(dir, path));
  const region = str(node, 'node.region');
  regionCode(region);
  const dictionary = optional(mx, 'mx.dictionary', str);
  return Object.freeze({
    dir,
    region: region as Region,
    capacityGib: int(node, 'node.capacity_gib'),
    dataDir: at(optional(node, 'node.data', str) ?? 'data'),
    operatorKeyFile: at(optional(keys, 'keys.operator', str) ?? 'keys/operator.json'),
    nodeKeyFile: at(optional(keys, 'keys.node', str) ?? 'keys/node.json'),
    chain: {
      rpcUrl: str(chain, 'chain.rpc'),
      deployment: at(str(chain, 'chain.deployment')),
      confirmations: optional(chain, 'chain.confirmations', int) ?? 0,
    },
    listen: {
      api: endpoint(listen, 'listen.api'), peers: endpoint(listen, 'listen.peers'),
      libp2p: optional(listen, 'listen.libp2p', flag) ?? false,
      requestsPerMinute: optional(listen, 'listen.requests_per_minute', int) ?? limits.requestsPerMinute,
    },
    mx: { neighbours: optional(mx, 'mx.neighbours', strings) ?? [], dictionaryFile: dictionary === undefined ? undefined : at(dictionary) },
    group: {
      classicOnly: optional(group, 'group.classic_only', flag) ?? false,
      clockWindowMs: optional(group, 'group.clock_window_ms', int) ?? 15,
      viewDurationMs: optional(group, 'group.view_duration_ms', int) ?? 60_000,
      commandTimeoutMs: optional(group, 'group.command_timeout_ms', int) ?? 2_000,
      closeIntervalMs: optional(group, 'group.close_interval_ms', int) ?? 200,
      checkpointIntervalMs: optional(group, 'group.checkpoint_interval_ms', int) ?? 1_000,
      historyMs: optional(group, 'group.history_ms', int) ?? limits.historyMs,
    },
    poqIntervalMs: optional(poq, 'poq.interval_ms', int) ?? 10_000,
    challengeAfter: optional(poq, 'poq.challenge_after', int) ?? 0,
  });
}

/** TOML text of the settings a new provider starts with. */
export function renderConfig(settings: {
  readonly region: string; readonly capacityGib: number; readonly rpcUrl: string; readonly deployment: string;
  readonly api: Endpoint; readonly peers: Endpoint; readonly neighbours?: readonly string[]; readonly dictionary?: string;
  readonly poqIntervalMs?: number;
}): string {
  const text = (value: Endpoint): string => `${value.host}:${value.port}`;
  return stringify({
    node: { region: settings.region, capacity_gib: settings.capacityGib },
    chain: { rpc: settings.rpcUrl, deployment: settings.deployment },
    listen: { api: text(settings.api), peers: text(settings.peers) },
    mx: { neighbours: [...(settings.neighbours ?? [])], ...(settings.dictionary === undefined ? {} : { dictionary: settings.dictionary }) },
    poq: { interval_ms: settings.poqIntervalMs ?? 10_000 },
  });
}

function readToml(text: string): Table {
  try {
    return parse(text) as Table;
  } catch (error) {
    throw configFaults.notToml({ reason: error instanceof Error ? error.message.split('\n')[0] : 'unknown' });
  }
}

function section(root: Table, name: string, known: readonly string[]): Table {
  const value = root[name] ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) throw configFaults.badValue({ key: name, expected: 'a section' });
  for (const key of Object.keys(value)) if (!known.includes(key)) throw configFaults.unknownKey({ key: `${name}.${key}` });
  return value as Table;
}

const last = (key: string): string => key.slice(key.indexOf('.') + 1);

function required(table: Table, key: string): unknown {
  const value = table[last(key)];
  if (value === undefined) throw configFaults.missingKey({ key });
  return value;
}

function optional<T>(table: Table, key: string, read: (table: Table, key: string) => T): T | undefined {
  return table[last(key)] === undefined ? undefined : read(table, key);
}

function str(table: Table, key: string): string {
  const value = required(table, key);
  if (typeof value !== 'string' || value === '') throw configFaults.badValue({ key, expected: 'a non-empty text' });
  return value;
}

function strings(table: Table, key: string): string[] {
  const value = required(table, key);
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) throw configFaults.badValue({ key, expected: 'a list of texts' });
  return value as string[];
}

function int(table: Table, key: string): number {
  const value = required(table, key);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw configFaults.badValue({ key, expected: 'a whole number' });
  return value;
}

function flag(table: Table, key: string): boolean {
  const value = required(table, key);
  if (typeof value !== 'boolean') throw configFaults.badValue({ key, expected: 'true or false' });
  return value;
}

function endpoint(table: Table, key: string): Endpoint {
  const value = str(table, key);
  const at = value.lastIndexOf(':');
  const port = Number(value.slice(at + 1));
  if (at <= 0 || !Number.isInteger(port) || port < 0 || port > 65_535) throw configFaults.badValue({ key, expected: 'HOST:PORT' });
  return { host: value.slice(0, at), port };
}
