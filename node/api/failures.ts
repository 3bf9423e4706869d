import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { InvariantError, isPicoloError, type PicoloError } from '../../protocol/errors/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { apiFaults, httpStatusOf } from '../../protocol/query/index.ts';

/** Whatever was thrown, as a coded fault. Untyped errors say nothing about the inside of the node. */
export function faultOf(error: unknown, requestId: string): PicoloError {
  if (isPicoloError(error)) return error;
  const code = (error as FastifyError | undefined)?.code;
  const status = (error as FastifyError | undefined)?.statusCode ?? 500;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE' || status === 413) return apiFaults.oversized();
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' || status === 415) return apiFaults.unsupportedType();
  if (status === 429) return apiFaults.rateLimited();
  if (status >= 400 && status < 500) return apiFaults.malformed({ reason: reasonOf(code) });
  return apiFaults.internal({ request: requestId });
}

/** Answers `{ error }` with the status of the fault; only surprises are logged with their stack. */
export function sendFailure(error: unknown, request: FastifyRequest, reply: FastifyReply, onBroken: (error: InvariantError) => void): void {
  const fault = faultOf(error, request.id);
  if (fault.code === 'API_INTERNAL') request.log.error({ err: error, request: request.id }, 'request failed');
  if (error instanceof InvariantError) onBroken(error);
  const text = failureText(fault);
  void reply.code(httpStatusOf(fault)).type('application/json; charset=utf-8').header('content-length', Buffer.byteLength(text));
  void reply.send(request.raw.complete ? text : Readable.from(thenTheRest(text, request.raw)));
}

/**
 * Says all of the answer at once, and ends it when the client has sent all of its body or its time is over: a connection that is
 * closed before is reset, and with it goes an answer that the client has not yet read (RFC 9112 §9.6).
 */
async function* thenTheRest(text: string, request: IncomingMessage): AsyncGenerator<string> {
  yield text;
  if (request.readableEnded || request.destroyed) return;
  const timer = setTimeout(() => request.destroy(), limits.apiRequestMs);
  await new Promise((resolve) => request.once('end', resolve).once('close', resolve).resume());
  clearTimeout(timer);
}

export function failureText(fault: PicoloError): string {
  return JSON.stringify({ error: fault.toJSON() });
}

function reasonOf(code: string | undefined): string {
  if (code === 'FST_ERR_CTP_EMPTY_JSON_BODY') return 'the body is empty';
  if (code === 'FST_ERR_CTP_INVALID_JSON_BODY') return 'the body is not JSON';
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') return 'the body is shorter or longer than its content-length';
  return 'the request is not well-formed';
}
