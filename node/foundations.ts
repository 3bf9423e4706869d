import { basename } from 'node:path';
import { loadDeployment, type Deployment } from '../contracts/index.ts';
import { createChain } from './chain/index.ts';
import { systemClock } from './clock/index.ts';
import type { NodeConfig } from './config/index.ts';
import { createTlsTransport } from './network/index.ts';
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
  /** What was opened is registered here, in order. */
  readonly closers: (() => unknown)[];
}

export async function layFoundations({ config, password, wrapTransport, closers }: FoundationOptions): Promise<Foundations> {
  const clock = systemClock;
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
  });
  closers.push(() => chain.close());
  const { host, port } = config.listen.peers;
  const lane = await createTlsTransport({ signer, clock, host, port, onFault: events.networkFault });
  closers.push(() => lane.close());
  return { clock, deployment, signer, chain, transport: wrapTransport?.(lane) ?? lane, log, metrics, events };
}

