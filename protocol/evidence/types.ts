import type { StructValue } from '../codec/index.ts';
import type { MerkleStep } from '../crypto/index.ts';
import type { CertifiedCheckpoint, Roster } from '../membership/index.ts';
import type { WriterSignature } from '../rows/index.ts';
import type { TreeProof } from '../state-tree/index.ts';
import type { Address, EntryId, Hash32, Hex, Item, ReplicaIndex, Signature, Timestamp, TxId } from '../types/index.ts';

/** A statement with its signature. */
export interface Signed<V> {
  readonly value: V;
  readonly signature: Signature;
}

/** An entry of a batch, opened down to one of its items. */
export interface OpenedEntry {
  /** Place of the entry in the batch. */
  readonly index: number;
  readonly entryPath: readonly MerkleStep[];
  readonly command: TxId;
  readonly ts: Timestamp;
  readonly footprintRoot: Hash32;
  readonly item: Item;
  readonly itemPath: readonly MerkleStep[];
}

/** One side of a vote conflict: an accepted entry of a voted batch (consensus §3.2 E1). */
export type OpenedVote = Signed<StructValue<'FastVote'>> & OpenedEntry;

/** An acknowledged entry of an acknowledged batch (E10). */
export type OpenedAck = Signed<StructValue<'FastAck'>> & OpenedEntry;

/** A version consumed by a block, opened from the block's header (E10). */
export interface OpenedEffect {
  /** Header bytes: what the block hash is the SHA-256 of. */
  readonly header: Hex;
  /** Entry that consumed the version. */
  readonly to: EntryId;
  readonly path: readonly MerkleStep[];
}

/** The root that a signed list has for one height. */
export interface OpenedRoot extends Signed<StructValue<'RootList'>> {
  readonly height: bigint;
  readonly stateRoot: Hash32;
  readonly path: readonly MerkleStep[];
}

/** The member of a roster that is accused, by its place. */
export interface Charge {
  readonly roster: Roster;
  readonly culprit: ReplicaIndex;
}

/** Statements made in the protocol, not to anybody: the bounty goes to whom the reporter names. */
export interface ReportedCharge extends Charge {
  readonly beneficiary: Address;
}

/**
 * What refutes an answer: the tree under the root that it names itself, the certified root of its height, the rank that its request
 * repeats and a leaf under its root that shows it is about another row, or, when it is older than the bound that it repeats, nothing more.
 */
export type Refutation =
  | { readonly kind: 'ownRoot'; readonly proof: TreeProof }
  | { readonly kind: 'certificate'; readonly certified: CertifiedCheckpoint }
  | { readonly kind: 'stale' }
  | { readonly kind: 'rank'; readonly request: Hash32; readonly rank: bigint; readonly proof: TreeProof };

/** What contradicts a list of roots. */
export type OtherHistory =
  | ({ readonly kind: 'list' } & OpenedRoot)
  | ({ readonly kind: 'answer' } & Signed<StructValue<'Answer'>>)
  | { readonly kind: 'certificate'; readonly certified: CertifiedCheckpoint };

/** What forks a log of acknowledgements. */
export type OtherAck =
  | ({ readonly kind: 'ack' } & Signed<StructValue<'FastAck'>>)
  | ({ readonly kind: 'change' } & Signed<StructValue<'ViewChange'>>);

type BlockVote = Signed<StructValue<'BlockVote'>>;
type Proposal = Signed<StructValue<'Proposal'>>;

/** Closed union of everything a contract judges alone; names as in docs/contracts/evidence.md. */
export type Evidence =
  | ({ readonly kind: 'VoteConflict'; readonly first: OpenedVote; readonly second: OpenedVote } & ReportedCharge)
  | ({ readonly kind: 'DoubleBlockVote'; readonly first: BlockVote; readonly second: BlockVote } & ReportedCharge)
  | ({ readonly kind: 'DoubleProposal'; readonly first: Proposal; readonly second: Proposal } & ReportedCharge)
  | ({ readonly kind: 'LockRegress'; readonly first: BlockVote; readonly second: BlockVote } & ReportedCharge)
  | ({ readonly kind: 'RankUnderreport'; readonly vote: BlockVote; readonly change: Signed<StructValue<'ViewChange'>> } & ReportedCharge)
  | ({ readonly kind: 'AckFork'; readonly first: Signed<StructValue<'FastAck'>>; readonly second: OtherAck } & ReportedCharge)
  | ({ readonly kind: 'AckThenConsume'; readonly acked: OpenedAck; readonly vote: BlockVote; readonly effect: OpenedEffect } & ReportedCharge)
  | ({ readonly kind: 'FalseCheckpoint'; readonly certified: CertifiedCheckpoint; readonly accused: Signed<StructValue<'Checkpoint'>> } & ReportedCharge)
  | ({ readonly kind: 'ForkedCertificates'; readonly first: CertifiedCheckpoint; readonly second: CertifiedCheckpoint } & ReportedCharge)
  | ({ readonly kind: 'FalseAnswer'; readonly answer: Signed<StructValue<'Answer'>>; readonly against: Refutation } & Charge)
  | ({ readonly kind: 'ForgedRow'; readonly row: Signed<StructValue<'RowAnswer'>>; readonly writerSignature: WriterSignature } & Charge)
  | ({ readonly kind: 'FalseHistory'; readonly list: OpenedRoot; readonly against: OtherHistory } & Charge);

export type OffenceName = Evidence['kind'];
export type EvidenceOf<K extends OffenceName> = Extract<Evidence, { readonly kind: K }>;

/** The contract that judges each offence. */
export const slasherOf = {
  VoteConflict: 'SlasherConsensus', DoubleBlockVote: 'SlasherConsensus', DoubleProposal: 'SlasherConsensus', LockRegress: 'SlasherConsensus',
  RankUnderreport: 'SlasherConsensus', AckFork: 'SlasherConsensus', AckThenConsume: 'SlasherConsensus',
  FalseCheckpoint: 'SlasherCertificates', ForkedCertificates: 'SlasherCertificates',
  FalseAnswer: 'SlasherAnswers', ForgedRow: 'SlasherAnswers', FalseHistory: 'SlasherAnswers',
} as const satisfies Record<OffenceName, string>;

export type SlasherName = (typeof slasherOf)[OffenceName];

/** Numbers in `Slashed` events. */
export const offenceNumber = {
  VoteConflict: 1, DoubleBlockVote: 2, DoubleProposal: 3, FalseCheckpoint: 4, FalseAnswer: 5, ForgedRow: 6, LockRegress: 7, RankUnderreport: 8,
  AckFork: 9, AckThenConsume: 10, ForkedCertificates: 11, FalseHistory: 14,
} as const satisfies Record<OffenceName, number>;

/** Offences in answers: lesser, and the reward is the querier's. */
export const isLesser = (offence: OffenceName): boolean => slasherOf[offence] === 'SlasherAnswers';
