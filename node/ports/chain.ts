import type { Address, ClusterId, Epoch, GroupId, Hex } from '../../protocol/types/index.ts';

export interface NodeView {
  readonly node: Address;
  readonly signer: Address;
  readonly activeStakeWei: bigint;
  readonly tombstoned: boolean;
  readonly offeredGib: number;
}

export interface GroupView {
  readonly group: GroupId;
  readonly cluster: ClusterId;
  readonly epoch: Epoch;
  /** Signer addresses, ascending: the replica index is the place in this list. */
  readonly roster: readonly Address[];
  /** Seconds. */
  readonly startedAt: bigint;
}

export interface ClusterView {
  readonly cluster: ClusterId;
  readonly owner: Address;
  readonly replicationFactor: number;
  readonly regionMask: number;
}

export interface SubmittedTransaction {
  readonly hash: Hex;
  readonly gasUsed: bigint;
  readonly blockNumber: bigint;
}

/** Read side: state at finalized blocks, reorg-safe. Write side: what a node submits by itself. */
export interface ChainPort {
  readonly chainId: bigint;
  groupsOf(signer: Address): readonly GroupView[];
  group(group: GroupId): GroupView | undefined;
  cluster(cluster: ClusterId): ClusterView | undefined;
  nodeOf(signer: Address): NodeView | undefined;
  /** Called after every applied chain head with the changes folded in. */
  onChange(handler: () => void): void;
  /** Hash of a finalized block, the public beacon for challenges. */
  beacon(): { readonly blockNumber: bigint; readonly blockHash: Hex } | undefined;
  /** Sends encoded evidence to the slasher; resolves with the receipt or throws CHAIN_*. */
  submitEvidence(evidence: { readonly offence: string; readonly call: Hex }): Promise<SubmittedTransaction>;
  /** Milliseconds since the last successful poll; Infinity before the first. */
  staleMs(): number;
  close(): Promise<void>;
}
