import type { Carrier } from './carrier.ts';
import { dial, sessionOf } from './dial.ts';
import { openLane, type Lane, type LaneOptions } from './lane.ts';
import { listen } from './listen.ts';

const tls: Carrier = {
  listen: (host, port, { handshakeMs }, onSession) => listen(host, port, handshakeMs, (socket) => onSession(sessionOf(socket))),
  dial,
};

/**
 * The direct lane (architecture §6): TLS 1.3 between nodes that can reach each other, bound to their
 * signing keys by one `Hello` signature each. Throws NETWORK_PORT_IN_USE, NETWORK_LISTEN_FAILED.
 */
export function createTlsTransport(options: LaneOptions): Promise<Lane> {
  return openLane(tls, options);
}
