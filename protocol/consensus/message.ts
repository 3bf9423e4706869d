import type { StructValue } from '../codec/index.ts';
import type { CertifiedCheckpoint, CheckpointDetail } from '../membership/index.ts';
import type {
  Command, EntryId, Hash32, Height, Rank, ReplicaIndex, Round, Signature, View,
} from '../types/index.ts';
import type { Bitmap } from './bitmap.ts';
import type { Block, Outcome, Qc } from './block.ts';
import type { KnownEntry } from './entry.ts';

/** Structs a replica signs for consensus. */
export type SignedKind = 'FastBatch' | 'FastVote' | 'FastAck' | 'Proposal' | 'BlockVote' | 'ViewChange' | 'Checkpoint';
/** What is signed: the struct's name and value. */
export type Statement = { [N in SignedKind]: { readonly name: N; readonly value: StructValue<N> } }[SignedKind];

/** One replica's fast vote inside a certificate. */
export interface CertVote {
  readonly signer: ReplicaIndex;
  readonly accept: Bitmap;
  readonly signature: Signature;
}

/** q fast votes for the entries of a batch whose bit is set in at least q of them (consensus §2.3 FastCert). */
export interface BatchCert {
  readonly view: View;
  readonly batchRoot: Hash32;
  readonly entryIds: readonly EntryId[];
  readonly votes: readonly CertVote[];
}

/** One replica's acknowledgement inside a fast receipt. */
export interface AckVote {
  readonly signer: ReplicaIndex;
  readonly acked: Bitmap;
  readonly ackSeq: bigint;
  readonly ackHead: Hash32;
  readonly signature: Signature;
}

/** An acknowledged entry in a view change: which certificate counts matters for the order (§2.8). */
export interface AckedRef {
  readonly id: EntryId;
  readonly certView: View;
}

/** A view change as it travels in the justification of an opening block. */
export interface TcVote {
  readonly signer: ReplicaIndex;
  readonly value: StructValue<'ViewChange'>;
  /** Entries the signer had acknowledged and not seen committed, in the order of `ackedRoot`. */
  readonly acked: readonly AckedRef[];
  readonly signature: Signature;
}

/** A certified block as peers hand it over and as the ledger keeps it. */
export interface CertifiedBlock {
  readonly block: Block;
  readonly qc: Qc;
  /** Told by the sender; a receiver executes for itself. */
  readonly outcomes: readonly Outcome[];
}

// signed
export interface FastBatchMessage {
  readonly kind: 'fastBatch';
  readonly value: StructValue<'FastBatch'>;
  readonly entries: readonly KnownEntry[];
  readonly signature: Signature;
}
export interface FastVoteMessage {
  readonly kind: 'fastVote';
  readonly value: StructValue<'FastVote'>;
  readonly signature: Signature;
}
export interface FastAckMessage {
  readonly kind: 'fastAck';
  readonly value: StructValue<'FastAck'>;
  readonly signature: Signature;
}
export interface ProposalMessage {
  readonly kind: 'proposal';
  readonly value: StructValue<'Proposal'>;
  readonly block: Block;
  /** Null only on the first block of an epoch. */
  readonly parentQc: Qc | null;
  readonly certs: readonly BatchCert[];
  /** q view changes on opening blocks of views above 0; empty otherwise. */
  readonly tc: readonly TcVote[];
  readonly signature: Signature;
}
export interface BlockVoteMessage {
  readonly kind: 'blockVote';
  readonly value: StructValue<'BlockVote'>;
  readonly signature: Signature;
}
export interface ViewChangeMessage {
  readonly kind: 'viewChange';
  readonly value: StructValue<'ViewChange'>;
  readonly highQc: Qc | null;
  readonly acked: readonly AckedRef[];
  readonly certs: readonly BatchCert[];
  readonly entries: readonly KnownEntry[];
  readonly signature: Signature;
}
export interface CheckpointVoteMessage {
  readonly kind: 'checkpointVote';
  readonly value: StructValue<'Checkpoint'>;
  readonly detail: CheckpointDetail;
  readonly signature: Signature;
}

// unsigned: only the channel says who sent them, so they are never evidence
export interface CertificateMessage {
  readonly kind: 'certificate';
  readonly certs: readonly BatchCert[];
  /** Bodies of the certified entries; may be fewer when the receiver has them. */
  readonly entries: readonly KnownEntry[];
}
export const REJECT_REASONS = ['replay', 'stale', 'invalid', 'behind'] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];
export interface RejectMessage {
  readonly kind: 'reject';
  readonly view: View;
  readonly round: Round;
  readonly reason: RejectReason;
  readonly certs: readonly BatchCert[];
  readonly entries: readonly KnownEntry[];
}
/** How far a replica has come with what it signs: each number only grows in an epoch. */
export interface Position {
  readonly ackSeq: bigint;
  /** How many fast votes. */
  readonly voteSeq: bigint;
  /** Rank of the last block vote. */
  readonly voted: Rank;
}
export interface HeartbeatMessage {
  readonly kind: 'heartbeat';
  /** Sender's clock; moves the closed timestamp (consensus §2.10). */
  readonly clockMs: bigint;
  readonly view: View;
  readonly committed: Height;
  readonly highQc: Rank;
  /** Members that the sender does not hear (V-SILENT). */
  readonly silent: Bitmap;
  /** Of the sender: who did not get a signature knows of it all the same. */
  readonly signed: Position;
}
export interface SubmitMessage {
  readonly kind: 'submit';
  readonly command: Command;
}
/** A quorum certificate that no proposal carries yet. */
export interface CertifiedMessage {
  readonly kind: 'certified';
  readonly qc: Qc;
}
/** A computed checkpoint before anybody signs (announce, compare, sign; consensus §2.11). */
export interface AnnounceMessage {
  readonly kind: 'announce';
  readonly value: StructValue<'Checkpoint'>;
}
export interface FetchMessage {
  readonly kind: 'fetch';
  /** First height wanted. */
  readonly from: Height;
}
export interface BlocksMessage {
  readonly kind: 'blocks';
  /** Consecutive certified blocks; the last ones may be uncommitted. */
  readonly blocks: readonly CertifiedBlock[];
  /** Set instead when the history does not reach back far enough. */
  readonly checkpoint: CertifiedCheckpoint | null;
  /** The block at the checkpoint's height, which its snapshot continues from. */
  readonly checkpointBlock: CertifiedBlock | null;
}
/** What do you remember of my key? Asked after a restart, before anything is signed (consensus §2.14). */
export interface RecallMessage {
  readonly kind: 'recall';
}
/** Newest signed statements of the asker that the sender holds. */
export interface RecalledMessage {
  readonly kind: 'recalled';
  /** Whose statements these are: the asker's index. */
  readonly subject: ReplicaIndex;
  readonly blockVote: BlockVoteMessage | null;
  readonly fastAck: FastAckMessage | null;
  readonly viewChange: { readonly value: StructValue<'ViewChange'>; readonly signature: Signature } | null;
  /** What the asker's heartbeats told, unsigned. */
  readonly heard: Position;
}

export type SignedMessage =
  | FastBatchMessage | FastVoteMessage | FastAckMessage | ProposalMessage | BlockVoteMessage | ViewChangeMessage | CheckpointVoteMessage;
export type Message =
  | SignedMessage | CertificateMessage | RejectMessage | HeartbeatMessage | SubmitMessage | CertifiedMessage | AnnounceMessage
  | FetchMessage | BlocksMessage | RecallMessage | RecalledMessage;

type WithoutSignature<M> = M extends SignedMessage ? Omit<M, 'signature'> : never;
/** A message whose signature the host still has to make. */
export type Unsigned = WithoutSignature<SignedMessage>;

/** Adds the signature the host made. */
export function signed(message: Unsigned, signature: Signature): SignedMessage {
  return { ...message, signature } as SignedMessage;
}

/** The struct a signed message is a signature over. */
export function statementOf(message: Unsigned): Statement {
  const name = STATEMENT_OF[message.kind];
  return { name, value: message.value } as Statement;
}

const STATEMENT_OF = {
  fastBatch: 'FastBatch', fastVote: 'FastVote', fastAck: 'FastAck', proposal: 'Proposal', blockVote: 'BlockVote',
  viewChange: 'ViewChange', checkpointVote: 'Checkpoint',
} as const satisfies Record<SignedMessage['kind'], SignedKind>;

/**
 * The slot of a statement in the signer's guard: one slot, one content, for ever. What one signature
 * per slot cannot express (votes on one key in two batches) is kept by the journal.
 */
export function slotOf(signer: ReplicaIndex, statement: Statement): string {
  const { group, epoch } = statement.value;
  return `${group}/${epoch}/${positionOf(signer, statement)}`;
}

function positionOf(signer: ReplicaIndex, { name, value }: Statement): string {
  switch (name) {
    case 'FastBatch': return `${value.view}/${signer}/${value.batchRoot}`;
    case 'FastVote': return `${value.view}/${value.batchRoot}`;
    case 'FastAck': return `${value.ackSeq}`;
    case 'Proposal': return `${value.view}/${value.round}`;
    case 'BlockVote': return `${value.view}/${value.round}`;
    case 'ViewChange': return `${value.newView}`;
    case 'Checkpoint': return `${value.height}`;
  }
}

