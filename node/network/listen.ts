import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { limits } from '../../protocol/limits/index.ts';
import { createTlsIdentity } from './certificate.ts';
import { ALPN } from './dial.ts';
import type { Listener } from './carrier.ts';
import { networkFaults } from './faults.ts';

/** Accepts TLS 1.3 sessions. Throws NETWORK_PORT_IN_USE or NETWORK_LISTEN_FAILED. */
export async function listen(host: string, port: number, handshakeMs: number, onSession: (socket: TLSSocket) => void): Promise<Listener> {
  const server = createServer({ ...createTlsIdentity(), minVersion: 'TLSv1.3', ALPNProtocols: [ALPN], handshakeTimeout: handshakeMs });
  server.maxConnections = limits.connections;
  const unfinished = new Map<string, Socket>(); // accepted, TLS not done yet
  server.on('connection', (raw: Socket) => {
    const key = keyOf(raw);
    unfinished.set(key, raw);
    raw.on('error', () => undefined);
    raw.once('close', () => unfinished.delete(key));
  });
  server.on('secureConnection', (socket) => {
    unfinished.delete(keyOf(socket));
    onSession(socket);
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  await bind(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const raw of unfinished.values()) raw.destroy();
      }),
  };
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const facts = { host, port, reason: error.code };
      reject(error.code === 'EADDRINUSE' ? networkFaults.portInUse(facts, error) : networkFaults.listenFailed(facts, error));
    });
    server.listen({ host, port }, resolve);
  });
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
