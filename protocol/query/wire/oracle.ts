import { limits } from '../../limits/index.ts';
import { ZERO_TIMESTAMP } from '../../hlc/index.ts';
import { list, optional, record, struct } from './compose.ts';
import { address, hash32, hexBytes, scalar, signature, text, timestamp, type Shaped } from './shape.ts';

/** Body of a POST gateway of ERC-3668: the contract that asked and its call data (protocol/oracle). */
export const lookupRequestW = record({ sender: address, data: hexBytes(limits.oracleQuestionBytes) });
export type LookupRequest = Shaped<typeof lookupRequestW>;

export const lookupAnswerW = record({ data: hexBytes(limits.oracleAnswerBytes) });
export type LookupAnswer = Shaped<typeof lookupAnswerW>;

/** A statement to run for a request of `QueryOracle`. `asOf` zero takes the newest closed timestamp at or after `minTimestamp`. */
export const resultRequestW = record({
  database: hash32,
  sql: text(limits.sqlBytes),
  params: optional(list(scalar, limits.queryParameters), []),
  /** Id of the request on chain, and who shall get its fee. */
  request: hash32,
  payee: address,
  asOf: optional(timestamp, ZERO_TIMESTAMP),
  minTimestamp: optional(timestamp, ZERO_TIMESTAMP),
});
export type ResultRequest = Shaped<typeof resultRequestW>;

/** `bytes`: [columns, rows], which `result.resultHash` is the hash of. */
export const resultAnswerW = record({ result: struct('OracleResult'), signature, bytes: hexBytes(limits.oracleResultBytes) });
export type ResultAnswer = Shaped<typeof resultAnswerW>;
