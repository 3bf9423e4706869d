import type { Application, CommittedBlock, PendingCommands } from '../../protocol/consensus/index.ts';
import {
  ZERO_HASH, type Command, type EntryId, type Hash32, type Height, type KeyVersion, type Path, type Timestamp,
} from '../../protocol/types/index.ts';
import { bodyOf, hashOf, readCommand, tokenOf } from './commands.ts';

/** One version of a key with what a reader sees under it. */
export interface Version {
  readonly ts: Timestamp;
  readonly version: EntryId;
  /** The contents: tokens of everybody who appended, or one value. Undefined when absent. */
  readonly value: readonly string[] | undefined;
}

/** The committed state of one node, rebuilt from its blocks after a crash. What is not synced is lost. */
export class Ledger implements Application {
  blocks: CommittedBlock[] = [];
  synced = 0;
  height = 0n;
  blockHash = ZERO_HASH as CommittedBlock['blockHash'];
  closeTs = 0n as Timestamp;
  private keys = new Map<Path, KeyVersion>();
  private history = new Map<Path, Version[]>();
  private writers = new Set<EntryId>();
  private folded: { ts: Timestamp; id: EntryId }[] = [];
  /** Blocks below it were dropped from the history. */
  firstKept = 1n;

  versionOf(path: Path): KeyVersion | undefined {
    const at = this.keys.get(path);
    return at === undefined || at.version === ZERO_HASH ? undefined : at;
  }

  check(command: Command, pending: PendingCommands): 'valid' | 'invalid' | 'unresolved' {
    const known = command.items.every(({ version }) => version === ZERO_HASH || this.writers.has(version) || pending(version) !== undefined);
    if (!known) return 'unresolved';
    const { invalid, hidden } = bodyOf(command);
    return invalid || hidden !== null ? 'invalid' : 'valid';
  }

  removes(command: Command): readonly Path[] {
    return bodyOf(command).removes as Path[];
  }

  commandOf(bytes: Uint8Array): Command {
    return readCommand(bytes);
  }

  blockAt(height: Height): Uint8Array | undefined {
    return height < this.firstKept ? undefined : this.blocks[Number(height) - 1]?.encoded;
  }

  /** What a client reads here: the newest version and what is under it. */
  read(path: Path): { readonly version: string; readonly value: readonly string[] | undefined } {
    return this.history.get(path)?.at(-1) ?? { version: ZERO_HASH, value: undefined };
  }

  /** Every key as of a closed timestamp. */
  snapshot(at: Timestamp): Map<Path, Version> {
    const found = new Map<Path, Version>();
    for (const [path, versions] of this.history) {
      const newest = newestAt(versions, at);
      if (newest !== undefined) found.set(path, newest);
    }
    return found;
  }

  apply(block: CommittedBlock): void {
    if (block.height !== this.height + 1n) throw new Error(`height ${block.height} after ${this.height}`);
    this.blocks.push(block);
    this.fold(block);
  }

  private fold(block: CommittedBlock): void {
    for (const entry of block.entries) {
      if (entry.outcome === 'skipped') continue;
      this.writers.add(entry.id);
      this.folded.push({ ts: entry.ts, id: entry.id });
      const removes = new Set(this.removes(entry.command));
      for (const item of entry.command.items) {
        if (entry.outcome === 'aborted' && item.path !== entry.command.noncePath) continue;
        if (item.mode === 'R') this.foldRead(item.path, entry.ts);
        else this.foldWrite(item.path, entry, removes.has(item.path));
      }
    }
    this.height = block.height;
    this.blockHash = block.blockHash;
    this.closeTs = block.closeTs;
  }

  private foldRead(path: Path, ts: Timestamp): void {
    const at = this.keys.get(path) ?? { version: ZERO_HASH as EntryId, writtenAt: 0n as Timestamp, readAt: 0n as Timestamp };
    this.keys.set(path, { ...at, readAt: ts > at.readAt ? ts : at.readAt });
  }

  private foldWrite(path: Path, { id, ts, command }: CommittedBlock['entries'][number], removed: boolean): void {
    const version = (removed ? ZERO_HASH : id) as EntryId;
    this.keys.set(path, { version, writtenAt: ts, readAt: 0n as Timestamp });
    const versions = this.history.get(path) ?? [];
    versions.push({ ts, version, value: removed ? undefined : written(command, path, versions.at(-1)?.value) });
    this.history.set(path, versions);
  }

  /** Root over the newest version at or below the closed timestamp of every key. */
  commitment(height: Height): { stateRoot: Hash32; rowCount: bigint; capsuleHead: Hash32 } {
    const at = this.blocks[Number(height) - 1];
    if (at === undefined || height > this.height) throw new Error(`no block ${height}`);
    const before = height === this.height ? this : rebuilt(this.blocks.slice(0, Number(height)));
    return before.root(at.closeTs);
  }

  private root(closeTs: Timestamp): { stateRoot: Hash32; rowCount: bigint; capsuleHead: Hash32 } {
    const leaves: string[] = [];
    for (const [path, { version }] of this.snapshot(closeTs)) if (version !== ZERO_HASH) leaves.push(`${path}${version}`);
    leaves.sort();
    const applied = this.folded.filter(({ ts }) => ts <= closeTs).map(({ ts, id }) => `${String(ts).padStart(30, '0')}${id}`).sort();
    return { stateRoot: hashOf(leaves.join()), rowCount: BigInt(leaves.length), capsuleHead: hashOf(applied.join()) };
  }

  sync(): void {
    this.synced = this.blocks.length;
  }

  /** Old blocks leave the history. */
  prune(historyBlocks: number): void {
    const first = BigInt(Math.max(1, this.blocks.length - historyBlocks));
    if (first > this.firstKept) this.firstKept = first;
  }

  /** What a crash leaves. */
  crash(keep: number): void {
    this.load(this.blocks.slice(0, Math.max(this.synced, keep)));
  }

  /** Everything is gone. */
  lose(): void {
    this.synced = 0;
    this.firstKept = 1n;
    this.load([]);
  }

  /** Takes over another ledger's state up to a height: what a snapshot transfer gives. */
  install(from: Ledger, height: Height): void {
    this.load(from.blocks.slice(0, Number(height)));
    this.firstKept = height;
    this.sync();
  }

  private load(blocks: readonly CommittedBlock[]): void {
    Object.assign(this, { height: 0n, blockHash: ZERO_HASH, closeTs: 0n, blocks: [...blocks], folded: [] });
    this.keys = new Map();
    this.history = new Map();
    this.writers = new Set();
    for (const block of blocks) this.fold(block);
    this.synced = Math.min(this.synced, blocks.length);
  }
}

/** What a command leaves under a key it writes. */
export function written(command: Command, path: string, before: readonly string[] | undefined): readonly string[] {
  const set = bodyOf(command).sets[path];
  return set === undefined ? [...(before ?? []), tokenOf(command)] : [set];
}

function newestAt(versions: readonly Version[], at: Timestamp): Version | undefined {
  let newest: Version | undefined;
  for (const version of versions) if (version.ts <= at && (newest === undefined || version.ts > newest.ts)) newest = version;
  return newest;
}

function rebuilt(blocks: readonly CommittedBlock[]): Ledger {
  const ledger = new Ledger();
  for (const block of blocks) ledger.apply(block);
  return ledger;
}
