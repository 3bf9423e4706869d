/**
 * Questions and verified answers (architecture §4 "A read"; P-1-poison-detect, P-6.1-cpoq). The wire
 * shapes that a node's API and the SDK share, and the pure checks that turn a node's signed answer
 * into a proven row, a proven absence, a proven range, or a lie with the evidence for it.
 *
 * Who is believed: the roster, read from the chain. What a proof shows: the row, or its absence, in the
 * state that q replicas signed. What a statement shows: who says so.
 *
 * @example
 *   const [finding] = verifyRead({ domain, roster, querier }, { paths: [path], request, minHeight: 0n, minTimestamp }, answer);
 *   if (finding.kind === 'present') use(finding.row);
 */
export * from './wire/index.ts';
export { apiFaults, httpStatusOf, queryFaults } from './faults.ts';
export {
  certifiedOrThrow, storedRowHash, verifyRead, verifySample, verifySampleEntry, type Asker, type Finding, type Freshness,
} from './read.ts';
export { contradictionIn, rootListOf, verifyRootList } from './history.ts';
export { rangeQueryHash, rangeResultHash, verifyRangeAnswer, type VerifiedRows } from './range.ts';
export {
  agreementOf, compareStatements, queryHashOf, resultHashOf, verifyStatement, type Agreement, type VerifiedStatement,
} from './statement.ts';
export type { Lie, SignedStatement } from './lies.ts';
