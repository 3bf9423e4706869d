import type { Connection, Stream } from '@libp2p/interface';
import type { Channel } from './channel.ts';

/** A stream of libp2p as a channel. One link, one connection: the connection ends with the stream. */
export function streamChannel(stream: Stream, connection: Connection): Channel {
  let closed = false;
  const channel: Channel = {
    onData: () => undefined, onDrain: () => undefined, onClose: () => undefined,
    write: (bytes) => (stream.status === 'open' ? stream.send(bytes) : true),
    end() {
      stream.close().then(() => connection.close()).catch(() => connection.abort(ended()));
    },
    destroy() {
      connection.abort(ended());
      finish();
    },
  };
  function finish(): void {
    if (closed) return;
    closed = true;
    queueMicrotask(() => channel.onClose());
  }
  // frames are cut from views of this memory and may be kept: never more than was received
  stream.addEventListener('message', ({ data }) => channel.onData(Buffer.from(data instanceof Uint8Array ? data : data.subarray())));
  stream.addEventListener('drain', () => channel.onDrain());
  stream.addEventListener('remoteCloseWrite', () => channel.end());
  stream.addEventListener('close', () => {
    finish();
    connection.close().catch(() => connection.abort(ended()));
  });
  if (stream.status !== 'open') finish();
  return channel;
}

/** What libp2p tells the other streams of a connection that is cut. */
function ended(): Error {
  return Object.assign(new DOMException('the link has ended', 'AbortError'));
}
