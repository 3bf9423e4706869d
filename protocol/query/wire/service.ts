import { limits } from '../../limits/index.ts';
import { list, nullable, record, struct, word } from './compose.ts';
import { address, bool, hash32, signature, text, timestamp, u256, u32, u64, type Shaped } from './shape.ts';

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
  state: word('live', 'catching-up', 'sealed', 'waiting'),
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
