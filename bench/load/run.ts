import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../cli/devnet/processes.ts';
import type { Load, Measured } from '../measure.ts';
import type { ClientsJob } from './clients.ts';
import type { SqliteJob } from './sqlite.ts';

/** What a load generator of another database needs to know. */
export interface PeerJob {
  readonly address: string;
  readonly load: Load;
  readonly serverPids: readonly number[];
  readonly rowsPerOperation: number;
  /** First fresh id. */
  readonly ids: number;
}

/** Start of the process, its connections and the last operations: on a busy machine, too. */
const GRACE_MS = 120_000;

const run = (file: './clients.ts' | './sqlite.ts' | './postgres.ts' | './etcd.ts', job: { readonly load: Load }, nodeFlags: readonly string[] = []): Promise<Measured> =>
  new Promise((resolve, reject) => {
    const args = ['--disable-warning=ExperimentalWarning', ...nodeFlags, join(projectRoot, 'bench/load', file), JSON.stringify(job)];
    const timeout = 1_000 * (job.load.warmupSeconds + job.load.seconds) + GRACE_MS;
    execFile(process.execPath, args, { cwd: projectRoot, maxBuffer: 2 ** 24, timeout, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (stderr !== '') process.stderr.write(stderr);
      if (error === null) resolve(JSON.parse(stdout) as Measured);
      else if (error.killed === true) reject(new Error(`${file} did not end within ${timeout} ms: some operation is never answered`));
      else reject(error);
    });
  });

export const runClients = (job: ClientsJob, profileDir?: string): Promise<Measured> =>
  run('./clients.ts', job, profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]);

export const runSqlite = (job: SqliteJob): Promise<Measured> => run('./sqlite.ts', job);

export const runPostgres = (job: PeerJob): Promise<Measured> => run('./postgres.ts', job);

export const runEtcd = (job: PeerJob): Promise<Measured> => run('./etcd.ts', job);
