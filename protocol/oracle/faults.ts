import { defineFaults } from '../errors/index.ts';

export const oracleFaults = defineFaults('ORACLE', {
  malformed: ['the question is not one that a contract asks', 'see docs/spec/oracle.md for its bytes'],
  tooManyRows: ['the range holds more rows than a contract reads at once', 'ask for a smaller range, or have the query run by the oracle'],
  tooLong: ['the row or result is longer than a contract takes', 'select fewer columns or rows'],
  noQuorum: ['too few replicas signed the same result', 'ask again: every replica must be reachable and up to date'],
});
