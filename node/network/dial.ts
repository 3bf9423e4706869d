import { connect, type TLSSocket } from 'node:tls';
import type { PeerAddress } from '../ports/index.ts';
import { socketChannel } from './channel.ts';
import { networkFaults } from './faults.ts';
import { shakeHands, type HandshakeOptions, type Outcome, type Session } from './handshake.ts';
import { bindingOf } from './hello.ts';

/** Both sides must speak this protocol; OpenSSL refuses the session otherwise. */
export const ALPN = 'picolo/1';

/** A TLS session, bound by its exported key. */
export function sessionOf(socket: TLSSocket): Session {
  return { channel: socketChannel(socket), binding: bindingOf(socket) };
}

/**
 * One attempt to reach a peer: TCP, TLS 1.3, Hello. Calls `done` exactly once; the result aborts it.
 * The certificate is not checked because it proves nothing: identity is the Hello (see `hello.ts`).
 */
export function dial(peer: PeerAddress, options: HandshakeOptions, done: (outcome: Outcome) => void): () => void {
  let settled = false;
  const settle = (outcome: Outcome): void => {
    if (settled) return;
    settled = true;
    cancel();
    done(outcome);
  };
  const socket: TLSSocket = connect({
    host: peer.host, port: peer.port, minVersion: 'TLSv1.3', ALPNProtocols: [ALPN], rejectUnauthorized: false,
  });
  const cancel = options.clock.after(options.handshakeMs, () => {
    settle({ kind: 'refused', fault: networkFaults.handshakeTimeout({ host: peer.host, port: peer.port }) });
    socket.destroy();
  });
  const unreachable = (reason: string): void =>
    settle({ kind: 'refused', fault: networkFaults.unreachable({ host: peer.host, port: peer.port, reason }) });
  const onError = (error: NodeJS.ErrnoException): void => unreachable(error.code ?? error.message);
  const onClose = (): void => unreachable('closed during the TLS handshake');
  socket.once('error', onError);
  socket.once('close', onClose);
  socket.once('secureConnect', () => {
    socket.off('close', onClose);
    cancel();
    shakeHands(sessionOf(socket), peer.node, options, settle);
  });
  return () => {
    settled = true;
    cancel();
    socket.destroy();
  };
}

/**
 * Delay before attempt number `attempt` (from 0): doubles up to the maximum, then spread over its
 * upper half, so that nodes that lost the same peer do not come back in one wave.
 */
export function backoffMs(attempt: number, minMs: number, maxMs: number, random: () => number): number {
  const full = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 20));
  return full / 2 + (full / 2) * random();
}
