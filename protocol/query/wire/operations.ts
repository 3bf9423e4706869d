import { limits } from '../../limits/index.ts';
import { signedTransactionC } from '../../rows/index.ts';
import { ZERO_HASH } from '../../types/index.ts';
import { optional, record } from './compose.ts';
import { lookupAnswerW, lookupRequestW, resultAnswerW, resultRequestW } from './oracle.ts';
import { certifiedCheckpointW, poqRequestW, rangeAnswerW, rangeRequestW, readAnswerW, readRequestW, rootsAnswerW, rootsRequestW } from './reads.ts';
import { healthW, meterAnswerW, nodeStatusW, signedVoucherW } from './service.ts';
import { embedded, hash32, u64, type Shape, type Shaped } from './shape.ts';
import {
  carryAnswerW, carryRequestW,
  offerRequestW, prepareAnswerW, prepareRequestW, queryRequestW, schemaAnswerW, schemaRequestW, signedOfferW, statementAnswerW, submitAnswerW,
  versionsAnswerW, versionsRequestW,
} from './statements.ts';

/** One operation of a node's HTTP API: what the server routes, the client calls and OpenAPI prints. */
export interface Operation<Q, A> {
  readonly method: 'GET' | 'POST';
  /** `:name` stands for a field of the request. */
  readonly url: string;
  readonly summary: string;
  /** Body of a POST; path and query parameters of a GET. */
  readonly request: Shape<Q>;
  readonly answer: Shape<A>;
}

const operation = <Q, A>(method: 'GET' | 'POST', url: string, summary: string, request: Shape<Q>, answer: Shape<A>): Operation<Q, A> =>
  ({ method, url, summary, request, answer });

const nothing = record({});

/** In CBOR the body is the bare signed transaction, and `group` a query parameter. */
export const submissionW = record({
  transaction: embedded(signedTransactionC, 'SignedTransaction', limits.transactionBytes),
  /** Where a new database is created; zero for existing ones. */
  group: optional(hash32, ZERO_HASH),
});
export type Submission = Shaped<typeof submissionW>;

export const operations = {
  health: operation('GET', '/healthz', 'Is the node able to serve; 503 when not', nothing, healthW),
  status: operation('GET', '/v1/status', 'Who the node is and where its groups stand', nothing, nodeStatusW),
  offer: operation('POST', '/v1/offer', 'A signed offer of capacity to a cluster', offerRequestW, signedOfferW),
  submit: operation('POST', '/v1/tx', 'Submit a signed transaction; answers once it is final', submissionW, submitAnswerW),
  prepare: operation('POST', '/v1/prepare', 'Prepare a part of a transaction over several groups; answers with the proof', prepareRequestW, prepareAnswerW),
  carry: operation('POST', '/v1/carry', 'Carry a proof of another group here; answers with the decision, once there is one', carryRequestW, carryAnswerW),
  read: operation('POST', '/v1/read', 'Rows or proven absences by key', readRequestW, readAnswerW),
  range: operation('POST', '/v1/range', 'A provably complete range of keys', rangeRequestW, rangeAnswerW),
  query: operation('POST', '/v1/query', 'One SELECT at a snapshot, signed', queryRequestW, statementAnswerW),
  checkpoint: operation('GET', '/v1/checkpoint/:group', 'Newest certified checkpoint of a group', record({ group: hash32 }), certifiedCheckpointW),
  certificate: operation('GET', '/v1/certificate/:group/:height', 'Certified checkpoint of a past height', record({ group: hash32, height: u64 }), certifiedCheckpointW),
  roots: operation('POST', '/v1/roots', 'Signed list of the certified roots that the node knows', rootsRequestW, rootsAnswerW),
  schema: operation('GET', '/v1/schema/:database', 'Home, schema and metadata of a database, proven', schemaRequestW, schemaAnswerW),
  versions: operation('POST', '/v1/versions', 'Current versions of keys, for planning a write', versionsRequestW, versionsAnswerW),
  poq: operation('POST', '/v1/poq', 'Proof-of-Query challenge by rank or path, answered from storage', poqRequestW, readAnswerW),
  lookup: operation('POST', '/v1/lookup', 'Gateway of ERC-3668: a question of a contract, answered with proofs', lookupRequestW, lookupAnswerW),
  result: operation('POST', '/v1/result', 'Run a statement for a contract that requested it, and sign the result', resultRequestW, resultAnswerW),
  voucher: operation('POST', '/v1/voucher', 'Pay: a signed cumulative voucher of the payment channel', signedVoucherW, meterAnswerW),
  meter: operation('GET', '/v1/meter/:cluster', 'What a cluster was served and has paid', record({ cluster: hash32 }), meterAnswerW),
} as const;

export type OperationName = keyof typeof operations;
export type RequestOf<N extends OperationName> = Shaped<(typeof operations)[N]['request']>;
export type AnswerOf<N extends OperationName> = Shaped<(typeof operations)[N]['answer']>;
