import type { Domain } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import type { Address, Hash32 } from '../types/index.ts';
import { mxFaults as faults } from './faults.ts';
import type { Get, Message, Outcome, Part, Put, Receipt } from './messages.ts';
import type { Answer, Attest } from './provenance.ts';

export interface MxConfig {
  readonly self: Address;
  readonly domain: Domain;
  readonly attest: Attest;
  /** Whose receipts count as proof that a peer forwarded; pass the registry's staked nodes to keep invented ones out. */
  readonly isNode?: (address: Address) => boolean;
  readonly openMax?: number;
  readonly openPerPeerMax?: number;
  /** How long a node waits per hop; a node with more hops left waits longer than those behind it. */
  readonly hopWaitMs?: number;
  /** Load in [0, 1] from which GETs with many hops left are dropped (Picolo §6.5). */
  readonly shedFrom?: number;
}

/** A peer this node passed the request to. */
export interface Child {
  /** Hops it was given. */
  readonly hops: number;
  ended: boolean;
  /** Rows of its own, and whether any other node was heard of through it. */
  ownRows: number;
  heardOfOthers: boolean;
  ownOutcome: Outcome | undefined;
  goodRows: number;
  badRows: number;
}

/** One open transaction at this node. */
export interface Open {
  readonly transaction: Hash32;
  readonly request: Get | Put;
  readonly from: Address;
  readonly deadlineMs: number;
  /** 'first': not answered yet; 'following': answered, may answer more; 'done'. */
  local: 'first' | 'following' | 'done';
  localRows: number;
  seq: number;
  readonly children: Map<Address, Child>;
  /** Rows relayed or held back for the one SEND of pull mode. */
  rows: number;
  bytes: number;
  readonly held: Part[];
  readonly seen: Set<string>;
  readonly receipts: Receipt[];
  partial: boolean;
}

/** One node's MX state; owned and changed by `step` only. */
export interface Mx {
  readonly config: Required<MxConfig>;
  readonly open: Map<Hash32, Open>;
  readonly openByPeer: Map<Address, number>;
  /** Transactions served, until their requests expire: loops and second ways end here. */
  readonly seen: Map<Hash32, number>;
  purgeAtMs: number;
  /** Rows held back for pull mode, all transactions together. */
  heldBytes: number;
  load: number;
}

export type MxInput =
  /** A message from a proven peer. `admitted`: outcome of the access level's draw, looked at for GET only. */
  | { readonly kind: 'message'; readonly from: Address; readonly message: Message; readonly admitted: boolean; readonly nowMs: number }
  /** A frame that is no message, or (with its transaction) a request whose query cannot be read. */
  | { readonly kind: 'malformed'; readonly from: Address; readonly transaction?: Hash32 }
  /**
   * Outcome of `evaluate`. The first one lets the request go on to `neighbours` (in order of preference);
   * `more` keeps the local side open for further answers (follow mode).
   */
  | {
    readonly kind: 'answered'; readonly transaction: Hash32; readonly outcome: Outcome; readonly answer: Answer | null;
    readonly more: boolean; readonly neighbours: readonly Address[]; readonly nowMs: number;
  }
  | { readonly kind: 'peerLost'; readonly peer: Address; readonly nowMs: number }
  /** Load of the whole process in [0, 1]. */
  | { readonly kind: 'load'; readonly load: number }
  | { readonly kind: 'tick'; readonly nowMs: number };

/** What a peer did with a request it was given (the input of access levels). */
export interface Observed {
  readonly replied: boolean | null;
  readonly forwarded: boolean | null;
  readonly goodRows: number;
  readonly badRows: number;
}

export type MxEffect =
  | { readonly kind: 'send'; readonly to: Address; readonly message: Message }
  /** Run the query (or apply the write when `listed`) on local data and answer with `answered`. */
  | {
    readonly kind: 'evaluate'; readonly transaction: Hash32; readonly request: Get | Put; readonly from: Address;
    readonly listed: boolean; readonly want: number;
  }
  /** Nobody waits for the local side any more. */
  | { readonly kind: 'cancel'; readonly transaction: Hash32 }
  | { readonly kind: 'observed'; readonly peer: Address; readonly seen: Observed };

export function createMx(config: MxConfig): Mx {
  const full: Required<MxConfig> = {
    isNode: () => true, openMax: limits.mxOpenTransactions, openPerPeerMax: limits.mxOpenPerPeer, hopWaitMs: 1_000,
    shedFrom: 0.5, ...config,
  };
  const { openMax, openPerPeerMax, hopWaitMs, shedFrom } = full;
  const bounded = openMax >= 1 && openMax <= limits.mxOpenTransactions && openPerPeerMax >= 1;
  if (!bounded || hopWaitMs < 1 || shedFrom < 0 || shedFrom >= 1) throw faults.badConfig({ openMax, openPerPeerMax, hopWaitMs, shedFrom });
  return { config: full, open: new Map(), openByPeer: new Map(), seen: new Map(), purgeAtMs: 0, heldBytes: 0, load: 0 };
}

/** When the next `tick` has something to do; undefined while nothing is open. */
export function nextDeadlineMs(mx: Mx): number | undefined {
  let next: number | undefined;
  for (const { deadlineMs } of mx.open.values()) if (next === undefined || deadlineMs < next) next = deadlineMs;
  return next;
}

/** Share of capacity in use: the process's load, the open transactions or the rows held, whichever is higher. */
export function loadOf(mx: Mx): number {
  return Math.max(mx.load, mx.open.size / mx.config.openMax, mx.heldBytes / limits.mxHeldBytes);
}

/**
 * Most hops left that a GET may have under the present load (P-6.5-adaptive-drop): genuine messages know
 * where their data is and have few hops left, a flood spreads far.
 */
export function hopsAllowed(mx: Mx): number {
  const load = loadOf(mx);
  const { shedFrom } = mx.config;
  if (load < shedFrom) return limits.mxHops;
  return Math.floor((limits.mxHops * Math.max(0, 1 - load)) / (1 - shedFrom));
}
