import { LRUCache } from 'lru-cache';
import { decode, encode, record } from '../../../protocol/codec/index.ts';
import { sha256 } from '../../../protocol/crypto/index.ts';
import { invariant } from '../../../protocol/errors/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import {
  headerC, mutationC, writerSignatureC, type EntryRef, type Mutation, type SignedTransaction, type TransactionHeader, type WriterSignature,
} from '../../../protocol/rows/index.ts';
import { bytesOf, concatBytes, type Hash32 } from '../../../protocol/types/index.ts';
import { blobOf, hashFrom, tsBlob, tsFrom } from '../file/bytes.ts';
import type { Store } from './store.ts';

export const headC = record({ header: headerC, signature: writerSignatureC });

/** Who signed an entry. */
export interface Vouch {
  readonly header: TransactionHeader;
  readonly signature: WriterSignature;
}

/** What is kept of an entry: enough to prove who wrote each of its rows. */
export interface StoredEntry extends EntryRef {
  /** Null for a decision about a transaction over several groups, which no writer signs. */
  readonly vouch: Vouch | null;
  /** Leaves of the mutation tree, 32 bytes each; empty for an aborted entry, which wrote no row. */
  readonly mutations: Uint8Array;
}

interface Row {
  entry: Buffer; ts: Buffer; head: Buffer; mutations: Buffer;
}

const NOBODY = new Uint8Array(0);

/** Leaves of a transaction's mutation tree; a single one is its own root. */
export function mutationHashes({ header, body }: SignedTransaction): Uint8Array {
  return body.mutations.length === 1 ? bytesOf(header.mutationsRoot as Hash32) : concatBytes(...body.mutations.map(mutationHash));
}

/** Leaf of the mutation tree (`merkleRoot` of protocol/crypto): H(0x00 ‖ canonical mutation). */
export function mutationHash(mutation: Mutation): Uint8Array {
  return sha256(concatBytes(Uint8Array.of(0), encode(mutationC, mutation)));
}

/**
 * Entries by a small number, so that a leaf points to its 32-byte version in three bytes. An entry stays
 * while any leaf, current or superseded, counts on it.
 */
export class Entries {
  readonly #store: Store;
  readonly #counts = new Map<bigint, bigint>();
  readonly #refs = new LRUCache<bigint, EntryRef>({ max: limits.pendingCommands });

  constructor(store: Store) {
    this.#store = store;
  }

  add({ entryId, ts, vouch, mutations }: StoredEntry): bigint {
    const added = this.#store.run(
      'INSERT INTO entries (entry, ts, head, mutations, refs) VALUES (?, ?, ?, ?, 0)',
      blobOf(entryId), tsBlob(ts), vouch === null ? NOBODY : encode(headC, vouch), mutations,
    );
    const id = BigInt(added.lastInsertRowid);
    this.#refs.set(id, { entryId, ts });
    return id;
  }

  get(id: bigint): StoredEntry {
    const row = this.#store.get<Row>('SELECT entry, ts, head, mutations FROM entries WHERE id = ?', id);
    invariant(row !== undefined, 'ledger-entry-is-kept', { id });
    const vouch = row.head.length === 0 ? null : decode(headC, row.head);
    return { entryId: hashFrom(row.entry), ts: tsFrom(row.ts), vouch, mutations: row.mutations };
  }

  ref(id: bigint): EntryRef {
    const known = this.#refs.get(id);
    if (known !== undefined) return known;
    const row = this.#store.get<Pick<Row, 'entry' | 'ts'>>('SELECT entry, ts FROM entries WHERE id = ?', id);
    invariant(row !== undefined, 'ledger-entry-is-kept', { id });
    const ref = { entryId: hashFrom(row.entry), ts: tsFrom(row.ts) };
    this.#refs.set(id, ref);
    return ref;
  }

  count(id: bigint, by: bigint): void {
    this.#counts.set(id, (this.#counts.get(id) ?? 0n) + by);
  }

  /** Writes the counts of this transaction and forgets entries that nothing points to any more. */
  settle(): void {
    for (const [id, by] of this.#counts) {
      if (by !== 0n) this.#store.run('UPDATE entries SET refs = refs + ? WHERE id = ?', by, id);
      if (by > 0n) continue;
      const gone = this.#store.run('DELETE FROM entries WHERE id = ? AND refs <= 0', id).changes > 0;
      if (gone) this.#refs.delete(id); // the number may come again
    }
    this.#counts.clear();
  }

  /** After a failed transaction, and when everything was replaced. */
  forget(): void {
    this.#refs.clear();
    this.#counts.clear();
  }
}
