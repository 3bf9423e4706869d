import { decode, encode, hash32, address, record, signature, verifyStruct, type Domain, type StructValue } from '../codec/index.ts';
import { sha256Hex } from '../crypto/index.ts';
import { bytesOf, concatBytes, type Address, type Hash32, type Signature } from '../types/index.ts';
import { mxFaults as faults } from './faults.ts';

/*
 * Who is at the other end of a plain message channel: both sides sign EIP-712 `Hello` over a binding made of
 * both random challenges. The tag keeps such a signature from serving as the `Hello` of another lane.
 */
const TAG = new TextEncoder().encode('picolo/mx hello');
const HELLO_BYTES = 512;

const challengeC = record({ node: address, challenge: hash32 });
const helloC = record({ from: address, challenge: hash32, signature });
const welcomeC = record({ signature });

/** First frame, from the side that was dialled. `challenge`: 32 fresh random bytes. */
export function challengeFrame(node: Address, challenge: Hash32): Uint8Array {
  return encode(challengeC, { node, challenge });
}

/** What the dialling side keeps between its hello and the welcome. */
export interface Dialled {
  readonly node: Address;
  readonly self: Address;
  readonly challenge: Hash32;
  readonly binding: Hash32;
  readonly toSign: StructValue<'Hello'>;
}

/**
 * Reads the challenge and prepares the hello that the client's key has to sign.
 * @param expected the node the caller wants to reach; anybody else is refused with MX_BAD_HELLO
 */
export function answerChallenge(frame: Uint8Array, expected: Address | undefined, self: Address, challenge: Hash32): Dialled {
  const theirs = decode(challengeC, frame, HELLO_BYTES);
  if (expected !== undefined && theirs.node !== expected) throw faults.badHello({ expected, got: theirs.node });
  const binding = bind(theirs.challenge, challenge);
  return { node: theirs.node, self, challenge, binding, toSign: { binding, from: self, to: theirs.node } };
}

/** Second frame, from the dialling side. */
export function helloFrame(dialled: Dialled, signed: Signature): Uint8Array {
  return encode(helloC, { from: dialled.self, challenge: dialled.challenge, signature: signed });
}

/** Checks the hello on the dialled side; returns the proven peer and what to sign for the welcome. Throws MX_BAD_HELLO, CODEC_*. */
export function checkHello(
  domain: Domain, node: Address, challenge: Hash32, frame: Uint8Array,
): { readonly peer: Address; readonly toSign: StructValue<'Hello'> } {
  const hello = decode(helloC, frame, HELLO_BYTES);
  const binding = bind(challenge, hello.challenge);
  const proven = verifyStruct(domain, 'Hello', { binding, from: hello.from, to: node }, hello.signature, hello.from);
  if (!proven || hello.from === node) throw faults.badHello({ from: hello.from });
  return { peer: hello.from, toSign: { binding, from: node, to: hello.from } };
}

/** Third frame, from the dialled side; after it every frame is one message. */
export function welcomeFrame(signed: Signature): Uint8Array {
  return encode(welcomeC, { signature: signed });
}

/** The dialling side now knows that it reached the node it wanted. Throws MX_BAD_HELLO, CODEC_*. */
export function checkWelcome(domain: Domain, dialled: Dialled, frame: Uint8Array): void {
  const { signature: signed } = decode(welcomeC, frame, HELLO_BYTES);
  const value = { binding: dialled.binding, from: dialled.node, to: dialled.self };
  if (!verifyStruct(domain, 'Hello', value, signed, dialled.node)) throw faults.badHello({ from: dialled.node });
}

function bind(dialledSide: Hash32, diallingSide: Hash32): Hash32 {
  return sha256Hex(concatBytes(TAG, bytesOf(dialledSide), bytesOf(diallingSide)));
}
