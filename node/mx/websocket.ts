import websocket from '@fastify/websocket';
import type { FastifyPluginAsync } from 'fastify';
import { limits } from '../../protocol/limits/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import { acceptLink, dialLink, type FrameSocket } from './links.ts';
import type { MxService } from './service.ts';

const TRY_AGAIN_LATER = 1013;
const UNSUPPORTED_DATA = 1003;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/** What is used of the server-side socket of `ws`. */
interface ServerSocket {
  readonly bufferedAmount: number;
  send(frame: Uint8Array): void;
  close(code: number): void;
  terminate(): void;
  on(event: 'message', handler: (data: ArrayBuffer | Buffer | Buffer[], isBinary: boolean) => void): void;
  on(event: 'close' | 'error', handler: () => void): void;
}

/** Fastify plugin: `GET /v1/mx` upgrades to MX for data consumers and other nodes alike. */
export function mxWebSocket(service: MxService): FastifyPluginAsync {
  return async (app) => {
    if (!app.hasDecorator('websocketServer')) await app.register(websocket, { options: { maxPayload: limits.frameBytes } });
    let connections = 0;
    app.get('/v1/mx', { websocket: true }, (socket: ServerSocket) => {
      if (connections >= limits.mxConnections) return socket.close(TRY_AGAIN_LATER);
      connections += 1;
      socket.on('error', () => undefined); // 'close' follows
      const link = acceptLink(service, {
        send: (frame) => socket.send(frame),
        close: () => socket.terminate(),
        bufferedBytes: () => socket.bufferedAmount,
      });
      socket.on('message', (data, isBinary) => {
        if (isBinary) link.onFrame(bytesFrom(data));
        else socket.close(UNSUPPORTED_DATA);
      });
      socket.on('close', () => {
        connections -= 1;
        link.onClose();
      });
    });
  };
}

/**
 * Keeps a link to every neighbour that has a URL: dials, and dials again with back-off after a loss.
 * Follows `setNeighbours` and `cluster`; the result stops it all.
 * @param urls places whose node is not known beforehand: whoever proves its address there becomes a neighbour
 */
export function dialNeighbours(service: MxService, urls: readonly string[] = []): { close(): void } {
  const dialling = new Map<string, () => void>();
  let closed = false;
  const expectedAt = (url: string): Address | undefined => service.neighbours().find((neighbour) => neighbour.url === url)?.address;
  const wanted = (): Set<string> => new Set([...urls, ...service.neighbours().flatMap(({ url }) => url ?? [])]);

  const dial = (url: string, retryMs: number): void => {
    const onProven = (address: Address): void => {
      if (expectedAt(url) === undefined) service.addNeighbour({ address, url });
    };
    const socket = openSocket(service, url, expectedAt(url), onProven, (proven) => {
      if (closed || !dialling.has(url)) return;
      const nextMs = proven ? FIRST_RETRY_MS : Math.min(retryMs * 2, LAST_RETRY_MS);
      dialling.set(url, service.clock.after(nextMs, () => dial(url, nextMs)));
    });
    dialling.set(url, () => socket.close());
  };

  const refresh = (): void => {
    if (closed) return;
    const now = wanted();
    for (const url of now) if (!dialling.has(url)) dial(url, FIRST_RETRY_MS);
    for (const [url, stop] of dialling) {
      if (now.has(url)) continue;
      dialling.delete(url);
      stop();
    }
  };
  service.onNeighbours(refresh);
  refresh();
  return {
    close() {
      closed = true;
      for (const stop of dialling.values()) stop();
      dialling.clear();
    },
  };
}

function openSocket(
  service: MxService, url: string, expected: Address | undefined, onProven: (node: Address) => void, onGone: (proven: boolean) => void,
): WebSocket {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const adapter: FrameSocket = {
    send: (frame) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame as Uint8Array<ArrayBuffer>);
    },
    close: () => socket.close(),
    bufferedBytes: () => socket.bufferedAmount,
  };
  const link = dialLink(service, adapter, expected, onProven);
  socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer && data.byteLength <= limits.frameBytes) link.onFrame(new Uint8Array(data));
    else socket.close();
  });
  socket.addEventListener('error', () => undefined); // 'close' follows
  socket.addEventListener('close', () => {
    link.onClose();
    onGone(link.proven());
  });
  return socket;
}

function bytesFrom(data: ArrayBuffer | Buffer | Buffer[]): Uint8Array {
  if (Array.isArray(data)) return Uint8Array.from(Buffer.concat(data));
  return data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
