import type { PicoloError } from '../../protocol/errors/index.ts';
import type { Address, Hash32 } from '../../protocol/types/index.ts';
import type { Clock, Signer } from '../ports/index.ts';
import type { Channel } from './channel.ts';
import { networkFaults } from './faults.ts';
import { decodeHello, encodeHello, HELLO_BYTES, helloFault } from './hello.ts';
import { Wire } from './wire.ts';

export interface HandshakeOptions {
  readonly signer: Signer;
  readonly clock: Clock;
  readonly handshakeMs: number;
  readonly keepAliveMs: number;
  /** Whom we may speak with; asked before any signature is checked or made. */
  readonly allowed: (peer: Address) => boolean;
}

/** A fresh encrypted connection whose other end has not said yet who it is. */
export interface Session {
  readonly channel: Channel;
  /** What only the two ends of this connection share; a Hello is signed over it. */
  readonly binding: Hash32;
}

export type Outcome =
  | { readonly kind: 'open'; readonly peer: Address; readonly wire: Wire }
  | { readonly kind: 'refused'; readonly fault: PicoloError };

/**
 * Mutual proof of identity on a fresh session. The dialler speaks first and names whom it
 * expects, so a node never signs for a stranger: the answer is given only after the first hello
 * was proven. Calls `done` exactly once; a refused connection is already destroyed.
 * @param expected whom we dialled, undefined on the accepting side
 */
export function shakeHands(
  { channel, binding }: Session, expected: Address | undefined, options: HandshakeOptions, done: (outcome: Outcome) => void,
): void {
  const { signer, clock, handshakeMs, keepAliveMs } = options;
  const wire = new Wire(channel, { clock, keepAliveMs, maxBytes: HELLO_BYTES });
  const cancel = clock.after(handshakeMs, () => wire.fail(networkFaults.handshakeTimeout({ handshakeMs })));
  wire.onClose = (fault) => {
    cancel();
    done({ kind: 'refused', fault: fault ?? networkFaults.badHello({ reason: 'closed before it was done', peer: expected }) });
  };
  wire.onFrame = (frame) => {
    const peer = proven(frame);
    if (peer === undefined) return;
    cancel();
    wire.onClose = () => undefined;
    if (expected === undefined) wire.writeNow(encodeHello(signer, binding, peer));
    done({ kind: 'open', peer, wire });
  };
  if (expected !== undefined) wire.writeNow(encodeHello(signer, binding, expected));

  function proven(frame: Uint8Array): Address | undefined {
    const hello = decodeHello(frame);
    const fault = hello === undefined ? networkFaults.badHello({ bytes: frame.length }) : judge(hello);
    if (fault !== undefined) wire.fail(fault);
    return fault === undefined ? hello?.from : undefined;
  }

  function judge(hello: NonNullable<ReturnType<typeof decodeHello>>): PicoloError | undefined {
    if (expected !== undefined && hello.from !== expected) return networkFaults.wrongIdentity({ expected, got: hello.from });
    if (!options.allowed(hello.from)) return networkFaults.unknownPeer({ from: hello.from });
    return helloFault(signer, binding, hello);
  }
}
