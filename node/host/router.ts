import type { Address, Epoch, GroupId } from '../../protocol/types/index.ts';
import type { Clock, Transport } from '../ports/index.ts';
import { decodeFrame, encodeFrame, type Frame } from './frames.ts';
import { createRequests, type RequestHandler, type Requests } from './requests.ts';

export interface Router {
  readonly requests: Requests;
  /** Sends a consensus message of one group to members of it. */
  send(to: readonly Address[], group: GroupId, epoch: Epoch, message: Uint8Array): void;
  onConsensus(handler: (from: Address, group: GroupId, epoch: Epoch, message: Uint8Array) => void): void;
  /** Frames that no reader understood. */
  unreadable(): number;
}

/** Splits one transport into consensus traffic and questions. */
export function createRouter(transport: Transport, clock: Clock, serve: RequestHandler): Router {
  let consensus: Parameters<Router['onConsensus']>[0] = () => undefined;
  let unreadable = 0;
  const sendFrame = (to: Address, frame: Frame): void => transport.send(to, encodeFrame(frame));
  const requests = createRequests(clock, sendFrame, serve);
  transport.onFrame((from, data) => {
    let frame: Frame;
    try {
      frame = decodeFrame(data);
    } catch {
      unreadable += 1; // from an authenticated peer: counted, never fatal
      return;
    }
    if (frame.kind === 'consensus') consensus(from, frame.group as GroupId, frame.epoch, frame.message);
    else requests.onFrame(from, frame);
  });
  return {
    requests,
    send: (to, group, epoch, message) => {
      const frame = encodeFrame({ kind: 'consensus', group, epoch, message }); // once for all: blocks are large
      for (const member of to) transport.send(member, frame);
    },
    onConsensus: (handler) => (consensus = handler),
    unreadable: () => unreadable,
  };
}
