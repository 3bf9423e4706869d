import { isPicoloError } from '../../protocol/errors/index.ts';
import type { AnswerOf, OperationName, RequestOf } from '../../protocol/query/index.ts';
import { sdkFaults } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { baseUrl, callNode } from './http.ts';

export interface NodesOptions {
  readonly urls: readonly string[];
  readonly timeoutMs: number;
  readonly exchange: Exchange;
}

/** Faults of one node that another node may not have. Anything else is about the request itself. */
const ELSEWHERE = new Set([
  'SDK_NO_NODE', 'SDK_BAD_REPLY', 'SDK_LIED', 'SDK_BAD_RECEIPT', 'SDK_MOVED_ON',
  'API_NOT_YET', 'API_NO_CHECKPOINT', 'API_OVERLOADED', 'API_UNAVAILABLE', 'API_UNKNOWN_DATABASE', 'API_UNKNOWN_GROUP', 'API_HISTORY_GONE',
  'API_NOT_FINAL', 'API_INTERNAL', 'API_RATE_LIMITED', 'API_NOT_FOUND', 'HOST_HALTED',
  'SQL_UNKNOWN_DATABASE', 'SQL_HISTORY_GONE', 'SQL_NOT_CLOSED', 'SQL_OVERLOADED', 'SQL_CLOSED', 'SQL_LOST', 'LEDGER_UNKNOWN_CHECKPOINT',
]);

/** True when asking another node makes sense: the node failed, answered with rubbish, or lied. */
export function worthAskingElsewhere(error: unknown): boolean {
  if (!isPicoloError(error)) return false;
  return ELSEWHERE.has(error.code) || /^(?:QUERY|MEMBERSHIP|TREE|CODEC|RECEIPT)_/.test(error.code);
}

/**
 * The nodes a client knows, best first: one that fails goes to the end of the list, so one stale and one
 * live address work (P-4.1.2-client-any-node).
 */
export class Nodes {
  private order: string[];
  private readonly options: NodesOptions;

  constructor(options: NodesOptions) {
    this.options = options;
    this.order = [...new Set(options.urls.map(baseUrl))];
    if (this.order.length === 0) throw sdkFaults.badUrl({ url: '' });
  }

  /** Best first. */
  get urls(): readonly string[] {
    return this.order;
  }

  add(url: string): void {
    const base = baseUrl(url);
    if (!this.order.includes(base)) this.order.push(base);
  }

  call<N extends OperationName>(url: string, name: N, request: RequestOf<N>): Promise<AnswerOf<N>> {
    return callNode(this.options.exchange, url, name, request, this.options.timeoutMs);
  }

  /** Asks one node after the other until one gives an answer that `accept` takes (it throws to refuse). */
  async ask<N extends OperationName, T = AnswerOf<N>>(
    name: N, request: RequestOf<N>, accept: (answer: AnswerOf<N>, url: string) => T | Promise<T> = (answer) => answer as unknown as T,
  ): Promise<T> {
    return this.each(async (url) => accept(await this.call(url, name, request), url));
  }

  /** Runs `action` at one node after the other until one succeeds. */
  async each<T>(action: (url: string) => Promise<T>): Promise<T> {
    let last: unknown;
    for (const url of [...this.order]) {
      try {
        return await action(url);
      } catch (error) {
        if (!worthAskingElsewhere(error)) throw error;
        last = error;
        this.demote(url);
      }
    }
    throw last;
  }

  private demote(url: string): void {
    this.order = [...this.order.filter((other) => other !== url), url];
  }
}
