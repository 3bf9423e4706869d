/**
 * How many signed, agreed, durable commits per second, how fast each, and for how much CPU? Clients of the SDK against a
 * group of four replicas, side by side with better-sqlite3 alone on the same disk (the floor of the machine).
 *
 *   npm run bench -- commit
 */
import { runClients, runSqlite } from './load/run.ts';
import { ceilingOf, medianOf, type Measured } from './measure.ts';
import { roundsOf, type BenchOptions } from './options.ts';
import { ratio, type Figure } from './report.ts';
import { benchDatabase, clientKeys, settle, sqliteFile } from './world/database.ts';
import { withNetwork, type BenchNetwork } from './world/network.ts';

export const question = 'Durable commits: four replicas against one SQLite file';

/** By rows per commit: 25,600 rows on their way at once would measure nothing but the queue. */
const CLIENTS: Readonly<Record<number, readonly number[]>> = { 1: [1, 16, 64, 256], 100: [1, 16, 64] };
const ROWS = [1, 100];
const IDS_PER_CASE = 10_000_000;

interface Case {
  readonly clients: number;
  readonly rows: number;
  readonly picolo: Measured[];
  readonly sqlite: Measured[];
}

export async function run(options: BenchOptions): Promise<readonly Figure[]> {
  const cases = (options.rows ?? ROWS).flatMap((rows) => (options.clients ?? CLIENTS[rows] ?? []).map((clients): Case => ({ clients, rows, picolo: [], sqlite: [] })));
  await withNetwork(options, async (network) => {
    const database = await benchDatabase(network, 'commit bench');
    await settle();
    await rotate(options, cases, network, database);
  });
  return cases.map(figureOf);
}

/** Round after round through all cases, so that a busy minute does not fall on one of them alone. */
async function rotate(options: BenchOptions, cases: readonly Case[], { apis, pids }: BenchNetwork, database: string): Promise<void> {
  const { rounds, ...times } = roundsOf(options);
  let ids = 0;
  for (let round = 0; round < rounds; round++) {
    for (const { clients, rows, picolo, sqlite } of cases) {
      const load = { ...times, clients };
      picolo.push(await runClients({
        operation: 'insert', load, apis, serverPids: pids, database, keys: clientKeys(clients), rowsPerOperation: rows, ids: (ids += IDS_PER_CASE),
      }, options.profileDir));
      sqlite.push(await runSqlite({ operation: 'insert', load, file: sqliteFile, rowsPerOperation: rows, rows: 0 }));
    }
  }
}

function figureOf({ clients, rows, picolo, sqlite }: Case): Figure {
  const [ours, floor] = [medianOf(picolo), medianOf(sqlite)];
  return {
    rows, clients, commits_s: ours.perSecond, rows_s: ours.perSecond * rows, p50_ms: ours.p50Ms, p99_ms: ours.p99Ms,
    replicas_cpu_s_per_1k: ours.serverCpuPer1k, client_cpu_s_per_1k: ours.clientCpuPer1k, ceiling_commits_s: ceilingOf(ours), failures: ours.failures,
    other_cores: ours.otherCores, sqlite_commits_s: floor.perSecond, sqlite_p50_ms: floor.p50Ms, sqlite_cpu_s_per_1k: floor.clientCpuPer1k,
    sqlite_other_cores: floor.otherCores, ratio_commits: ratio(ours.perSecond, floor.perSecond),
    ratio_cpu: ratio(ours.serverCpuPer1k + ours.clientCpuPer1k, floor.clientCpuPer1k),
  };
}
