import { limits } from '../../limits/index.ts';
import { list, nullable, record, struct, word } from './compose.ts';
import { address, bool, hash32, signature, signedInteger, text, timestamp, u256, u32, u64, type Shaped } from './shape.ts';

/** A client's payment promise: the channel's payee may draw up to `cumulative` wei. */
export const signedVoucherW = record({ voucher: struct('Voucher'), signature });
export type SignedVoucher = Shaped<typeof signedVoucherW>;

/**
 * The account of one cluster at this node (DOORS: a node meters the committed writes of the group and
 * the reads it served). Service stops when `servedWei - paidWei > terms.thresholdWei`.
 */
export const meterAnswerW = record({
  cluster: hash32,
  /** The payment channel that pays for the cluster; null when service is free. */
  channel: nullable(hash32),
  servedWei: u256,
  paidWei: u256,
  /** Prices as agreed on chain: recompute the bill with protocol/metering. */
  terms: record({ pricePerGibMonthWei: u256, pricePerMillionReadsWei: u256, pricePerMillionWritesWei: u256, pricePerGibOutWei: u256, thresholdWei: u256 }),
});
export type MeterAnswer = Shaped<typeof meterAnswerW>;

/** How a replica sees its group. Counts run since the node started; nothing here is signed or proven. */
export const replicaStatusW = record({
  /** Place of the view's leader in the roster. */
  leader: u32,
  /** The view it asks for while it changes views. */
  changingTo: nullable(u64),
  /** 'fast' while the fast path of the view is open. */
  mode: word('fast', 'classic'),
  /** Committed entries by the way they went; the fast share is fast / (fast + classic). */
  fast: u64,
  classic: u64,
  aborted: u64,
  /** Proposals of leaders that it refused. */
  rejects: u64,
  viewChanges: u64,
  pending: u32,
  /** Blocks behind the highest committed height that a member told. */
  behind: u64,
  /** Its clock minus the closed timestamp. */
  lagMs: u64,
  /** The other members, by their place: what they told last, and their clock minus its own, the way of the message included. */
  peers: list(record({ replica: u32, height: u64, clockOffsetMs: nullable(signedInteger) }), limits.replicasPerGroup),
});
export type ReplicaStatusAnswer = Shaped<typeof replicaStatusW>;

export const groupStatusW = record({
  group: hash32,
  cluster: hash32,
  epoch: u64,
  /** Signer addresses, ascending. */
  roster: list(address, limits.replicasPerGroup),
  /** API addresses of other replicas that this node knows; hints, so that a client needs one address to find f + 1. */
  apis: list(text(256), limits.replicasPerGroup),
  /** This node's place in the roster; null for an observer. */
  replica: nullable(u32),
  view: u64,
  height: u64,
  closeTs: timestamp,
  certifiedHeight: u64,
  databases: list(hash32, limits.databasesPerStatus),
  state: word('live', 'catching-up', 'sealed', 'waiting', 'halted'),
  /** Null while no replica runs here. */
  consensus: nullable(replicaStatusW),
});
export type GroupStatus = Shaped<typeof groupStatusW>;

export const nodeStatusW = record({
  node: address,
  version: text(64),
  chainId: u64,
  /** The signing domain's contract (StakeVault). */
  verifyingContract: address,
  /** Milliseconds since the epoch by this node's clock, and since it started. */
  nowMs: u64,
  uptimeMs: u64,
  peers: u32,
  groups: list(groupStatusW, limits.groupsPerNode),
});
export type NodeStatus = Shaped<typeof nodeStatusW>;

/** `ok` false answers HTTP 503; each check says what is wrong in words. */
export const healthW = record({ ok: bool, checks: list(record({ name: text(64), ok: bool, detail: text(256) }), 64) });
export type Health = Shaped<typeof healthW>;
