import type { FastifyReply, FastifyRequest } from 'fastify';
import { decode, encode } from '../../protocol/codec/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { apiFaults, type Shape } from '../../protocol/query/index.ts';
import { signedTransactionC } from '../../protocol/rows/index.ts';
import { ZERO_HASH } from '../../protocol/types/index.ts';
import type { Route } from './routes.ts';

export const CBOR = 'application/cbor';

/** The typed request, or CODEC_* / TYPE_* / API_MALFORMED: nothing untyped passes this line. */
export function requestOf(route: Route, request: FastifyRequest): unknown {
  if (route.method === 'GET') return route.request.fromJson({ ...(request.query as object), ...(request.params as object) });
  const { body } = request;
  if (body instanceof Uint8Array) {
    const plain = new Uint8Array(body.buffer, body.byteOffset, body.length); // a Buffer's slices would be Buffers
    return route.name === 'submit' ? bareTransaction(plain, request.query) : decode(route.request as Shape<unknown>, plain, limits.requestBytes);
  }
  if (body === undefined || body === null) throw apiFaults.malformed({ reason: 'the request has no body' });
  return route.request.fromJson(body);
}

/** In CBOR the body of /v1/tx is the signed transaction itself; the group is a query parameter. */
function bareTransaction(body: Uint8Array, query: unknown): unknown {
  const { group } = query as { group?: unknown };
  if (group !== undefined && (typeof group !== 'string' || !/^0x[0-9a-f]{64}$/.test(group))) throw apiFaults.malformed({ reason: 'group is not 32 bytes of hex' });
  return { transaction: decode(signedTransactionC, body, limits.transactionBytes), group: group ?? ZERO_HASH };
}

/** CBOR for who asks for it, JSON for everybody else. */
export function sendAnswer(request: FastifyRequest, reply: FastifyReply, shape: Shape<unknown>, answer: unknown): FastifyReply {
  if (request.headers.accept?.includes(CBOR) === true) {
    const bytes = encode(shape, answer);
    return reply.type(CBOR).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  }
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(shape.toJson(answer)));
}
