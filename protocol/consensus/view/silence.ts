import type { ReplicaIndex, View } from '../../types/index.ts';
import { hasBit, NO_BITS, withBit, type Bitmap } from '../bitmap.ts';
import { faults, leaderOf } from '../config.ts';
import { isLeader } from '../status.ts';
import type { PeerState, Replica } from '../state.ts';

/** Longest gaps between messages of a member that its silence must exceed, and missed heartbeats at least. */
const GAPS = 3;
/** What a gap once seen counts for a heartbeat later: half after 70 of them. */
const FADE = 0.99;
/** Before anything is known of a member. */
export const FIRST_GAP_MS = 250;

/**
 * A step that comes later than its alarm by more than a heartbeat: this machine slept or was busy, and what it did not hear
 * meanwhile says nothing about others.
 */
export function noteOversleep(replica: Replica, passedMs: number): void {
  const { heartbeatMs } = replica.config.timing;
  if (passedMs > 2 * heartbeatMs) replica.asleepMs += passedMs - heartbeatMs;
}

/** Something arrived from a member: how long it was silent is what it may be silent again (performance is not a fault). */
export function noteHeard(replica: Replica, from: ReplicaIndex): void {
  const peer = replica.peers[from];
  if (peer === undefined) return;
  const silentMs = silenceOf(replica, peer);
  if (silentMs > peer.gapMs) peer.gapMs = silentMs;
  peer.heardMs = awakeMs(replica);
}

/** A heartbeat: gaps fade, so that a member is not given forever what one bad second taught. */
export function fadeGap({ config }: Replica, peer: PeerState): void {
  peer.gapMs = Math.max(config.timing.heartbeatMs, peer.gapMs * FADE);
}

/** Members that have been silent for longer than they ever are. */
export function silentMembers(replica: Replica): Bitmap {
  let silent = NO_BITS;
  for (const [index, peer] of replica.peers.entries()) {
    if (index !== replica.self && silenceOf(replica, peer) >= patienceWith(peer)) silent = withBit(silent, index);
  }
  return silent;
}

/**
 * V-SILENT: the leader is silent here and for f others: one of them is honest, and a member whose own links are bad does
 * not leave the view alone.
 */
export function leaderIsSilent(replica: Replica, view: View): boolean {
  const leader = leaderOf(replica.config, view);
  if (!hasBit(silentMembers(replica), leader)) return false;
  return replica.peers.filter(({ silent }, index) => index !== leader && hasBit(silent, leader)).length >= faults(replica.config);
}

/** True once per silence: the others should hear of it at once, not with the next heartbeat. */
export function silenceToTell(replica: Replica): boolean {
  return !isLeader(replica) && hasBit(silentMembers(replica) & ~replica.toldSilent, leaderOf(replica.config, replica.view));
}

/** When the leader's silence will be long enough, from now; undefined when it is, or when this replica leads. */
export function silenceDueMs(replica: Replica): number | undefined {
  const peer = isLeader(replica) ? undefined : replica.peers[leaderOf(replica.config, replica.view)];
  const leftMs = peer === undefined ? 0 : patienceWith(peer) - silenceOf(replica, peer);
  return leftMs > 0 ? leftMs : undefined;
}

function patienceWith({ gapMs }: PeerState): number {
  return GAPS * gapMs;
}

function silenceOf(replica: Replica, { heardMs }: PeerState): number {
  return awakeMs(replica) - heardMs;
}

/** Time during which this replica would have heard something. */
function awakeMs({ elapsedMs, asleepMs }: Replica): number {
  return elapsedMs - asleepMs;
}
