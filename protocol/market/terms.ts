import { encode, hash32, list, record, text, type Domain } from '../codec/index.ts';
import { keccak256, sha256Hex } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import { concatBytes, hexOf, wordOf, type Address, type Hash32 } from '../types/index.ts';
import type { Point } from './keys.ts';

/** What a key opens: columns of one table. The listing holds its hash. */
export interface Policy {
  readonly database: Hash32;
  readonly table: string;
  readonly columns: readonly string[];
  /** What the seller says about the data. */
  readonly note: string;
}

/** `DataMarket.Terms`; amounts in wei of `token`, zero address for ether. */
export interface Terms {
  readonly provider: Address;
  readonly token: Address;
  readonly priceWei: bigint;
  readonly bondWei: bigint;
  readonly keyCommit: Hash32;
  readonly policy: Hash32;
  readonly point: Point;
  readonly salt: Hash32;
}

const policyC = record({
  database: hash32, table: text(limits.identifierBytes), columns: list(text(limits.identifierBytes), limits.columnsPerTable),
  note: text(limits.marketNoteBytes),
});

/** SHA-256 of the canonical CBOR of [database, table, columns, note]. */
export function policyHashOf(policy: Policy): Hash32 {
  return sha256Hex(encode(policyC, policy));
}

/** Name of a listing: keccak of ABI ("picolo.listing", chain id, market, terms). */
export function listingIdOf(chainId: Domain['chainId'], market: Address, terms: Terms): Hash32 {
  return named('picolo.listing', [chainId, market, ...termsWords(terms)]);
}

/** Name of a purchase: keccak of ABI ("picolo.purchase", listing, account of the one-time key). */
export function purchaseIdOf(listing: Hash32, buyerKey: Address): Hash32 {
  return named('picolo.purchase', [listing, buyerKey]);
}

/** The terms in the order of the contract's struct. */
export function termsWords({ provider, token, priceWei, bondWei, keyCommit, policy, point, salt }: Terms): readonly (bigint | Hash32 | Address)[] {
  return [provider, token, priceWei, bondWei, keyCommit, policy, point.x, point.y, salt];
}

function named(tag: string, words: readonly (bigint | string)[]): Hash32 {
  const name = new TextEncoder().encode(tag);
  const padded = new Uint8Array(32);
  padded.set(name);
  const head = concatBytes(wordOf(32 * (words.length + 1)), ...words.map((word) => wordOf(BigInt(word))));
  return hexOf(keccak256(concatBytes(head, wordOf(name.length), padded))) as Hash32;
}
