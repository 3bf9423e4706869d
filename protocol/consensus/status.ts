import type { Height, Rank, Timestamp, View } from '../types/index.ts';
import { leaderOf } from './config.ts';
import type { Replica } from './state.ts';

/** In its view and allowed to sign for it: not changing views, sealed, quarantined or still asking what it signed. */
export function participates(replica: Replica): boolean {
  return replica.vcView <= replica.view && replica.view > replica.abstainUntil && maySign(replica) && replica.sealedHeight === undefined;
}

export function maySign(replica: Replica): boolean {
  return !replica.quarantined && !replica.halted && replica.recalling === undefined;
}

export function isLeader(replica: Replica): boolean {
  return leaderOf(replica.config, replica.view) === replica.self;
}

export interface ReplicaStatus {
  readonly view: View;
  readonly changingTo: View | undefined;
  readonly leader: number;
  readonly fastOpen: boolean;
  readonly committed: Height;
  readonly closeTs: Timestamp;
  readonly highQc: Rank;
  readonly acked: number;
  readonly pending: number;
  readonly checkpoint: Height;
  readonly quarantined: boolean;
  readonly sealed: boolean;
  /** Blocks that the own tip is behind the highest one a member told. */
  readonly behind: bigint;
  /** What the other members told last, by place in the roster; undefined at the own place. */
  readonly peers: readonly (PeerStatus | undefined)[];
}

export interface PeerStatus {
  readonly committed: Height;
  /** Its clock minus ours, the way of the message included; undefined until it was heard. */
  readonly clockOffsetMs: number | undefined;
}

/** A snapshot for status pages and metrics. */
export function statusOf(replica: Replica): ReplicaStatus {
  const { view, vcView, highQc } = replica;
  return {
    view, changingTo: vcView > view ? vcView : undefined, leader: leaderOf(replica.config, view), fastOpen: replica.current.fastOpen,
    committed: replica.tip.height, closeTs: replica.tip.closeTs, highQc: { view: highQc?.view ?? 0n, round: highQc?.round ?? 0 },
    acked: replica.acked.size, pending: replica.pending.size, checkpoint: replica.stable?.checkpoint.height ?? 0n,
    quarantined: replica.quarantined, sealed: replica.sealedHeight !== undefined,
    behind: highestTold(replica) - replica.tip.height,
    peers: replica.peers.map(({ committed, clockMs, aheadMs }, index) => (
      index === replica.self ? undefined : { committed, clockOffsetMs: clockMs === 0 ? undefined : aheadMs })),
  };
}

function highestTold({ peers, tip }: Replica): Height {
  return peers.reduce((highest, { committed }) => (committed > highest ? committed : highest), tip.height);
}
