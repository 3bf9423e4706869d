import { encode, type Scalar } from '../../protocol/codec/index.ts';
import { expand, parseQuery, queryC, type Dictionary, type ParsedQuery, type Query } from '../../protocol/dictionary/index.ts';
import {
  clientStep, closeSession, createMxClient, getMessage, openSession, prepareGet, type ClientEvent, type Ending, type GetAsk, type Message,
  type Mode, type Part,
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

export function createAsking({ self, signer, clock, random, dictionary, enter, send }: AskingOptions): Asking {
  const client = createMxClient(signer.domain);
  const questions = new Map<Hash32, OwnQuestion>();
  let closed = false;

  const start = (question: Question, server: Address, onEvent: OwnQuestion['onEvent']): Hash32 => {
    if (closed) throw faults.closed();
    const prepared = prepareGet(askOf(question));
    const message = getMessage(prepared, signer.sign('MxAsk', prepared.toSign));
    const transaction = openSession(client, message);
    questions.set(transaction, { server, onEvent });
    if (server === self) enter(message);
    else if (!send(server, message)) stop(transaction);
    return transaction;
  };

  const askOf = (question: Question): GetAsk => {
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
  };

  const stop = (transaction: Hash32): void => {
    const question = questions.get(transaction);
    if (question === undefined) return;
    questions.delete(transaction);
    const close = closeSession(client, transaction);
    if (question.server === self) enter(close);
    else send(question.server, close);
  };

  const take = (from: Address, message: Message): boolean => {
    const transaction = 'transaction' in message ? message.transaction : undefined;
    const question = transaction === undefined ? undefined : questions.get(transaction);
    if (transaction === undefined || question === undefined || question.server !== from) return false;
    for (const event of clientStep(client, message)) {
      if (event.kind === 'ended' || event.kind === 'refused') questions.delete(transaction);
      question.onEvent(event);
    }
    return true;
  };

  const askNeighbour = (server: Address, question: Question, onEvent: OwnQuestion['onEvent']): (() => void) => {
    const transaction = start(question, server, onEvent);
    return () => stop(transaction);
  };
  const watch = (question: Question, watching: Watching): (() => void) => askNeighbour(self, question, (event) => tell(watching, event));

  return {
    watch, take, askNeighbour,
    ask: (question) => collect((watching) => watch(question, watching)),
    close() {
      closed = true;
      for (const [transaction, { onEvent }] of questions) {
        onEvent({ kind: 'refused', transaction, code: 'unknown', detail: 'the node is closing' });
      }
      questions.clear();
    },
  };
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
