/**
 * A data consumer's way into MX (Picolo §7, P-3.2-role-data-consumer): one question to any node, answers from strangers' databases,
 * every row under its origin's signature. Needs an account, no stake.
 *
 * @example
 *   const channel = await openMx('ws://127.0.0.1:4101/v1/mx', { key, domain });
 *   const { parts, ending } = await channel.ask('SELECT name FROM cities WHERE country = ?', ['NO'], { hops: 2 });
 *   channel.close();
 */
import { encode, signStruct, type Domain, type Scalar } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { parseQuery, queryC } from '../../protocol/dictionary/index.ts';
import { defineFaults } from '../../protocol/errors/index.ts';
import {
  answerChallenge, checkWelcome, clientStep, createMxClient, decodeMessage, encodeMessage, getMessage, helloFrame, openSession, prepareGet,
  type ClientEvent, type Dialled, type Ending, type GetAsk, type Part,
} from '../../protocol/mx/index.ts';
import { hexOf, type Address, type Hash32 } from '../../protocol/types/index.ts';

const mxClientFaults = defineFaults('MX_CLIENT', {
  closed: ['the node closed the connection', 'ask another node; its access level for you may be low'],
  refused: ['the node refused the question', 'see the code in the facts'],
  silent: ['the question was not answered in time', 'ask again, or another node'],
});

export interface MxOptions {
  /** Private key of the asker. */
  readonly key: Uint8Array;
  readonly domain: Domain;
  /** The node expected at that address, when known. */
  readonly node?: Address;
}

export interface MxAnswer {
  readonly parts: readonly Part[];
  readonly ending: Ending;
}

export interface MxChannel {
  readonly self: Address;
  /** `sql` names entities and columns by keyword; each node that knows them answers in its own schema. */
  ask(sql: string, params?: readonly Scalar[], options?: Partial<Pick<GetAsk, 'hops' | 'results' | 'mode'>> & { readonly timeoutMs?: number }): Promise<MxAnswer>;
  close(): void;
}

/** Dials a node's `/v1/mx` and proves who both ends are. Rejects with MX_CLIENT_CLOSED. */
export function openMx(url: string, options: MxOptions): Promise<MxChannel> {
  const self = addressOf(options.key);
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const channel = new Channel(socket, self, options);
  let dialled: Dialled | undefined;
  let welcome = false;
  return new Promise((resolve, reject) => {
    socket.addEventListener('close', () => {
      channel.lost();
      reject(mxClientFaults.closed({ url }));
    });
    socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => {
      try {
        const frame = new Uint8Array(data);
        if (welcome) return channel.take(frame);
        if (dialled === undefined) {
          dialled = answerChallenge(frame, options.node, self, random32());
          return channel.send(helloFrame(dialled, signStruct(options.domain, 'Hello', dialled.toSign, options.key)));
        }
        checkWelcome(options.domain, dialled, frame);
        welcome = true;
        resolve(channel);
      } catch (error) {
        reject(error);
        socket.close();
      }
    });
  });
}

class Channel implements MxChannel {
  readonly self: Address;
  private readonly socket: WebSocket;
  private readonly options: MxOptions;
  private readonly client: ReturnType<typeof createMxClient>;
  private readonly waiting = new Map<Hash32, (event: ClientEvent | undefined) => void>();
  private nonce = BigInt(Date.now());

  constructor(socket: WebSocket, self: Address, options: MxOptions) {
    this.socket = socket;
    this.self = self;
    this.options = options;
    this.client = createMxClient(options.domain);
  }

  async ask(sql: string, params: readonly Scalar[] = [], options: Parameters<MxChannel['ask']>[2] = {}): Promise<MxAnswer> {
    const { hops = 3, results = 100, mode = 'pull', timeoutMs = 10_000 } = options;
    const query = encode(queryC, parseQuery(sql, params).query);
    const prepared = prepareGet({
      client: this.self, nonce: ++this.nonce, query, hops, results, mode, expiresAtMs: BigInt(Date.now() + timeoutMs),
    });
    const message = getMessage(prepared, signStruct(this.options.domain, 'MxAsk', prepared.toSign, this.options.key));
    const transaction = openSession(this.client, message);
    const parts: Part[] = [];
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(mxClientFaults.silent({ timeoutMs }))), timeoutMs + 1_000);
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        this.waiting.delete(transaction);
        end();
      };
      this.waiting.set(transaction, (event) => {
        if (event === undefined) return settle(() => reject(mxClientFaults.closed()));
        if (event.kind === 'rows') parts.push(event.part);
        if (event.kind === 'ended') settle(() => resolve({ parts, ending: event.ending }));
        if (event.kind === 'refused') settle(() => reject(mxClientFaults.refused({ code: event.code, detail: event.detail })));
      });
      this.send(encodeMessage(message));
    });
  }

  take(frame: Uint8Array): void {
    for (const event of clientStep(this.client, decodeMessage(frame))) this.waiting.get(event.transaction)?.(event);
  }

  send(frame: Uint8Array): void {
    this.socket.send(frame as Uint8Array<ArrayBuffer>);
  }

  lost(): void {
    for (const waiter of [...this.waiting.values()]) waiter(undefined);
  }

  close(): void {
    this.socket.close();
  }
}

function random32(): Hash32 {
  return hexOf(crypto.getRandomValues(new Uint8Array(32))) as Hash32;
}
