import { dictionaryOfRows, dictionaryQuery, type Dictionary } from '../../protocol/dictionary/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Part } from '../../protocol/mx/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import type { Clock } from '../ports/index.ts';
import type { Asking } from './asking.ts';
import type { Peers } from './peers.ts';

/**
 * Keeps the neighbours' dictionaries, which are soft state: read when a link comes up, again now and then, and
 * sooner when the neighbour did not serve us (P-5.4.1-dictionary).
 */
export interface Acquaintance {
  meet(peer: Address): void;
  close(): void;
}

const TIMEOUT_MS = 15_000;
const RETRY_MS = 30_000;
const REFRESH_MS = 600_000;

export function createAcquaintance(clock: Clock, peers: Peers, asking: Pick<Asking, 'askNeighbour'>): Acquaintance {
  /** What to cancel per neighbour: a question under way or the wait for the next one. */
  const busy = new Map<Address, () => void>();
  let closed = false;

  const meet = (peer: Address): void => {
    if (closed || busy.has(peer) || !peers.isNeighbour(peer) || !peers.linked(peer)) return;
    const parts: Part[] = [];
    let stop = (): void => undefined;
    try {
      stop = asking.askNeighbour(peer, { query: dictionaryQuery(), hops: 0, results: limits.mxResults }, (event) => {
        if (event.kind === 'rows' && event.part.origin === peer) parts.push(event.part);
        if (event.kind === 'ended' || event.kind === 'refused') met(peer, dictionaryFrom(parts));
      });
    } catch {
      return met(peer, undefined); // too many questions of our own are open: later
    }
    const giveUp = clock.after(TIMEOUT_MS, () => {
      stop();
      met(peer, undefined);
    });
    busy.set(peer, () => {
      giveUp();
      stop();
    });
  };

  const met = (peer: Address, dictionary: Dictionary | undefined): void => {
    if (closed) return;
    busy.get(peer)?.();
    if (dictionary !== undefined) peers.learn(peer, dictionary);
    busy.set(peer, clock.after(dictionary === undefined ? RETRY_MS : REFRESH_MS, () => {
      busy.delete(peer);
      meet(peer);
    }));
  };

  return {
    meet,
    close() {
      closed = true;
      for (const cancel of busy.values()) cancel();
      busy.clear();
    },
  };
}

/** A neighbour with an unusable dictionary is a neighbour without one. */
function dictionaryFrom(parts: readonly Part[]): Dictionary | undefined {
  try {
    return parts.length === 0 ? undefined : dictionaryOfRows(parts.flatMap(({ rows }) => rows));
  } catch {
    return undefined;
  }
}
