/** One HTTP request and its answer, over whatever the platform has for it. */
import type { IncomingMessage } from 'node:http';
import { limits } from '../../protocol/limits/index.ts';
import { concatBytes } from '../../protocol/types/index.ts';
import { sdkFaults } from '../errors.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Call {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly timeoutMs: number;
}

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Rejects when nothing answered in time. */
export type Exchange = (url: string, call: Call) => Promise<Reply>;

/** Over `fetch`: in browsers, and wherever the caller brings one. */
export function exchangeOver(fetcher: Fetch): Exchange {
  return async (url, { method, headers, body, timeoutMs }) => {
    const init = { method, headers, signal: AbortSignal.timeout(timeoutMs), ...(body === undefined ? {} : { body: body as BodyInit }) };
    const response = await fetcher(url, init);
    return { status: response.status, type: response.headers.get('content-type') ?? '', bytes: new Uint8Array(await response.arrayBuffer()) };
  };
}

/** Over Node's own HTTP client, which takes a third of the CPU of its `fetch`; undefined in a browser. */
export async function nodeExchange(): Promise<Exchange | undefined> {
  // by variable, so that bundlers for the browser leave them out
  const [plain, secure] = ['node:http', 'node:https'];
  try {
    const http = await import(plain as string) as typeof import('node:http');
    const https = await import(secure as string) as typeof import('node:https');
    const agents = { plain: new http.Agent({ keepAlive: true }), secure: new https.Agent({ keepAlive: true }) };
    const send = (url: string, call: Call): Promise<Reply> => new Promise((resolve, reject) => {
      const isSecure = url.startsWith('https:');
      const options = { method: call.method, headers: { ...call.headers, ...lengthOf(call) }, signal: AbortSignal.timeout(call.timeoutMs) };
      const request = isSecure ? https.request(url, { ...options, agent: agents.secure }) : http.request(url, { ...options, agent: agents.plain });
      let answered = false;
      request.on('response', (response) => {
        answered = true;
        readAll(response).then(resolve, reject);
      });
      // most likely the server had closed the kept connection while the request was on its way; should it have seen it all the same, whatever
      // a node is asked it may be asked twice
      request.on('error', (error) => (!answered && request.reusedSocket && isReset(error) ? send(url, call).then(resolve, reject) : reject(error)));
      request.end(call.body);
    });
    return send;
  } catch {
    return undefined;
  }
}

const lengthOf = ({ body }: Call): Record<string, string> => (body === undefined ? {} : { 'content-length': String(body.length) });

const isReset = (error: Error): boolean => (error as { code?: unknown }).code === 'ECONNRESET';

/** No more than an answer may have: a node that never comes to an end fills no memory. */
async function readAll(response: IncomingMessage): Promise<Reply> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    parts.push(part);
    length += part.length;
    if (length > limits.answerBytes) throw sdkFaults.badReply({ bytes: length, maxBytes: limits.answerBytes });
  }
  const bytes = concatBytes(...parts);
  return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', bytes };
}
