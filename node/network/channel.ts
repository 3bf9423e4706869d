import type { TLSSocket } from 'node:tls';

/** What a link needs of a connection, whoever carries it: a byte stream with pressure and an end. */
export interface Channel {
  onData: (chunk: Buffer) => void;
  /** After a `write` that returned false. */
  onDrain: () => void;
  /** Called once, in a later turn than `write`, `end` or `destroy`. */
  onClose: () => void;
  /** False when the caller should wait for `onDrain`. */
  write(bytes: Uint8Array): boolean;
  /** Orderly: what was written goes out first. */
  end(): void;
  destroy(): void;
}

/** A TLS session of the direct lane. */
export function socketChannel(socket: TLSSocket): Channel {
  const channel: Channel = {
    onData: () => undefined, onDrain: () => undefined, onClose: () => undefined,
    write: (bytes) => socket.write(bytes),
    end: () => socket.destroySoon(),
    destroy: () => void socket.destroy(),
  };
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => channel.onData(chunk));
  socket.on('drain', () => channel.onDrain());
  socket.on('error', () => undefined); // 'close' follows; a reset is an ordinary end of a link
  socket.on('close', () => channel.onClose());
  if (socket.destroyed) queueMicrotask(() => channel.onClose());
  return channel;
}
