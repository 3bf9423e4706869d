import { forwardTo, type Access } from '../../protocol/access/index.ts';
import { reformulate, semanticGroup, type Dictionary, type Member, type Query } from '../../protocol/dictionary/index.ts';
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
  setNeighbours(neighbours: readonly MxNeighbour[]): void;
  neighbours(): readonly MxNeighbour[];
  learn(peer: Address, dictionary: Dictionary): void;
  /** Neighbours to pass a request to: drawn by access level, best known match first. */
  choose(query: Query | undefined, nowMs: number): Address[];
  group(own: Dictionary, threshold: number): Member<Address>[];
}

interface PeersOptions {
  readonly access: Access;
  readonly random: () => number;
  readonly fanout: number;
  readonly sendFrame: (peer: Address, frame: Uint8Array) => boolean;
}

export function createPeers(initial: readonly MxNeighbour[], { access, random, fanout, sendFrame }: PeersOptions): Peers {
  const links = new Map<Address, Sender[]>();
  const known = new Map<Address, Dictionary>();
  let neighbours = new Map(initial.map((neighbour) => [neighbour.address, neighbour]));

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
      neighbours = new Map(next.map((neighbour) => [neighbour.address, neighbour]));
      for (const peer of known.keys()) if (!neighbours.has(peer)) known.delete(peer);
    },
    neighbours: () => [...neighbours.values()],
    learn(peer, dictionary) {
      if (neighbours.has(peer)) known.set(peer, dictionary);
    },
    choose(query, nowMs) {
      const drawn = [...neighbours.keys()].filter((peer) => forwardTo(access, peer, random(), nowMs));
      const ranked = drawn.map((peer) => ({ peer, rank: query === undefined ? 0 : relevance(peer, query) }));
      return ranked.sort((a, b) => b.rank - a.rank).slice(0, fanout).map(({ peer }) => peer);
    },
    group: (own, threshold) => semanticGroup(own, known, { threshold, maxMembers: neighbours.size }),
  };
}
