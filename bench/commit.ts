/**
 * How many signed, agreed, durable commits per second, how fast each, and for how much CPU? Clients of the SDK against a
 * group of four replicas; in the same rotation better-sqlite3 alone (the floor of the machine) and, where they are
 * installed, PostgreSQL with a synchronous standby and etcd, all on the same disk.
 *
 *   npm run bench -- commit [--classic]
 */
import { startEtcd } from './peers/etcd.ts';
import { startPostgres } from './peers/postgres.ts';
import type { RunningPeer } from './peers/system.ts';
import { runClients, runEtcd, runPostgres, runSqlite, type PeerJob } from './load/run.ts';
import { ceilingOf, medianOf, type Load, type Measured } from './measure.ts';
import { roundsOf, type BenchOptions } from './options.ts';
import { progress, ratio, type Figure } from './report.ts';
import { benchDatabase, clientKeys, settle, sqliteFile } from './world/database.ts';
import { withNetwork } from './world/network.ts';

export const question = 'Durable commits: four replicas beside SQLite, PostgreSQL (one of two standbys) and etcd (three members)';

/** By rows per commit: 25,600 rows on their way at once would measure nothing but the queue. */
const CLIENTS: Readonly<Record<number, readonly number[]>> = { 1: [1, 16, 64, 256], 10: [64], 100: [1, 16, 64] };
const ROWS = [1, 10, 100];
const IDS_PER_CASE = 10_000_000;

interface Case {
  readonly clients: number;
  readonly rows: number;
  /** Rounds by system. */
  readonly measured: Map<string, Measured[]>;
}

/** A system that takes the same rows. */
interface System {
  readonly name: string;
  insert(load: Load, rows: number, ids: number): Promise<Measured>;
}

export async function run(options: BenchOptions): Promise<readonly Figure[]> {
  const cases = (options.rows ?? ROWS).flatMap((rows) => (options.clients ?? CLIENTS[rows] ?? []).map((clients): Case => ({ clients, rows, measured: new Map() })));
  await withNetwork(options, async (network) => {
    const database = await benchDatabase(network, 'commit bench');
    await settle();
    const { apis, pids, stop, others } = { ...network, ...await startPeers() };
    try {
      const picolo: System = {
        name: 'picolo',
        insert: (load, rows, ids) => runClients({
          operation: 'insert', load, apis, serverPids: pids, database, rowsPerOperation: rows, ids,
          keys: clientKeys(Math.min(load.clients, options.wallets ?? load.clients)),
        }, options.profileDir),
      };
      await rotate(options, cases, [picolo, sqlite, ...others]);
    } finally {
      await stop();
    }
  });
  return cases.map(figureOf);
}

const sqlite: System = {
  name: 'sqlite', insert: (load, rowsPerOperation) => runSqlite({ operation: 'insert', load, file: sqliteFile, rowsPerOperation, rows: 0 }),
};

async function startPeers(): Promise<{ others: readonly System[]; stop(): Promise<void> }> {
  const started: RunningPeer[] = [];
  const others: System[] = [];
  const add = (name: string, peer: RunningPeer | undefined, runLoad: (job: PeerJob) => Promise<Measured>): void => {
    if (peer === undefined) return console.error(`${name} is not installed: it is left out`);
    started.push(peer);
    const { address, pids: serverPids } = peer;
    others.push({ name, insert: (load, rowsPerOperation, ids) => runLoad({ address, load, serverPids, rowsPerOperation, ids }) });
  };
  add('postgres', await startPostgres(), runPostgres);
  add('etcd', await startEtcd(), runEtcd);
  return { others, stop: async () => void await Promise.all(started.map((peer) => peer.stop())) };
}

/** Round after round through all cases and systems, so that a busy minute does not fall on one of them alone. */
async function rotate(options: BenchOptions, cases: readonly Case[], systems: readonly System[]): Promise<void> {
  const { rounds, ...times } = roundsOf(options);
  let ids = 0;
  for (let round = 0; round < rounds; round++) {
    for (const { clients, rows, measured } of cases) {
      ids += IDS_PER_CASE;
      progress(`round ${round + 1} of ${rounds}: ${rows} rows per commit, ${clients} clients`);
      for (const { name, insert } of systems) {
        measured.set(name, [...(measured.get(name) ?? []), await insert({ ...times, clients }, rows, ids)]);
      }
    }
  }
}

function figureOf({ clients, rows, measured }: Case): Figure {
  const of = (name: string): Measured | undefined => (measured.has(name) ? medianOf(measured.get(name) ?? []) : undefined);
  const ours = of('picolo') as Measured;
  const beside = (name: string): Figure => {
    const theirs = of(name);
    if (theirs === undefined) return {};
    const ceiling = ceilingOf(theirs);
    return {
      [`${name}_s`]: theirs.perSecond, [`${name}_p50_ms`]: theirs.p50Ms, [`${name}_ceiling`]: ceiling,
      [`of_${name}`]: ratio(ours.perSecond, theirs.perSecond), [`of_${name}_ceiling`]: ratio(ceilingOf(ours), ceiling),
    };
  };
  return {
    rows, clients, commits_s: ours.perSecond, rows_s: ours.perSecond * rows, p50_ms: ours.p50Ms, p99_ms: ours.p99Ms, longest_ms: ours.longestMs,
    replicas_cpu_s_per_1k: ours.serverCpuPer1k, client_cpu_s_per_1k: ours.clientCpuPer1k, ceiling: ceilingOf(ours), failures: ours.failures,
    other_cores: ours.otherCores, ...beside('sqlite'), ...beside('postgres'), ...beside('etcd'),
  };
}
