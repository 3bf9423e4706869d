import type { TLSSocket } from 'node:tls';
import { verifyStruct } from '../../protocol/codec/index.ts';
import type { PicoloError } from '../../protocol/errors/index.ts';
import { bytesOf, concatBytes, hexOf, type Address, type Hash32, type Signature } from '../../protocol/types/index.ts';
import type { Signer } from '../ports/index.ts';
import { networkFaults } from './faults.ts';

/** from(20) ‖ to(20) ‖ signature(65). */
export const HELLO_BYTES = 105;

const BINDING_LABEL = 'EXPORTER-Channel-Binding'; // RFC 9266

export interface Hello {
  readonly from: Address;
  readonly to: Address;
  readonly signature: Signature;
}

/**
 * Key material that only the two ends of this TLS session can compute: someone in the middle holds
 * two sessions with two different values, so a Hello signed for one says nothing on the other.
 */
export function bindingOf(socket: TLSSocket): Hash32 {
  return hexOf(socket.exportKeyingMaterial(32, BINDING_LABEL, Buffer.alloc(0))) as Hash32;
}

export function encodeHello(signer: Signer, binding: Hash32, to: Address): Uint8Array {
  const signature = signer.sign('Hello', { binding, from: signer.address, to });
  return concatBytes(bytesOf(signer.address), bytesOf(to), bytesOf(signature));
}

/** The fields as claimed, or undefined for anything of another length. */
export function decodeHello(frame: Uint8Array): Hello | undefined {
  if (frame.length !== HELLO_BYTES) return undefined;
  return {
    from: hexOf(frame.subarray(0, 20)) as Address,
    to: hexOf(frame.subarray(20, 40)) as Address,
    signature: hexOf(frame.subarray(40)) as Signature,
  };
}

/**
 * Undefined when the hello proves that `hello.from` holds the other end of this session and meant
 * to speak with us. A hello names its sender first, so one's own hello sent back proves nothing.
 */
export function helloFault(signer: Signer, binding: Hash32, hello: Hello): PicoloError | undefined {
  const { from, to, signature } = hello;
  if (to !== signer.address) return networkFaults.wrongIdentity({ expected: to, got: signer.address });
  const proven = from !== to && verifyStruct(signer.domain, 'Hello', { binding, from, to }, signature, from);
  return proven ? undefined : networkFaults.badHello({ from });
}
