import type { Address, Timestamp } from '../protocol/types/index.ts';
import type { VerifiedStatement } from '../protocol/query/index.ts';
import type { IntegerMode } from './client.ts';
import type { Standing } from './read/proven.ts';
import type { QueryResult } from './read/query.ts';
import { rowsOf, type Row } from './sql/values.ts';
import type { LocalResult } from './write/local-sql.ts';
import type { Receipt } from './write/receipt.ts';

/**
 * How far a result is checked. 'proof': every row is proven against a checkpoint that q replicas signed. 'quorum': f + 1
 * replicas signed the same result. 'signed': one replica signed it. 'receipt': q replicas acknowledged the write.
 */
export type Assurance = 'proof' | 'quorum' | 'signed' | 'receipt';

/** Rows, and how they are known. */
export interface Result<T = Row> extends Array<T> {
  readonly assurance: Assurance;
  readonly columns: readonly string[];
  /** State the rows are from, or the timestamp of the write. */
  readonly snapshot: Timestamp;
  /** Signed statements that agree (quorum, signed). */
  readonly proof: readonly VerifiedStatement[];
  readonly nodes: readonly Address[];
  /** Certified checkpoint the rows were proven against ('proof'). */
  readonly checkpoint: Standing | undefined;
  /** Of a write; undefined when nothing had to change. */
  readonly receipt: Receipt | undefined;
  /** Rows a write touched. */
  readonly changes: number;
}

type Knowledge = Omit<Result, keyof Array<Row>>;

function withKnowledge<T>(rows: T[], knowledge: Knowledge): Result<T> {
  // not enumerable: the array prints, compares and serializes as its rows
  for (const [name, value] of Object.entries(knowledge)) Object.defineProperty(rows, name, { value, enumerable: false });
  return rows as Result<T>;
}

export function queryResult(result: QueryResult, integers: IntegerMode): Result {
  const { assurance, columns, snapshot, proof, nodes } = result;
  return withKnowledge(rowsOf(columns, result.rows, integers), {
    assurance, columns, snapshot, proof, nodes, checkpoint: undefined, receipt: undefined, changes: 0,
  });
}

export function provenResult<T>(rows: T[], columns: readonly string[], checkpoint: Standing): Result<T> {
  return withKnowledge(rows, {
    assurance: 'proof', columns, snapshot: checkpoint.closeTs, proof: [], nodes: [], checkpoint, receipt: undefined, changes: 0,
  });
}

export function writeResult(receipt: Receipt | undefined, changes: number, returned: LocalResult, bookmark: Timestamp, integers: IntegerMode): Result {
  return withKnowledge(rowsOf(returned.columns, returned.rows, integers), {
    assurance: 'receipt', columns: returned.columns, snapshot: receipt?.timestamp ?? bookmark, proof: [], nodes: [], checkpoint: undefined, receipt, changes,
  });
}
