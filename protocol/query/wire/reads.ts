import { limits } from '../../limits/index.ts';
import type { CertifiedCheckpoint } from '../../membership/index.ts';
import { rowProofC } from '../../rows/index.ts';
import { rangeProofC, treeProofC } from '../../state-tree/index.ts';
import { ZERO_ADDRESS, ZERO_HASH } from '../../types/index.ts';
import { ZERO_TIMESTAMP } from '../../hlc/index.ts';
import { list, nullable, optional, record, struct } from './compose.ts';
import { address, bool, embedded, hash32, scalar, signature, text, timestamp, u32, u64, type Shape, type Shaped } from './shape.ts';

/** A checkpoint with the signatures of q replicas; in CBOR the same bytes as `certifiedCheckpointC` of membership. */
export const certifiedCheckpointW: Shape<CertifiedCheckpoint> = record({
  checkpoint: struct('Checkpoint'),
  detail: record({ closeTs: timestamp, rowCount: u64, capsuleHead: hash32, previous: hash32, configHash: hash32 }),
  signatures: list(record({ replica: u32, signature }), limits.replicasPerGroup),
});
export type { CertifiedCheckpoint };

/** What stands under a leaf. `values` is null for leaves without content (nonces). */
export const storedRowW = record({
  version: hash32, writtenAt: timestamp, key: list(scalar, limits.columnsPerTable), values: nullable(list(scalar, limits.scalarsPerRow)),
});
export type StoredRow = Shaped<typeof storedRowW>;

/** A key by its name instead of its path: for people; the SDK sends paths. */
export const keyRefW = record({ table: text(limits.identifierBytes), index: optional(text(limits.identifierBytes), ''), key: list(scalar, limits.columnsPerTable) });
export type KeyRef = Shaped<typeof keyRefW>;

/** Fields that every question carries. `request` is a fresh random value: it ties the answer to this question. */
const asked = {
  querier: optional(address, ZERO_ADDRESS),
  request: optional(hash32, ZERO_HASH),
  /** The answering checkpoint must close at or after it: the causal token. */
  minTimestamp: optional(timestamp, ZERO_TIMESTAMP),
};

export const readRequestW = record({
  database: hash32,
  paths: optional(list(hash32, limits.pathsPerRead), []),
  keys: optional(list(keyRefW, limits.pathsPerRead), []),
  ...asked,
  minHeight: optional(u64, 0n),
  /** Also return who wrote each row: signed transaction header and Merkle path. */
  provenance: optional(bool, false),
});
export type ReadRequest = Shaped<typeof readRequestW>;

/** One answered key. `row` is null when the key is absent; `answer.rowHash` is what the node's storage holds. */
export const readEntryW = record({
  answer: struct('Answer'),
  signature,
  proof: embedded(treeProofC, 'TreeProof'),
  row: nullable(storedRowW),
  provenance: nullable(embedded(rowProofC, 'RowProof')),
});
export type ReadEntry = Shaped<typeof readEntryW>;

export const readAnswerW = record({ checkpoint: certifiedCheckpointW, entries: list(readEntryW, limits.pathsPerRead) });
export type ReadAnswer = Shaped<typeof readAnswerW>;

/** All leaves with `from <= path <= to`, at most `limit`; continue after the last path when not complete. */
export const rangeRequestW = record({
  database: hash32, from: hash32, to: hash32, limit: optional(u32, limits.rangeRows), ...asked, minHeight: optional(u64, 0n),
  /** Exactly this checkpoint, for the later pages of a long range (API_HISTORY_GONE when it is not kept); zero = the newest. */
  atHeight: optional(u64, 0n),
});
export type RangeRequest = Shaped<typeof rangeRequestW>;

export const rangeRowW = record({ path: hash32, row: storedRowW });
export type RangeRow = Shaped<typeof rangeRowW>;

/** `statement` signs the range as a question (see `rangeQueryHash`) and its rows, so a false range can be disputed. */
export const rangeAnswerW = record({
  checkpoint: certifiedCheckpointW,
  rows: list(rangeRowW, limits.rangeRows),
  proof: embedded(rangeProofC, 'RangeProof'),
  statement: struct('Statement'),
  signature,
});
export type RangeAnswer = Shaped<typeof rangeAnswerW>;

/** Random-sampling challenge (Picolo §6.1): ranks in the tree of a certified checkpoint, or paths. */
export const poqRequestW = record({
  group: hash32,
  ranks: optional(list(u64, limits.pathsPerRead), []),
  paths: optional(list(hash32, limits.pathsPerRead), []),
  ...asked,
  minHeight: optional(u64, 0n),
});
export type PoqRequest = Shaped<typeof poqRequestW>;

/** Asks for the roots that a node knows to be certified (Vidigueira §4.3.6). */
export const rootsRequestW = record({ group: hash32, querier: asked.querier, request: asked.request });
export type RootsRequest = Shaped<typeof rootsRequestW>;

/** `list` signs the roots, heights ascending and all of its epoch; see `verifyRootList`. */
export const rootsAnswerW = record({
  roots: list(record({ height: u64, stateRoot: hash32 }), limits.rootsPerList),
  list: struct('RootList'),
  signature,
});
export type RootsAnswer = Shaped<typeof rootsAnswerW>;
