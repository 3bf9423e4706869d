import { openLane, type Lane, type LaneOptions } from './lane.ts';

/**
 * The libp2p lane (architecture §6): the same links over noise and yamux. Its packages are loaded only where it is chosen.
 * Throws NETWORK_PORT_IN_USE, NETWORK_LISTEN_FAILED.
 */
export async function createLibp2pTransport(options: LaneOptions): Promise<Lane> {
  const { Libp2pCarrier } = await import('./libp2p-carrier.ts');
  return openLane(new Libp2pCarrier(), options);
}
