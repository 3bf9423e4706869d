import { forwardTo, levelOf, type Access } from '../../protocol/access/index.ts';
import { reformulate, type Dictionary, type Query } from '../../protocol/dictionary/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import type { MxNeighbour } from './options.ts';

type Sender = (frame: Uint8Array) => void;

/** Who can be reached, what is known of their schemas, and whom to ask first. */
export interface Peers {
  /** A proven link came up; the result takes it down and tells whether it was the peer's last. */
  add(peer: Address, send: Sender): () => boolean;
  send(peer: Address, frame: Uint8Array): boolean;
  linked(peer: Address): boolean;
  isNeighbour(peer: Address): boolean;
  /** The operator's choice. */
  setNeighbours(neighbours: readonly MxNeighbour[]): void;
  /** One more of the operator's choice, for example when a bare URL turned out to be it. */
  addNeighbour(neighbour: MxNeighbour): void;
  /** Those taken for their meaning, replacing the earlier ones. */
  adopt(neighbours: readonly MxNeighbour[]): void;
  neighbours(): readonly MxNeighbour[];
  /** Called after every change of the neighbours. */
  onNeighbours(handler: () => void): void;
  learn(peer: Address, dictionary: Dictionary): void;
  forget(peer: Address): void;
  known(): ReadonlyMap<Address, Dictionary>;
  /**
   * Neighbours to pass a request to, best known match first. Others' requests go to whom the access level draws
   * (Def. 6.2), but to one at least: forwarding to nobody is what this node's own level would suffer for. Its own
   * requests go to all, which is how a new neighbour gets to prove itself.
   */
  choose(query: Query | undefined, asker: { readonly from: Address; readonly client: Address }, nowMs: number): Address[];
}

interface PeersOptions {
  readonly access: Access;
  readonly self: Address;
  readonly random: () => number;
  readonly fanout: number;
  readonly sendFrame: (peer: Address, frame: Uint8Array) => boolean;
}

export function createPeers(initial: readonly MxNeighbour[], { access, self, random, fanout, sendFrame }: PeersOptions): Peers {
  const links = new Map<Address, Sender[]>();
  const known = new Map<Address, Dictionary>();
  const handlers: (() => void)[] = [];
  let chosen = initial;
  let adopted: readonly MxNeighbour[] = [];
  let neighbours = new Map<Address, MxNeighbour>();
  const merge = (): void => {
    const all = [...adopted, ...chosen].filter(({ address }) => address !== self); // the operator's word wins
    neighbours = new Map(all.map((neighbour) => [neighbour.address, neighbour]));
    for (const handler of handlers) handler();
  };
  merge();

  /** Matching schemas first, unknown ones next, known strangers last: they may still pass it on. */
  const relevance = (peer: Address, query: Query): number => {
    const dictionary = known.get(peer);
    return dictionary === undefined ? 0.01 : (reformulate(query, dictionary, 1)?.quality ?? 0);
  };

  return {
    add(peer, send) {
      links.set(peer, [send, ...(links.get(peer) ?? [])]);
      return () => {
        const left = (links.get(peer) ?? []).filter((other) => other !== send);
        if (left.length > 0) links.set(peer, left);
        else links.delete(peer);
        return left.length === 0;
      };
    },
    send(peer, frame) {
      const send = links.get(peer)?.[0];
      if (send === undefined) return sendFrame(peer, frame);
      send(frame);
      return true;
    },
    linked: (peer) => links.has(peer),
    isNeighbour: (peer) => neighbours.has(peer),
    setNeighbours(next) {
      chosen = next;
      merge();
    },
    addNeighbour(neighbour) {
      chosen = [...chosen.filter(({ address }) => address !== neighbour.address), neighbour];
      merge();
    },
    adopt(next) {
      adopted = next;
      merge();
    },
    onNeighbours: (handler) => void handlers.push(handler),
    neighbours: () => [...neighbours.values()],
    learn(peer, dictionary) {
      if (peer === self) return;
      known.delete(peer); // to the end: the map is in order of freshness
      known.set(peer, dictionary);
      for (const oldest of known.keys()) if (known.size > limits.mxKnownNodes) known.delete(oldest);
    },
    forget: (peer) => void known.delete(peer),
    known: () => known,
    choose(query, { from, client }, nowMs) {
      const others = [...neighbours.keys()].filter((peer) => peer !== from && peer !== client);
      const passed = others.filter((peer) => client === self || forwardTo(access, peer, random(), nowMs));
      const drawn = passed.length > 0 ? passed : others.sort((a, b) => levelOf(access, b, nowMs) - levelOf(access, a, nowMs)).slice(0, 1);
      const ranked = drawn.map((peer) => ({ peer, rank: query === undefined ? 0 : relevance(peer, query) }));
      return ranked.sort((a, b) => b.rank - a.rank).slice(0, fanout).map(({ peer }) => peer);
    },
  };
}
