import type { StructValue } from '../codec/index.ts';
import type { EntryId, Hash32, Height, Item, Path, Rank, Round, Timestamp, View } from '../types/index.ts';
import type { Bitmap } from './bitmap.ts';
import type { Block, Consumed, Qc } from './block.ts';
import type { KnownEntry } from './entry.ts';
import type { BatchCert } from './message.ts';

/** A fast vote's claim on the keys of one entry, kept for the rest of the view. */
export interface VotedEntry {
  readonly id: EntryId;
  readonly ts: Timestamp;
  readonly items: readonly Item[];
}

/** An acknowledged entry with what it was judged by. */
export interface LoggedEntry extends KnownEntry {
  readonly removes: readonly Path[];
  /** Committed height at which it could be replayed. */
  readonly height: Height;
}

/** What must be on disk before a signature leaves (consensus §2.14). Appended, never changed. */
export type JournalRecord =
  /** Before the first signature in a view. */
  | { readonly kind: 'view'; readonly view: View }
  /** Before ViewChange. */
  | { readonly kind: 'viewChange'; readonly newView: View; readonly highQc: Qc | null }
  /** Before BlockVote: the vote, the lock, the block with its bodies. */
  | { readonly kind: 'voted'; readonly block: Block; readonly parentQc: Qc | null; readonly highQc: Qc | null; readonly consumed: readonly Consumed[] }
  /** Before Proposal: the rank is used. */
  | { readonly kind: 'proposed'; readonly view: View; readonly round: Round }
  /** Before FastVote. */
  | { readonly kind: 'fastVote'; readonly value: StructValue<'FastVote'>; readonly entries: readonly VotedEntry[] }
  /** Before FastAck: log position, bodies, certificate. */
  | {
    readonly kind: 'acked'; readonly view: View; readonly batchRoot: Hash32; readonly acked: Bitmap; readonly ackSeq: bigint; readonly ackHead: Hash32;
    readonly cert: BatchCert; readonly entries: readonly LoggedEntry[];
  }
  /** Before anything that used the clock: no reading above the ceiling was used. */
  | { readonly kind: 'clock'; readonly ceilingMs: bigint }
  /** A checkpoint this replica computed or installed: what the next one names as `previous`. */
  | { readonly kind: 'checkpointHash'; readonly height: Height; readonly hash: Hash32 }
  /** Before Checkpoint. */
  | { readonly kind: 'checkpoint'; readonly value: StructValue<'Checkpoint'> }
  /** Everything the current view binds, in one record; written by compaction only. */
  | {
    readonly kind: 'viewState'; readonly view: View; readonly lastVoted: Rank; readonly voteSeq: bigint; readonly highQc: Qc | null; readonly closeTs: Timestamp;
    readonly consumed: readonly Consumed[]; readonly claims: readonly VotedEntry[];
  }
  /** Last position of an acknowledgement log whose entries left; written by compaction only. */
  | { readonly kind: 'ackHead'; readonly ackSeq: bigint; readonly ackHead: Hash32 }
  /** The epoch's last block is committed: nothing but its checkpoint is signed any more. */
  | { readonly kind: 'sealed'; readonly height: Height };
