import { randomBytes } from 'node:crypto';
import {
  answerChallenge, challengeFrame, checkHello, checkWelcome, helloFrame, welcomeFrame, type Dialled,
} from '../../protocol/mx/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { hexOf, type Address, type Hash32 } from '../../protocol/types/index.ts';
import type { MxService } from './service.ts';

/** What a link needs of a WebSocket, whichever library made it. */
export interface FrameSocket {
  send(frame: Uint8Array): void;
  close(): void;
  /** Bytes accepted by `send` and not yet handed to the network. */
  bufferedBytes(): number;
}

/** One side of one connection: hello first, then one message per frame. */
export interface Link {
  onFrame(frame: Uint8Array): void;
  onClose(): void;
  /** True once the other side has shown who it is. */
  proven(): boolean;
}

const HELLO_MS = 10_000;

/** Our side when somebody connected to us: challenge, check the hello, welcome. */
export function acceptLink(service: MxService, socket: FrameSocket): Link {
  const challenge = freshChallenge();
  const link = createLink(service, socket, (frame) => {
    const { peer, toSign } = checkHello(service.domain, service.self, challenge, frame);
    socket.send(welcomeFrame(service.signer.sign('Hello', toSign)));
    return peer;
  });
  socket.send(challengeFrame(service.self, challenge));
  return link;
}

/**
 * Our side when we connected: answer the challenge, then check the welcome.
 * @param expected the only node that will do; undefined takes whoever answers there, once it has proven its address
 * @param onProven called before the link is used
 */
export function dialLink(
  service: MxService, socket: FrameSocket, expected: Address | undefined, onProven: (node: Address) => void = () => undefined,
): Link {
  let dialled: Dialled | undefined;
  return createLink(service, socket, (frame) => {
    if (dialled !== undefined) {
      checkWelcome(service.domain, dialled, frame);
      onProven(dialled.node);
      return dialled.node;
    }
    dialled = answerChallenge(frame, expected, service.self, freshChallenge());
    socket.send(helloFrame(dialled, service.signer.sign('Hello', dialled.toSign)));
    return undefined;
  });
}

/** @param greet handles a frame of the handshake; returns the peer once it is proven, throws when it is not who it says */
function createLink(service: MxService, socket: FrameSocket, greet: (frame: Uint8Array) => Address | undefined): Link {
  let peer: Address | undefined;
  let disconnect: (() => void) | undefined;
  const allows = createBucket(limits.mxMessagesPerSecond, () => service.clock.nowMs());
  const stopHello = service.clock.after(HELLO_MS, () => {
    if (peer === undefined) socket.close();
  });

  /** A peer that does not read loses its link, not our memory. */
  const send = (frame: Uint8Array): void => {
    if (socket.bufferedBytes() + frame.length > limits.mxBufferedBytes) socket.close();
    else socket.send(frame);
  };

  return {
    onFrame(frame) {
      if (!allows()) return socket.close();
      if (peer !== undefined) return service.receive(peer, frame);
      try {
        peer = greet(frame);
      } catch (cause) {
        service.notice({ kind: 'badFrame', peer: undefined, cause });
        return socket.close();
      }
      if (peer === undefined) return;
      stopHello();
      disconnect = service.connect(peer, send);
    },
    onClose() {
      stopHello();
      disconnect?.();
      disconnect = undefined;
    },
    proven: () => peer !== undefined,
  };
}

function freshChallenge(): Hash32 {
  return hexOf(randomBytes(32)) as Hash32;
}

/** Token bucket: `perSecond` on average, as many at once. */
function createBucket(perSecond: number, nowMs: () => number): () => boolean {
  let tokens = perSecond;
  let atMs = nowMs();
  return () => {
    const now = nowMs();
    tokens = Math.min(perSecond, tokens + (Math.max(0, now - atMs) * perSecond) / 1000);
    atMs = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
