import { encode, type Scalar } from '../../protocol/codec/index.ts';
import { expand, parseQuery, queryC, type Dictionary, type ParsedQuery, type Query } from '../../protocol/dictionary/index.ts';
import {
  clientStep, closeSession, createMxClient, getMessage, openSession, prepareGet, type ClientEvent, type Ending, type GetAsk, type Message,
  type Mode, type MxClient, type Part,
} from '../../protocol/mx/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Address, Hash32 } from '../../protocol/types/index.ts';
import type { Clock, Signer } from '../ports/index.ts';
import { mxServiceFaults as faults } from './faults.ts';

export interface Question {
  /** SQL over keywords, or a structured query. */
  readonly query: string | Query;
  readonly params?: readonly Scalar[];
  readonly hops?: number;
  readonly results?: number;
  readonly mode?: Mode;
  readonly timeoutMs?: number;
}

export interface Reply {
  /** Verified rows, in parts by origin and in the origin's column names. */
  readonly parts: readonly Part[];
  readonly ending: Ending;
}

export interface Watching {
  readonly onPart: (part: Part) => void;
  readonly onEnd: (result: Ending | { readonly refused: string }) => void;
}

/** The node as a data consumer: its own questions, and the dictionaries of its neighbours. */
export interface Asking {
  ask(question: Question): Promise<Reply>;
  watch(question: Question, watching: Watching): () => void;
  /** Asks one neighbour past this node's own core; the result stops it. The caller sets the time limit. */
  askNeighbour(peer: Address, question: Question, onEvent: (event: ClientEvent) => void): () => void;
  /** True when the message belonged to a question of this node. */
  take(from: Address, message: Message): boolean;
  close(): void;
}

export interface AskingOptions {
  readonly self: Address;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly dictionary: () => Dictionary;
  /** Hands a request to this node's own core. */
  readonly enter: (message: Message) => void;
  readonly send: (peer: Address, message: Message) => boolean;
}

const DEFAULT_HOPS = 3;
const DEFAULT_RESULTS = 100;
const DEFAULT_TIMEOUT_MS = 15_000;

interface OwnQuestion {
  /** Whose messages count: this node itself, or the neighbour that was asked directly. */
  readonly server: Address;
  readonly onEvent: (event: ClientEvent) => void;
}

export function createAsking(options: AskingOptions): Asking {
  return new OwnQuestions(options);
}

class OwnQuestions implements Asking {
  readonly #options: AskingOptions;
  readonly #client: MxClient;
  readonly #open = new Map<Hash32, OwnQuestion>();
  #closed = false;

  constructor(options: AskingOptions) {
    this.#options = options;
    this.#client = createMxClient(options.signer.domain);
  }

  ask(question: Question): Promise<Reply> {
    return collect((watching) => this.watch(question, watching));
  }

  watch(question: Question, watching: Watching): () => void {
    return this.askNeighbour(this.#options.self, question, (event) => tell(watching, event));
  }

  askNeighbour(server: Address, question: Question, onEvent: OwnQuestion['onEvent']): () => void {
    const transaction = this.#start(question, server, onEvent);
    return () => this.#stop(transaction);
  }

  take(from: Address, message: Message): boolean {
    const transaction = 'transaction' in message ? message.transaction : undefined;
    const question = transaction === undefined ? undefined : this.#open.get(transaction);
    if (transaction === undefined || question === undefined || question.server !== from) return false;
    for (const event of clientStep(this.#client, message)) {
      if (event.kind === 'ended' || event.kind === 'refused') this.#open.delete(transaction);
      question.onEvent(event);
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    for (const [transaction, { onEvent }] of this.#open) {
      onEvent({ kind: 'refused', transaction, code: 'unknown', detail: 'the node is closing' });
    }
    this.#open.clear();
  }

  #start(question: Question, server: Address, onEvent: OwnQuestion['onEvent']): Hash32 {
    if (this.#closed) throw faults.closed();
    const { self, signer, enter, send } = this.#options;
    const prepared = prepareGet(this.#askOf(question));
    const message = getMessage(prepared, signer.sign('MxAsk', prepared.toSign));
    const transaction = openSession(this.#client, message);
    this.#open.set(transaction, { server, onEvent });
    if (server === self) enter(message);
    else if (!send(server, message)) this.#stop(transaction);
    return transaction;
  }

  #askOf(question: Question): GetAsk {
    const { self, clock, random, dictionary } = this.#options;
    const { query, limit } = parsed(question);
    const mode = question.mode ?? 'pull';
    const lifeMs = mode === 'follow' ? limits.mxFollowLifeMs : limits.mxAskLifeMs;
    return {
      client: self,
      nonce: BigInt(Math.floor(random() * Number.MAX_SAFE_INTEGER)),
      query: encode(queryC, expand(query, dictionary())),
      hops: question.hops ?? DEFAULT_HOPS,
      results: question.results ?? limit ?? DEFAULT_RESULTS,
      mode,
      expiresAtMs: BigInt(clock.nowMs() + Math.min(question.timeoutMs ?? DEFAULT_TIMEOUT_MS, lifeMs)),
    };
  }

  #stop(transaction: Hash32): void {
    const question = this.#open.get(transaction);
    if (question === undefined) return;
    this.#open.delete(transaction);
    const close = closeSession(this.#client, transaction);
    const { self, enter, send } = this.#options;
    if (question.server === self) enter(close);
    else send(question.server, close);
  }
}

function tell({ onPart, onEnd }: Watching, event: ClientEvent): void {
  if (event.kind === 'rows') onPart(event.part);
  else if (event.kind === 'ended') onEnd(event.ending);
  else if (event.kind === 'refused') onEnd({ refused: event.code });
}

function collect(watch: (watching: Watching) => void): Promise<Reply> {
  const parts: Part[] = [];
  return new Promise((resolve, reject) => {
    watch({
      onPart: (part) => parts.push(part),
      onEnd: (result) => ('refused' in result ? reject(faults.refused({ code: result.refused })) : resolve({ parts, ending: result })),
    });
  });
}

function parsed({ query, params }: Question): ParsedQuery {
  return typeof query === 'string' ? parseQuery(query, params) : { query, limit: null };
}
