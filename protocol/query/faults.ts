import { defineFaults, isPicoloError } from '../errors/index.ts';

/** Why an answer cannot be used. None of these accuses a node: what does is a `Lie`. */
export const queryFaults = defineFaults('QUERY', {
  stale: ['the answer is older than what was asked for', 'ask another replica'],
  unbound: ['the answer is to another question', 'ask another replica'],
  notAReplica: ['the answer is not signed by a replica of the group', 'ask a node of the roster'],
  badProof: ['the proof does not show what the answer says', 'ask another replica'],
  rowMismatch: ['the row that came along is not the one that was proven', 'ask another replica'],
});

/** What a node may answer instead of an answer; shared by node and SDK, so a client can test for the code. */
export const apiFaults = defineFaults('API', {
  unknownDatabase: ['this node does not serve the database', 'ask a node of its group, or check the id'],
  unknownGroup: ['this node is not a replica of the group', 'ask a node of its roster'],
  notYet: ['the node has not reached the timestamp or height asked for', 'try again, or ask another node'],
  noCheckpoint: ['the group has no certified checkpoint yet', 'try again in a second'],
  historyGone: ['the checkpoint asked for is older than the kept history', 'ask for a newer one'],
  overloaded: ['the node has too much work', 'wait, or ask another node'],
  forbidden: ['the rules of the database do not allow it', 'ask the owner for access'],
  badTransaction: ['the transaction is not valid', 'see facts.reason, then sign a correct one'],
  decided: ['the transaction was decided before, as the entry in the facts', 'read its nonce key with proof to see that; sign another to write again'],
  notFinal: ['the transaction did not become final in time; it may still', 'send the same signed transaction again'],
  unavailable: ['the data cannot be served now', 'ask another node'],
  malformed: ['the request cannot be read', 'see facts.reason and /openapi.json'],
  oversized: ['the request is larger than the limit', 'split it'],
  unsupportedType: ['the content type is not understood', 'send application/json or application/cbor'],
  notFound: ['there is nothing at this address', 'see /openapi.json'],
  rateLimited: ['too many requests', 'slow down; see the retry-after header'],
  internal: ['the node could not answer', 'ask another node; the operator finds the cause in the log under facts.request'],
});

const statuses: Readonly<Record<string, number>> = {
  API_UNKNOWN_DATABASE: 404, API_UNKNOWN_GROUP: 404, API_NOT_FOUND: 404, API_HISTORY_GONE: 410,
  API_NOT_YET: 503, API_NO_CHECKPOINT: 503, API_OVERLOADED: 503, API_UNAVAILABLE: 503, API_NOT_FINAL: 504,
  PAYMENT_REQUIRED: 402, SQL_UNKNOWN_DATABASE: 404, SQL_HISTORY_GONE: 410, LEDGER_UNKNOWN_CHECKPOINT: 410,
  SQL_OVERLOADED: 503, SQL_CLOSED: 503, SQL_LOST: 503, SQL_NOT_CLOSED: 503,
  API_FORBIDDEN: 403, API_BAD_TRANSACTION: 422, API_DECIDED: 409,
  API_MALFORMED: 400, API_OVERSIZED: 413, API_UNSUPPORTED_TYPE: 415, API_RATE_LIMITED: 429, API_INTERNAL: 500,
};

/** HTTP status of a fault: coded requests faults of lower rooms are the client's (422), anything untyped is ours (500). */
export function httpStatusOf(error: unknown): number {
  if (!isPicoloError(error)) return 500;
  if (error.code === 'CODEC_OVERSIZED') return 413;
  if (error.code.startsWith('CODEC_') || error.code.startsWith('TYPE_')) return 400;
  return statuses[error.code] ?? 422;
}
