import { encode, type Scalar } from '../codec/index.ts';
import { sha256, sha256Hex } from '../crypto/index.ts';
import { bytesOf, concatBytes, hexOf, wordOf, ZERO_HASH, type EntryId, type Hash32, type Path, type Timestamp } from '../types/index.ts';
import { rowC } from './mutation.ts';
import { nonceRef, type KeyRef } from './path.ts';
import type { TransactionHeader } from './transaction.ts';

/** The entry that wrote a leaf; its id is the leaf's version. */
export interface EntryRef {
  readonly entryId: EntryId;
  readonly ts: Timestamp;
}

/** Next content of one key: `null` removes it. */
export interface Change {
  readonly ref: KeyRef;
  readonly content: readonly Scalar[] | null;
}

/** The state tree's input; `null` removes the leaf. */
export interface LeafChange {
  readonly path: Path;
  readonly rowHash: Hash32 | null;
}

export function keyHashOf(key: readonly Scalar[]): Hash32 {
  return sha256Hex(encode(rowC, key));
}

/** SHA-256 of the canonical CBOR of the content's scalars: a row's columns, an index entry's primary key, a counter. */
export function contentHashOf(content: readonly Scalar[]): Hash32 {
  return sha256Hex(encode(rowC, content));
}

/**
 * What a leaf commits to besides its path: version, timestamp, full key, content. Inputs of SHA-256 are
 * 64 bytes each, so the batch hasher and the contract apply (architecture §3).
 */
export function rowHashOf(entry: EntryRef, keyHash: Hash32, contentHash: Hash32): Hash32 {
  const written = sha256(concatBytes(bytesOf(entry.entryId), wordOf(entry.ts)));
  const said = sha256(concatBytes(bytesOf(keyHash), bytesOf(contentHash)));
  return hexOf(sha256(concatBytes(written, said))) as Hash32;
}

/** The leaf of one change made by an entry. */
export function leafOf({ ref, content }: Change, entry: EntryRef): LeafChange {
  if (content === null) return { path: ref.path, rowHash: null };
  return { path: ref.path, rowHash: rowHashOf(entry, keyHashOf(ref.key), contentHashOf(content)) };
}

/** The nonce is consumed by an aborted entry too, so this leaf is written for every entry (consensus §2.2). */
export function nonceLeafOf(header: TransactionHeader, entry: EntryRef): LeafChange {
  const ref = nonceRef(header.database, header.writer, header.nonce);
  return { path: ref.path, rowHash: rowHashOf(entry, keyHashOf(ref.key), ZERO_HASH) };
}
