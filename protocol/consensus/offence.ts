import type { MerkleStep } from '../crypto/index.ts';
import type { StructValue } from '../codec/index.ts';
import type { CertifiedCheckpoint } from '../membership/index.ts';
import type { EntryId, Hash32, Hex, Item, ReplicaIndex, Signature, Timestamp, TxId } from '../types/index.ts';

/** A statement with its signature. */
export interface SignedValue<V> {
  readonly value: V;
  readonly signature: Signature;
}

/** An entry of a batch, opened down to one of its items. */
export interface OpenedEntry {
  readonly index: number;
  readonly entryPath: readonly MerkleStep[];
  readonly command: TxId;
  readonly ts: Timestamp;
  readonly footprintRoot: Hash32;
  readonly item: Item;
  readonly itemPath: readonly MerkleStep[];
}

/** One side of a vote conflict: an accepted entry (§3.2 E1). */
export type OpenedVote = SignedValue<StructValue<'FastVote'>> & OpenedEntry;

/** An acknowledged entry (E10). */
export type OpenedAck = SignedValue<StructValue<'FastAck'>> & OpenedEntry;

/** A version that a block consumed, opened from the bytes of its header (E10). */
export interface OpenedEffect {
  readonly header: Hex;
  readonly to: EntryId;
  readonly path: readonly MerkleStep[];
}

/** What tells the log of acknowledgements in another way (E6). */
export type OtherAck =
  | ({ readonly kind: 'ack' } & SignedValue<StructValue<'FastAck'>>)
  | ({ readonly kind: 'change' } & SignedValue<StructValue<'ViewChange'>>);

/** Contradictions found in passing: pairs of signed statements of one replica, as plain data (§3.2). */
export type Offence = { readonly culprit: ReplicaIndex } & (
  | { readonly kind: 'VoteConflict'; readonly first: OpenedVote; readonly second: OpenedVote }
  | { readonly kind: 'DoubleBlockVote'; readonly first: SignedValue<StructValue<'BlockVote'>>; readonly second: SignedValue<StructValue<'BlockVote'>> }
  | { readonly kind: 'DoubleProposal'; readonly first: SignedValue<StructValue<'Proposal'>>; readonly second: SignedValue<StructValue<'Proposal'>> }
  | { readonly kind: 'LockRegress'; readonly first: SignedValue<StructValue<'BlockVote'>>; readonly second: SignedValue<StructValue<'BlockVote'>> }
  | { readonly kind: 'RankUnderreport'; readonly vote: SignedValue<StructValue<'BlockVote'>>; readonly change: SignedValue<StructValue<'ViewChange'>> }
  | { readonly kind: 'AckFork'; readonly first: SignedValue<StructValue<'FastAck'>>; readonly second: OtherAck }
  | { readonly kind: 'AckThenConsume'; readonly acked: OpenedAck; readonly vote: SignedValue<StructValue<'BlockVote'>>; readonly effect: OpenedEffect }
  | { readonly kind: 'FalseCheckpoint'; readonly certified: CertifiedCheckpoint; readonly accused: SignedValue<StructValue<'Checkpoint'>> }
  | { readonly kind: 'ForkedCertificates'; readonly first: CertifiedCheckpoint; readonly second: CertifiedCheckpoint }
);
