import { askedByPath, askedByRank, decode } from '../../protocol/codec/index.ts';
import { invariant } from '../../protocol/errors/index.ts';
import { certifiedCheckpointC, type CertifiedCheckpoint } from '../../protocol/membership/index.ts';
import {
  apiFaults, queryHashOf, rangeQueryHash, rangeResultHash, type PoqRequest, type QueryRequest, type RangeAnswer, type RangeRequest,
  type RangeRow, type ReadAnswer, type ReadEntry, type ReadRequest, type StatementAnswer, type StoredRow,
} from '../../protocol/query/index.ts';
import { ZERO_HASH, type GroupId, type Hash32, type Height, type Path, type Timestamp } from '../../protocol/types/index.ts';
import type { Clock, Signer } from '../ports/index.ts';
import type { SqlLedger, SqlPool, StoredKey } from '../storage/index.ts';
import type { Freshness } from './freshness.ts';

/** What answering about one group takes. */
export interface ReadParts {
  readonly group: GroupId;
  readonly ledger: SqlLedger;
  readonly pool: SqlPool;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly freshness: Freshness;
  /** Number of the next signed answer: rising over restarts, so that no two answers share it. */
  readonly nextSeq: () => bigint;
}

type Asked = Pick<ReadRequest, 'querier' | 'minHeight'> & { readonly provenance: boolean };

/** Point reads: each key from storage, signed, with its proof under the newest suitable checkpoint (P-6.2-nonrepudiation). */
export async function readKeys(parts: ReadParts, request: ReadRequest): Promise<ReadAnswer> {
  const checkpoint = await checkpointFor(parts, request);
  const by = askedByPath(request.request);
  return { checkpoint, entries: request.paths.map((path) => entryOf(parts, checkpoint, request, path as Path, by)) };
}

/** Proof-of-Query: what the disk holds at random ranks (Picolo §6.1; P-6.1-ppoq, P-6.1-cpoq). */
export async function answerChallenge(parts: ReadParts, request: PoqRequest): Promise<ReadAnswer> {
  const checkpoint = await checkpointFor(parts, request);
  const { height } = checkpoint.checkpoint;
  const { querier, minHeight, ranks, paths } = request;
  const entry = (path: Path, by: Hash32): ReadEntry => entryOf(parts, checkpoint, { querier, minHeight, provenance: true }, path, by);
  const sampled = ranks.map((rank) => entry(parts.ledger.pathAt(height, rank), askedByRank(request.request, rank)));
  return { checkpoint, entries: [...sampled, ...paths.map((path) => entry(path as Path, askedByPath(request.request)))] };
}

export async function readRange(parts: ReadParts, request: RangeRequest): Promise<RangeAnswer> {
  const checkpoint = request.atHeight === 0n ? await checkpointFor(parts, request) : checkpointAt(parts, request.atHeight);
  const { height } = checkpoint.checkpoint;
  const found = parts.ledger.range(height, request.from as Path, request.to as Path, request.limit);
  if (found === 'unavailable') throw apiFaults.unavailable({ reason: 'a stored row is damaged and is being repaired' });
  const rows: RangeRow[] = found.keys.map((stored) => ({ path: stored.path, row: storedRow(stored) }));
  const statement = {
    group: parts.group, epoch: checkpoint.checkpoint.epoch, height, snapshot: checkpoint.detail.closeTs,
    queryHash: rangeQueryHash(request), resultHash: rangeResultHash(rows), querier: request.querier, seq: parts.nextSeq(),
    issuedAt: unixSeconds(parts.clock),
  };
  return { checkpoint, rows, proof: found.proof, statement, signature: parts.signer.sign('Statement', statement) };
}

/** General SQL at a snapshot, signed. */
export async function runQuery(parts: ReadParts, request: QueryRequest): Promise<StatementAnswer> {
  const { asOf, minTimestamp } = request;
  const floor = asOf > minTimestamp ? asOf : minTimestamp;
  await parts.freshness.until(() => (parts.ledger.position().closeTs >= floor ? true : undefined));
  const outcome = await parts.pool.query({ database: request.database, sql: request.sql, params: request.params, asOf: asOf as Timestamp });
  const statement = {
    group: parts.group, epoch: outcome.epoch, height: outcome.height, snapshot: outcome.snapshot, queryHash: queryHashOf(request),
    resultHash: outcome.resultHash, querier: request.querier, seq: parts.nextSeq(), issuedAt: unixSeconds(parts.clock),
  };
  return { statement, signature: parts.signer.sign('Statement', statement), columns: outcome.columns, rows: outcome.rows };
}

/** Newest certified checkpoint; API_NO_CHECKPOINT. */
export function newestCheckpoint(ledger: SqlLedger, group: GroupId): CertifiedCheckpoint {
  const newest = ledger.certified();
  if (newest === undefined) throw apiFaults.noCheckpoint({ group });
  return decode(certifiedCheckpointC, newest.certificate);
}

/** Waits, within bounds, for a certified checkpoint that is fresh enough. */
function checkpointFor(parts: ReadParts, asked: { minHeight: bigint; minTimestamp: Timestamp }): Promise<CertifiedCheckpoint> {
  return parts.freshness.until(() => {
    const newest = parts.ledger.certified();
    if (newest === undefined || newest.height < asked.minHeight) return undefined;
    const certified = decode(certifiedCheckpointC, newest.certificate);
    return certified.detail.closeTs >= asked.minTimestamp ? certified : undefined;
  });
}

/** The checkpoint that the first page of a range was read at; API_HISTORY_GONE when its root is no longer kept. */
function checkpointAt({ ledger }: ReadParts, height: Height): CertifiedCheckpoint {
  const certificate = ledger.certifiedAt(height);
  if (certificate === undefined) throw apiFaults.historyGone({ height, newest: ledger.certified()?.height });
  return decode(certifiedCheckpointC, certificate);
}

/** @param by what the answer names as its request */
function entryOf(parts: ReadParts, certified: CertifiedCheckpoint, asked: Asked, path: Path, by: Hash32): ReadEntry {
  const { checkpoint } = certified;
  const height: Height = checkpoint.height;
  invariant(height >= asked.minHeight, 'answer-not-stale', { height, minHeight: asked.minHeight }); // signing it would cost the stake
  const found = parts.ledger.readAt(height, path);
  if (found.kind === 'unavailable') throw apiFaults.unavailable({ path, reason: 'the stored row is damaged and is being repaired' });
  const answer = {
    group: parts.group, epoch: checkpoint.epoch, height, minHeight: asked.minHeight, seq: parts.nextSeq(), stateRoot: checkpoint.stateRoot,
    path, rowHash: found.kind === 'present' ? found.stored.rowHash : ZERO_HASH, request: by, querier: asked.querier,
    issuedAt: unixSeconds(parts.clock),
  };
  return {
    answer,
    signature: parts.signer.sign('Answer', answer),
    proof: found.proof,
    row: found.kind === 'present' ? storedRow(found.stored) : null,
    provenance: asked.provenance ? (parts.ledger.provenance(height, path) ?? null) : null,
  };
}

function storedRow({ version, writtenAt, key, values }: StoredKey): StoredRow {
  return { version, writtenAt, key, values };
}

function unixSeconds(clock: Clock): bigint {
  return BigInt(Math.floor(clock.nowMs() / 1000));
}
