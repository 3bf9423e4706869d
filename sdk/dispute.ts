import type { Scalar } from '../protocol/codec/index.ts';
import { queryHashOf, resultHashOf, type DisputedResult, type StatementAnswer } from '../protocol/query/index.ts';
import type { Timestamp } from '../protocol/types/index.ts';
import type { Database } from './database.ts';
import { sdkFaults } from './errors.ts';

/** What running a disputed statement again showed. */
export interface Finding {
  /** Whether f + 1 replicas give the disputed result at its snapshot. */
  readonly honest: boolean;
  readonly snapshot: Timestamp;
  /** What they give. */
  readonly result: StatementAnswer;
}

/**
 * One node's signed result with its question: evidence for the dispute court when it turns out wrong. Keep it before
 * anything else, only its maker's signature can be disputed.
 */
export async function signedResult(db: Database, sql: string, params: readonly Scalar[] = []): Promise<DisputedResult> {
  const [signed] = (await db.query(sql, [...params], { assurance: 'signed' })).proof;
  if (signed === undefined) throw sdkFaults.tooFewNodes({ nodes: 0, needed: 1 });
  const { statement, signature, columns, rows } = signed;
  return boundOrThrow({ database: db.id, sql, params, answer: { statement, signature, columns, rows } });
}

/**
 * What a juror does (Picolo §6.5): runs a disputed statement again at its snapshot, with f + 1 replicas that agree, and compares. Nodes keep
 * a day of history, so look when the committee is drawn, not when votes are due.
 * @throws SDK_BAD_REPLY when question and rows are not the signed ones, SQL_HISTORY_GONE, SDK_NO_AGREEMENT
 */
export async function runAgain(db: Database, evidence: DisputedResult): Promise<Finding> {
  const { sql, params, answer } = boundOrThrow(evidence);
  const snapshot = answer.statement.snapshot as Timestamp;
  const [agreed] = (await db.query(sql, [...params], { assurance: 'quorum', asOf: String(snapshot) })).proof;
  if (agreed === undefined) throw sdkFaults.tooFewNodes({ nodes: 0, needed: 1 });
  const { statement, signature, columns, rows } = agreed;
  return { honest: statement.resultHash === answer.statement.resultHash, snapshot, result: { statement, signature, columns, rows } };
}

/** A file that somebody sent says anything; what was signed are two hashes. */
function boundOrThrow(evidence: DisputedResult): DisputedResult {
  const { statement, columns, rows } = evidence.answer;
  if (statement.queryHash !== queryHashOf(evidence)) throw sdkFaults.badReply({ reason: 'the question is not the signed one' });
  if (statement.resultHash !== resultHashOf(columns, rows)) throw sdkFaults.badReply({ reason: 'the rows are not the signed ones' });
  return evidence;
}
