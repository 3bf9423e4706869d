import type { StructValue } from '../codec/index.ts';
import type { Hlc } from '../hlc/index.ts';
import type { CertifiedCheckpoint, CheckpointDetail } from '../membership/index.ts';
import type {
  Address, BlockHash, Command, EntryId, Epoch, Hash32, Height, Item, ItemMode, KeyVersion, Path, Rank, ReplicaIndex, Round, Signature, Timestamp, TxId, View,
} from '../types/index.ts';
import type { Application } from './application.ts';
import type { Bitmap } from './bitmap.ts';
import type { Block, BlockHeader, Consumed, Outcome, Qc } from './block.ts';
import type { GroupConfig } from './config.ts';
import type { Durable } from './durable.ts';
import type { Effect, Target } from './effect.ts';
import type { KnownEntry } from './entry.ts';
import type { KeyAcks } from './key-acks.ts';
import type {
  AckVote, BatchCert, BlockVoteMessage, CertVote, FastAckMessage, FastVoteMessage, Message, Position, ProposalMessage, Unsigned, ViewChangeMessage,
} from './message.ts';
import type { Pace } from './pace.ts';
import type { VotedEntry } from './record.ts';
import type { Rules } from './rules.ts';
import type { CommandReader } from './wire.ts';

/** What executing a block over its parent gave. */
export interface Execution {
  readonly outcomes: readonly Outcome[];
  readonly outcomeOf: ReadonlyMap<EntryId, Outcome>;
  readonly writes: ReadonlyMap<Path, KeyVersion>;
  readonly consumed: readonly Consumed[];
  /** Intents that the block made, with their timestamps, and those that it resolved. */
  readonly opened: ReadonlyMap<EntryId, Timestamp>;
  readonly closed: ReadonlySet<EntryId>;
  readonly effectsRoot: Hash32;
  readonly outcomeRoot: Hash32;
}

/** A block above the committed tip. */
export interface BlockNode {
  readonly hash: BlockHash;
  readonly block: Block;
  readonly execution: Execution;
  qc: Qc | null;
  /** This replica voted for it: its body must not be lost while the block may come back. */
  voted: boolean;
}

/** End of the committed chain. */
export interface Tip {
  readonly height: Height;
  readonly hash: BlockHash;
  readonly header: BlockHeader | null;
  readonly closeTs: Timestamp;
  readonly maxTs: Timestamp;
  readonly sealed: boolean;
}

/** An entry this replica durably acknowledged and has not seen in the committed chain. */
export interface AckedEntry extends KnownEntry {
  readonly view: View;
  readonly cert: BatchCert;
  readonly removes: ReadonlySet<Path>;
  /** Committed height at which it could be replayed. */
  readonly height: Height;
  readonly sinceMs: number;
}

export interface Batch {
  readonly root: Hash32;
  gateway: ReplicaIndex;
  /** Undefined while only votes have arrived. */
  entries: readonly KnownEntry[] | undefined;
  readonly votes: Map<ReplicaIndex, CertVote>;
  /** Own vote: undefined before, then final. */
  accepted: Bitmap | undefined;
  ownVote: FastVoteMessage | undefined;
  certified: Bitmap;
  acked: Bitmap;
  readonly acks: AckVote[];
  /** Entries of other batches that exclude one of this; undefined until the entries are here. */
  rivals: Rival[] | undefined;
  /** Its gateway has noted whether it was final in time. */
  judged: boolean;
  sinceMs: number;
}

/** One use of a key by an entry of a batch. */
export interface Claim {
  readonly entry: KnownEntry;
  readonly item: Item;
  readonly batch: Batch;
  readonly index: number;
}

/** Two uses of one version of a key that no replica may both vote for. */
export interface Rival {
  readonly own: Claim;
  readonly other: Claim;
}

/** A block vote found in the journal. */
export interface RestoredVote {
  readonly block: Block;
  readonly parentQc: Qc | null;
  readonly highQc: Qc | null;
  readonly consumed: readonly Consumed[];
}

/** Everything about the current view that dies with it. */
export interface ViewState {
  /** Hash of this view's opening block once a proposal for it was accepted or it is in the chain. */
  opening: BlockHash | undefined;
  fastOpen: boolean;
  readonly startedMs: number;
  /** Before this no command that is known can be overdue. */
  overdueMs: number;
  /** Fast votes by `path|version` (F-VOTE 4): readers and writers apart, because readers never conflict. */
  readonly locks: Map<string, { readonly reads: VotedEntry[]; readonly writes: VotedEntry[] }>;
  readonly batches: Map<Hash32, Batch>;
  /** Root of the batch that this gateway sent last. */
  newest: Hash32 | undefined;
  /** Uses of keys by entries of this view, to find votes that contradict each other. */
  readonly claims: Map<Path, Claim[]>;
  /** Versions consumed by blocks voted in this view, abandoned ones included (F-VOTE 5). */
  readonly consumed: Map<string, Set<EntryId>>;
  /** Blocks that got this replica's vote in this view and may still be committed. */
  readonly votedBlocks: Set<BlockHash>;
  /** Highest effective closed timestamp voted for in this view. */
  votedCloseTs: Timestamp;
  /** Entries certified in this view, for the leader to sweep and for acknowledgement. */
  readonly certified: Map<EntryId, { readonly entry: KnownEntry; readonly cert: () => BatchCert }>;
  /** Certified entries that could not be acknowledged yet. */
  readonly unacked: Set<EntryId>;
  /** The newest proposal seen (F-VOTE 6), and whether it still needs a decision. */
  proposal: ProposalMessage | undefined;
  proposalFrom: ReplicaIndex;
  proposalDone: boolean;
  /** Clock reading for which the decision waits; undefined when it waits for something else. */
  proposalDueMs: number | undefined;
  /** Keys of the newest proposal, frozen for new fast votes until it is decided (F-VOTE 6). */
  frozen: Map<Path, ItemMode>;
  /** Entries acknowledged in this view that the committed chain has killed: their versions may go to nobody else with this replica's vote (C-VOTE 6). */
  readonly deadAcks: AckedEntry[];
  /** Something changed that may let a certified entry be acknowledged. */
  ackRetry: boolean;
  readonly leader: LeaderState;
}

export interface LeaderState {
  /** Own unresolved proposal. */
  outstanding: ProposalMessage | undefined;
  proposedMs: number;
  sentMs: number;
  lastRound: Round;
  /** Signature requested, message not yet back. */
  signing: boolean;
  /** It introduces commands and its votes wait for no clock: they tell how long votes take. */
  timed: boolean;
  /** Set after a restart as leader: no more proposals in this view. */
  silent: boolean;
  firstRejectMs: number | undefined;
  readonly rejects: Set<ReplicaIndex>;
  readonly votes: Map<BlockHash, Map<ReplicaIndex, BlockVoteMessage>>;
  /** A certificate was formed that no proposal carried yet. */
  qcToTell: Qc | undefined;
}

/** A command that somebody waits for. */
export interface PendingCommand {
  readonly command: Command;
  readonly sinceMs: number;
  /** Undefined: this replica only watches that it gets decided. */
  gateway: GatewayState | undefined;
  /** True once it goes through the leader. */
  classic: boolean;
  sentMs: number;
  /** When its timers are looked at next. */
  lookMs: number;
}

export interface GatewayState {
  phase: 'queued' | 'fast' | 'classic';
  batchRoot: Hash32 | undefined;
  index: number;
  phaseMs: number;
}

export interface Held {
  readonly releaseMs: number;
  readonly view: View;
  readonly send: Outgoing;
}

/** What to do when a record is on disk: data, so that it can be shown in a trace. */
export interface Outgoing {
  readonly message: Unsigned;
  readonly to: Target;
  /** Not released before the clock shows it (T2). */
  readonly notBeforeMs: number;
  /** Dropped when the replica left this view meanwhile; undefined: always sent. */
  readonly view: View | undefined;
}

export interface CheckpointState {
  readonly height: Height;
  /** Undefined until the block is committed here; announcements may come first. */
  blockHash: BlockHash | undefined;
  closeTs: Timestamp;
  final: boolean;
  value: StructValue<'Checkpoint'> | undefined;
  detail: CheckpointDetail | undefined;
  readonly announced: Map<ReplicaIndex, Hash32>;
  signed: boolean;
  readonly votes: Map<ReplicaIndex, { readonly value: StructValue<'Checkpoint'>; readonly signature: Signature }>;
}

export interface PeerState {
  clockMs: number;
  /** Its clock minus ours when its last heartbeat arrived: at most the real offset. */
  aheadMs: number;
  /** When it was heard last, in time that this replica was awake. */
  heardMs: number;
  /** Longest time between two of its messages, fading. */
  gapMs: number;
  /** Members that it does not hear. */
  silent: Bitmap;
  view: View;
  committed: Height;
  highQc: Rank;
  /** Newest view change of this peer, for the current or a later view. */
  change: ViewChangeMessage | undefined;
  /** When it first asked for that view. */
  askedMs: number;
  /** Newest statements, to answer `recall`. */
  blockVote: BlockVoteMessage | undefined;
  fastAck: FastAckMessage | undefined;
  /** As its heartbeats told. */
  signed: Position;
}

/** Which of the others answered `recall`, with what they heard. */
export interface Recalling {
  readonly answers: Map<ReplicaIndex, Position>;
  /** When q had answered, in `elapsedMs`: the others get a little longer. */
  enoughMs: number | undefined;
}

/** One replica in one epoch. Mutated by `step` alone. */
export interface Replica {
  readonly config: GroupConfig;
  readonly self: ReplicaIndex;
  readonly application: Application;
  readonly rules: Rules;
  readonly read: CommandReader;
  readonly q: number;
  // effects of the running step, and flush completions by token
  out: Effect[];
  nextToken: number;
  flushed: Durable | undefined;
  readonly onFlush: Map<number, Outgoing[]>;
  held: Held[];
  viewToken: number;
  // time
  nowMs: number;
  elapsedMs: number;
  /** Part of it that this replica overslept. */
  asleepMs: number;
  clockMs: number;
  readonly pace: Pace;
  ceilingMs: number;
  durableCeilingMs: number;
  ceilingToken: number;
  readonly hlc: Hlc;
  // durable
  view: View;
  vcView: View;
  lastVoted: Rank;
  highQc: Qc | null;
  acked: Map<EntryId, AckedEntry>;
  readonly ackedByPath: Map<Path, KeyAcks>;
  /** Size of what a view change would have to report. */
  ackedBytes: number;
  ackSeq: bigint;
  ackHead: Hash32;
  /** Blocks voted before a restart, to be put back by the first step. */
  restoredVotes: readonly RestoredVote[];
  /** No vote or acknowledgement in views up to this one (§2.14 abstain rule). */
  abstainUntil: View;
  quarantined: boolean;
  halted: boolean;
  /** What it signed so far, every record of it on disk. */
  signed: Position;
  /** Fast votes in the journal, those before compaction included. */
  voteSeq: bigint;
  /** After a restart: peers that answered `recall`; undefined when nothing is awaited. */
  recalling: Recalling | undefined;
  // chain
  tip: Tip;
  readonly blocks: Map<BlockHash, BlockNode>;
  readonly orphanQcs: Map<BlockHash, Qc>;
  /** Key states of committed entries above the closed timestamp, and of blocks the ledger applies after this step. */
  readonly recent: Map<Path, KeyVersion>;
  /** Bodies of blocks committed in the running step, which the ledger applies after it. */
  readonly committing: Map<EntryId, Command>;
  /** Intents without a resolution in the committed chain, with their timestamps; all of them are above the closed timestamp. */
  readonly intents: Map<EntryId, Timestamp>;
  recentCloseTs: Timestamp;
  changedSinceCheckpoint: number;
  checkpointMs: number;
  // view
  current: ViewState;
  failures: number;
  changeMs: number;
  changeSentMs: number;
  /** A restart interrupted a view change. */
  resumeChange: boolean;
  ownChange: ViewChangeMessage | undefined;
  /** View for which this replica, as leader, already built an opening block. */
  builtOpening: View;
  /** The block that this leader assembled last, and what executing it gave. */
  assembled: { readonly header: BlockHeader; readonly execution: Execution } | undefined;
  readonly pending: Map<TxId, PendingCommand>;
  queue: TxId[];
  queueMs: number;
  /** When so many commands were on their way last that the next one went to the leader. */
  crowdedMs: number;
  batchSeq: bigint;
  readonly hot: Map<Path, { untilMs: number; backoffMs: number }>;
  readonly peers: PeerState[];
  heartbeatMs: number;
  /** Silent members as the others were told last. */
  toldSilent: Bitmap;
  fetchMs: number;
  fetchPeer: number;
  /** A block is missing: ask for the chain. */
  missing: boolean;
  pendingScanMs: number;
  /** When the timers of commands are looked at next. */
  pendingDueMs: number;
  /** When the chain grew last. */
  committedMs: number;
  // checkpoints
  readonly checkpoints: Map<Height, CheckpointState>;
  previousCheckpoint: Hash32;
  /** Height of that checkpoint, as the journal knew it at the start. */
  readonly previousHeight: Height;
  stable: CertifiedCheckpoint | undefined;
  announceMs: number;
  // membership
  next: { readonly epoch: Epoch; readonly roster: readonly Address[]; readonly hash: Hash32; readonly sinceMs: number } | undefined;
  /** When this replica last proposed the end of the epoch. */
  reconfigMs: number;
  sealedHeight: Height | undefined;
  // evidence
  readonly seen: SeenStatements;
}

/** Bounded memory of signed statements, to find contradictions in passing. */
export interface SeenStatements {
  readonly blockVotes: Map<string, { readonly value: StructValue<'BlockVote'>; readonly signature: Signature }>;
  readonly proposals: Map<string, { readonly value: StructValue<'Proposal'>; readonly signature: Signature }>;
  readonly acks: Map<string, { readonly value: StructValue<'FastAck'>; readonly signature: Signature }>;
  readonly reported: Set<string>;
}

export function send(replica: Replica, to: Target, message: Message): void {
  replica.out.push({ kind: 'send', to, message });
}
