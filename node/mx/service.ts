import { createAccess, levelOf, observe, standings, type PeerStanding } from '../../protocol/access/index.ts';
import type { Domain } from '../../protocol/codec/index.ts';
import type { Member } from '../../protocol/dictionary/index.ts';
import {
  createMx, decodeMessage, encodeMessage, loadOf, nextDeadlineMs, step, transactionOf, type Message, type MxEffect, type MxInput,
} from '../../protocol/mx/index.ts';
import type { Address, Hash32 } from '../../protocol/types/index.ts';
import type { Clock, Signer } from '../ports/index.ts';
import { createAlarm } from './alarm.ts';
import { createAsking, type Asking, type Question, type Reply, type Watching } from './asking.ts';
import { cluster, type ClusterWish } from './clustering.ts';
import { createGate } from './gate.ts';
import { createLocalSide, queryOf } from './local.ts';
import type { MxNeighbour, MxNotice, MxOptions } from './options.ts';
import { createPeers } from './peers.ts';

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
const DICTIONARY_RETRY_MS = 30_000;
const DICTIONARY_REFRESH_MS = 600_000;

export function createMxService(options: MxOptions): MxService {
  const { self, signer, clock, random } = options;
  const access = createAccess(options.access);
  const mx = createMx({ ...options.mx, self, domain: signer.domain, attest: (value) => signer.sign('MxSend', value) });
  const local = createLocalSide(options);
  const peers = createPeers(options.neighbours, {
    access, self, random, fanout: options.fanout ?? DEFAULT_FANOUT, sendFrame: options.sendFrame ?? (() => false),
  });
  const notice = (event: MxNotice): void => options.onNotice?.(event);
  const acquainting = new Map<Address, () => void>();
  const alarm = createAlarm(clock, () => run({ kind: 'tick', nowMs: clock.nowMs() }));
  let closed = false;

  const run = (input: MxInput): void => {
    if (closed) return;
    mx.load = Math.min(Math.max(options.load?.() ?? 0, 0), 1);
    for (const effect of step(mx, input)) perform(effect);
    alarm.set(nextDeadlineMs(mx));
  };

  const perform = (effect: MxEffect): void => {
    switch (effect.kind) {
      case 'send':
        if (effect.to === self) asking.take(self, effect.message);
        else if (!peers.send(effect.to, encodeMessage(effect.message))) unreachablePeer(effect.to);
        break;
      case 'evaluate': {
        const { transaction, request, listed, want } = effect;
        local.evaluate(transaction, request, listed, want, (answer) => {
          const nowMs = clock.nowMs();
          const query = request.kind === 'get' ? queryOf(request) : undefined;
          const neighbours = request.hops > 0 ? peers.choose(query, request.ask.client === self, nowMs) : [];
          run({ kind: 'answered', transaction, ...answer, neighbours, nowMs });
        });
        break;
      }
      case 'cancel': local.cancel(effect.transaction); break;
      case 'observed':
        observe(access, effect.peer, effect.seen, clock.nowMs());
        notice(effect);
    }
  };

  /** Later, not now: the step that produced the effect has to finish first. */
  const unreachablePeer = (peer: Address): void => void clock.after(0, () => run({ kind: 'peerLost', peer, nowMs: clock.nowMs() }));

  const gate = createGate({
    ...options, access,
    isNeighbour: (peer) => peers.isNeighbour(peer),
    unreadable: (peer, cause) => notice({ kind: 'depositUnread', peer, cause }),
    handle(peer, message, admits) {
      if (asking.take(peer, message)) return;
      run({ kind: 'message', from: peer, message, admitted: message.kind === 'get' && admits(), nowMs: clock.nowMs() });
    },
  });

  const asking: Asking = createAsking({
    self, signer, clock, random, dictionary: local.dictionary,
    enter: (message) => run({ kind: 'message', from: self, message, admitted: true, nowMs: clock.nowMs() }),
    send: (peer, message) => peers.send(peer, encodeMessage(message)),
  });

  /** Dictionaries are soft state: read when a link comes up and again now and then, sooner when the neighbour did not serve us. */
  const acquaint = (peer: Address): void => {
    if (closed || acquainting.has(peer) || !peers.isNeighbour(peer) || !peers.linked(peer)) return;
    acquainting.set(peer, () => undefined);
    asking.learnDictionary(peer, (dictionary) => {
      if (dictionary !== undefined) peers.learn(peer, dictionary);
      if (closed) return;
      const againMs = dictionary === undefined ? DICTIONARY_RETRY_MS : DICTIONARY_REFRESH_MS;
      acquainting.set(peer, clock.after(againMs, () => {
        acquainting.delete(peer);
        acquaint(peer);
      }));
    });
  };

  return {
    self, signer, domain: signer.domain, clock, notice,
    receive(peer, frame) {
      if (closed) return;
      const message = readable(frame, (cause, from) => {
        notice({ kind: 'badFrame', peer, cause });
        run({ kind: 'malformed', from: peer, ...from });
      });
      if (message !== undefined) gate.pass(peer, message);
    },
    connect(peer, send) {
      const remove = peers.add(peer, send);
      notice({ kind: 'link', peer, up: true });
      acquaint(peer);
      return () => {
        if (!remove()) return;
        notice({ kind: 'link', peer, up: false });
        run({ kind: 'peerLost', peer, nowMs: clock.nowMs() });
      };
    },
    ask: (question) => asking.ask(question),
    watch: (question, watching) => asking.watch(question, watching),
    neighbours: () => peers.neighbours(),
    setNeighbours: (next) => peers.setNeighbours(next),
    onNeighbours: (handler) => peers.onNeighbours(handler),
    standings: () => standings(access, clock.nowMs()),
    levelOf: (peer) => levelOf(access, peer, clock.nowMs()),
    cluster: (wish = {}) => cluster(wish, local.dictionary(), asking, peers, options.resolveUrl ?? (() => undefined)),
    status: () => ({
      open: mx.open.size, load: loadOf(mx), neighbours: peers.neighbours().length,
      linked: peers.neighbours().filter(({ address }) => peers.linked(address)).length,
    }),
    close() {
      closed = true;
      alarm.set(undefined);
      local.close();
      asking.close();
      for (const stop of acquainting.values()) stop();
    },
  };
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
