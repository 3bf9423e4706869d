import { decode, encode } from '../../protocol/codec/index.ts';
import { isPicoloError, PicoloError, type FaultFacts } from '../../protocol/errors/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { operations, type AnswerOf, type OperationName, type Operation, type RequestOf, type Submission } from '../../protocol/query/index.ts';
import { encodeTransaction } from '../../protocol/rows/index.ts';
import { ZERO_HASH } from '../../protocol/types/index.ts';
import { sdkFaults } from '../errors.ts';
import type { Exchange, Reply } from './exchange.ts';

const CBOR = 'application/cbor';

/** A checked base URL without a slash at the end. Throws SDK_BAD_URL. */
export function baseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) throw sdkFaults.badUrl({ url: String(text).slice(0, 200) });
  return new URL(text).href.replace(/\/+$/, '');
}

/**
 * One call to one node, in CBOR. Throws what the node answered (API_*, PAYMENT_*, …) as a typed error,
 * or SDK_NO_NODE when nothing Picolo-like answered.
 */
export async function callNode<N extends OperationName>(
  exchange: Exchange, url: string, name: N, request: RequestOf<N>, timeoutMs: number,
): Promise<AnswerOf<N>> {
  const operation = operations[name] as unknown as Operation<RequestOf<N>, AnswerOf<N>>;
  const reply = await send(exchange, url, name, operation, request, timeoutMs);
  const { status, type, bytes } = reply;
  if (status === 200 && type.includes(CBOR)) return decode(operation.answer, bytes, limits.answerBytes);
  if (name === 'health' && status === 503 && type.includes(CBOR)) return decode(operation.answer, bytes, limits.answerBytes);
  throw failureOf(url, status, bytes);
}

async function send<N extends OperationName>(
  exchange: Exchange, url: string, name: N, operation: Operation<RequestOf<N>, AnswerOf<N>>, request: RequestOf<N>, timeoutMs: number,
): Promise<Reply> {
  const target = name === 'submit' ? submitUrl(url, request as Submission) : url + pathAndQuery(operation, request);
  const body = operation.method === 'GET' ? undefined : bodyOf(name, operation, request);
  const headers = { accept: CBOR, ...(body === undefined ? {} : { 'content-type': CBOR }) };
  try {
    return await exchange(target, { method: operation.method, headers, body, timeoutMs });
  } catch (error) {
    throw sdkFaults.noNode({ url, last: reasonOf(error) }, error);
  }
}

function bodyOf<N extends OperationName>(name: N, operation: Operation<RequestOf<N>, AnswerOf<N>>, request: RequestOf<N>): Uint8Array {
  if (name === 'submit') return encodeTransaction((request as Submission).transaction);
  return encode(operation.request, request);
}

function submitUrl(url: string, { group }: Submission): string {
  return `${url}${operations.submit.url}${group === ZERO_HASH ? '' : `?group=${group}`}`;
}

/** A GET carries its request in the address, in the JSON form of each field. */
function pathAndQuery<Q>(operation: Operation<Q, any>, request: Q): string {
  if (operation.method !== 'GET') return operation.url;
  const fields = Object.entries(operation.request.toJson(request) as Record<string, string>);
  const inPath = fields.filter(([name]) => operation.url.includes(`:${name}`));
  const inQuery = fields.filter(([name]) => !operation.url.includes(`:${name}`));
  const path = inPath.reduce((url, [name, value]) => url.replace(`:${name}`, encodeURIComponent(value)), operation.url);
  return inQuery.length === 0 ? path : `${path}?${new URLSearchParams(inQuery).toString()}`;
}

/** The typed error that the node sent, as it was thrown there. */
function failureOf(url: string, status: number, bytes: Uint8Array): PicoloError {
  try {
    const { error } = JSON.parse(new TextDecoder().decode(bytes)) as { error: { code: string; message: string; todo: string; facts: FaultFacts } };
    if (typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{2,80}$/.test(error.code)) {
      return new PicoloError(error.code, String(error.message), String(error.todo), { ...error.facts, node: url });
    }
  } catch {
    // not the JSON of a Picolo error: said below
  }
  return sdkFaults.badReply({ url, status, start: new TextDecoder().decode(bytes.subarray(0, 80)) });
}

/** In one word: ECONNREFUSED and the like, or TimeoutError. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (isPicoloError(error)) return error.code;
  const cause = error.cause as { readonly code?: unknown; readonly name?: unknown } | undefined;
  const words = error.name === 'AbortError' ? [cause?.name] : [cause?.code, (error as { code?: unknown }).code];
  return String(words.find((word) => typeof word === 'string') ?? error.name);
}
