/** Programs of other projects as peers of a bench: started on loopback over a folder of their own, stopped by pid. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { chownSync, createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { projectRoot } from '../../cli/devnet/processes.ts';

/** A peer that runs: where clients reach it, and the processes whose CPU counts. */
export interface RunningPeer {
  readonly address: string;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** Root may not run PostgreSQL: the account of its package does. Empty for everybody else. */
export function accountOf(name: string): Account {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

/** An empty folder on the disk that is measured. */
export function peerFolder(name: string, { uid, gid }: Account = {}): string {
  const folder = join(projectRoot, '.picolo/bench-peers', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  return folder;
}

export function runToEnd(command: string, args: readonly string[], account: Account = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { ...account }, (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(stderr || error.message))));
  });
}

export interface PeerProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Runs until `stop`; what it prints goes to `<folder>/<name>.log` of the bench. */
export function startPeer(name: string, command: string, args: readonly string[], account: Account = {}): PeerProcess {
  const logs = join(projectRoot, '.picolo/bench-peers');
  mkdirSync(logs, { recursive: true });
  const log = createWriteStream(join(logs, `${name}.log`));
  const child = spawn(command, [...args], { ...account, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid ?? -1,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await gone;
    },
  };
}

/** Resolves when something listens there. */
export async function listening(port: number, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    if (Date.now() > deadline) throw new Error(`nothing listens at port ${port}; see .picolo/bench-peers`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
