import { PoolFullReason, hostFaults } from './faults.ts';
import { isPicoloError, PicoloError } from '../../protocol/errors/index.ts';
import { decode, encode, type Codec } from '../../protocol/codec/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import type { Clock } from '../ports/index.ts';
import { refusalC, requestC, type Frame, type PeerRequest } from './frames.ts';

/** Serves a peer's question; whatever it throws reaches the peer as a coded refusal. */
export type RequestHandler = (from: Address, request: PeerRequest) => Promise<Uint8Array>;

export interface Requests {
  /** Rejects with HOST_PEER_TIMEOUT, or with the peer's own code. */
  ask(to: Address, request: PeerRequest, timeoutMs: number): Promise<Uint8Array>;
  onFrame(from: Address, frame: Frame & { kind: 'request' | 'response' }): void;
}

interface Waiting {
  readonly to: Address;
  readonly settle: (ok: boolean, body: Uint8Array) => void;
}

/** Questions and answers over one-way frames, with a bound on how many may be open. */
export function createRequests(clock: Clock, send: (to: Address, frame: Frame) => void, serve: RequestHandler): Requests {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let serving = 0;

  async function answer(from: Address, id: number, body: Uint8Array): Promise<void> {
    serving += 1;
    try {
      if (serving > limits.peerRequestsServed) throw hostFaults.busy({ reason: PoolFullReason });
      const reply = await serve(from, decode(requestC as Codec<PeerRequest>, body));
      send(from, { kind: 'response', id, ok: true, body: reply });
    } catch (error) {
      send(from, { kind: 'response', id, ok: false, body: encode(refusalC, refusalOf(error)) });
    } finally {
      serving -= 1;
    }
  }

  return {
    ask(to, request, timeoutMs) {
      if (waiting.size >= limits.peerRequestsOpen) return Promise.reject(hostFaults.busy({ open: waiting.size }));
      const id = nextId;
      nextId = (nextId % 0xffffffff) + 1;
      return new Promise((resolve, reject) => {
        const cancel = clock.after(timeoutMs, () => {
          waiting.delete(id);
          reject(hostFaults.peerTimeout({ peer: to, asked: request.kind, timeoutMs }));
        });
        const settle = (ok: boolean, body: Uint8Array): void => {
          cancel();
          waiting.delete(id);
          if (ok) resolve(body);
          else reject(refusalFrom(to, body));
        };
        waiting.set(id, { to, settle });
        send(to, { kind: 'request', id, body: encode(requestC as Codec<PeerRequest>, request) });
      });
    },
    onFrame(from, frame) {
      if (frame.kind === 'request') {
        void answer(from, frame.id, frame.body);
        return;
      }
      const open = waiting.get(frame.id);
      if (open !== undefined && open.to === from) open.settle(frame.ok, frame.body);
    },
  };
}

function refusalOf(error: unknown): { code: string; message: string } {
  if (isPicoloError(error)) return { code: error.code, message: error.what };
  return { code: 'HOST_INTERNAL', message: 'the peer failed while answering' };
}

function refusalFrom(peer: Address, body: Uint8Array): PicoloError {
  try {
    const { code, message } = decode(refusalC, body);
    return new PicoloError(code, message, 'ask another member of the group', { peer });
  } catch {
    return hostFaults.badReply({ peer });
  }
}
