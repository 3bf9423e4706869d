import {
  bytes, decode, encode, hash32, list, nullable, record, text, timestamp, u32, type Decoded, type Domain,
} from '../../../protocol/codec/index.ts';
import { isPicoloError } from '../../../protocol/errors/index.ts';
import {
  decisionEntryOf, decisionExpiryOf, decisionPathOf, DECISION_TABLE, intentPathOf, MARK_TABLE, readDecisionLeaf, readMarkLeaf,
} from '../../../protocol/cross-group/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import {
  contentHashOf, entryIdOf, headerC, keyC, keyHashOf, NONCE_TABLE, nonceUntil, noncePath, pathOf, put, rowC, rowHashOf, txIdOf, vouchedTxId,
  writerSignatureC,
} from '../../../protocol/rows/index.ts';
import { rangeProofC, verifyRange } from '../../../protocol/state-tree/index.ts';
import { equalBytes, ZERO_HASH, type DatabaseId, type EntryId, type Hash32, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import type { SnapshotChunk } from '../../ports/index.ts';
import { mutationHash } from './entries.ts';
import { ledgerFaults } from './faults.ts';
import { rootFrom } from './reads.ts';
import { expiringTables, GROUP_LEVEL } from './spaces.ts';

export const FIRST_PATH = `0x${'00'.repeat(32)}` as Path;
export const LAST_PATH = `0x${'ff'.repeat(32)}` as Path;
const MOST_CHUNK_BYTES = limits.frameBytes;

/** Entries that wrote the chunk's leaves, each once. */
const chunkEntryC = record({
  vouch: nullable(record({ header: headerC, signature: writerSignatureC })), ts: timestamp, mutations: bytes(32 * limits.mutationsPerTransaction),
});

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
    const leaves = chunk.leaves.map((leaf) => ({ path: leaf.path as Path, rowHash: leafHash(domain, chunk, leaf, versions) }));
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

function versionOf(domain: Domain, { vouch, ts, mutations }: ChunkEntry): EntryId | undefined {
  if (vouch === null) return undefined;
  const { header, signature } = vouch;
  const txId = vouchedTxId(domain, header, signature);
  const known = mutations.length > 0 && mutations.length % 32 === 0 && rootFrom(mutations) === header.mutationsRoot;
  if (mutations.length > 0 && !known) throw ledgerFaults.badChunk({ part: 'mutations', txId });
  return entryIdOf(txId, ts, header.footprintRoot);
}

/** The same of an entry whose chunk was verified before it was staged. */
export function entryIdFrom(domain: Domain, { vouch, ts }: ChunkEntry, leaf: ChunkLeaf): EntryId {
  if (vouch === null) return decisionEntryOf(readDecisionLeaf(stageLeaf(leaf)), ts);
  return entryIdOf(txIdOf(domain, vouch.header), ts, vouch.header.footprintRoot);
}

/** When the leaf leaves the state; undefined for one that stays. */
export function expiryOf({ vouch }: ChunkEntry, leaf: ChunkLeaf): Timestamp | undefined {
  if (leaf.table === NONCE_TABLE) return vouch === null ? undefined : nonceUntil(vouch.header.notAfter as Timestamp);
  if (leaf.table === MARK_TABLE) return readMarkLeaf(stageLeaf(leaf)).decideBy;
  return leaf.table === DECISION_TABLE ? decisionExpiryOf(readDecisionLeaf(stageLeaf(leaf))) : undefined;
}

export function databaseOf({ vouch }: ChunkEntry): DatabaseId {
  return vouch === null ? GROUP_LEVEL : vouch.header.database;
}

function stageLeaf({ key, content }: ChunkLeaf): { key: ChunkLeaf['key']; content: NonNullable<ChunkLeaf['content']> } {
  return { key, content: content ?? [] };
}

function leafHash(domain: Domain, { entries }: Chunk, leaf: ChunkLeaf, versions: readonly (EntryId | undefined)[]): Hash32 {
  const entry = entries[leaf.entry];
  if (entry === undefined || (entry.vouch === null) !== (leaf.table === DECISION_TABLE)) throw ledgerFaults.badChunk({ part: 'entry', path: leaf.path });
  const entryId = versions[leaf.entry] ?? entryIdFrom(domain, entry, leaf);
  if (expectedPath(entry, leaf) !== leaf.path) throw ledgerFaults.badChunk({ part: 'path', path: leaf.path });
  checkMutation(entry, leaf);
  return rowHashOf({ entryId, ts: entry.ts }, keyHashOf(leaf.key), leaf.content === null ? ZERO_HASH : contentHashOf(leaf.content));
}

/** The hash of a leaf does not name table and index; its path does. */
function expectedPath({ vouch }: ChunkEntry, leaf: ChunkLeaf): Path {
  const { table, index, key, content } = leaf;
  if (vouch === null) return decisionPathOf(readDecisionLeaf(stageLeaf(leaf)).plan);
  const { header } = vouch;
  if (table === MARK_TABLE) return intentPathOf(readMarkLeaf(stageLeaf(leaf)).plan, header.database);
  if (table !== NONCE_TABLE) return pathOf(header.database, table, index, key);
  if (content !== null) throw ledgerFaults.badChunk({ part: 'nonce' });
  return noncePath(header.database, header.writer, header.nonce);
}

/** A row must be one of the mutations that its writer signed. */
function checkMutation({ mutations }: ChunkEntry, { table, index, key, content, mutation, path }: ChunkLeaf): void {
  const isRow = index === '' && !expiringTables.has(table);
  if (isRow !== (mutation !== null)) throw ledgerFaults.badChunk({ part: 'mutation', path });
  if (mutation === null) return;
  const signed = mutations.subarray(32 * mutation, 32 * mutation + 32);
  if (content === null || !equalBytes(signed, mutationHash(put(table, key, content)))) throw ledgerFaults.badChunk({ part: 'row', path });
}
