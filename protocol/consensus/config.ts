import type { Domain } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { configHashOf, rosterOf, type Roster } from '../membership/index.ts';
import {
  maxFaulty, quorumOf, ZERO_HASH,
  type Address, type BlockHash, type Epoch, type GroupId, type Hash32, type Height, type ReplicaIndex, type Timestamp, type View,
} from '../types/index.ts';

/** Milliseconds. Names follow consensus §2.21. */
export interface Timing {
  /** W: first-phase votes refuse timestamps older than it, second-phase signatures wait for it (§2.10). */
  readonly clockWindowMs: number;
  /** How far ahead of the own clock a timestamp may be. */
  readonly clockAheadMs: number;
  /** How often the durable ceiling of the clock is moved. */
  readonly clockCeilingMs: number;
  /** Longest that a command waits for the votes on its gateway's batch before. */
  readonly batchDelayMs: number;
  readonly fastTimeoutMs: number;
  readonly orphanTimeoutMs: number;
  /** A command that is not decided so long after the view began asks for another leader (§2.18). */
  readonly commandTimeoutMs: number;
  readonly maxTimeoutMs: number;
  readonly viewDurationMs: number;
  readonly closeIntervalMs: number;
  readonly checkpointIntervalMs: number;
  readonly heartbeatMs: number;
  /** How long a leader waits for the other votes once somebody rejected its block. */
  readonly rejectGraceMs: number;
  /** First back-off of a key that failed on the fast path; doubles up to 32 times as long. */
  readonly hotKeyMs: number;
}

/** Where an epoch starts: genesis, or the certified final checkpoint of the epoch before. */
export interface Anchor {
  readonly height: Height;
  readonly blockHash: BlockHash;
  readonly closeTs: Timestamp;
  /** Highest timestamp of the chain up to here. */
  readonly maxTs: Timestamp;
  /** `checkpointHashOf` the checkpoint the epoch starts from; zero at genesis. */
  readonly checkpoint: Hash32;
}

export interface GroupConfig {
  readonly domain: Domain;
  readonly group: GroupId;
  readonly epoch: Epoch;
  /** Signer addresses, ascending; a replica's index is its place here. */
  readonly roster: readonly Address[];
  readonly timing: Timing;
  /** Sends every command through the leader; the fast path stays closed. */
  readonly classicOnly: boolean;
  readonly anchor: Anchor;
}

export const LAN_TIMING: Timing = Object.freeze({
  clockWindowMs: 15,
  clockAheadMs: limits.clockAheadMs,
  clockCeilingMs: 200,
  batchDelayMs: 12,
  fastTimeoutMs: 40,
  orphanTimeoutMs: 120,
  commandTimeoutMs: 1_000,
  maxTimeoutMs: 60_000,
  viewDurationMs: 60_000,
  closeIntervalMs: 200,
  checkpointIntervalMs: 1_000,
  heartbeatMs: 50,
  rejectGraceMs: 20,
  hotKeyMs: 200,
});

export const GENESIS: Anchor = Object.freeze({
  height: 0n, blockHash: ZERO_HASH as BlockHash, closeTs: 0n as Timestamp, maxTs: 0n as Timestamp, checkpoint: ZERO_HASH,
});

/** A configuration with local-network timing; override what differs. */
export function groupConfig(
  base: Pick<GroupConfig, 'domain' | 'group' | 'epoch' | 'roster'> & Partial<Omit<GroupConfig, 'timing'>> & { readonly timing?: Partial<Timing> },
): GroupConfig {
  return { classicOnly: false, anchor: GENESIS, ...base, timing: { ...LAN_TIMING, ...base.timing } };
}

/** `view mod N` (Picolo §5.2.1; P-5.2.1-views). */
export function leaderOf(config: GroupConfig, view: View): ReplicaIndex {
  return Number(view % BigInt(config.roster.length));
}

/** q = N - f. */
export function quorum(config: GroupConfig): number {
  return quorumOf(config.roster.length);
}

/** f. */
export function faults(config: GroupConfig): number {
  return maxFaulty(config.roster.length);
}

export function rosterOfConfig(config: GroupConfig): Roster {
  return rosterOf(config.group, config.epoch, config.roster);
}

export function configHash(config: GroupConfig): Hash32 {
  return configHashOf(rosterOfConfig(config));
}

/** Small groups exchange fast votes all to all; larger ones collect them at the gateway (§2.5). */
export function votesGoToAll(config: GroupConfig): boolean {
  return config.roster.length <= 7;
}
