import {
  bytes, decode, encode, hash32, list, nullable, record, text, timestamp, u32, type Decoded, type Domain,
} from '../../../protocol/codec/index.ts';
import { isPicoloError } from '../../../protocol/errors/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import {
  contentHashOf, entryIdOf, headerC, keyC, keyHashOf, NONCE_TABLE, noncePath, pathOf, put, rowC, rowHashOf, txIdOf, vouchedTxId,
  writerSignatureC,
} from '../../../protocol/rows/index.ts';
import { rangeProofC, verifyRange } from '../../../protocol/state-tree/index.ts';
import { equalBytes, ZERO_HASH, type EntryId, type Hash32, type Path } from '../../../protocol/types/index.ts';
import type { SnapshotChunk } from '../../ports/index.ts';
import { mutationHash } from './entries.ts';
import { ledgerFaults } from './faults.ts';
import { rootFrom } from './reads.ts';

export const FIRST_PATH = `0x${'00'.repeat(32)}` as Path;
export const LAST_PATH = `0x${'ff'.repeat(32)}` as Path;
const MOST_CHUNK_BYTES = limits.frameBytes;

/** Entries that wrote the chunk's leaves, each once. */
const chunkEntryC = record({ header: headerC, signature: writerSignatureC, ts: timestamp, mutations: bytes(32 * limits.mutationsPerTransaction) });

const chunkLeafC = record({
  path: hash32, entry: u32, table: text(limits.identifierBytes), index: text(limits.sqlBytes), key: keyC, content: nullable(rowC),
  mutation: nullable(u32),
});

/** Consecutive leaves with what proves them: where they stand, that none is missing, who wrote each. */
export const chunkC = record({ entries: list(chunkEntryC, limits.rangeRows), leaves: list(chunkLeafC, limits.rangeRows), proof: rangeProofC });

export type Chunk = Decoded<typeof chunkC>;
export type ChunkEntry = Chunk['entries'][number];
export type ChunkLeaf = Chunk['leaves'][number];

export function encodeChunk(chunk: Chunk): Uint8Array {
  return encode(chunkC, chunk);
}

export function decodeChunk(encoded: Uint8Array): Chunk {
  return decode(chunkC, encoded, MOST_CHUNK_BYTES);
}

/** Path after a leaf; null after the last possible one. */
export function pathAfter(path: Path): Path | null {
  return path === LAST_PATH ? null : (`0x${(BigInt(path) + 1n).toString(16).padStart(64, '0')}` as Path);
}

/**
 * Checks a chunk on its own against a certified root: a lying peer costs a round trip and nothing else (consensus §2.12).
 * @throws LEDGER_BAD_CHUNK
 */
export function verifyChunk(domain: Domain, stateRoot: Hash32, from: Path | null, { bytes: encoded, next }: SnapshotChunk): Chunk {
  try {
    const chunk = decodeChunk(encoded);
    const versions = chunk.entries.map((entry) => versionOf(domain, entry));
    const leaves = chunk.leaves.map((leaf) => ({ path: leaf.path as Path, rowHash: leafHash(chunk, leaf, versions) }));
    const { complete } = verifyRange(stateRoot, from ?? FIRST_PATH, LAST_PATH, chunk.proof, leaves);
    const last = leaves.at(-1);
    const expected = complete || last === undefined ? null : pathAfter(last.path);
    if (next !== expected) throw ledgerFaults.badChunk({ part: 'next', next, expected });
    return chunk;
  } catch (error) {
    if (!isPicoloError(error) || error.code === 'LEDGER_BAD_CHUNK') throw error;
    throw ledgerFaults.badChunk({ from, reason: error.code }, error);
  }
}

function versionOf(domain: Domain, { header, signature, ts, mutations }: ChunkEntry): EntryId {
  const txId = vouchedTxId(domain, header, signature);
  const known = mutations.length > 0 && mutations.length % 32 === 0 && rootFrom(mutations) === header.mutationsRoot;
  if (mutations.length > 0 && !known) throw ledgerFaults.badChunk({ part: 'mutations', txId });
  return entryIdOf(txId, ts, header.footprintRoot);
}

/** The same of an entry whose chunk was verified before it was staged. */
export function entryIdFrom(domain: Domain, { header, ts }: ChunkEntry): EntryId {
  return entryIdOf(txIdOf(domain, header), ts, header.footprintRoot);
}

function leafHash({ entries }: Chunk, leaf: ChunkLeaf, versions: readonly EntryId[]): Hash32 {
  const entry = entries[leaf.entry];
  const entryId = versions[leaf.entry];
  if (entry === undefined || entryId === undefined) throw ledgerFaults.badChunk({ part: 'entry', path: leaf.path });
  if (expectedPath(entry, leaf) !== leaf.path) throw ledgerFaults.badChunk({ part: 'path', path: leaf.path });
  checkMutation(entry, leaf);
  return rowHashOf({ entryId, ts: entry.ts }, keyHashOf(leaf.key), leaf.content === null ? ZERO_HASH : contentHashOf(leaf.content));
}

/** The hash of a leaf does not name table and index; its path does. */
function expectedPath({ header }: ChunkEntry, { table, index, key, content }: ChunkLeaf): Path {
  if (table !== NONCE_TABLE) return pathOf(header.database, table, index, key);
  if (content !== null) throw ledgerFaults.badChunk({ part: 'nonce' });
  return noncePath(header.database, header.writer, header.nonce);
}

/** A row must be one of the mutations that its writer signed. */
function checkMutation({ mutations }: ChunkEntry, { table, index, key, content, mutation, path }: ChunkLeaf): void {
  const isRow = index === '' && table !== NONCE_TABLE;
  if (isRow !== (mutation !== null)) throw ledgerFaults.badChunk({ part: 'mutation', path });
  if (mutation === null) return;
  const signed = mutations.subarray(32 * mutation, 32 * mutation + 32);
  if (content === null || !equalBytes(signed, mutationHash(put(table, key, content)))) throw ledgerFaults.badChunk({ part: 'row', path });
}
