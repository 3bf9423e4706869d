import {
  certifiedCheckpointW, hash32, healthW, meterAnswerW, nodeStatusW, offerRequestW, optional, poqRequestW, queryRequestW, rangeAnswerW,
  rangeRequestW, readAnswerW, readRequestW, record, schemaAnswerW, schemaRequestW, signedOfferW, signedVoucherW, statementAnswerW,
  submitAnswerW, embedded, versionsAnswerW, versionsRequestW, type ReadRequest, type Shape,
} from '../../protocol/query/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { pathOf, signedTransactionC } from '../../protocol/rows/index.ts';
import { ZERO_HASH } from '../../protocol/types/index.ts';
import type { NodeServices } from '../ports/index.ts';

/** One operation of the API: its shapes make the parser, the printer and the OpenAPI page. */
export interface Route<Q = any, A = any> {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly summary: string;
  /** Body of a POST, path and query parameters of a GET; absent when there are none. */
  readonly request?: Shape<Q>;
  readonly answer: Shape<A>;
  run(services: NodeServices, request: Q): Promise<A> | A;
  /** 503 instead of 200 when the answer says so (health). */
  status?(answer: A): number;
}

const route = <Q, A>(definition: Route<Q, A>): Route => definition;

const submission = record({
  transaction: embedded(signedTransactionC, 'SignedTransaction', limits.transactionBytes),
  group: optional(hash32, ZERO_HASH),
});

/** Keys given by name join the paths behind those given as paths, so services see paths only. */
function byPath(request: ReadRequest): ReadRequest {
  const named = request.keys.map(({ table, index, key }) => pathOf(request.database, table, index, key));
  return { ...request, paths: [...request.paths, ...named].slice(0, limits.pathsPerRead), keys: [] };
}

export const routes: readonly Route[] = [
  route({ method: 'GET', url: '/healthz', summary: 'Is the node able to serve', answer: healthW, run: (s) => s.health(), status: (h) => (h.ok ? 200 : 503) }),
  route({ method: 'GET', url: '/v1/status', summary: 'Who the node is and where its groups stand', answer: nodeStatusW, run: (s) => s.status() }),
  route({
    method: 'POST', url: '/v1/offer', summary: 'A signed offer of capacity to a cluster',
    request: offerRequestW, answer: signedOfferW, run: (s, q) => s.offer(q),
  }),
  route({
    method: 'POST', url: '/v1/tx', summary: 'Submit a signed transaction; answers once it is final',
    request: submission, answer: submitAnswerW, run: (s, q) => s.submit(q.transaction, q.group === ZERO_HASH ? undefined : q.group),
  }),
  route({
    method: 'POST', url: '/v1/read', summary: 'Rows or proven absences by key',
    request: readRequestW, answer: readAnswerW, run: (s, q) => s.read(byPath(q)),
  }),
  route({
    method: 'POST', url: '/v1/range', summary: 'A provably complete range of keys',
    request: rangeRequestW, answer: rangeAnswerW, run: (s, q) => s.range(q),
  }),
  route({
    method: 'POST', url: '/v1/query', summary: 'One SELECT at a snapshot, signed',
    request: queryRequestW, answer: statementAnswerW, run: (s, q) => s.query(q),
  }),
  route({
    method: 'GET', url: '/v1/checkpoint/:group', summary: 'Newest certified checkpoint of a group',
    request: record({ group: hash32 }), answer: certifiedCheckpointW, run: (s, q) => s.checkpoint(q.group),
  }),
  route({
    method: 'GET', url: '/v1/schema/:database', summary: 'Home, schema and metadata of a database, proven',
    request: schemaRequestW, answer: schemaAnswerW, run: (s, q) => s.schema(q),
  }),
  route({
    method: 'POST', url: '/v1/versions', summary: 'Current versions of keys, for planning a write',
    request: versionsRequestW, answer: versionsAnswerW, run: (s, q) => s.versions(q),
  }),
  route({
    method: 'POST', url: '/v1/poq', summary: 'Proof-of-Query challenge by rank or path, answered from storage',
    request: poqRequestW, answer: readAnswerW, run: (s, q) => s.poq(q),
  }),
  route({
    method: 'POST', url: '/v1/voucher', summary: 'Pay: a signed cumulative voucher of the payment channel',
    request: signedVoucherW, answer: meterAnswerW, run: (s, q) => s.voucher(q),
  }),
  route({
    method: 'GET', url: '/v1/meter/:cluster', summary: 'What a cluster was served and has paid',
    request: record({ cluster: hash32 }), answer: meterAnswerW, run: (s, q) => s.meter(q.cluster),
  }),
];
