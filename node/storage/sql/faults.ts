import { defineFaults } from '../../../protocol/errors/index.ts';

export const sqlFaults = defineFaults('SQL', {
  syntax: ['the statement is not valid SQL', 'correct it at the place named'],
  notSelect: ['only a SELECT may run here', 'send one SELECT, with WITH if you like; writes are signed transactions'],
  forbidden: ['this part of SQL may not be used in a query', 'leave it out; docs/LIMITS.md lists what is allowed'],
  forbiddenFunction: ['the function may not be used in a query', 'use a deterministic built-in function; docs/LIMITS.md lists them'],
  clock: ['the current time differs from node to node', 'pass the time as a parameter'],
  tooLong: ['the statement is longer than the limit', 'shorten it, pass values as parameters'],
  unknownDatabase: ['this node does not hold the database', 'ask a node of its group'],
  refused: ['SQLite refused the statement', 'see facts.reason'],
  badParameters: ['the parameters do not fit the statement', 'give one value for every placeholder, by position'],
  badAsOf: ['AS OF needs one point in time', 'write AS OF followed by milliseconds, a timestamp, or an ISO 8601 date in quotes'],
  notClosed: ['the timestamp is not closed yet: its state may still change', 'try again, or ask for an earlier one'],
  historyGone: ['the timestamp is older than the kept history', 'ask for a newer one'],
  timeLimit: ['the query ran longer than the limit', 'narrow it or let an index answer it'],
  rowLimit: ['the result has more rows than the limit', 'add a LIMIT or ask for a range at a time'],
  byteLimit: ['the result has more bytes than the limit', 'select fewer or shorter columns'],
  memoryLimit: ['the query needs more memory than the limit', 'narrow it'],
  notFinite: ['a value of the result is not a finite number', 'guard the division or multiplication'],
  overloaded: ['too many queries are waiting', 'wait, or ask another node'],
  closed: ['the node is stopping', 'ask another node'],
  lost: ['the process that ran the query ended', 'try again; if it happens again, the operator finds the cause in the log'],
});
