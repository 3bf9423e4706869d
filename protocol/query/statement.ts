import { digestOf, encode, hash32 as hash32C, list as listC, record as recordC, scalar as scalarC, text as textC, type Scalar } from '../codec/index.ts';
import { recoverSigner, sha256Hex } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import { maxFaulty, type Address, type Hash32, type Timestamp } from '../types/index.ts';
import { queryFaults } from './faults.ts';
import type { Lie, SignedStatement } from './lies.ts';
import type { Asker } from './read.ts';
import type { QueryRequest, StatementAnswer } from './wire/index.ts';

const questionC = recordC({
  database: hash32C, sql: textC(limits.sqlBytes), params: listC(scalarC, limits.queryParameters),
});
const resultC = recordC({
  columns: listC(textC(limits.sqlBytes), limits.scalarsPerRow), rows: listC(listC(scalarC, limits.scalarsPerRow), limits.queryRows),
});

/** `Statement.queryHash`: SHA-256 of the canonical CBOR of [database, sql, params]. */
export function queryHashOf({ database, sql, params }: Pick<QueryRequest, 'database' | 'sql' | 'params'>): Hash32 {
  return sha256Hex(encode(questionC, { database, sql, params }));
}

/** `Statement.resultHash`: SHA-256 of the canonical CBOR of [columns, rows]. */
export function resultHashOf(columns: readonly string[], rows: readonly (readonly Scalar[])[]): Hash32 {
  return sha256Hex(encode(resultC, { columns, rows }));
}

/** A signed result that is what its signature says. Whether the result is true only others can tell. */
export interface VerifiedStatement extends SignedStatement {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Scalar[])[];
  readonly snapshot: Timestamp;
}

/**
 * Checks signature, question, snapshot and that the rows are the signed ones. Throws QUERY_*.
 * @param asked `asOf` zero takes any snapshot at or after `minTimestamp`
 */
export function verifyStatement(asker: Asker, asked: QueryRequest, answer: StatementAnswer): VerifiedStatement {
  const { statement, signature, columns, rows } = answer;
  const expected = {
    group: asker.roster.group, epoch: asker.roster.epoch, querier: asker.querier, queryHash: queryHashOf(asked), resultHash: resultHashOf(columns, rows),
  };
  for (const [field, value] of Object.entries(expected)) {
    const got = statement[field as keyof typeof statement];
    if (got !== value) throw queryFaults.unbound({ field, got: String(got), expected: String(value) });
  }
  const snapshot = statement.snapshot as Timestamp;
  if (asked.asOf !== 0n && snapshot !== asked.asOf) throw queryFaults.unbound({ field: 'snapshot', got: snapshot, expected: asked.asOf });
  if (snapshot < asked.minTimestamp) throw queryFaults.stale({ closeTs: snapshot, minTimestamp: asked.minTimestamp });
  const node = recoverSigner(digestOf(asker.domain, 'Statement', statement), signature);
  if (node === undefined || !asker.roster.replicas.includes(node)) throw queryFaults.notAReplica({ signer: node ?? 'nobody' });
  return { node, statement, signature, columns, rows, snapshot };
}

/** f + 1: at least one of them is honest. */
export function agreementOf(replicas: number): number {
  return maxFaulty(replicas) + 1;
}

export type Agreement =
  | { readonly kind: 'agreed'; readonly result: VerifiedStatement; readonly nodes: readonly Address[]; readonly lies: readonly Lie[] }
  /** Not enough equal ones yet; `snapshot` is the newest seen: ask the others as of it. */
  | { readonly kind: 'open'; readonly snapshot: Timestamp; readonly lies: readonly Lie[] };

/**
 * Compares statements of different replicas on one question (assurance `quorum`): f + 1 equal results at
 * one snapshot agree. Different results at one snapshot are a contradiction, reported with both signatures.
 */
export function compareStatements(statements: readonly VerifiedStatement[], needed: number): Agreement {
  const votes = new Map<string, Map<Address, VerifiedStatement>>();
  for (const statement of statements) {
    const key = `${statement.snapshot}/${statement.statement.resultHash}`;
    const group = votes.get(key) ?? new Map<Address, VerifiedStatement>();
    votes.set(key, group.set(statement.node, statement));
  }
  const lies = contradictions(statements);
  for (const group of votes.values()) {
    if (group.size >= needed) return { kind: 'agreed', result: [...group.values()][0] as VerifiedStatement, nodes: [...group.keys()], lies };
  }
  const newest = statements.reduce((max, { snapshot }) => (snapshot > max ? snapshot : max), 0n);
  return { kind: 'open', snapshot: newest as Timestamp, lies };
}

function contradictions(statements: readonly VerifiedStatement[]): Lie[] {
  const firstAt = new Map<Timestamp, VerifiedStatement>();
  const lies: Lie[] = [];
  for (const statement of statements) {
    const first = firstAt.get(statement.snapshot);
    if (first === undefined) firstAt.set(statement.snapshot, statement);
    else if (first.statement.resultHash !== statement.statement.resultHash) lies.push({ kind: 'contradiction', statements: [signed(first), signed(statement)] });
  }
  return lies;
}

function signed({ node, statement, signature }: VerifiedStatement): SignedStatement {
  return { node, statement, signature };
}
