import type { Scalar } from '../codec/index.ts';
import { sha256 } from '../crypto/index.ts';
import { addMs, MAX_TIMESTAMP } from '../hlc/index.ts';
import { limits } from '../limits/index.ts';
import { rowFaults } from '../schema/index.ts';
import { bytesOf, concatBytes, hexOf, uintBytes, type Address, type DatabaseId, type Path, type Timestamp } from '../types/index.ts';
import { orderedKey } from './key.ts';

/** Tables that every database has; users' tables never start with an underscore. */
export const SCHEMA_TABLE = '_schema';
export const DATABASE_TABLE = '_database';
export const NONCE_TABLE = '_nonce';

/** Everything known about one leaf of the state tree: its path and the key it stands for. */
export interface KeyRef {
  readonly path: Path;
  readonly table: string;
  /** Empty for rows; otherwise the index, or the foreign key whose children are counted. */
  readonly index: string;
  readonly key: readonly Scalar[];
}

const ORDER_BYTES = 12;
const HASH_BYTES = 16;
const utf8 = new TextEncoder();
const tableIds = new Map<string, Uint8Array>();

/**
 * 256-bit name of a key, in the state tree and for locking: 4 bytes of table hash ‖ first 12 bytes of
 * the ordered key ‖ 16 bytes of SHA-256(table id ‖ ordered key). Order survives inside a table; a
 * collision costs 2^64 work by a writer against itself.
 * @param index empty for the primary key
 */
export function pathOf(database: DatabaseId, table: string, index: string, key: readonly Scalar[]): Path {
  return placed(tableId(database, table, index), checkedKey(table, index, key));
}

export function keyRef(database: DatabaseId, table: string, index: string, key: readonly Scalar[]): KeyRef {
  return { path: pathOf(database, table, index, key), table, index, key };
}

/** Where the schema of a database is stored. */
export function schemaPath(database: DatabaseId): Path {
  return pathOf(database, SCHEMA_TABLE, '', []);
}

/** Where the metadata of a database is stored. */
export function databasePath(database: DatabaseId): Path {
  return pathOf(database, DATABASE_TABLE, '', []);
}

/** Closed timestamp up to which the nonce of a transaction stands: beyond its expiry, so that its writer can see what became of it (DATA-26). */
export function nonceUntil(notAfter: Timestamp): Timestamp {
  const until = addMs(notAfter, limits.nonceGraceMs);
  return until > MAX_TIMESTAMP ? MAX_TIMESTAMP : until;
}

/** The key that a transaction consumes: exactly-once execution is an ordinary conflict on it (consensus §2.2). */
export function noncePath(database: DatabaseId, writer: Address, nonce: bigint): Path {
  // hashed instead of ordered, so that one writer's nonces do not crowd one branch of the tree
  const spread = sha256(concatBytes(bytesOf(writer), uintBytes(nonce, 8)));
  return placed(tableId(database, NONCE_TABLE, ''), spread);
}

export function nonceRef(database: DatabaseId, writer: Address, nonce: bigint): KeyRef {
  return { path: noncePath(database, writer, nonce), table: NONCE_TABLE, index: '', key: [bytesOf(writer), nonce] };
}

/**
 * First and last path that a row of the table (or index) with this key prefix can have, both
 * inclusive; the bounds of a range proof. Keys longer than 12 bytes may share the range's ends with
 * neighbours, so a reader filters what it gets by key.
 */
export function pathRange(
  database: DatabaseId, table: string, index: string, from: readonly Scalar[] = [], to: readonly Scalar[] = from,
): { readonly first: Path; readonly last: Path } {
  const id = tableId(database, table, index);
  return {
    first: joined(id, padded(orderedKey(from), 0x00), new Uint8Array(HASH_BYTES)),
    last: joined(id, padded(orderedKey(to), 0xff), new Uint8Array(HASH_BYTES).fill(0xff)),
  };
}

function tableId(database: DatabaseId, table: string, index: string): Uint8Array {
  const name = `${database}/${table}\u0000${index}`;
  let id = tableIds.get(name);
  if (id === undefined) {
    id = sha256(concatBytes(utf8.encode('picolo/table'), bytesOf(database), utf8.encode(`${table}\u0000${index}`)));
    if (tableIds.size >= limits.tableIdsCached) tableIds.clear();
    tableIds.set(name, id);
  }
  return id;
}

function checkedKey(table: string, index: string, key: readonly Scalar[]): Uint8Array {
  const bytes = orderedKey(key);
  if (bytes.length > limits.keyBytes) throw rowFaults.keyTooLong({ table, index, bytes: bytes.length, maxBytes: limits.keyBytes });
  return bytes;
}

function placed(id: Uint8Array, ordered: Uint8Array): Path {
  return joined(id, padded(ordered, 0x00), sha256(concatBytes(id, ordered)).subarray(0, HASH_BYTES));
}

function joined(id: Uint8Array, order: Uint8Array, hash: Uint8Array): Path {
  return hexOf(concatBytes(id.subarray(0, 4), order, hash)) as Path;
}

function padded(ordered: Uint8Array, filler: number): Uint8Array {
  const out = new Uint8Array(ORDER_BYTES).fill(filler);
  out.set(ordered.subarray(0, ORDER_BYTES));
  return out;
}
