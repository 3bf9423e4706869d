import type { BlockHash, Command, EntryId, Epoch, Hash32, Height, KeyVersion, Path, Timestamp } from '../../protocol/types/index.ts';

/** Where the ledger stands in the committed chain. Height 0 is genesis. */
export interface ChainPosition {
  readonly epoch: Epoch;
  readonly height: Height;
  readonly blockHash: BlockHash;
  readonly closeTs: Timestamp;
}

/** One entry of a committed block with the outcome that every honest replica computed. */
export interface AppliedEntry {
  readonly entryId: EntryId;
  readonly ts: Timestamp;
  readonly command: Command;
  /** 'applied' changes state; 'aborted' only consumes the nonce key. */
  readonly outcome: 'applied' | 'aborted';
}

export interface AppliedBlock extends ChainPosition {
  readonly entries: readonly AppliedEntry[];
  /** Encoded block with its certificates, kept for catch-up by replay. */
  readonly encoded: Uint8Array;
}

/** What a checkpoint commits to: the state of all versions with ts <= closeTs (consensus §2.11). */
export interface StateCommitment {
  readonly stateRoot: Hash32;
  /** Leaves in the tree. */
  readonly rowCount: bigint;
  readonly capsuleHead: Hash32;
}

/** Consecutive leaves of a checkpoint with everything needed to rebuild and verify them. */
export interface SnapshotChunk {
  readonly bytes: Uint8Array;
  /** Path after the last leaf of the chunk; null when it was the last chunk. */
  readonly next: Path | null;
}

/** The durable, single-writer state of one group: SQL rows, versions, blocks, state tree. Synchronous. */
export interface Ledger {
  position(): ChainPosition;
  /** Committed version of a key, undefined when it was never written or is deleted. */
  versionOf(path: Path): KeyVersion | undefined;
  /** 'valid' | 'invalid' | 'unresolved', see consensus `Application.check`. */
  check(command: Command, pending: (id: EntryId) => Command | undefined): 'valid' | 'invalid' | 'unresolved';
  /** Paths of W items that a valid command leaves absent. */
  removes(command: Command, pending: (id: EntryId) => Command | undefined): readonly Path[];
  /** Applies the next committed block in one SQLite transaction; heights must be consecutive. */
  apply(block: AppliedBlock): void;
  /** Encoded committed block, if still in the history window. */
  blockAt(height: Height): Uint8Array | undefined;
  /** State as of the block's closeTs; called right after `apply` of a checkpoint block; cheap to repeat. */
  commitment(height: Height): StateCommitment;
  /** Marks a checkpoint as certified (`certificate` = encoded certified checkpoint) and prunes older trees. */
  certify(height: Height, certificate: Uint8Array): void;
  /** Newest certified checkpoint, encoded. */
  certified(): { readonly height: Height; readonly certificate: Uint8Array } | undefined;
  /**
   * Leaves of a certified checkpoint from `from` on, at most `maxBytes`. A checkpoint that is asked for stays readable
   * for a while although newer ones are certified, so that a long transfer comes to its end.
   */
  exportChunk(height: Height, from: Path | null, maxBytes: number): SnapshotChunk;
  /** Verifies one chunk against `stateRoot` and stages it; throws LEDGER_BAD_CHUNK. */
  importChunk(height: Height, stateRoot: Hash32, from: Path | null, chunk: SnapshotChunk): void;
  /** Where to go on with an interrupted snapshot; null when every chunk of it is staged. */
  stagedUpTo(height: Height): Path | null;
  /**
   * Replaces the state by the staged chunks once complete; `position` becomes the checkpoint's. `tail`: the last blocks up
   * to that height, in order, as many as hold entries above its `closeTs`. Those entries are no part of the checkpoint, so
   * they come from the blocks themselves; later blocks build on them.
   */
  installSnapshot(position: ChainPosition, commitment: StateCommitment, certificate: Uint8Array, tail?: readonly AppliedBlock[]): void;
  /** fsync of everything applied so far, before the journal may be cut. */
  sync(): void;
  close(): void;
}
