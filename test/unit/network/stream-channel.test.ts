import type { Connection, Stream } from '@libp2p/interface';
import { expect } from 'chai';
import { streamChannel } from '../../../node/network/stream-channel.ts';
import { settle, until } from '../../conformance/until.ts';

/** The two ends that libp2p gives, which close as a test wishes. */
function ends({ stream: closeStream, connection: closeConnection }: Record<'stream' | 'connection', () => Promise<void>>): {
  readonly stream: Stream & EventTarget; readonly connection: Connection; readonly calls: string[];
} {
  const calls: string[] = [];
  const stream = Object.assign(new EventTarget(), {
    status: 'open', send: () => true, close: () => (calls.push('stream.close'), closeStream()),
  }) as unknown as Stream & EventTarget;
  const connection = {
    close: () => (calls.push('connection.close'), closeConnection()), abort: () => void calls.push('connection.abort'),
  } as unknown as Connection;
  return { stream, connection, calls };
}

const inTime = (): Promise<void> => Promise.resolve();
const tooLate = (): Promise<void> => Promise.reject(new DOMException('the socket takes nothing more', 'TimeoutError'));

describe('network: a stream of libp2p as a channel', () => {
  let unheard: unknown[];
  const note = (error: unknown): void => void unheard.push(error);
  let others: NodeJS.UnhandledRejectionListener[];

  beforeEach(() => {
    unheard = [];
    others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  });
  afterEach(() => {
    process.off('unhandledRejection', note);
    for (const other of others) process.on('unhandledRejection', other);
  });

  it('ends in order: the stream, then its connection', async () => {
    const { stream, connection, calls } = ends({ stream: inTime, connection: inTime });
    streamChannel(stream, connection).end();
    await settle();
    expect(calls).to.deep.equal(['stream.close', 'connection.close']);
  });

  it('cuts a connection that does not close in time, or whose stream does not: the link ends, the process goes on', async () => {
    for (const [wish, before] of [
      [{ stream: inTime, connection: tooLate }, ['stream.close', 'connection.close']], [{ stream: tooLate, connection: inTime }, ['stream.close']],
    ] as const) {
      const { stream, connection, calls } = ends(wish);
      streamChannel(stream, connection).end();
      await until('the cut', () => calls.includes('connection.abort'));
      expect(calls).to.deep.equal([...before, 'connection.abort']);
    }
    await settle();
    expect(unheard).to.deep.equal([]);
  });

  it('closes once when the other side closes, and cuts a connection that stays behind', async () => {
    const { stream, connection, calls } = ends({ stream: inTime, connection: tooLate });
    let closed = 0;
    streamChannel(stream, connection).onClose = () => (closed += 1);
    stream.dispatchEvent(new Event('close'));
    stream.dispatchEvent(new Event('close'));
    await until('the cut', () => calls.includes('connection.abort'));
    await settle();
    expect([closed, unheard]).to.deep.equal([1, []]);
  });
});
