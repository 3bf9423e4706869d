import type { Domain } from '../../../protocol/codec/index.ts';
import { ZERO_TIMESTAMP } from '../../../protocol/hlc/index.ts';
import { invariant } from '../../../protocol/errors/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import type { DatabaseMetadata, RowProof } from '../../../protocol/rows/index.ts';
import type { Schema } from '../../../protocol/schema/index.ts';
import {
  ZERO_HASH, type Command, type DatabaseId, type EntryId, type GroupId, type Hash32, type Height, type KeyVersion, type Path,
  type Timestamp,
} from '../../../protocol/types/index.ts';
import type { AppliedBlock, AppliedEntry, ChainPosition, Ledger, SnapshotChunk, StateCommitment } from '../../ports/index.ts';
import { tsBlob } from '../file/bytes.ts';
import { Applier } from './apply.ts';
import { PendingChanges } from './changes.ts';
import { Checkpoints } from './checkpoints.ts';
import { Entries } from './entries.ts';
import { History } from './history.ts';
import { Intents } from './intents.ts';
import { Leaves } from './leaves.ts';
import { Nonces, Recent } from './nonces.ts';
import { readPosition, writePosition, type StoredPosition } from './positions.ts';
import { Reads, type KeyAnswer, type RangeRead } from './reads.ts';
import { RowStore } from './row-store.ts';
import { Snapshots } from './snapshot.ts';
import { expiringTables, Spaces } from './spaces.ts';
import { Stages } from './stages.ts';
import { Store } from './store.ts';
import { Validity } from './validity.ts';

export interface LedgerOptions {
  /** The group's SQLite file; ':memory:' for tests and throw-away networks. */
  readonly path: string;
  readonly group: GroupId;
  readonly domain: Domain;
  /** Where a new ledger starts. */
  readonly genesis: ChainPosition;
  /** How far AS OF reaches back; default limits.historyMs. */
  readonly historyMs?: number;
}

/** The port, and what the API of a node reads. */
export interface SqlLedger extends Ledger {
  /** For `openSqlPool`. */
  readonly path: string;
  position(): StoredPosition;
  databases(): readonly DatabaseId[];
  metadata(database: DatabaseId): DatabaseMetadata | undefined;
  /** Newest schema; empty for an unknown database. */
  schema(database: DatabaseId): Schema;
  /** One key at a kept checkpoint, from storage, with the tree's proof. Throws LEDGER_UNKNOWN_CHECKPOINT. */
  readAt(height: Height, path: Path): KeyAnswer;
  /** Path of the leaf with this rank. Throws LEDGER_UNKNOWN_CHECKPOINT, LEDGER_RANK_OUT_OF_RANGE. */
  pathAt(height: Height, rank: bigint): Path;
  /** First `limit` keys between two paths (inclusive) and the proof that none is missing. */
  range(height: Height, from: Path, to: Path, limit: number): RangeRead | 'unavailable';
  /** Certificate of one of the newest `limits.stateRootsKept` checkpoints: the height later pages of a range are read at. */
  certifiedAt(height: Height): Uint8Array | undefined;
  /** Proof of a decision of this group about a transaction over several (X-FINISH), for participants that ask late. */
  keepDecision(plan: Hash32, decided: Uint8Array): void;
  /** What was kept; undefined for a plan that was not decided to commit, or not while this ledger followed the chain. */
  decision(plan: Hash32): Uint8Array | undefined;
  /** Who wrote the row at the checkpoint. */
  provenance(height: Height, path: Path): RowProof | undefined;
}

/** Opens or creates the ledger of a group. @throws LEDGER_WRONG_FILE, LEDGER_WRONG_FORMAT, LEDGER_CORRUPT */
export function openLedger(options: LedgerOptions): SqlLedger {
  return new GroupLedger(options);
}

class GroupLedger implements SqlLedger {
  readonly path: string;
  readonly #store: Store;
  readonly #spaces: Spaces;
  readonly #entries: Entries;
  readonly #leaves: Leaves;
  readonly #nonces: Nonces;
  readonly #recent: Recent;
  readonly #checkpoints: Checkpoints;
  readonly #validity: Validity;
  readonly #applier: Applier;
  readonly #intents: Intents;
  readonly #stages: Stages;
  readonly #reads: Reads;
  readonly #snapshots: Snapshots;
  readonly #history: History;
  #position: StoredPosition;

  constructor({ path, group, domain, genesis, historyMs = limits.historyMs }: LedgerOptions) {
    this.path = path;
    const store = (this.#store = new Store(path, group));
    const spaces = (this.#spaces = new Spaces(store));
    const entries = (this.#entries = new Entries(store));
    const nonces = (this.#nonces = new Nonces(store));
    const recent = (this.#recent = new Recent(store));
    const rows = new RowStore(store);
    const pending = new PendingChanges(store);
    const leaves = (this.#leaves = new Leaves(store, spaces, rows, entries));
    const checkpoints = (this.#checkpoints = new Checkpoints({ store, leaves, pending, nonces, entries }));
    const applier = (this.#applier = new Applier({ store, spaces, rows, leaves, entries, nonces, recent, pending }));
    const reads = (this.#reads = new Reads({ leaves, entries, checkpoints }));
    const validity = (this.#validity = new Validity({ domain, spaces, leaves, entries }));
    const intents = (this.#intents = new Intents(store));
    this.#stages = new Stages({ store, applier, intents, transactionOf: (part) => validity.transactionOf(part) });
    this.#snapshots = new Snapshots({ domain, store, spaces, rows, leaves, entries, nonces, checkpoints, reads, applier });
    this.#history = new History({ store, rows, leaves, entries, historyMs });
    if (store.isNew) writePosition(store, { ...genesis, maxTs: ZERO_TIMESTAMP, historyFrom: ZERO_TIMESTAMP });
    this.#position = readPosition(store);
  }

  position(): StoredPosition {
    return this.#position;
  }

  versionOf(path: Path): KeyVersion | undefined {
    return this.#intents.over(path, (at) => this.#versionOf(at));
  }

  #versionOf(path: Path): KeyVersion | undefined {
    const leaf = this.#leaves.version(path);
    const recent = this.#recent.get(path);
    if (leaf !== undefined) {
      const { entryId, ts } = leaf;
      const expired = expiringTables.has(leaf.space.table) && this.#nonces.isExpired(path, ts, this.#position.closeTs);
      const writtenAt = recent !== undefined && recent.writtenAt > ts ? recent.writtenAt : ts; // an intent stood here since
      if (!expired) return { version: entryId, writtenAt, readAt: recent?.readAt ?? ZERO_TIMESTAMP };
    }
    return recent === undefined ? undefined : { version: ZERO_HASH as EntryId, ...recent };
  }

  check(command: Command, pending: (id: EntryId) => Command | undefined): 'valid' | 'invalid' | 'unresolved' {
    return this.#validity.check(command, pending);
  }

  removes(command: Command, pending: (id: EntryId) => Command | undefined): readonly Path[] {
    return this.#validity.removes(command, pending);
  }

  apply(block: AppliedBlock): void {
    invariant(block.height === this.#position.height + 1n, 'ledger-blocks-in-order', { at: this.#position.height, got: block.height });
    this.#atomically(() => {
      const maxTs = this.#applyAll(block.entries, this.#position.maxTs);
      const { epoch, height, blockHash, closeTs } = block;
      this.#keepBlock(block, maxTs);
      this.#recent.prune(closeTs);
      this.#intents.prune(closeTs);
      const intent = this.#intents.oldest();
      invariant(intent === undefined || closeTs < intent, 'ledger-time-closes-below-intents', { closeTs, intent }); // X-CLOSE
      writePosition(this.#store, { epoch, height, blockHash, closeTs, maxTs, historyFrom: this.#position.historyFrom });
    });
  }

  blockAt(height: Height): Uint8Array | undefined {
    const row = this.#store.get<{ encoded: Buffer }>('SELECT encoded FROM blocks WHERE height = ?', height);
    return row === undefined ? undefined : new Uint8Array(row.encoded);
  }

  commitment(height: Height): StateCommitment {
    const { stateRoot, rowCount, capsuleHead } = this.#checkpoints.commitment(height);
    return { stateRoot, rowCount, capsuleHead };
  }

  certify(height: Height, certificate: Uint8Array): void {
    this.#checkpoints.certify(height, certificate);
    this.#atomically(() => this.#history.prune(height, this.#checkpoints.oldestCloseTs()));
  }

  certified(): { readonly height: Height; readonly certificate: Uint8Array } | undefined {
    return this.#checkpoints.certified();
  }

  certifiedAt(height: Height): Uint8Array | undefined {
    return this.#checkpoints.certifiedAt(height);
  }

  exportChunk(height: Height, from: Path | null, maxBytes: number): SnapshotChunk {
    return this.#snapshots.exportChunk(height, from, maxBytes);
  }

  importChunk(height: Height, stateRoot: Hash32, from: Path | null, chunk: SnapshotChunk): void {
    this.#snapshots.importChunk(height, stateRoot, from, chunk);
  }

  installSnapshot(position: ChainPosition, commitment: StateCommitment, certificate: Uint8Array, tail: readonly AppliedBlock[] = []): void {
    try {
      this.#atomically(() => {
        this.#snapshots.install(position, commitment, certificate);
        this.#validity.forget();
        this.#recent.forget();
        this.#intents.forget();
        const maxTs = this.#applyAll(tail.flatMap(({ entries }) => entries.filter(({ ts }) => ts > position.closeTs)), position.closeTs);
        tail.reduce((max, block) => this.#keepBlock(block, highest(block.entries, max)), position.closeTs);
        writePosition(this.#store, { ...position, maxTs, historyFrom: position.closeTs });
      });
    } catch (error) {
      this.#checkpoints.reload(); // the file went back, the tree must follow
      throw error;
    }
  }

  stagedUpTo(height: Height): Path | null {
    return this.#snapshots.stagedUpTo(height);
  }

  databases(): readonly DatabaseId[] {
    return this.#spaces.databases();
  }

  metadata(database: DatabaseId): DatabaseMetadata | undefined {
    return this.#validity.metadata(database);
  }

  schema(database: DatabaseId): Schema {
    return this.#spaces.schema(database);
  }

  readAt(height: Height, path: Path): KeyAnswer {
    return this.#reads.readAt(height, path);
  }

  pathAt(height: Height, rank: bigint): Path {
    return this.#reads.pathAt(height, rank);
  }

  range(height: Height, from: Path, to: Path, limit: number): RangeRead | 'unavailable' {
    return this.#reads.range(height, from, to, limit);
  }

  keepDecision(plan: Hash32, decided: Uint8Array): void {
    this.#stages.keepDecision(plan, decided);
  }

  decision(plan: Hash32): Uint8Array | undefined {
    return this.#stages.decision(plan);
  }

  provenance(height: Height, path: Path): RowProof | undefined {
    return this.#reads.provenance(height, path);
  }

  sync(): void {
    this.#store.sync();
  }

  close(): void {
    this.#store.close();
  }

  /** For catch-up by replay. */
  #keepBlock({ height, closeTs, encoded }: AppliedBlock, maxTs: Timestamp): Timestamp {
    this.#store.run('INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?)', height, tsBlob(closeTs), tsBlob(maxTs), encoded);
    return maxTs;
  }

  /** Returns the highest timestamp seen so far. */
  #applyAll(entries: readonly AppliedEntry[], maxTs: Timestamp): Timestamp {
    for (const entry of entries) {
      if (entry.command.stage !== undefined) {
        this.#stages.apply(entry);
        continue;
      }
      const tx = this.#validity.transactionOf(entry.command);
      invariant(tx !== 'invalid', 'ledger-committed-commands-are-genuine', { entry: entry.entryId });
      this.#applier.apply(entry, tx, this.#validity.changes(entry.command));
    }
    return highest(entries, maxTs);
  }

  /** What is cached in memory follows the file: kept on commit, read again after a failure. */
  #atomically(action: () => void): void {
    try {
      this.#store.atomically(() => {
        action();
        this.#entries.settle();
        this.#recent.settle();
      });
    } catch (error) {
      for (const cache of [this.#entries, this.#leaves, this.#recent, this.#intents, this.#spaces, this.#validity]) cache.forget();
      throw error;
    } finally {
      this.#position = readPosition(this.#store);
    }
  }
}

const highest = (entries: readonly AppliedEntry[], before: Timestamp): Timestamp => entries.reduce((max, { ts }) => (ts > max ? ts : max), before);
