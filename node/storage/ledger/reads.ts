import { LRUCache } from 'lru-cache';
import { encode } from '../../../protocol/codec/index.ts';
import { sha256, type MerkleStep } from '../../../protocol/crypto/index.ts';
import type { Scalar } from '../../../protocol/codec/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { contentHashOf, keyHashOf, mutationC, put, rowHashOf, type RowProof } from '../../../protocol/rows/index.ts';
import type { Row } from '../../../protocol/schema/index.ts';
import type { RangeProof, TreeProof } from '../../../protocol/state-tree/index.ts';
import { concatBytes, hexOf, ZERO_HASH, type EntryId, type Hash32, type Height, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Entries } from './entries.ts';
import { ledgerFaults } from './faults.ts';
import { checksumOf, type LeafRecord, type Leaves } from './leaves.ts';
import { holdsRows } from './spaces.ts';

/** A leaf as SQLite holds it. */
export interface StoredKey {
  readonly path: Path;
  readonly version: EntryId;
  readonly writtenAt: Timestamp;
  readonly table: string;
  readonly index: string;
  readonly key: readonly Scalar[];
  /** A row's columns, an index entry's primary key, a counter; null for a nonce. */
  readonly values: Row | null;
  /** Computed from the above, not taken from the tree: what a signed answer vouches for (DOORS 11). */
  readonly rowHash: Hash32;
}

/** `unavailable`: the stored bytes do not match their own checksum, so nothing may be signed about them. */
export type KeyAnswer =
  | { readonly kind: 'present'; readonly stored: StoredKey; readonly proof: TreeProof }
  | { readonly kind: 'absent'; readonly proof: TreeProof }
  | { readonly kind: 'unavailable' };

export interface RangeRead {
  readonly keys: readonly StoredKey[];
  readonly proof: RangeProof;
}

export interface ReadParts {
  readonly leaves: Leaves;
  readonly entries: Entries;
  readonly checkpoints: Checkpoints;
}

/** Reads at a kept checkpoint, from storage and with the tree's proof beside it. */
export class Reads {
  readonly #parts: ReadParts;
  readonly #trees = new LRUCache<EntryId, Levels>({ maxSize: limits.mutationTreesBytes });

  constructor(parts: ReadParts) {
    this.#parts = parts;
  }

  /** @throws LEDGER_UNKNOWN_CHECKPOINT */
  readAt(height: Height, path: Path): KeyAnswer {
    const { leaves, checkpoints } = this.#parts;
    const root = checkpoints.root(height);
    const proof = checkpoints.tree.prove(root, path);
    const leaf = leaves.asOf(path, checkpoints.get(height).closeTs);
    if (leaf === undefined) return { kind: 'absent', proof };
    const stored = this.storedKey(leaf);
    return stored === undefined ? { kind: 'unavailable' } : { kind: 'present', stored, proof };
  }

  /** The key at a rank of the checkpoint's tree: what a random challenge names (P-6.1-random-index). @throws LEDGER_RANK_OUT_OF_RANGE */
  pathAt(height: Height, rank: bigint): Path {
    const { checkpoints } = this.#parts;
    const root = checkpoints.root(height);
    if (rank < 0n || rank >= root.count) throw ledgerFaults.rankOutOfRange({ rank, count: root.count });
    return checkpoints.tree.at(root, rank).path;
  }

  /** First `limit` keys between two paths, both inclusive. 'unavailable' when one of them is damaged. */
  range(height: Height, from: Path, to: Path, limit: number): RangeRead | 'unavailable' {
    const { leaves, checkpoints } = this.#parts;
    const { closeTs } = checkpoints.get(height);
    const { leaves: found, proof } = checkpoints.tree.proveRange(checkpoints.root(height), from, to, limit);
    const keys: StoredKey[] = [];
    for (const { path } of found) {
      const leaf = leaves.asOf(path, closeTs);
      const stored = leaf === undefined ? undefined : this.storedKey(leaf);
      if (stored === undefined) return 'unavailable';
      keys.push(stored);
    }
    return { keys, proof };
  }

  /** Who wrote the row; undefined when the key is absent or no row of a user's table or reserved table. */
  provenance(height: Height, path: Path): RowProof | undefined {
    const { leaves, entries, checkpoints } = this.#parts;
    const leaf = leaves.asOf(path, checkpoints.get(height).closeTs);
    const content = leaf === undefined ? undefined : leaves.contentOf(leaf);
    if (leaf === undefined || leaf.mutation === null || content == null) return undefined;
    const { entryId, vouch, ts, mutations } = entries.get(leaf.entry);
    if (vouch === null) return undefined;
    const mutation = encode(mutationC, put(leaf.space.table, leaf.key, content));
    return { ...vouch, ts, mutation, steps: pathFrom(this.#levels(entryId, mutations), Number(leaf.mutation)) };
  }

  /** Rows of one transaction share its tree. */
  #levels(entry: EntryId, mutations: Uint8Array): Levels {
    let levels = this.#trees.get(entry);
    if (levels === undefined) {
      levels = levelsOf(mutations);
      this.#trees.set(entry, levels, { size: 2 * mutations.length });
    }
    return levels;
  }

  /** Undefined when the stored bytes fail their checksum. */
  storedKey(leaf: LeafRecord): StoredKey | undefined {
    const { entryId, ts } = this.#parts.entries.ref(leaf.entry);
    const row = holdsRows(leaf.space) ? this.#parts.leaves.rowOf(leaf) : undefined;
    if (holdsRows(leaf.space) && row === undefined) return undefined;
    const values = row?.row ?? leaf.content;
    const rowHash = rowHashOf({ entryId, ts }, keyHashOf(leaf.key), values === null ? ZERO_HASH : contentHashOf(values));
    if (checksumOf(rowHash) !== (row?.checksum ?? checksumOf(leaf.hash))) return undefined;
    const { table, index } = leaf.space;
    return { path: leaf.path, version: entryId, writtenAt: ts, table, index, key: leaf.key, values, rowHash };
  }
}

type Levels = readonly (readonly Uint8Array[])[];

/** Merkle path over hashed leaves; the twin of `merklePath` of protocol/crypto, which wants the leaves themselves. */
export function stepsFrom(hashes: Uint8Array, index: number): MerkleStep[] {
  return pathFrom(levelsOf(hashes), index);
}

/** Root over hashed leaves. */
export function rootFrom(hashes: Uint8Array): Hash32 {
  return hexOf(levelsOf(hashes).at(-1)?.[0] as Uint8Array) as Hash32;
}

function pathFrom(levels: Levels, index: number): MerkleStep[] {
  return levels.slice(0, -1).map((level, height) => {
    const at = index >> height;
    return { sibling: hexOf(level[at ^ 1] as Uint8Array) as Hash32, left: (at & 1) === 1 };
  });
}

/** From the leaves, padded to a power of two, up to the root. */
function levelsOf(hashes: Uint8Array): Levels {
  const leaves = Array.from({ length: hashes.length / 32 }, (_, i) => hashes.subarray(32 * i, 32 * i + 32));
  let width = 1;
  while (width < leaves.length) width *= 2;
  while (leaves.length < width) leaves.push(new Uint8Array(32));
  const levels: Uint8Array[][] = [leaves];
  for (let level = leaves; level.length > 1;) levels.push((level = parentsOf(level)));
  return levels;
}

function parentsOf(level: readonly Uint8Array[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    out.push(sha256(concatBytes(Uint8Array.of(1), level[i] as Uint8Array, level[i + 1] as Uint8Array)));
  }
  return out;
}
