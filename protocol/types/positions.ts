import type { GroupId } from './ids.ts';

/** Membership epoch of a group, counted by the registry contract. */
export type Epoch = bigint;
/** View of a group inside an epoch; its leader is `view mod N`. */
export type View = bigint;
/** Round of a proposal inside a view, from 1 (uint32). */
export type Round = number;
/** Position of a block in the committed chain. */
export type Height = bigint;
/** Place of a replica in the epoch's roster (ascending signer addresses). */
export type ReplicaIndex = number;

export interface GroupRef {
  readonly group: GroupId;
  readonly epoch: Epoch;
}

/** Order of certified blocks: by view, then by round. */
export interface Rank {
  readonly view: View;
  readonly round: Round;
}

export function compareRank(a: Rank, b: Rank): number {
  if (a.view !== b.view) return a.view < b.view ? -1 : 1;
  return a.round - b.round;
}

/** f = floor((N-1)/3), consensus §2.1. */
export function maxFaulty(replicas: number): number {
  return Math.floor((replicas - 1) / 3);
}

/** q = N - f; never `2f+1`, which is wrong for N = 5 or 6. */
export function quorumOf(replicas: number): number {
  return replicas - maxFaulty(replicas);
}
