import Fastify, { type FastifyInstance } from 'fastify';
import { systemClock } from '../../../node/clock/index.ts';
import { createMxService, dialNeighbours, mxWebSocket, type MxNeighbour, type MxOptions } from '../../../node/mx/index.ts';
import { defineDictionary } from '../../../protocol/dictionary/index.ts';
import {
  answerChallenge, checkWelcome, decodeMessage, encodeMessage, helloFrame, type Dialled, type Message,
} from '../../../protocol/mx/index.ts';
import type { Address, Hash32 } from '../../../protocol/types/index.ts';
import type { MxChannel, MxNode, MxWorld } from '../../conformance/mx.ts';
import { until } from '../../conformance/until.ts';
import { domain, identity, rowsOf, type Identity } from './kit.ts';

/** Small draws, all different: every access level passes them. */
function smallDraws(): () => number {
  let i = 0;
  return () => (++i % 1_000_000) / 100_000_000;
}

/** A node with one table `people(ln)` that remembers what was done to it. */
export function makeNode(seed: number, names: string[], changes: Partial<MxOptions> = {}): MxNode {
  const id = identity(seed);
  const trace: string[] = [];
  const watchers = new Set<(rows: string[][]) => void>();
  const service = createMxService({
    self: id.address, signer: id.signer, neighbours: [], clock: systemClock, random: smallDraws(), depositLevel: () => 0,
    dictionary: defineDictionary({ people: { keywords: ['users'], columns: { ln: ['lastname'] } } }),
    answerLocally: async (_sql, params) => {
      trace.push('local');
      return rowsOf(...names).slice(0, Number(params.at(-1)));
    },
    watchLocally: (_sql, _params, onRows) => {
      watchers.add(onRows as (rows: string[][]) => void);
      return () => {
        watchers.delete(onRows as (rows: string[][]) => void);
        trace.push('stopped');
      };
    },
    applyPut: async () => void trace.push('put'),
    ...changes,
  });
  const appear = (name: string): void => {
    names.push(name);
    for (const emit of watchers) emit([[name]]);
  };
  return { id, service, trace, names, appear };
}

function addNeighbour(node: MxNode, neighbour: MxNeighbour): void {
  node.service.setNeighbours([...node.service.neighbours(), neighbour]);
}

/** Frames travel as microtasks between two services: no sockets, no handshake. */
export async function memoryWorld(): Promise<MxWorld> {
  const nodes: MxNode[] = [];
  const later = (action: () => void): void => void Promise.resolve().then(action);
  return {
    async node(seed, names, changes) {
      const node = makeNode(seed, names, changes);
      nodes.push(node);
      return node;
    },
    async link(a, b) {
      addNeighbour(a, { address: b.id.address });
      addNeighbour(b, { address: a.id.address });
      a.service.connect(b.id.address, (frame) => later(() => b.service.receive(a.id.address, frame)));
      b.service.connect(a.id.address, (frame) => later(() => a.service.receive(b.id.address, frame)));
    },
    async channel(node, id, asNeighbour = false) {
      if (asNeighbour) addNeighbour(node, { address: id.address });
      const got: Message[] = [];
      const disconnect = node.service.connect(id.address, (frame) => later(() => got.push(decodeMessage(frame))));
      const send = (message: Message | Uint8Array): void => {
        const frame = message instanceof Uint8Array ? message : encodeMessage(message);
        later(() => node.service.receive(id.address, frame));
      };
      return { got, send, close: disconnect };
    },
    async close() {
      for (const { service } of nodes) service.close();
    },
  };
}

interface Served {
  readonly node: MxNode;
  readonly app: FastifyInstance;
  readonly url: string;
  readonly dialler: { close(): void };
}

/** The same nodes behind their real endpoint on the loopback interface. */
export async function socketWorld(): Promise<MxWorld> {
  const served = new Map<MxNode, Served>();
  const at = (node: MxNode): Served => served.get(node) as Served;
  const linked = (node: MxNode): boolean => node.service.status().linked === node.service.neighbours().length;
  return {
    async node(seed, names, changes) {
      const node = makeNode(seed, names, changes);
      const app = Fastify();
      await app.register(mxWebSocket(node.service));
      await app.listen({ host: '127.0.0.1', port: 0 });
      const { port } = app.server.address() as { port: number };
      served.set(node, { node, app, url: `ws://127.0.0.1:${port}/v1/mx`, dialler: dialNeighbours(node.service) });
      return node;
    },
    async link(a, b) {
      addNeighbour(b, { address: a.id.address }); // one side dials, the link serves both
      addNeighbour(a, { address: b.id.address, url: at(b).url });
      await until('the link', () => linked(a) && linked(b));
    },
    async channel(node, id, asNeighbour = false) {
      if (asNeighbour) addNeighbour(node, { address: id.address });
      const channel = await dialChannel(at(node).url, node.id.address, id);
      if (asNeighbour) await until('the link', () => linked(node));
      return channel;
    },
    async close() {
      for (const { node, app, dialler } of served.values()) {
        dialler.close();
        node.service.close();
        await app.close();
      }
    },
  };
}

/** A consumer's side of the WebSocket, handshake included. Rejects when the node does not welcome it. */
export function dialChannel(url: string, node: Address, id: Identity): Promise<MxChannel> {
  const got: Message[] = [];
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  let dialled: Dialled | undefined;
  let welcome = false;
  const send = (frame: Uint8Array): void => socket.send(frame as Uint8Array<ArrayBuffer>);
  return new Promise((resolve, reject) => {
    socket.addEventListener('close', () => reject(new Error('the node closed the connection')));
    socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => {
      const frame = new Uint8Array(data);
      if (welcome) return void got.push(decodeMessage(frame));
      if (dialled === undefined) {
        dialled = answerChallenge(frame, node, id.address, `0x${'42'.repeat(32)}` as Hash32);
        return send(helloFrame(dialled, id.signer.sign('Hello', dialled.toSign)));
      }
      checkWelcome(domain, dialled, frame);
      welcome = true;
      resolve({ got, send: (message) => send(message instanceof Uint8Array ? message : encodeMessage(message)),
        close: () => socket.close() });
    });
  });
}
