import { merkleRoot, sha256Hex } from '../crypto/index.ts';
import {
  bytesOf, concatBytes, uintBytes,
  type BlockHash, type EntryId, type Epoch, type GroupId, type Hash32, type Height, type Path, type Rank, type ReplicaIndex, type Round,
  type Signature, type Timestamp, type View,
} from '../types/index.ts';
import type { KnownEntry } from './entry.ts';

export const BLOCK_KINDS = ['opening', 'normal', 'checkpoint', 'reconfig'] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

/** 'skipped' leaves no trace: too late, or its nonce was consumed before (consensus §2.2 late rule). */
export const OUTCOMES = ['applied', 'aborted', 'skipped'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Everything a block vote binds; fixed-width, so that a contract can read it (consensus §2.3). */
export interface BlockHeader {
  readonly group: GroupId;
  readonly epoch: Epoch;
  readonly view: View;
  readonly round: Round;
  readonly height: Height;
  readonly parent: BlockHash;
  readonly kind: BlockKind;
  /** No entry at or below it becomes final after this block. */
  readonly closeTs: Timestamp;
  /** Highest timestamp of this block and all before it. */
  readonly maxTs: Timestamp;
  readonly count: number;
  readonly entriesRoot: Hash32;
  readonly effectsRoot: Hash32;
  readonly outcomeRoot: Hash32;
  /** Hash of the view changes that justify an opening block; zero otherwise. */
  readonly tcRoot: Hash32;
  /** Configuration of the next epoch in a reconfig block; zero otherwise. */
  readonly next: Hash32;
}

/** An entry in a block. `certView` is the view of its fast certificate, null for a leader's command. */
export interface BlockEntry extends KnownEntry {
  readonly certView: View | null;
}

export interface Block {
  readonly header: BlockHeader;
  readonly entries: readonly BlockEntry[];
}

/** One replica's vote inside a quorum certificate. */
export interface QcVote {
  readonly signer: ReplicaIndex;
  readonly qcView: View;
  readonly qcRound: Round;
  readonly signature: Signature;
}

/** q block votes: the block cannot be contradicted at its rank (consensus §2.17 lemma 2). */
export interface Qc extends Rank {
  readonly blockHash: BlockHash;
  readonly votes: readonly QcVote[];
}

/** A version consumed by a block: what later evidence opens (`AckThenConsume`). */
export interface Consumed {
  readonly path: Path;
  readonly from: EntryId;
  readonly to: EntryId;
}

/** A header is asked for its hash at every step that looks at its block, and never changes. */
const hashes = new WeakMap<BlockHeader, BlockHash>();

export function blockHashOf(header: BlockHeader): BlockHash {
  let hash = hashes.get(header);
  if (hash === undefined) hashes.set(header, (hash = sha256Hex(headerBytes(header)) as BlockHash));
  return hash;
}

/** Tag 0x03, then every field big-endian in declaration order. */
export function headerBytes(h: BlockHeader): Uint8Array {
  return concatBytes(
    Uint8Array.of(3), bytesOf(h.group), uintBytes(h.epoch, 8), uintBytes(h.view, 8), uintBytes(h.round, 4), uintBytes(h.height, 8),
    bytesOf(h.parent), Uint8Array.of(BLOCK_KINDS.indexOf(h.kind)), uintBytes(h.closeTs, 12), uintBytes(h.maxTs, 12), uintBytes(h.count, 4),
    bytesOf(h.entriesRoot), bytesOf(h.effectsRoot), bytesOf(h.outcomeRoot), bytesOf(h.tcRoot), bytesOf(h.next),
  );
}

export function entriesRootOf(entries: readonly BlockEntry[]): Hash32 {
  return merkleRoot(entries.map(({ id, certView }) => concatBytes(bytesOf(id), Uint8Array.of(certView === null ? 0 : 1))));
}

/** Leaf of the outcome tree: entry id ‖ index in `OUTCOMES`. */
export function outcomeLeaf(id: EntryId, outcome: Outcome): Uint8Array {
  return concatBytes(bytesOf(id), Uint8Array.of(OUTCOMES.indexOf(outcome)));
}

export function effectsRootOf(effects: readonly Consumed[]): Hash32 {
  return merkleRoot(effects.map(({ path, from, to }) => concatBytes(bytesOf(path), bytesOf(from), bytesOf(to))));
}

export function rankOf(header: BlockHeader): Rank {
  return { view: header.view, round: header.round };
}
