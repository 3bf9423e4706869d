import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { sha256Hex } from '../../protocol/crypto/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { concatBytes, type Hash32 } from '../../protocol/types/index.ts';
import type { PeerAddress } from '../ports/index.ts';
import type { Carrier, Listener } from './carrier.ts';
import { networkFaults } from './faults.ts';
import { shakeHands, type HandshakeOptions, type Outcome, type Session } from './handshake.ts';
import { streamChannel } from './stream-channel.ts';

/** Stream protocol; its version is part of the name. */
export const FRAMES = '/picolo/frames/1';
const BINDING_LABEL = 'picolo/libp2p/1';

/**
 * Links as streams of libp2p: noise and yamux over TCP. The libp2p key is made anew at every start and only carries the
 * session, as the certificate does on the direct lane; the node's own key speaks in the Hello (decision 0121).
 */
export class Libp2pCarrier implements Carrier {
  private host: Libp2p | undefined;

  async listen(host: string, port: number, options: HandshakeOptions, onSession: (session: Session) => void): Promise<Listener> {
    const node = await startHost(host, port, options.handshakeMs);
    this.host = node;
    await node.handle(FRAMES, (stream, connection) => onSession(sessionOf(stream, connection, node.peerId, 'accepted')), {
      maxInboundStreams: 1, maxOutboundStreams: 1,
    });
    node.addEventListener('connection:open', ({ detail }) => cutIdle(detail, options));
    return { port: portOf(node), close: async () => node.stop() };
  }

  readonly dial = (peer: PeerAddress, options: HandshakeOptions, done: (outcome: Outcome) => void): (() => void) => {
    const aborter = new AbortController();
    let settled = false;
    const settle = (outcome: Outcome): void => {
      if (settled) return;
      settled = true;
      cancel();
      done(outcome);
    };
    const cancel = options.clock.after(options.handshakeMs, () => {
      settle({ kind: 'refused', fault: networkFaults.handshakeTimeout({ host: peer.host, port: peer.port }) });
      aborter.abort();
    });
    this.open(peer, aborter.signal).then(
      (session) => (settled ? session.channel.destroy() : shakeHands(session, peer.node, options, settle)),
      (error: unknown) => settle({ kind: 'refused', fault: networkFaults.unreachable({ host: peer.host, port: peer.port, reason: nameOf(error) }) }),
    );
    return () => {
      settled = true;
      cancel();
      aborter.abort();
    };
  };

  private async open({ host, port }: PeerAddress, signal: AbortSignal): Promise<Session> {
    const { host: node } = this;
    if (node === undefined) throw networkFaults.unreachable({ host, port, reason: 'not listening yet' });
    const connection = await node.dial(multiaddr(addressOf(host, port)), { signal, force: true });
    try {
      return sessionOf(await connection.newStream(FRAMES, { signal, maxOutboundStreams: 1 }), connection, node.peerId, 'dialled');
    } catch (error) {
      connection.abort(error as Error);
      throw error;
    }
  }
}

async function startHost(host: string, port: number, handshakeMs: number): Promise<Libp2p> {
  try {
    return await createLibp2p({
      addresses: { listen: [addressOf(host, port)] },
      transports: [tcp({ backlog: limits.connections })],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      // links have a heartbeat of their own, and dial on their own schedule
      connectionMonitor: { enabled: false },
      connectionManager: {
        maxConnections: limits.connections, maxIncomingPendingConnections: limits.connections, inboundConnectionThreshold: limits.connections,
        inboundUpgradeTimeout: handshakeMs, reconnectRetries: 0,
      },
    });
  } catch (error) {
    const facts = { host, port, reason: nameOf(error) };
    throw reasonOf(error).includes('EADDRINUSE') ? networkFaults.portInUse(facts, error) : networkFaults.listenFailed(facts, error);
  }
}

/** Nobody holds a connection without opening its one stream. */
function cutIdle(connection: Connection, { clock, handshakeMs }: HandshakeOptions): void {
  clock.after(handshakeMs, () => {
    if (connection.streams.every(({ protocol }) => protocol !== FRAMES)) connection.abort(new DOMException('no link was opened', 'AbortError'));
  });
}

/**
 * Noise has proven both libp2p keys to both ends, so their pair, dialler first, names the connection as no third party can:
 * who sits in the middle holds two connections with two other pairs.
 */
function sessionOf(stream: Stream, connection: Connection, self: PeerId, side: 'dialled' | 'accepted'): Session {
  const ours = rawKeyOf(self);
  const theirs = rawKeyOf(connection.remotePeer);
  return { channel: streamChannel(stream, connection), binding: bindingOf(...(side === 'dialled' ? [ours, theirs] as const : [theirs, ours] as const)) };
}

export function bindingOf(dialler: Uint8Array, listener: Uint8Array): Hash32 {
  return sha256Hex(concatBytes(new TextEncoder().encode(BINDING_LABEL), dialler, listener));
}

function rawKeyOf(peer: PeerId): Uint8Array {
  return peer.publicKey?.raw ?? new Uint8Array(0);
}

function addressOf(host: string, port: number): string {
  const kind = host.includes(':') ? 'ip6' : /^[\d.]+$/.test(host) ? 'ip4' : 'dns';
  return `/${kind}/${host}/tcp/${port}`;
}

function portOf(node: Libp2p): number {
  const [first] = node.getMultiaddrs();
  return Number(/\/tcp\/(\d+)/.exec(String(first))?.[1] ?? 0);
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');

/** libp2p wraps what the system said. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join();
  return error instanceof Error ? `${(error as NodeJS.ErrnoException).code ?? ''} ${error.message} ${error.cause === undefined ? '' : reasonOf(error.cause)}` : '';
}
