import type { ReplicaIndex } from '../types/index.ts';
import { lockRank } from './chain.ts';
import type { HeartbeatMessage } from './message.ts';
import { further } from './position.ts';
import { send, type Replica } from './state.ts';
import { fadeGap, silenceToTell, silentMembers } from './view/silence.ts';

/** Tells clock, view and progress (§2.10): moves the closed timestamp, shows who is behind. */
export function heartbeat(replica: Replica): void {
  const due = replica.elapsedMs - replica.heartbeatMs >= replica.config.timing.heartbeatMs;
  if (!due && !silenceToTell(replica)) return;
  replica.heartbeatMs = replica.elapsedMs;
  replica.toldSilent = silentMembers(replica);
  send(replica, 'all', ownHeartbeat(replica));
}

function ownHeartbeat(replica: Replica): HeartbeatMessage {
  return {
    kind: 'heartbeat', clockMs: BigInt(replica.clockMs), view: replica.view, committed: replica.tip.height, highQc: rankOnly(replica),
    silent: silentMembers(replica), signed: replica.signed,
  };
}

function rankOnly(replica: Replica): { view: bigint; round: number } {
  const { view, round } = lockRank(replica);
  return { view, round };
}

export function onHeartbeat(replica: Replica, from: ReplicaIndex, message: HeartbeatMessage): void {
  const peer = replica.peers[from];
  if (peer === undefined) return;
  peer.clockMs = Number(message.clockMs);
  peer.aheadMs = peer.clockMs - replica.clockMs;
  peer.view = message.view;
  peer.committed = message.committed;
  peer.highQc = message.highQc;
  peer.silent = message.silent;
  peer.signed = further(peer.signed, message.signed);
  fadeGap(replica, peer);
  // the epoch is over here: a straggler learns where to fetch its end (§2.13)
  if (replica.sealedHeight !== undefined && message.committed < replica.tip.height) send(replica, from, ownHeartbeat(replica));
}
