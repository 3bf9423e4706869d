import { limits } from '../../limits/index.ts';
import { ZERO_ADDRESS, ZERO_HASH } from '../../types/index.ts';
import { ZERO_TIMESTAMP } from '../../hlc/index.ts';
import { list, optional, record, struct, word } from './compose.ts';
import { readAnswerW } from './reads.ts';
import { address, hash32, hexBytes, scalar, signature, text, timestamp, u32, u64, type Shaped } from './shape.ts';

/** General SQL. `asOf` zero means the newest closed timestamp at or after `minTimestamp`. */
export const queryRequestW = record({
  database: hash32,
  sql: text(limits.sqlBytes),
  params: optional(list(scalar, limits.queryParameters), []),
  asOf: optional(timestamp, ZERO_TIMESTAMP),
  minTimestamp: optional(timestamp, ZERO_TIMESTAMP),
  querier: optional(address, ZERO_ADDRESS),
});
export type QueryRequest = Shaped<typeof queryRequestW>;

export const statementAnswerW = record({
  statement: struct('Statement'),
  signature,
  columns: list(text(limits.sqlBytes), limits.columnsPerTable * 8),
  rows: list(list(scalar, limits.columnsPerTable * 8), limits.queryRows),
});
export type StatementAnswer = Shaped<typeof statementAnswerW>;

/** A signed result with its question: what jurors of a dispute look at. The digest of the statement is the dispute's claim. */
export const disputedResultW = record({
  database: hash32, sql: text(limits.sqlBytes), params: list(scalar, limits.queryParameters), answer: statementAnswerW,
});
export type DisputedResult = Shaped<typeof disputedResultW>;

/** Where a signed transaction goes. `group` is needed only by the one that creates a database; zero otherwise. */
export const submitAnswerW = record({
  txId: hash32,
  entryId: hash32,
  /** The causal token: pass it as `minTimestamp` to read your write. */
  timestamp,
  /** 'aborted': a key of the footprint had moved on; nothing changed but the nonce. */
  outcome: word('applied', 'aborted'),
  mode: word('fast', 'classic'),
  /** Canonical CBOR of the consensus receipt: q signed acknowledgements. */
  receipt: hexBytes(limits.frameBytes),
});
export type SubmitAnswer = Shaped<typeof submitAnswerW>;

/** A prepare of `protocol/cross-group` in canonical CBOR. */
export const prepareRequestW = record({ group: hash32, payload: hexBytes(limits.frameBytes) });
export type PrepareRequest = Shaped<typeof prepareRequestW>;

/** `receipt`: of a block, in canonical CBOR; the proof that the other groups want to see. */
export const prepareAnswerW = record({ outcome: word('applied', 'aborted'), receipt: hexBytes(limits.frameBytes) });
export type PrepareAnswer = Shaped<typeof prepareAnswerW>;

/** A `CrossGroupMessage` in canonical CBOR. Unsigned: what it carries is proof by itself. */
export const carryRequestW = record({ group: hash32, message: hexBytes(limits.frameBytes) });
export type CarryRequest = Shaped<typeof carryRequestW>;

/** The proven decision in canonical CBOR; empty while the node knows of none. */
export const carryAnswerW = record({ decided: hexBytes(limits.frameBytes) });
export type CarryAnswer = Shaped<typeof carryAnswerW>;

export const schemaRequestW = record({
  database: hash32,
  querier: optional(address, ZERO_ADDRESS),
  request: optional(hash32, ZERO_HASH),
  minTimestamp: optional(timestamp, ZERO_TIMESTAMP),
});
export type SchemaRequest = Shaped<typeof schemaRequestW>;

/** Where a database lives, and a proven read of its `_schema` and `_database` rows, in this order. */
export const schemaAnswerW = record({ group: hash32, cluster: hash32, epoch: u64, read: readAnswerW });
export type SchemaAnswer = Shaped<typeof schemaAnswerW>;

/** Current versions for planning a write: hints, checked again by the footprint when the write commits. */
export const versionsRequestW = record({
  database: hash32, paths: list(hash32, limits.pathsPerVersions), minTimestamp: optional(timestamp, ZERO_TIMESTAMP),
});
export type VersionsRequest = Shaped<typeof versionsRequestW>;

/** In the order asked; `version` zero means absent. `closeTs`: everything at or below it is counted. */
export const versionsAnswerW = record({
  closeTs: timestamp, versions: list(record({ version: hash32, writtenAt: timestamp }), limits.pathsPerVersions),
});
export type VersionsAnswer = Shaped<typeof versionsAnswerW>;

export const offerRequestW = record({ cluster: hash32, gib: u32 });
export type OfferRequest = Shaped<typeof offerRequestW>;
export const signedOfferW = record({ offer: struct('Offer'), signature });
export type SignedOffer = Shaped<typeof signedOfferW>;
