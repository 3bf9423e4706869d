import type { EncodedEvidence } from '../../protocol/evidence/index.ts';
import type { Address, ClusterId, Epoch, GroupId, Hash32, Height, Hex, Path } from '../../protocol/types/index.ts';

export interface NodeView {
  readonly node: Address;
  readonly signer: Address;
  readonly activeStakeWei: bigint;
  readonly tombstoned: boolean;
  readonly offeredGib: number;
  /** Newest `NodeRegistry.Announced`: `http://HOST:PORT tls://HOST:PORT`; empty before the first. */
  readonly endpoint: string;
  readonly owner: Address;
  /** Declared by the owner, 0 to 15. */
  readonly region: number;
}

export interface GroupView {
  readonly group: GroupId;
  readonly cluster: ClusterId;
  readonly epoch: Epoch;
  /** Signer addresses, ascending: the replica index is the place in this list. */
  readonly roster: readonly Address[];
  /** Seconds. */
  readonly startedAt: bigint;
  /** Capacity that every member gives. */
  readonly gib: number;
  /** False once the owner or a leaving member closed it; it serves nobody any more. */
  readonly open: boolean;
}

/** Prices in wei of `token` (zero is ether), as on chain (`IClusterRegistry.Terms`). */
export interface TermsView {
  readonly token: Address;
  readonly pricePerGibMonthWei: bigint;
  readonly pricePerMillionReadsWei: bigint;
  readonly pricePerMillionWritesWei: bigint;
  readonly pricePerGibOutWei: bigint;
  /** Service stops when what was served exceeds the last voucher by this much. */
  readonly thresholdWei: bigint;
  /** Seconds. */
  readonly effectiveAt: bigint;
}

export interface ClusterView {
  readonly cluster: ClusterId;
  readonly owner: Address;
  readonly replicationFactor: number;
  readonly regionMask: number;
  /** The terms in force now; announced ones take effect at their time. */
  readonly terms: TermsView;
}

/** A payment channel whose payee is the splitter and whose salt is the cluster. */
export interface ChannelView {
  readonly channel: Hash32;
  readonly cluster: ClusterId;
  readonly payer: Address;
  /** Who signs vouchers. */
  readonly signer: Address;
  readonly token: Address;
  readonly depositWei: bigint;
  /** Unix seconds; zero unless the payer asked to close. */
  readonly closeAt: bigint;
}

/** A question to a member of a group that stands on the chain (Picolo §6.2): it drains the member while it is not answered. */
export interface ChallengeView {
  readonly group: GroupId;
  readonly node: Address;
  readonly challenger: Address;
  readonly epoch: Epoch;
  /** The answer is under a certified checkpoint of that epoch, not below this height. */
  readonly height: Height;
  readonly path: Path;
  /** Unix seconds. */
  readonly answerBy: bigint;
}

export interface SubmittedTransaction {
  readonly hash: Hex;
  readonly gasUsed: bigint;
  readonly blockNumber: bigint;
}

/** Read side: state at finalized blocks, reorg-safe. Write side: what a node submits by itself. */
export interface ChainPort {
  readonly chainId: bigint;
  /** Open groups whose current roster has this signer. */
  groupsOf(signer: Address): readonly GroupView[];
  group(group: GroupId): GroupView | undefined;
  /** Members of a past or present epoch, ascending: certificates of the past are checked with it. */
  roster(group: GroupId, epoch: Epoch): readonly Address[] | undefined;
  cluster(cluster: ClusterId): ClusterView | undefined;
  /** Open channels that pay for a cluster, the best funded first. */
  channelsOf(cluster: ClusterId): readonly ChannelView[];
  /** Level of an access deposit, 0 without one (Picolo §6.3.2 epsilon). */
  accessLevel(account: Address): number;
  /** The node that signs, or once signed, with this key. */
  nodeOf(signer: Address): NodeView | undefined;
  /** Open challenges of a node. */
  challengesOf(node: Address): readonly ChallengeView[];
  /** Called after every applied chain head with the changes folded in. */
  onChange(handler: () => void): void;
  /** The newest finalized block: its hash is the public beacon for challenges, its time (unix seconds) the chain's clock. */
  beacon(): { readonly blockNumber: bigint; readonly blockHash: Hex; readonly timestamp: bigint } | undefined;
  /** Sends encoded evidence to its slasher; resolves with the receipt or throws CHAIN_*. */
  submitEvidence(evidence: EncodedEvidence): Promise<SubmittedTransaction>;
  /** Answers a challenge of the operator's node with a packed cell (`packCell`); resolves with the receipt or throws CHAIN_*. */
  answerChallenge(challenge: Pick<ChallengeView, 'group' | 'node'>, cell: Hex): Promise<SubmittedTransaction>;
  /** Asks a member for a cell with a packed question (`packQuestion`) and the bond that the court wants; CHAIN_*. */
  openChallenge(path: Path, question: Hex): Promise<SubmittedTransaction>;
  /**
   * Resolves when a read of the chain that began after this call has been folded in, for who is told of something
   * that may be younger than the last poll. Callers share reads, a few a second at most; while the chain is down it
   * resolves at once.
   */
  refresh(): Promise<void>;
  /** Milliseconds since the last successful poll; Infinity before the first. */
  staleMs(): number;
  close(): Promise<void>;
}
