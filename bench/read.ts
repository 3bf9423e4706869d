/**
 * What does a row cost when it comes with its proof, and what when f + 1 nodes sign it? Every proof and signature is checked in
 * the client; better-sqlite3 point reads in one process stand beside them.
 *
 *   npm run bench -- read
 */
import { runClients, runSqlite } from './load/run.ts';
import { ceilingOf, medianOf, type Measured } from './measure.ts';
import { roundsOf, type BenchOptions } from './options.ts';
import { progress, ratio, type Figure } from './report.ts';
import { benchDatabase, clientKeys, settle, sqliteFile } from './world/database.ts';
import { withNetwork } from './world/network.ts';

export const question = 'Point reads: proven, and signed by f + 1, against one SQLite file';

const CLIENTS = [1, 16, 64];
const STORED_ROWS = 20_000;
const QUICK_ROWS = 2_000;

interface Case {
  readonly operation: 'read' | 'query';
  readonly clients: number;
  readonly picolo: Measured[];
  readonly sqlite: Measured[];
}

export async function run(options: BenchOptions): Promise<readonly Figure[]> {
  const { rounds, ...times } = roundsOf(options);
  const cases = (['read', 'query'] as const).flatMap((operation) =>
    (options.clients ?? CLIENTS).map((clients): Case => ({ operation, clients, picolo: [], sqlite: [] })));
  const rows = options.quick ? QUICK_ROWS : STORED_ROWS;
  await withNetwork(options, async ({ apis, pids, ...network }) => {
    const database = await benchDatabase({ apis, pids, ...network }, 'read bench', rows);
    await settle();
    for (let round = 0; round < rounds; round++) {
      for (const { operation, clients, picolo, sqlite } of cases) {
        const load = { ...times, clients };
        progress(`round ${round + 1} of ${rounds}: ${operation}, ${clients} clients`);
        const job = { operation, load, apis, serverPids: pids, database, keys: clientKeys(clients), rowsPerOperation: 1, ids: rows };
        picolo.push(await runClients(job, options.profileDir));
        sqlite.push(await runSqlite({ operation: 'read', load, file: sqliteFile, rowsPerOperation: 1, rows }));
      }
    }
  });
  return cases.map(figureOf);
}

function figureOf({ operation, clients, picolo, sqlite }: Case): Figure {
  const [ours, floor] = [medianOf(picolo), medianOf(sqlite)];
  return {
    what: operation === 'read' ? 'proven row' : 'quorum SELECT', clients, reads_s: ours.perSecond, p50_ms: ours.p50Ms, p99_ms: ours.p99Ms,
    replicas_cpu_s_per_1k: ours.serverCpuPer1k, client_cpu_s_per_1k: ours.clientCpuPer1k, ceiling_reads_s: ceilingOf(ours), failures: ours.failures,
    other_cores: ours.otherCores, sqlite_reads_s: floor.perSecond, sqlite_cpu_s_per_1k: floor.clientCpuPer1k,
    ratio_reads: ratio(ours.perSecond, floor.perSecond), ratio_cpu: ratio(ours.serverCpuPer1k + ours.clientCpuPer1k, floor.clientCpuPer1k),
  };
}
