import { dictionaryOfRows, dictionaryQuery, semanticGroup, type Dictionary, type Member } from '../../protocol/dictionary/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Part } from '../../protocol/mx/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import type { Asking } from './asking.ts';
import type { MxOptions } from './options.ts';
import type { Peers } from './peers.ts';

export interface ClusterWish {
  /** How far to look for dictionaries. */
  readonly hops?: number;
  /** Least similarity of a member, in (0, 1]. */
  readonly threshold?: number;
  readonly maxMembers?: number;
}

export const defaultWish = { hops: 4, threshold: 0.2, maxMembers: 8 } as const;

/**
 * Dynamic clustering (Picolo §5.4.1, P-5.4.1-clustering): reads the dictionaries within a few hops, takes the
 * nodes nearest in meaning as neighbours of its own accord, and lets go of those that drifted away. Only nodes
 * whose place `resolveUrl` knows can be adopted.
 */
export async function cluster(
  wish: ClusterWish, own: Dictionary, asking: Asking, peers: Peers, resolveUrl: NonNullable<MxOptions['resolveUrl']>,
): Promise<Member<Address>[]> {
  const { hops, threshold, maxMembers } = { ...defaultWish, ...wish };
  const { parts } = await asking.ask({ query: dictionaryQuery(), hops, results: limits.mxResults });
  for (const [origin, rows] of byOrigin(parts)) {
    try {
      peers.learn(origin, dictionaryOfRows(rows));
    } catch {
      peers.forget(origin); // cut short or malformed: not a basis for neighbourhood
    }
  }
  const reachable = new Map([...peers.known()].filter(([peer]) => resolveUrl(peer) !== undefined));
  const members = semanticGroup(own, reachable, { threshold, maxMembers });
  peers.adopt(members.map(({ id }) => ({ address: id, url: resolveUrl(id) as string })));
  return members;
}

function byOrigin(parts: readonly Part[]): Map<Address, Part['rows'][number][]> {
  const rows = new Map<Address, Part['rows'][number][]>();
  for (const part of parts) rows.set(part.origin, [...(rows.get(part.origin) ?? []), ...part.rows]);
  return rows;
}
