import { basename, join } from 'node:path';
import { loadDeployment, type Deployment } from '../contracts/index.ts';
import { createChain } from './chain/index.ts';
import { systemClock } from './clock/index.ts';
import type { NodeConfig } from './config/index.ts';
import { createLibp2pTransport, createTlsTransport } from './network/index.ts';
import { createLogger, createMetrics, createNodeEvents, type Logger, type Metrics, type NodeEvents } from './observe/index.ts';
import type { ChainPort, Clock, Signer, Transport } from './ports/index.ts';
import { loadKeystore, openSigner } from './signer/index.ts';
import { lockFolder } from './storage/index.ts';

/** What everything else in a node stands on: keys, chain, wire, eyes. */
export interface Foundations {
  readonly clock: Clock;
  readonly deployment: Deployment;
  readonly signer: Signer;
  readonly chain: ChainPort;
  readonly transport: Transport;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly events: NodeEvents;
}

export interface FoundationOptions {
  readonly config: NodeConfig;
  readonly password: string;
  readonly wrapTransport?: ((transport: Transport) => Transport) | undefined;
  /** The machine's own when left out. */
  readonly clock?: Clock | undefined;
  /** What was opened is registered here, in order. */
  readonly closers: (() => unknown)[];
}

export async function layFoundations(options: FoundationOptions): Promise<Foundations> {
  const { config, password, wrapTransport, clock = systemClock, closers } = options;
  const folder = config.chain.deployment;
  const deployment = loadDeployment(Number(basename(folder)) || 31_337, folder);
  const key = await loadKeystore({ path: config.nodeKeyFile, password });
  const operatorKey = await loadKeystore({ path: config.operatorKeyFile, password });
  const lock = lockFolder(config.dataDir);
  closers.push(() => lock.release());
  const signer = await openSigner({ dir: config.dataDir, key, domain: deployment.domain });
  closers.push(() => signer.close());
  const log = createLogger({ bindings: { node: signer.address } });
  const metrics = createMetrics({ process: true });
  const events = createNodeEvents(log, metrics);
  const chain = await createChain({
    rpcUrl: config.chain.rpcUrl, deployment, clock, confirmations: config.chain.confirmations, operatorKey, onFault: events.chainFault,
    snapshotPath: join(config.dataDir, 'chain.snapshot'),
  });
  closers.push(() => chain.close());
  const { host, port } = config.listen.peers;
  const openLane = config.listen.libp2p ? createLibp2pTransport : createTlsTransport;
  const lane = await openLane({ signer, clock, host, port, onFault: events.networkFault });
  closers.push(() => lane.close());
  return { clock, deployment, signer, chain, transport: wrapTransport?.(lane) ?? lane, log, metrics, events };
}

