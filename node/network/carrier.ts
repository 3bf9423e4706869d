import type { PeerAddress } from '../ports/index.ts';
import type { HandshakeOptions, Outcome, Session } from './handshake.ts';

/** What carries links: TLS sockets, or streams of libp2p. Identity, frames, queues and reconnection are the same over both. */
export interface Carrier {
  /** Throws NETWORK_PORT_IN_USE, NETWORK_LISTEN_FAILED. */
  listen(host: string, port: number, options: HandshakeOptions, onSession: (session: Session) => void): Promise<Listener>;
  /** One attempt to reach a peer, Hello included. Calls `done` exactly once; the result aborts it. */
  dial(peer: PeerAddress, options: HandshakeOptions, done: (outcome: Outcome) => void): () => void;
}

export interface Listener {
  readonly port: number;
  /** Stops accepting, cuts handshakes in progress, resolves when every inbound connection is gone. */
  close(): Promise<void>;
}
