import type { StructValue } from '../codec/index.ts';
import type { MerkleStep } from '../crypto/index.ts';
import type { CertifiedCheckpoint, Roster } from '../membership/index.ts';
import type { WriterSignature } from '../rows/index.ts';
import type { TreeProof } from '../state-tree/index.ts';
import type { Address, Hash32, Item, ReplicaIndex, Signature, Timestamp, TxId } from '../types/index.ts';

/** A statement with its signature. */
export interface Signed<V> {
  readonly value: V;
  readonly signature: Signature;
}

/** One side of a vote conflict: an accepted entry of a voted batch, opened down to the item (consensus §3.2 E1). */
export interface OpenedVote extends Signed<StructValue<'FastVote'>> {
  /** Place of the entry in the batch. */
  readonly index: number;
  readonly entryPath: readonly MerkleStep[];
  readonly command: TxId;
  readonly ts: Timestamp;
  readonly footprintRoot: Hash32;
  readonly item: Item;
  readonly itemPath: readonly MerkleStep[];
}

/** The member of a roster that is accused, by its place. */
export interface Charge {
  readonly roster: Roster;
  readonly culprit: ReplicaIndex;
}

/** Statements made in the protocol, not to anybody: the reward goes to whom the reporter names. */
export interface ReportedCharge extends Charge {
  readonly beneficiary: Address;
}

/** What refutes an answer: the tree under the root that it names itself, or the certified root of its height. */
export type Refutation =
  | { readonly kind: 'ownRoot'; readonly proof: TreeProof }
  | { readonly kind: 'certificate'; readonly certified: CertifiedCheckpoint };

/** Closed union of everything a contract judges alone; names as in docs/contracts/evidence.md. */
export type Evidence =
  | ({ readonly kind: 'VoteConflict'; readonly first: OpenedVote; readonly second: OpenedVote } & ReportedCharge)
  | ({
      readonly kind: 'DoubleBlockVote'; readonly first: Signed<StructValue<'BlockVote'>>; readonly second: Signed<StructValue<'BlockVote'>>;
    } & ReportedCharge)
  | ({
      readonly kind: 'DoubleProposal'; readonly first: Signed<StructValue<'Proposal'>>; readonly second: Signed<StructValue<'Proposal'>>;
    } & ReportedCharge)
  | ({ readonly kind: 'FalseCheckpoint'; readonly certified: CertifiedCheckpoint; readonly accused: Signed<StructValue<'Checkpoint'>> } & ReportedCharge)
  | ({ readonly kind: 'FalseAnswer'; readonly answer: Signed<StructValue<'Answer'>>; readonly against: Refutation } & Charge)
  | ({ readonly kind: 'ForgedRow'; readonly row: Signed<StructValue<'RowAnswer'>>; readonly writerSignature: WriterSignature } & Charge);

export type OffenceName = Evidence['kind'];
