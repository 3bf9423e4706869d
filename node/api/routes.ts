import { limits } from '../../protocol/limits/index.ts';
import { apiFaults, operations, type AnswerOf, type OperationName, type ReadRequest, type RequestOf } from '../../protocol/query/index.ts';
import { pathOf } from '../../protocol/rows/index.ts';
import { ZERO_HASH, type GroupId } from '../../protocol/types/index.ts';
import type { NodeServices } from '../ports/index.ts';

type Handlers = { readonly [N in OperationName]: (services: NodeServices, request: RequestOf<N>) => Promise<AnswerOf<N>> | AnswerOf<N> };

/** What answers each operation. */
const handlers: Handlers = {
  health: (s) => s.health(),
  status: (s) => s.status(),
  offer: (s, q) => s.offer(q),
  submit: (s, q) => s.submit(q.transaction, q.group === ZERO_HASH ? undefined : q.group),
  prepare: (s, q) => s.prepare(q),
  carry: (s, q) => s.carry(q),
  read: (s, q) => s.read(byPath(q)),
  range: (s, q) => s.range(q),
  query: (s, q) => s.query(q),
  checkpoint: (s, q) => s.checkpoint(q.group),
  certificate: (s, q) => s.certificate(q.group as GroupId, q.height),
  roots: (s, q) => s.roots(q),
  schema: (s, q) => s.schema(q),
  versions: (s, q) => s.versions(q),
  poq: (s, q) => s.poq(q),
  lookup: (s, q) => s.lookup(q),
  result: (s, q) => s.result(q),
  voucher: (s, q) => s.voucher(q),
  meter: (s, q) => s.meter(q.cluster),
};

/** An operation with its handler; requests and answers are typed by its shapes. */
export type Route = (typeof operations)[OperationName] & {
  readonly name: OperationName;
  run(services: NodeServices, request: unknown): Promise<unknown> | unknown;
};

export const routes: readonly Route[] = (Object.keys(operations) as OperationName[]).map((name) => ({
  ...operations[name], name, run: handlers[name] as Route['run'],
}));

/** Keys given by name join the paths behind those given as paths, so services see paths only. */
function byPath(request: ReadRequest): ReadRequest {
  const named = request.keys.map(({ table, index, key }) => pathOf(request.database, table, index, key));
  const paths = [...request.paths, ...named];
  if (paths.length > limits.pathsPerRead) throw apiFaults.oversized({ paths: paths.length, most: limits.pathsPerRead });
  return { ...request, paths, keys: [] };
}
