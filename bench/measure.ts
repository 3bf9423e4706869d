/** How every bench measures: a closed loop after a warm-up, percentiles, and CPU of the processes that did the work. */
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

export interface Load {
  readonly clients: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
}

export interface Measured {
  readonly operations: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all operations, the warm-up's too: whoever waits long is seen here before the rate shows it. */
  readonly longestMs: number;
  /** User + system CPU seconds per 1,000 operations: of the servers with their children, and of this process. */
  readonly serverCpuPer1k: number;
  readonly clientCpuPer1k: number;
  /** Cores that everything else on this machine used meanwhile. */
  readonly otherCores: number;
  readonly failures: number;
}

const TICKS_PER_SECOND = 100; // USER_HZ on Linux

/** CPU seconds that processes and their children have used so far. */
export function cpuSecondsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuOf(pid) + cpuSecondsOf(childrenOf(pid)), 0);
}

function cpuOf(pid: number): number {
  // fields 14 and 15 of stat; the name before them may hold blanks but ends with the last bracket
  const fields = readOr(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

function childrenOf(pid: number): number[] {
  return readOr(`/proc/${pid}/task/${pid}/children`).split(' ').filter((text) => text !== '').map(Number);
}

/** CPU seconds of the whole machine, idle time left out. */
function machineCpuSeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readOr('/proc/stat').split('\n', 1)[0]?.split(/\s+/).slice(1).map(Number) ?? [];
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
}

/** Empty when the process is gone, or this is not Linux. */
function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

interface Mark {
  readonly server: number;
  readonly client: number;
  readonly machine: number;
}

function mark(serverPids: readonly number[]): Mark {
  const { user, system } = process.cpuUsage();
  return { server: cpuSecondsOf(serverPids), client: (user + system) / 1e6, machine: machineCpuSeconds() };
}

/** Each client sends its next operation when the last one ended; only operations that began after the warm-up count. */
export async function closedLoop(load: Load, serverPids: readonly number[], operation: (client: number) => Promise<void>): Promise<Measured> {
  const startMs = performance.now() + load.warmupSeconds * 1000;
  const endMs = startMs + load.seconds * 1000;
  const samplesMs: number[] = [];
  let failures = 0;
  let longestMs = 0;
  let before: Mark | undefined;
  await Promise.all(Array.from({ length: load.clients }, async (_, i) => {
    while (performance.now() < endMs) {
      const beganMs = performance.now();
      if (beganMs >= startMs) before ??= mark(serverPids);
      const ok = await operation(i).then(() => true, () => false);
      longestMs = Math.max(longestMs, performance.now() - beganMs);
      if (beganMs < startMs) continue;
      if (ok) samplesMs.push(performance.now() - beganMs);
      else failures += 1;
    }
  }));
  const seconds = (performance.now() - startMs) / 1000;
  return { ...summary(samplesMs, seconds), ...cost(before ?? mark(serverPids), mark(serverPids), samplesMs.length, seconds), longestMs: round(longestMs), failures };
}

function summary(samplesMs: readonly number[], seconds: number): Pick<Measured, 'operations' | 'perSecond' | 'p50Ms' | 'p99Ms'> {
  const sorted = samplesMs.toSorted((a, b) => a - b);
  const at = (share: number): number => round(sorted[Math.floor(sorted.length * share)] ?? 0);
  return { operations: sorted.length, perSecond: Math.round(sorted.length / seconds), p50Ms: at(0.5), p99Ms: at(0.99) };
}

function cost(from: Mark, to: Mark, operations: number, seconds: number): Pick<Measured, 'serverCpuPer1k' | 'clientCpuPer1k' | 'otherCores'> {
  const per1k = (used: number): number => (operations === 0 ? 0 : round((used * 1000) / operations));
  const [server, client] = [to.server - from.server, to.client - from.client];
  const other = (to.machine - from.machine - server - client) / seconds;
  return { serverCpuPer1k: per1k(server), clientCpuPer1k: per1k(client), otherCores: Math.max(0, Math.round(other * 100) / 100) };
}

/** Median of every figure over the rounds of one case. */
export function medianOf(rounds: readonly Measured[]): Measured {
  const middle = (pick: (round: Measured) => number): number => {
    const sorted = rounds.map(pick).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  const names = Object.keys(rounds[0] ?? {}) as (keyof Measured)[];
  return Object.fromEntries(names.map((name) => [name, middle((round) => round[name])])) as unknown as Measured;
}

/** Operations per second that the cores would carry if nothing else ran on them. */
export function ceilingOf({ serverCpuPer1k, clientCpuPer1k }: Measured): number {
  const used = serverCpuPer1k + clientCpuPer1k;
  return used === 0 ? 0 : Math.round((cpus().length * 1000) / used);
}

/** The machine a figure belongs to. */
export function machine(): { cores: number; model: string; memoryGib: number; node: string } {
  const list = cpus();
  return { cores: list.length, model: list[0]?.model ?? 'unknown', memoryGib: Math.round(totalmem() / 2 ** 30), node: process.version };
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
