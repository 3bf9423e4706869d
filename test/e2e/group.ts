/** What tests ask the members of a group over HTTP, and a load of writes that remembers what was acknowledged. */
import { readFileSync } from 'node:fs';
import type { LocalProvider } from '../../cli/devnet/network.ts';
import type { Database } from '../../sdk/index.ts';
import { eventually } from './world.ts';

export interface Checkpoint {
  readonly epoch: string;
  readonly height: string;
  readonly stateRoot: string;
}

export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

export async function checkpointAt(provider: LocalProvider, group: string): Promise<Checkpoint> {
  return (await getJson<{ checkpoint: Checkpoint }>(`${provider.apiUrl}/v1/checkpoint/${group}`)).checkpoint;
}

/** Waits until all have certified the same height, and gives what each holds there. */
export function sameHeight(providers: readonly LocalProvider[], group: string): Promise<readonly Checkpoint[]> {
  return eventually('one certified height at all members', async () => {
    const found = await Promise.all(providers.map((provider) => checkpointAt(provider, group)));
    return new Set(found.map(({ height, epoch }) => `${epoch}/${height}`)).size === 1 ? found : undefined;
  });
}

export interface GroupFacts {
  readonly group: string;
  readonly epoch: string;
  readonly state: string;
  readonly height: string;
  readonly certifiedHeight: string;
}

export async function groupAt(provider: LocalProvider, group: string): Promise<GroupFacts | undefined> {
  const { groups } = await getJson<{ groups: GroupFacts[] }>(`${provider.apiUrl}/v1/status`);
  return groups.find((facts) => facts.group === group);
}

/** Log lines of a node, over all its starts. */
export function logOf(provider: LocalProvider): Record<string, unknown>[] {
  const lines = readFileSync(provider.process?.logFile ?? '', 'utf8').split('\n');
  return lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []));
}

/** Lines that say a replica stopped, or that a signature was refused. */
export function troubleIn(provider: LocalProvider): unknown[] {
  return logOf(provider).filter(({ level }) => level === 'error' || level === 'fatal');
}

export interface Load {
  /** Keys whose insert was acknowledged. */
  readonly acknowledged: number[];
  readonly failures: { readonly code: string }[];
  stop(): Promise<void>;
}

/** Inserts row after row from several workers until it is stopped. The table has columns `id` and `worker`. */
export function startLoad(sessions: readonly Database[], table: string, firstId: number): Load {
  const acknowledged: number[] = [];
  const failures: { code: string }[] = [];
  let next = firstId;
  let stopped = false;
  const workers = sessions.map(async (session, worker) => {
    while (!stopped) {
      const id = next++;
      try {
        await session.table(table).insert({ id, worker });
        acknowledged.push(id);
      } catch (error) {
        failures.push({ code: String((error as { code?: unknown }).code ?? error) });
      }
    }
  });
  return {
    acknowledged,
    failures,
    async stop() {
      stopped = true;
      await Promise.all(workers);
    },
  };
}
