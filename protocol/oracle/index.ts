/**
 * Picolo's state for contracts (Picolo Appendix A; P-A-sql-in-contract): the questions that contracts ask through ERC-3668, the packed
 * answers that `PicoloSql` proves, and results of general SQL that a quorum signed for `QueryOracle`. The formats are in docs/spec/oracle.md.
 *
 * @example
 *   const question = decodeQuestion(callData);
 *   const answer = packRowAnswer({ kind: 'certified', roster, certified }, question, proof, row);
 *   const { bytes, certificate } = fulfilmentOf(domain, roster, { request, statement, args }, signedResults);
 */
export { oracleFaults } from './faults.ts';
export { packCountAnswer, packRangeAnswer, packRowAnswer, type AnswerState, type LeafContent } from './answer.ts';
export {
  decodeQuestion, encodeQuestion, rangeQuestion, rowQuestion, type Question, type QuestionKind, type TablePlace,
} from './question.ts';
export { encodeArgs, encodeResult, fulfilmentOf, statementIdOf, type Fulfilment, type SignedResult } from './result.ts';
