/**
 * Four real node processes under a load of writes while machines, links and disks fail. Everything that goes wrong is drawn
 * from one seed; what the processes make of it is not, so a run is repeatable in its faults only.
 */
import { spawnSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProvider, type LocalProvider } from '../../../cli/devnet/network.ts';
import { projectRoot } from '../../../cli/devnet/processes.ts';
import { loadDeployment } from '../../../contracts/index.ts';
import type { Database } from '../../../sdk/index.ts';
import { stream, type Random } from '../../sim/random.ts';
import { groupAt, logOf, sameHeight, troubleIn } from '../group.ts';
import { eventually, openWorld, type Dapp, type World } from '../world.ts';
import { listFaults, readJournals, readLedgers, Statements } from './checks.ts';
import { Links, putBehind } from './links.ts';
import { ChaosLoad, LISTS, SCHEMA } from './load.ts';

const MAIN = relative(projectRoot, fileURLToPath(new URL('./node.ts', import.meta.url)));
const INSERTERS = 3;
const APPENDERS = 3;
const HEAL_MS = 120_000;
const FULL_DISK_BYTES = 64 * 1024;

export interface ChaosWish {
  readonly seed: bigint;
  readonly durationMs: number;
  readonly onEvent?: (line: string) => void;
}

export interface ChaosReport {
  readonly seed: string;
  readonly seconds: number;
  /** How often each fault happened. */
  readonly faults: Readonly<Record<string, number>>;
  readonly acknowledgedRows: number;
  readonly acknowledgedAppends: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly longestPauseMs: number;
  readonly blocksRead: number;
  readonly statementsRead: number;
  readonly viewChanges: number;
  /** Empty when everything held. */
  readonly broken: readonly string[];
}

export async function runChaos(wish: ChaosWish): Promise<ChaosReport> {
  const chaos = new Chaos(wish);
  try {
    await chaos.prepare();
    await chaos.storm();
    return await chaos.judge();
  } finally {
    await chaos.close();
  }
}

type FaultName = 'kill' | 'stop' | 'isolate' | 'slow' | 'fullDisk' | 'restart' | 'killAll';
const FAULTS: readonly FaultName[] = ['kill', 'kill', 'stop', 'stop', 'isolate', 'isolate', 'slow', 'slow', 'fullDisk', 'restart', 'killAll'];

class Chaos {
  private readonly wish: ChaosWish;
  private readonly random: Random;
  private readonly statements = new Statements();
  private readonly load = new ChaosLoad();
  private readonly faults: Record<string, number> = {};
  private readonly links = new Links((node) => this.world?.providers[node]?.process?.pid ?? -1);
  private world!: World;
  private dapp!: Dapp;
  private db!: Database;

  constructor(wish: ChaosWish) {
    this.wish = wish;
    this.random = stream(wish.seed, 'chaos');
  }

  async prepare(): Promise<void> {
    this.world = await openWorld();
    for (const [index, provider] of this.world.providers.entries()) {
      await putBehind(this.links, provider, index);
      await provider.process?.stop();
      await this.start(index);
    }
    this.dapp = await this.world.order();
    this.db = await (await this.connect()).createDatabase({ group: this.dapp.group, name: 'chaos', writers: 'any', schema: SCHEMA });
    for (let id = 0; id < LISTS; id++) await this.db.table('list').insert({ id, items: '' });
  }

  async storm(): Promise<void> {
    const open = (): Promise<Database> => this.connect().then((picolo) => picolo.database(this.db.id));
    const sessions = await Promise.all(Array.from({ length: INSERTERS + APPENDERS }, open));
    this.load.start(sessions.slice(0, INSERTERS), sessions.slice(INSERTERS));
    const untilMs = performance.now() + this.wish.durationMs;
    while (performance.now() < untilMs) {
      await sleep(500 + 2_500 * this.random.unit());
      await this.fault(this.random.pick(FAULTS));
    }
    this.links.heal();
    await this.load.stop();
  }

  async judge(): Promise<ChaosReport> {
    const broken = await this.livingFaults();
    const { domain } = loadDeployment(31_337, this.world.chain.deployment);
    const dataDirs = this.world.providers.map(({ dir }) => join(dir, 'data'));
    for (const provider of this.world.providers) {
      await provider.process?.stop();
      await readJournals(this.statements, provider.node, join(provider.dir, 'data'), domain);
    }
    const { blocks } = readLedgers(this.statements, dataDirs, domain);
    const { kept, appends, failures, longestMs } = this.load;
    return {
      seed: String(this.wish.seed), seconds: Math.round(this.wish.durationMs / 1000), faults: this.faults, acknowledgedRows: kept.length,
      acknowledgedAppends: appends.filter(({ endedMs }) => endedMs !== undefined).length, failures: Object.fromEntries(failures),
      longestPauseMs: Math.round(longestMs), blocksRead: blocks, statementsRead: this.statements.count, viewChanges: this.logged('consensus viewEntered'),
      broken: [...broken, ...this.statements.contradictions],
    };
  }

  async close(): Promise<void> {
    for (const { process: child } of this.world?.providers ?? []) if (child?.alive() === true) process.kill(child.pid, 'SIGCONT');
    await this.world?.close();
    await this.links.close();
  }

  /** Rows, lists, one state everywhere, no accusation, no replica that stopped for good. */
  private async livingFaults(): Promise<string[]> {
    const { providers } = this.world;
    const broken: string[] = [];
    const note = (what: string, list: readonly unknown[]): void => {
      if (list.length > 0) broken.push(`${what}: ${JSON.stringify(list.slice(0, 5))} (${list.length})`);
    };
    for (const index of providers.keys()) await this.live(index).catch((error: Error) => broken.push(error.message));
    const reader = await (await this.connect()).database(this.db.id);
    await eventually('a write after the storm', () => reader.table('kept').insert({ id: -1, worker: -1 }).then(() => true as const), HEAL_MS);
    const found = new Set((await reader.sql`SELECT id FROM kept`).map(({ id }) => Number(id)));
    note('acknowledged rows that are gone', this.load.kept.filter((id) => !found.has(id)));
    const lists = (await reader.sql`SELECT id, items FROM list`).map(({ id, items }) => (
      [Number(id), String(items).split(' ').filter((item) => item !== '')] as const));
    note('lists', listFaults(this.load.appends, new Map(lists)));
    const checkpoints = await sameHeight(providers, this.dapp.group).catch(() => []);
    if (new Set(checkpoints.map(({ stateRoot }) => stateRoot)).size !== 1) broken.push('the members do not hold one state');
    note('offences seen', providers.flatMap((provider) => logOf(provider).filter(({ msg }) => msg === 'offence seen')));
    note('quarantined', providers.flatMap((provider) => logOf(provider).filter(({ msg }) => msg === 'consensus quarantined')));
    // a disk that was full stops a replica, and must; nothing else does
    note('stopped', providers.flatMap((provider) => troubleIn(provider)).filter((line) => !/disk|flush|guard|FULL|journal/i.test(JSON.stringify(line))));
    return broken;
  }

  private async fault(name: FaultName): Promise<void> {
    const node = this.random.int(this.world.providers.length);
    this.faults[name] = (this.faults[name] ?? 0) + 1;
    this.wish.onEvent?.(`${name} ${node}; ${this.load.kept.length} rows, ${this.load.appends.length} appends`);
    const lasting = 500 + 3_500 * this.random.unit();
    switch (name) {
      case 'kill': return this.whileDown([node], lasting, (child) => child.kill());
      case 'restart': return this.whileDown([node], 100, (child) => child.stop());
      case 'killAll': return this.whileDown([...this.world.providers.keys()], 200, (child) => child.kill());
      case 'stop': return this.paused(node, lasting);
      case 'isolate':
        this.links.isolate(node);
        break;
      case 'slow':
        this.links.slow(node, (node + 1) % this.world.providers.length, 20 + 180 * this.random.unit());
        break;
      case 'fullDisk': return this.fullDisk(node, lasting);
    }
    await sleep(lasting);
    this.links.heal();
  }

  private async whileDown(nodes: readonly number[], lasting: number, end: (child: NonNullable<LocalProvider['process']>) => Promise<void>): Promise<void> {
    await Promise.all(nodes.map((node) => end(this.child(node))));
    const { domain } = loadDeployment(31_337, this.world.chain.deployment);
    for (const node of nodes) await readJournals(this.statements, this.provider(node).node, join(this.provider(node).dir, 'data'), domain);
    await sleep(lasting);
    await Promise.all(nodes.map((node) => this.start(node)));
  }

  private async paused(node: number, lasting: number): Promise<void> {
    const { pid } = this.child(node);
    process.kill(pid, 'SIGSTOP');
    await sleep(lasting);
    process.kill(pid, 'SIGCONT');
  }

  /** No file may grow any more; the operator frees the disk and restarts the node. */
  private async fullDisk(node: number, lasting: number): Promise<void> {
    spawnSync('prlimit', ['--pid', String(this.child(node).pid), `--fsize=${FULL_DISK_BYTES}`]);
    await sleep(lasting);
    await this.whileDown([node], 0, (child) => child.kill());
  }

  /** A machine that is too busy for a start is one more fault of the storm; who stays away for good is found in the end. */
  private async start(node: number): Promise<void> {
    await startProvider(this.provider(node), undefined, MAIN).catch((error: unknown) => {
      if (!this.child(node).alive()) throw error;
    });
  }

  private live(node: number): Promise<true> {
    return eventually(`${this.provider(node).name} is live`, async () => (
      (await groupAt(this.provider(node), this.dapp.group))?.state === 'live' ? true : undefined), HEAL_MS);
  }

  private connect(): ReturnType<World['connect']> {
    const { key, channel } = this.dapp;
    return this.world.connect({ key, timeoutMs: 15_000, payment: { channel, limitWei: 10n ** 17n, aheadWei: 10n ** 15n } });
  }

  private logged(message: string): number {
    return this.world.providers.reduce((sum, provider) => sum + logOf(provider).filter(({ msg }) => msg === message).length, 0);
  }

  private provider(node: number): LocalProvider {
    return this.world.providers[node] as LocalProvider;
  }

  private child(node: number): NonNullable<LocalProvider['process']> {
    const child = this.provider(node).process;
    if (child === undefined) throw new Error(`${this.provider(node).name} does not run`);
    return child;
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
