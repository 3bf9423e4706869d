import { createAccess, levelOf, standings, type Access, type PeerStanding } from '../../protocol/access/index.ts';
import type { Domain } from '../../protocol/codec/index.ts';
import type { Member } from '../../protocol/dictionary/index.ts';
import { decodeMessage, encodeMessage, transactionOf, type Message } from '../../protocol/mx/index.ts';
import type { Address, Hash32 } from '../../protocol/types/index.ts';
import type { Clock, Signer } from '../ports/index.ts';
import { createAcquaintance, type Acquaintance } from './acquaint.ts';
import { createAsking, type Asking, type Question, type Reply, type Watching } from './asking.ts';
import { cluster, type ClusterWish } from './clustering.ts';
import { createEngine, type Engine } from './engine.ts';
import { createGate, type Gate } from './gate.ts';
import { createLocalSide, queryOf, type LocalSide } from './local.ts';
import type { MxNeighbour, MxNotice, MxOptions } from './options.ts';
import { createPeers, type Peers } from './peers.ts';

/** One node's MX: cores wired to local data, links, clock and deposits. */
export interface MxService {
  readonly self: Address;
  readonly signer: Signer;
  readonly domain: Domain;
  readonly clock: Clock;
  /** A frame of a proven peer. Never throws: what is malformed is answered with ERROR. */
  receive(peer: Address, frame: Uint8Array): void;
  /** A proven link came up; call the result when it goes down. */
  connect(peer: Address, send: (frame: Uint8Array) => void): () => void;
  /** This node's own question to the network, local data first. */
  ask(question: Question): Promise<Reply>;
  /** The same with rows as they arrive; the result stops it (CLOSE). */
  watch(question: Question, watching: Watching): () => void;
  neighbours(): readonly MxNeighbour[];
  setNeighbours(neighbours: readonly MxNeighbour[]): void;
  addNeighbour(neighbour: MxNeighbour): void;
  onNeighbours(handler: () => void): void;
  /** This node's view of its peers, for metrics; levels never travel. */
  standings(): PeerStanding[];
  levelOf(peer: Address): number;
  /** Looks for nodes near in meaning and takes them as neighbours; call it now and then. */
  cluster(wish?: ClusterWish): Promise<Member<Address>[]>;
  status(): { readonly open: number; readonly load: number; readonly neighbours: number; readonly linked: number };
  notice(notice: MxNotice): void;
  close(): void;
}

const DEFAULT_FANOUT = 8;

export function createMxService(options: MxOptions): MxService {
  const { self, signer, clock } = options;
  const { access, local, peers, engine, asking, acquaintance, gate, notice } = assemble(options);
  return {
    self, signer, domain: signer.domain, clock, notice,
    receive(peer, frame) {
      const message = readable(frame, (cause, from) => {
        notice({ kind: 'badFrame', peer, cause });
        engine.run({ kind: 'malformed', from: peer, ...from });
      });
      if (message !== undefined) gate.pass(peer, message);
    },
    connect(peer, send) {
      const remove = peers.add(peer, send);
      notice({ kind: 'link', peer, up: true });
      acquaintance.meet(peer);
      return () => {
        if (!remove()) return;
        notice({ kind: 'link', peer, up: false });
        engine.run({ kind: 'peerLost', peer, nowMs: clock.nowMs() });
      };
    },
    ask: (question) => asking.ask(question),
    watch: (question, watching) => asking.watch(question, watching),
    neighbours: () => peers.neighbours(),
    setNeighbours: (next) => peers.setNeighbours(next),
    addNeighbour: (neighbour) => peers.addNeighbour(neighbour),
    onNeighbours: (handler) => peers.onNeighbours(handler),
    standings: () => standings(access, clock.nowMs()),
    levelOf: (peer) => levelOf(access, peer, clock.nowMs()),
    cluster: (wish = {}) => cluster(wish, local.dictionary(), asking, peers, options.resolveUrl ?? (() => undefined)),
    status: () => ({ ...engine.status(), ...countsOf(peers) }),
    close() {
      for (const part of [acquaintance, engine, local, asking]) part.close();
    },
  };
}

interface Parts {
  readonly access: Access;
  readonly local: LocalSide;
  readonly peers: Peers;
  readonly engine: Engine;
  readonly asking: Asking;
  readonly acquaintance: Acquaintance;
  readonly gate: Gate;
  readonly notice: (event: MxNotice) => void;
}

/** Makes the parts and ties them together: what comes in goes to the node's own questions first, else to the core. */
function assemble(options: MxOptions): Parts {
  const { self, signer, clock, random, fanout = DEFAULT_FANOUT, sendFrame = (): boolean => false } = options;
  const access = createAccess(options.access);
  const local = createLocalSide(options);
  const peers = createPeers(options.neighbours, { access, self, random, fanout, sendFrame });
  const engine = createEngine(options, { access, local, peers, toSelf: (message) => void asking.take(self, message) });
  const enterCore = (from: Address, message: Message, admitted: boolean): void =>
    engine.run({ kind: 'message', from, message, admitted, nowMs: clock.nowMs() });
  const asking: Asking = createAsking({
    self, signer, clock, random, dictionary: local.dictionary,
    enter: (message) => enterCore(self, message, true),
    send: (peer, message) => peers.send(peer, encodeMessage(message)),
  });
  const notice = (event: MxNotice): void => options.onNotice?.(event);
  const gate = createGate({
    ...options, access,
    isNeighbour: (peer) => peers.isNeighbour(peer),
    unreadable: (peer, cause) => notice({ kind: 'depositUnread', peer, cause }),
    handle(peer, message, admits) {
      if (!asking.take(peer, message)) enterCore(peer, message, message.kind === 'get' && admits());
    },
  });
  return { access, local, peers, engine, asking, acquaintance: createAcquaintance(clock, peers, asking), gate, notice };
}

function countsOf(peers: Peers): { readonly neighbours: number; readonly linked: number } {
  const neighbours = peers.neighbours();
  return { neighbours: neighbours.length, linked: neighbours.filter(({ address }) => peers.linked(address)).length };
}

/** The message in a frame whose query can be read too, or undefined after telling why not. */
function readable(frame: Uint8Array, bad: (cause: unknown, from: { transaction?: Hash32 }) => void): Message | undefined {
  let message: Message;
  try {
    message = decodeMessage(frame);
  } catch (cause) {
    bad(cause, {});
    return undefined;
  }
  try {
    if (message.kind === 'get') queryOf(message);
    return message;
  } catch (cause) {
    bad(cause, { transaction: transactionOf(message as Extract<Message, { kind: 'get' }>) });
    return undefined;
  }
}
