import { pureCrypto } from '../../protocol/crypto/index.ts';
import { rosterOf } from '../../protocol/membership/index.ts';
import {
  compareStatements, queryRequestW, rangeAnswerW, readAnswerW, statementAnswerW, verifyRangeAnswer, verifyRead, verifyStatement, type Asker,
} from '../../protocol/query/index.ts';
import { verifyRowProof } from '../../protocol/rows/index.ts';
import type { Address, GroupId, Hash32, Path, Timestamp } from '../../protocol/types/index.ts';

/** What `vectors.ts` writes: answers of real nodes in their JSON form, and what a client asked. */
export interface Vectors {
  readonly chainId: string;
  readonly verifyingContract: Address;
  readonly group: GroupId;
  readonly replicas: readonly Address[];
  readonly querier: Address;
  readonly request: Hash32;
  readonly database: Hash32;
  readonly paths: readonly Path[];
  readonly read: unknown;
  readonly lying: unknown;
  readonly range: { readonly from: Path; readonly to: Path; readonly limit: number; readonly answer: unknown };
  readonly query: unknown;
  readonly statements: readonly unknown[];
}

/** Runs every check of protocol/query over the vectors; the page, a bare JavaScript context and Node must agree on the result. */
export function verifyAll(vectors: Vectors): Record<string, unknown> {
  const domain = { chainId: BigInt(vectors.chainId), verifyingContract: vectors.verifyingContract };
  const asker: Asker = { domain, roster: rosterOf(vectors.group, 1n, vectors.replicas), querier: vectors.querier };
  const asked = { paths: vectors.paths, request: vectors.request, minHeight: 0n, minTimestamp: 0n as Timestamp };
  const findings = verifyRead(asker, asked, readAnswerW.fromJson(vectors.read));
  const writers = findings.map((finding) => {
    if (finding.kind !== 'present' || finding.entry.provenance === null) return null;
    return verifyRowProof(domain, finding.path, finding.rowHash, finding.entry.provenance).writer;
  });
  const lies = verifyRead(asker, asked, readAnswerW.fromJson(vectors.lying)).map(({ kind }) => kind);
  const { from, to, limit, answer } = vectors.range;
  const range = verifyRangeAnswer(asker, { ...asked, database: vectors.database, from, to, limit }, rangeAnswerW.fromJson(answer));
  const query = queryRequestW.fromJson(vectors.query);
  const agreement = compareStatements(vectors.statements.map((raw) => verifyStatement(asker, query, statementAnswerW.fromJson(raw))), 2);
  return {
    backend: pureCrypto.name, kinds: findings.map(({ kind }) => kind), writers, lies, rows: range.rows.length, complete: range.complete, agreement: agreement.kind,
  };
}

Object.assign(globalThis, { verifyAll });
