import type { CertifiedCheckpoint, Roster } from '../membership/index.ts';
import type { BlockHash, Epoch, Height, ReplicaIndex, Round, Timestamp, TxId, View } from '../types/index.ts';
import type { BlockEntry, Outcome } from './block.ts';
import type { Anchor } from './config.ts';
import type { Durable } from './durable.ts';
import type { Message, SignedKind, Unsigned } from './message.ts';
import type { Offence } from './offence.ts';
import type { JournalRecord } from './record.ts';
import type { Reply } from './receipt.ts';

export type Target = ReplicaIndex | 'all';

/** An entry of a committed block. 'skipped' entries are not handed to the ledger. */
export interface CommittedEntry extends BlockEntry {
  readonly outcome: Outcome;
}

export interface CommittedBlock {
  readonly epoch: Epoch;
  readonly height: Height;
  readonly blockHash: BlockHash;
  readonly closeTs: Timestamp;
  readonly entries: readonly CommittedEntry[];
  /** Canonical bytes of the certified block; the ledger keeps them for catch-up (`Application.blockAt`). */
  readonly encoded: Uint8Array;
}

/** Milestones for logs, metrics and traces. */
export type Milestone =
  | { readonly event: 'viewEntered'; readonly view: View }
  | { readonly event: 'fastOpened'; readonly view: View }
  | { readonly event: 'viewChangeStarted'; readonly view: View; readonly cause: string }
  | { readonly event: 'rejected'; readonly view: View; readonly round: Round; readonly reason: string }
  | { readonly event: 'acked'; readonly entries: number; readonly ackSeq: bigint }
  | { readonly event: 'installed'; readonly height: Height }
  | { readonly event: 'quarantined'; readonly cause: string }
  | { readonly event: 'fastFailed'; readonly command: TxId };

/** Everything a replica can ask for. The host performs effects in order; none may fail silently. */
export type Effect =
  /** Append to the journal; answer `flushed(token)` once this and everything before is on disk (§2.14). */
  | { readonly kind: 'persist'; readonly token: number; readonly record: JournalRecord }
  /** Sign and send, and feed back to self when `to` includes it. Needs a completed flush, by type (§2.14). */
  | {
    readonly kind: 'sign'; readonly durable: Durable; readonly name: SignedKind; readonly slot: string;
    readonly message: Unsigned; readonly to: Target;
  }
  /** Send as it is; loss is allowed. 'all' includes self only for signed messages. */
  | { readonly kind: 'send'; readonly to: Target; readonly message: Message }
  /** Answer the client whose command was submitted here (P-5.2.1-reply). */
  | { readonly kind: 'reply'; readonly command: TxId; readonly reply: Reply }
  /** Apply to the ledger before the next step (§2.9). */
  | { readonly kind: 'commit'; readonly block: CommittedBlock }
  /** Compute the state commitment of this committed height; answer `commitment` (§2.11). */
  | { readonly kind: 'checkpointWanted'; readonly height: Height }
  /** q signatures: the host certifies the height and, when the journal has grown enough, syncs the ledger and rewrites the journal by `snapshotRecords`. */
  | { readonly kind: 'certified'; readonly certificate: CertifiedCheckpoint }
  /** The history of peers is too short: fetch the snapshot of this checkpoint, then `installed` (§2.12). */
  | { readonly kind: 'snapshotWanted'; readonly from: ReplicaIndex; readonly certificate: CertifiedCheckpoint; readonly anchor: Anchor }
  /** The epoch is over: start the next one from this checkpoint (§2.13). */
  | { readonly kind: 'sealed'; readonly certificate: CertifiedCheckpoint; readonly blockHash: BlockHash; readonly anchor: Anchor; readonly next: Roster }
  /** Two signed statements that contradict each other (§3). */
  | { readonly kind: 'evidence'; readonly offence: Offence }
  /** `tick` at the latest after this delay; replaces the alarm before. */
  | { readonly kind: 'alarm'; readonly delayMs: number }
  | { readonly kind: 'milestone'; readonly milestone: Milestone }
  /** Sign and apply nothing more: own state differs from the group's (§2.11). */
  | { readonly kind: 'halt'; readonly reason: 'diverged'; readonly height: Height };
