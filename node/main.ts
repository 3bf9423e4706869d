/**
 * A storage node: composes ports, adapters, host and services, and takes them down again in order.
 *
 * @example
 *   const node = await startNode({ dir: './provider', password });
 *   await node.ended;                        // after SIGINT, SIGTERM or `node.stop()`
 */
import { mkdirSync } from 'node:fs';
import { defineFaults } from '../protocol/errors/index.ts';
import type { Address } from '../protocol/types/index.ts';
import { createApi } from './api/index.ts';
import { loadConfig, type NodeConfig } from './config/index.ts';
import { installNativeCrypto } from './crypto/index.ts';
import { layFoundations, type Foundations } from './foundations.ts';
import { joinGroups, type Memberships } from './membership.ts';
import { dialNeighbours, mxWebSocket } from './mx/index.ts';
import type { Clock, Transport } from './ports/index.ts';
import { createNodeMx, createServices, sampleOf } from './services/index.ts';

export { readVouchers } from './services/index.ts';

const SAVE_METERS_MS = 1_000;

const nodeFaults = defineFaults('NODE', {
  portInUse: ['another process listens on the port of the client API', 'choose another port in picolo.toml, or stop that process'],
});

export interface NodeOptions {
  readonly dir: string;
  /** Opens both key files. */
  readonly password: string;
  /** Tests of misbehaviour stand between the node and the wire here; a node in service leaves it out. */
  readonly wrapTransport?: (transport: Transport) => Transport;
  /** Likewise for a clock that is wrong. */
  readonly clock?: Clock;
}

export interface RunningNode {
  readonly address: Address;
  readonly apiUrl: string;
  /** Resolves when the node has stopped and everything is on disk. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts everything in dependency order; a failure on the way closes what was opened. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  await installNativeCrypto();
  const config = loadConfig(options.dir);
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const closers: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const { password, wrapTransport, clock } = options;
    const base = await layFoundations({ config, password, wrapTransport, clock, closers });
    const memberships = joinGroups(base, config);
    closers.push(() => memberships.stop());
    const { ended, stop } = lifeOf(base, close);
    const apiUrl = await serveClients(base, config, memberships, closers, stop);
    base.events.started({ api: apiUrl, groups: memberships.groups.members.size });
    return { address: base.signer.address, apiUrl, ended, stop: () => stop('asked to') };
  } catch (error) {
    await close();
    throw error;
  }
}

async function serveClients(
  base: Foundations, config: NodeConfig, memberships: Memberships, closers: (() => unknown)[], stop: (reason: string) => Promise<void>,
): Promise<string> {
  const { signer, chain, clock, transport, log, metrics, events } = base;
  const { groups, finishers, meters, histories, freshness, nextSeq } = memberships;
  const { capacityGib } = config;
  const services = createServices({ signer, chain, clock, transport, groups, finishers, meters, histories, freshness, nextSeq, capacityGib });
  const { dictionaryFile, neighbours } = config.mx;
  const mx = createNodeMx({
    signer, chain, clock, groups, services, dictionaryFile, onTrouble: (what, err) => log.warn({ what, err }, 'mx'),
  });
  const dialler = dialNeighbours(mx, neighbours);
  closers.push(() => mx.close(), () => dialler.close());
  const api = createApi({
    services, metrics: () => metrics.expose(), observe: events.apiAnswered, plugins: [mxWebSocket(mx)],
    requestsPerMinute: config.listen.requestsPerMinute,
    onBroken(error) {
      events.broken(error);
      void stop('an invariant broke');
    },
  });
  watch(base, memberships);
  const { host, port } = config.listen.api;
  await api.listen({ host, port }).catch((error: unknown) => {
    throw (error as { code?: string }).code === 'EADDRINUSE' ? nodeFaults.portInUse({ host, port }, error) : error;
  });
  const saving = setInterval(() => meters.save(), SAVE_METERS_MS);
  closers.push(() => clearInterval(saving), () => api.close());
  return `http://${host}:${port}`;
}

function watch({ metrics, transport, chain, clock }: Foundations, { groups }: Memberships): void {
  metrics.network.watch(() => transport.stats());
  metrics.chain.watch(chain);
  metrics.consensus.watch(() => [...groups.members].flatMap(([group, { host }]) => {
    return host === undefined ? [] : [[group, sampleOf(host, clock.nowMs())] as const];
  }));
}

/** Stops once, whoever asks first: a signal, a caller, a broken invariant. */
function lifeOf({ events }: Foundations, close: () => Promise<void>): { ended: Promise<void>; stop: (reason: string) => Promise<void> } {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (!stopping) {
      stopping = true;
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      events.stopping(reason);
      await close();
      resolve();
    }
    await ended;
  };
  const onSignal = (signal: string): void => void stop(signal);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return { ended, stop };
}
