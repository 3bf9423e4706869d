import type { MerkleStep } from '../crypto/index.ts';
import type { StructValue } from '../codec/index.ts';
import type { CertifiedCheckpoint } from '../membership/index.ts';
import type { Hash32, Item, ReplicaIndex, Signature, Timestamp, TxId } from '../types/index.ts';

/** A statement with its signature. */
export interface SignedValue<V> {
  readonly value: V;
  readonly signature: Signature;
}

/** One side of a vote conflict: an accepted entry opened down to the item (§3.2 E1). */
export interface OpenedVote extends SignedValue<StructValue<'FastVote'>> {
  readonly index: number;
  readonly entryPath: readonly MerkleStep[];
  readonly command: TxId;
  readonly ts: Timestamp;
  readonly footprintRoot: Hash32;
  readonly item: Item;
  readonly itemPath: readonly MerkleStep[];
}

/** Contradictions found in passing: pairs of signed statements of one replica, as plain data (§3.2). */
export type Offence = { readonly culprit: ReplicaIndex } & (
  | { readonly kind: 'VoteConflict'; readonly first: OpenedVote; readonly second: OpenedVote }
  | { readonly kind: 'DoubleBlockVote'; readonly first: SignedValue<StructValue<'BlockVote'>>; readonly second: SignedValue<StructValue<'BlockVote'>> }
  | { readonly kind: 'DoubleProposal'; readonly first: SignedValue<StructValue<'Proposal'>>; readonly second: SignedValue<StructValue<'Proposal'>> }
  | { readonly kind: 'LockRegress'; readonly first: SignedValue<StructValue<'BlockVote'>>; readonly second: SignedValue<StructValue<'BlockVote'>> }
  | { readonly kind: 'RankUnderreport'; readonly vote: SignedValue<StructValue<'BlockVote'>>; readonly change: SignedValue<StructValue<'ViewChange'>> }
  | { readonly kind: 'AckFork'; readonly first: SignedValue<StructValue<'FastAck'>>; readonly second: SignedValue<StructValue<'FastAck'>> }
  | { readonly kind: 'FalseCheckpoint'; readonly certified: CertifiedCheckpoint; readonly accused: SignedValue<StructValue<'Checkpoint'>> }
);
