import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP port in front of another one, which can go down and come back: an outage without losing what stands behind. */
export interface Proxy {
  readonly port: number;
  down(): Promise<void>;
  up(): Promise<void>;
}

export async function openProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  };
  let server: Server | undefined;
  const listen = async (port: number): Promise<number> => {
    const opened = createServer((inbound) => {
      const outbound = keep(connect(target, '127.0.0.1'));
      keep(inbound).pipe(outbound).pipe(inbound);
      inbound.once('close', () => outbound.destroy());
      outbound.once('close', () => inbound.destroy());
    });
    await new Promise<void>((resolve, reject) => opened.once('error', reject).listen(port, '127.0.0.1', resolve));
    server = opened;
    const address = opened.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  };
  const port = await listen(0);
  return {
    port,
    async down() {
      const closing = server;
      server = undefined;
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => (closing === undefined ? resolve() : closing.close(() => resolve())));
    },
    async up() {
      if (server === undefined) await listen(port);
    },
  };
}
