import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { Deployment } from '../../contracts/index.ts';
import type { BlockRef } from './chronicle.ts';
import { emptyProjection, type Projection } from './projection.ts';

/**
 * The irreversible part of what was read, so that a restart does not read the whole history again. A
 * cache, not a record: a broken or foreign file is ignored, and the reader checks its block against the chain.
 */
const FORMAT = 1;

export interface Snapshot {
  readonly ref: BlockRef;
  readonly state: Projection;
}

export function loadSnapshot(path: string, deployment: Deployment): Snapshot | undefined {
  try {
    const raw = JSON.parse(readFileSync(path, 'utf8'), revive) as { format: number; deployment: string; ref: BlockRef; state: object };
    if (raw.format !== FORMAT || raw.deployment !== nameOf(deployment)) return undefined;
    const state = emptyProjection();
    const complete = Object.keys(state).every((key) => (raw.state as Record<string, unknown>)[key] instanceof Map);
    return complete ? { ref: raw.ref, state: raw.state as Projection } : undefined;
  } catch {
    return undefined;
  }
}

/** Written beside and renamed, so that a crash leaves the old or the new one. */
export async function saveSnapshot(path: string, deployment: Deployment, snapshot: Snapshot): Promise<void> {
  const content = JSON.stringify({ format: FORMAT, deployment: nameOf(deployment), ...snapshot }, replace);
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

function nameOf(deployment: Deployment): string {
  return `${deployment.chainId}/${Object.values(deployment.addresses).sort().join('/')}`;
}

function replace(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { $int: value.toString() };
  if (value instanceof Map) return { $map: [...value] };
  return value;
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('$int' in value) return BigInt(value.$int as string);
  if ('$map' in value) return new Map(value.$map as [unknown, unknown][]);
  return value;
}
