import type { Address } from '../../protocol/types/index.ts';

export interface PeerAddress {
  readonly node: Address;
  readonly host: string;
  readonly port: number;
}

export interface TransportStats {
  readonly connected: readonly Address[];
  readonly queuedBytes: number;
  readonly droppedFrames: number;
  /** How often each NETWORK_* fault closed or refused a link, by code. */
  readonly faults: Readonly<Record<string, number>>;
}

/**
 * Authenticated, encrypted, message-oriented links between nodes. `send` never blocks and never
 * throws: an unreachable or slow peer loses the oldest frames beyond a bounded queue, and the
 * protocols above re-send. Frames of one link arrive in order.
 */
export interface Transport {
  readonly self: Address;
  /** Keeps links to exactly these peers (dialling and re-dialling with back-off). */
  setPeers(peers: readonly PeerAddress[]): void;
  send(to: Address, frame: Uint8Array): void;
  /** One handler; `from` is proven by the handshake. */
  onFrame(handler: (from: Address, frame: Uint8Array) => void): void;
  stats(): TransportStats;
  close(): Promise<void>;
}
