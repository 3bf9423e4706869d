import type { AccessConfig } from '../../protocol/access/index.ts';
import type { Scalar } from '../../protocol/codec/index.ts';
import type { Dictionary } from '../../protocol/dictionary/index.ts';
import type { MxConfig, Observed } from '../../protocol/mx/index.ts';
import type { Address, Hash32 } from '../../protocol/types/index.ts';
import type { Clock, Signer } from '../ports/index.ts';

type Awaitable<T> = T | Promise<T>;
export type LocalRows = readonly (readonly Scalar[])[];

/** A node this one passes questions to. Neighbours need not share a replica group. */
export interface MxNeighbour {
  readonly address: Address;
  /** `ws://host:port/v1/mx`; left out when the neighbour dials us or another transport reaches it. */
  readonly url?: string;
}

/** What the service tells operators; nothing depends on it. */
export type MxNotice =
  | { readonly kind: 'observed'; readonly peer: Address; readonly seen: Observed }
  | { readonly kind: 'failed'; readonly transaction: Hash32; readonly cause: unknown }
  | { readonly kind: 'link'; readonly peer: Address; readonly up: boolean }
  | { readonly kind: 'depositUnread'; readonly peer: Address; readonly cause: unknown }
  | { readonly kind: 'badFrame'; readonly peer: Address | undefined; readonly cause: unknown };

export interface MxOptions {
  /** This node's signing address (`signer.address`). */
  readonly self: Address;
  readonly signer: Signer;
  readonly neighbours: readonly MxNeighbour[];
  /** Exported schema; a function when it changes while the node runs. */
  readonly dictionary: Dictionary | (() => Dictionary);
  /** Runs one SELECT over exported names; integers as bigint, reals as number. */
  readonly answerLocally: (sql: string, params: readonly Scalar[]) => Promise<LocalRows>;
  /** Calls `onRows` for rows that appear after the call until stopped; without it `follow` ends with what there is. */
  readonly watchLocally?: (sql: string, params: readonly Scalar[], onRows: (rows: LocalRows) => void) => () => void;
  /** Applies an encoded signed transaction; resolves when it is accepted, rejects when it is not. Without it PUT fails here. */
  readonly applyPut?: (write: Uint8Array, client: Address) => Promise<void>;
  /** Deposit level in [0, 1] of an address (`AccessDeposits.levelOf`), read on its first GET. */
  readonly depositLevel: (address: Address) => Awaitable<number>;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Carries a frame to a peer that has no link here (another transport); false when it cannot. */
  readonly sendFrame?: (peer: Address, frame: Uint8Array) => boolean;
  /** `ws://…/v1/mx` of a node met through its answers; lets `cluster` take it as a neighbour. */
  readonly resolveUrl?: (node: Address) => string | undefined;
  /** Load of the process in [0, 1]; looked at with every request. */
  readonly load?: () => number;
  readonly access?: Partial<AccessConfig>;
  readonly mx?: Pick<MxConfig, 'isNode' | 'openMax' | 'openPerPeerMax' | 'hopWaitMs' | 'shedFrom'>;
  /** Least probability of service for those who are not neighbours; 1 opens the node's exports to everybody. Default: epsilon decides. */
  readonly consumerFloor?: number;
  /** Most neighbours one question is passed to. */
  readonly fanout?: number;
  readonly onNotice?: (notice: MxNotice) => void;
}
