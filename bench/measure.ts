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
  /** User + system CPU seconds per 1,000 operations: of the servers, and of this process. */
  readonly serverCpuPer1k: number;
  readonly clientCpuPer1k: number;
  readonly failures: number;
}

const TICKS_PER_SECOND = 100; // USER_HZ on Linux

/** CPU seconds that the processes have used so far. */
export function cpuSecondsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
}

function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0; // the process is gone, or this is not Linux
  }
}

/** Each client sends its next operation when the last one ended. */
export async function closedLoop(load: Load, serverPids: readonly number[], operation: (client: number) => Promise<void>): Promise<Measured> {
  const startMs = performance.now() + load.warmupSeconds * 1000;
  const endMs = startMs + load.seconds * 1000;
  const samplesMs: number[] = [];
  let failures = 0;
  let server = 0;
  let client = 0;
  const mark = setTimeout(() => {
    server = cpuSecondsOf(serverPids);
    client = ownCpu();
  }, load.warmupSeconds * 1000);
  await Promise.all(Array.from({ length: load.clients }, async (_, i) => {
    while (performance.now() < endMs) {
      const beganMs = performance.now();
      const ok = await operation(i).then(() => true, () => false);
      if (beganMs < startMs) continue;
      if (ok) samplesMs.push(performance.now() - beganMs);
      else failures += 1;
    }
  }));
  clearTimeout(mark);
  const seconds = (performance.now() - startMs) / 1000;
  const sorted = samplesMs.sort((a, b) => a - b);
  const at = (share: number): number => round(sorted[Math.floor(sorted.length * share)] ?? 0);
  const per1k = (used: number): number => (sorted.length === 0 ? 0 : round((used * 1000) / sorted.length));
  return {
    operations: sorted.length, perSecond: Math.round(sorted.length / seconds), p50Ms: at(0.5), p99Ms: at(0.99),
    serverCpuPer1k: per1k(cpuSecondsOf(serverPids) - server), clientCpuPer1k: per1k(ownCpu() - client), failures,
  };
}

/** The machine a figure belongs to. */
export function machine(): { cores: number; model: string; memoryGib: number; node: string } {
  const list = cpus();
  return { cores: list.length, model: list[0]?.model ?? 'unknown', memoryGib: Math.round(totalmem() / 2 ** 30), node: process.version };
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
