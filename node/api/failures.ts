import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { InvariantError, isPicoloError, type PicoloError } from '../../protocol/errors/index.ts';
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
  void reply.code(httpStatusOf(fault)).type('application/json; charset=utf-8').send(failureText(fault));
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
