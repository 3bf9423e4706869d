/**
 * PostgreSQL with two standbys of which one must have flushed before a commit returns (ANY 1): the usual durable,
 * replicated database. Debian's packages postgresql-NN; any installed version will do.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../cli/devnet/processes.ts';
import { TABLE_SQL } from '../world/row.ts';
import { accountOf, listening, peerFolder, runToEnd, startPeer, type PeerProcess, type RunningPeer } from './system.ts';

const PACKAGES = '/usr/lib/postgresql';
const USER = 'bench';
const STANDBYS = 2;

/** Undefined when it is not installed. */
export async function startPostgres(): Promise<RunningPeer | undefined> {
  const bin = binaries();
  if (bin === undefined) return undefined;
  const account = accountOf('postgres');
  const folder = peerFolder('postgres', account);
  const port = await freePort();
  const processes: PeerProcess[] = [];
  const primary = join(folder, 'primary');
  const serve = async (name: string, at: number): Promise<void> => {
    processes.push(startPeer(`postgres-${name}`, join(bin, 'postgres'), ['-D', join(folder, name), '-p', String(at)], account));
    await listening(at);
  };
  const sql = (text: string): Promise<string> =>
    runToEnd(join(bin, 'psql'), ['-h', '127.0.0.1', '-p', String(port), '-U', USER, '-d', 'postgres', '-qAtc', text]);
  await runToEnd(join(bin, 'initdb'), ['-D', primary, '-A', 'trust', '-U', USER, '-E', 'UTF8', '--locale=C'], account);
  writeFileSync(join(primary, 'postgresql.conf'), settings(folder), { flag: 'a' });
  await serve('primary', port);
  for (let i = 1; i <= STANDBYS; i++) {
    const copy = ['-h', '127.0.0.1', '-p', String(port), '-U', USER, '-D', join(folder, `standby-${i}`), '-X', 'stream', '-c', 'fast', '-R'];
    await runToEnd(join(bin, 'pg_basebackup'), [...copy, '-d', `application_name=standby${i}`], account);
    await serve(`standby-${i}`, await freePort());
  }
  await sql(TABLE_SQL.replaceAll('INTEGER', 'BIGINT'));
  await sql("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (standby1, standby2)'");
  await sql('SELECT pg_reload_conf()');
  return {
    address: `postgres://${USER}@127.0.0.1:${port}/postgres`,
    pids: processes.map(({ pid }) => pid),
    stop: async () => void await Promise.all(processes.map((child) => child.stop())),
  };
}

function binaries(): string | undefined {
  const versions = existsSync(PACKAGES) ? readdirSync(PACKAGES).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(PACKAGES, version, 'bin')).find((bin) => existsSync(join(bin, 'postgres')));
}

const settings = (folder: string): string => `
listen_addresses = '127.0.0.1'
unix_socket_directories = '${folder}'
max_connections = 320
shared_buffers = 256MB
max_wal_size = 4GB
checkpoint_timeout = 30min
wal_level = replica
fsync = on
synchronous_commit = on
hot_standby = on
autovacuum = off
`;
