import { addressOf, addressOfPublicKey, keccak256, publicKeyOf, sharedPoint } from '../crypto/index.ts';
import { bytesOf, concatBytes, hexOf, type Address, type Hash32 } from '../types/index.ts';
import { marketFaults } from './faults.ts';

/** 32 bytes that open what a listing sells. */
export type DataKey = Uint8Array;

/** A public key as contracts see it. */
export interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

/** What a buyer shows the contract: its one-time secret and the shared point, whose derivation the contract checks (market §3). */
export interface Complaint {
  readonly secret: bigint;
  readonly sharedX: bigint;
  readonly sharedY: bigint;
}

/** Public key of a secret. */
export function pointOf(secret: Uint8Array): Point {
  return split(publicKeyOf(secret));
}

/** Name of a one-time key in the contract: the account behind it. */
export function buyerKeyOf(secret: Uint8Array): Address {
  return addressOf(secret);
}

/** The same account, from the one-time public key that the purchase shows. */
export function pointAddress(point: Point): Address {
  return addressOfPublicKey(bytesOf(`0x${word(point.x)}${word(point.y)}`));
}

/** What a listing commits to: keccak of the key. */
export function keyCommitOf(key: DataKey): Hash32 {
  return hexOf(keccak256(key)) as Hash32;
}

/**
 * Hides the key for one purchase: key xor keccak(provider's secret · buyer's point ‖ purchase). Its own inverse with the other
 * side's halves, so that buyers uncover with the same function.
 * @throws MARKET_BAD_POINT
 */
export function hideKey(key: DataKey, secret: Uint8Array, point: Point, purchase: Hash32): Hash32 {
  const mask = keccak256(concatBytes(shared(secret, point), bytesOf(purchase)));
  return hexOf(mask.map((byte, i) => byte ^ (key[i] as number))) as Hash32;
}

/**
 * The key that a provider delivered.
 * @param secret the buyer's one-time secret
 * @param point the provider's point
 * @throws MARKET_WRONG_KEY when it is not the committed one: complain
 */
export function uncoverKey(cipher: Hash32, secret: Uint8Array, point: Point, purchase: Hash32, keyCommit: Hash32): DataKey {
  const key = bytesOf(hideKey(bytesOf(cipher), secret, point, purchase));
  if (keyCommitOf(key) !== keyCommit) throw marketFaults.wrongKey({ purchase, keyCommit });
  return key;
}

/** The complaint about a purchase; whether it will be heard, `uncoverKey` has told. @throws MARKET_BAD_POINT */
export function complaintOf(secret: Uint8Array, point: Point): Complaint {
  const { x, y } = split(shared(secret, point));
  return { secret: BigInt(hexOf(secret)), sharedX: x, sharedY: y };
}

function shared(secret: Uint8Array, { x, y }: Point): Uint8Array {
  const found = sharedPoint(secret, bytesOf(`0x${word(x)}${word(y)}`));
  if (found === undefined) throw marketFaults.badPoint({ x: `0x${word(x)}` });
  return found;
}

const word = (value: bigint): string => value.toString(16).padStart(64, '0');

function split(point: Uint8Array): Point {
  return { x: BigInt(hexOf(point.subarray(0, 32))), y: BigInt(hexOf(point.subarray(32, 64))) };
}
