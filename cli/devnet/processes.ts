/**
 * Child processes of a local network: each with its own log file, each stopped by its own pid,
 * never by name. Used by `picolo dev` and by the demo.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliFaults } from '../faults.ts';

export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Compiled modules are kept beside the packages: every process of a local network after the first starts in half the time. */
export const childEnv: Readonly<Record<string, string | undefined>> = {
  NODE_COMPILE_CACHE: join(projectRoot, 'node_modules', '.cache', 'compile'), ...process.env,
};

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** False once the process has ended. */
  alive(): boolean;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
  stop(graceMs?: number): Promise<void>;
  /** SIGKILL now: a crash, not a shutdown. */
  kill(): Promise<void>;
}

export interface ProcessSpec {
  readonly name: string;
  readonly logDir: string;
  /** File under the project root, run by the project's Node. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called when the process ends without `stop` or `kill`. */
  readonly onCrash?: (logFile: string) => void;
}

const running = new Set<RunningProcess>();
let closing = false;

/** Ends every process that was started here, each by its pid; from now on none can be started. */
export async function stopEverything(): Promise<void> {
  closing = true;
  await Promise.all([...running].map((child) => child.stop()));
}

export function startProcess(spec: ProcessSpec): RunningProcess {
  if (closing) throw cliFaults.childFailed({ name: spec.name, reason: 'the network is being stopped' });
  mkdirSync(spec.logDir, { recursive: true });
  const logFile = join(spec.logDir, `${spec.name}.log`);
  const log = createWriteStream(logFile, { flags: 'a' });
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(projectRoot, spec.file), ...spec.args], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...childEnv, ...spec.env },
    // own process group: Ctrl-C reaches the parent only, which then stops its children in order
    detached: true,
  });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  let expected = false;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      running.delete(handle);
      if (!expected) spec.onCrash?.(logFile);
      resolve();
    });
  });
  const end = async (signal: NodeJS.Signals, graceMs: number): Promise<void> => {
    expected = true;
    if (isRunning(child)) child.kill(signal);
    const timer = setTimeout(() => isRunning(child) && child.kill('SIGKILL'), graceMs);
    await gone;
    clearTimeout(timer);
  };
  const handle: RunningProcess = {
    name: spec.name,
    pid: child.pid ?? -1,
    logFile,
    alive: () => isRunning(child),
    stop: (graceMs = 5_000) => end('SIGTERM', graceMs),
    kill: () => end('SIGKILL', 1_000),
  };
  running.add(handle);
  return handle;
}

/** Polls until `probe` gives a value, the process ends or the time is over. */
export async function waitFor<T>(
  what: string, process_: RunningProcess | undefined, probe: () => Promise<T | undefined>, timeoutMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe().catch(() => undefined);
    if (value !== undefined) return value;
    const ended = process_ !== undefined && !process_.alive();
    if (ended || Date.now() > deadline) {
      throw cliFaults.childFailed({ waitingFor: what, log: process_?.logFile, ended, said: process_ === undefined ? undefined : lastLineOf(process_.logFile) });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What it said last: the log may be in a folder that goes with the network. */
function lastLineOf(logFile: string): string | undefined {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').at(-1);
  } catch {
    return undefined; // it ended before it said anything
  }
}

/** Below the range from which systems take ports for outgoing connections: one of those may stand where a process is about to listen. */
const PORTS = { from: 12_000, to: 32_000 } as const;
const PORT_TRIES = 100;

/** The first of `count` TCP ports in a row that were free a moment ago. */
export async function freePort(count = 1): Promise<number> {
  for (let i = 0; i < PORT_TRIES; i++) {
    const first = randomInt(PORTS.from, PORTS.to - count);
    const free = await Promise.all(Array.from({ length: count }, (_, at) => isFree(first + at)));
    if (!free.includes(false)) return first;
  }
  throw cliFaults.noPort({ count, ...PORTS });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false)); // somebody listens there
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
