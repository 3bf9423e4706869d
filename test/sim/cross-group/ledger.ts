import type { Application, CommittedBlock } from '../../../protocol/consensus/index.ts';
import { partOf, payloadOf, stageReader } from '../../../protocol/cross-group/index.ts';
import type { CrossGroupRules } from '../../../protocol/cross-group/rules.ts';
import {
  ZERO_HASH, type Command, type EntryId, type Hash32, type Height, type KeyVersion, type Path, type Timestamp,
} from '../../../protocol/types/index.ts';
import { bodyOf, hashOf, readCommand } from '../commands.ts';

interface Balance {
  readonly ts: Timestamp;
  readonly version: string;
  readonly units: number;
}

/** Committed accounts of one node: a plain reading of the spec, with intents beside the rows. */
export class BankLedger implements Application {
  blocks: CommittedBlock[] = [];
  height = 0n;
  blockHash = ZERO_HASH as CommittedBlock['blockHash'];
  closeTs = 0n as Timestamp;
  private synced = 0;
  private keys = new Map<Path, KeyVersion>();
  private history = new Map<Path, Balance[]>();
  private known = new Set<EntryId>();
  /** Open intents: what was there before. */
  readonly intents = new Map<EntryId, Timestamp>();
  private readonly read: (bytes: Uint8Array) => Command;

  /** Set once the other groups are known. */
  timely: (command: Command) => boolean = () => true;

  constructor(rules: CrossGroupRules) {
    this.read = stageReader(readCommand, rules);
  }

  versionOf(path: Path): KeyVersion | undefined {
    const at = this.keys.get(path);
    return at === undefined || at.version === ZERO_HASH ? undefined : at;
  }

  check(command: Command, pending: (id: EntryId) => Command | undefined): 'valid' | 'invalid' | 'unresolved' {
    const known = command.items.every(({ version }) => version === ZERO_HASH || this.known.has(version) || pending(version) !== undefined);
    return known ? 'valid' : 'unresolved';
  }

  removes(): readonly Path[] {
    return [];
  }

  commandOf(bytes: Uint8Array): Command {
    return this.read(bytes);
  }

  blockAt(height: Height): Uint8Array | undefined {
    return this.blocks[Number(height) - 1]?.encoded;
  }

  apply(block: CommittedBlock): void {
    this.blocks.push(block);
    this.fold(block);
  }

  /** Newest balance at or below a time; undefined when there is none. */
  balance(path: Path, at?: Timestamp): Balance | undefined {
    let newest: Balance | undefined;
    for (const each of this.history.get(path) ?? []) if ((at === undefined || each.ts <= at) && (newest === undefined || each.ts > newest.ts)) newest = each;
    return newest;
  }

  /** The units of all accounts as of a time. */
  total(at: Timestamp): number {
    let sum = 0;
    for (const path of this.history.keys()) sum += this.balance(path, at)?.units ?? 0;
    return sum;
  }

  commitment(height: Height): { stateRoot: Hash32; rowCount: bigint; capsuleHead: Hash32 } {
    const block = this.blocks[Number(height) - 1] as CommittedBlock;
    const leaves = [...this.history.keys()].map((path) => `${path}${this.balance(path, block.closeTs)?.version ?? ''}`).sort();
    return { stateRoot: hashOf(leaves.join()), rowCount: BigInt(leaves.length), capsuleHead: hashOf(`${height}`) };
  }

  sync(): void {
    this.synced = this.blocks.length;
  }

  /** Its runs are short: history stays whole. */
  prune(): void {}

  crash(keep: number): void {
    this.load(this.blocks.slice(0, Math.max(this.synced, keep)));
  }

  install(from: BankLedger, height: Height): void {
    this.load(from.blocks.slice(0, Number(height)));
    this.sync();
  }

  private load(blocks: readonly CommittedBlock[]): void {
    Object.assign(this, { height: 0n, blockHash: ZERO_HASH, closeTs: 0n, blocks: [...blocks] });
    for (const map of [this.keys, this.history, this.known, this.intents]) map.clear();
    for (const block of blocks) this.fold(block);
    this.synced = Math.min(this.synced, blocks.length);
  }

  private fold({ entries, height, blockHash, closeTs }: CommittedBlock): void {
    for (const { id, ts, command, outcome } of entries) {
      if (outcome === 'skipped') continue;
      this.known.add(id);
      const written: KeyVersion = { version: id, writtenAt: ts, readAt: 0n as Timestamp };
      if (outcome === 'aborted') this.keys.set(command.noncePath, written);
      else if (payloadOf(command)?.kind === 'prepare') this.prepare(command, written);
      else if (command.stage?.kind === 'resolve') this.resolve(command, written);
      else this.write(command, command, written);
    }
    Object.assign(this, { height, blockHash, closeTs });
  }

  private prepare(command: Command, written: KeyVersion): void {
    const { version, writtenAt } = written;
    const holds = command.stage?.kind === 'prepare' && command.stage.holdsReads ? [version] : [];
    for (const { path, mode } of command.items) {
      if (mode === 'W') this.keys.set(path, path === command.noncePath ? written : { ...written, intent: true });
      else this.readKey(path, writtenAt, (heldBy) => [...heldBy, ...holds]);
    }
    this.intents.set(written.version, written.writtenAt);
  }

  private resolve(command: Command, written: KeyVersion): void {
    if (command.stage?.kind !== 'resolve') return;
    const { intent, restores } = command.stage;
    this.intents.delete(intent);
    for (const { path, mode } of command.items) if (mode === 'R') this.readKey(path, written.writtenAt, (heldBy) => heldBy.filter((each) => each !== intent));
    for (const [path, version] of restores) {
      const writtenAt = this.keys.get(path)?.writtenAt ?? written.writtenAt;
      this.keys.set(path, { version, writtenAt, readAt: written.writtenAt });
    }
    const kept = command.items.filter(({ path }) => !restores.has(path));
    this.write({ ...command, items: kept }, partOf(command), written);
  }

  private write(command: Command, body: Command | undefined, written: KeyVersion): void {
    const sets = body === undefined || payloadOf(body)?.kind === 'decide' ? {} : bodyOf(body).sets;
    for (const { path, mode } of command.items) {
      if (mode === 'R') {
        this.readKey(path, written.writtenAt, (heldBy) => heldBy);
        continue;
      }
      this.keys.set(path, written);
      const units = sets[path];
      if (units !== undefined) this.history.set(path, [...(this.history.get(path) ?? []), { ts: written.writtenAt, version: written.version, units: Number(units) }]);
    }
  }

  private readKey(path: Path, ts: Timestamp, holders: (heldBy: readonly EntryId[]) => readonly EntryId[]): void {
    const known = this.keys.get(path) ?? { version: ZERO_HASH as EntryId, writtenAt: 0n as Timestamp, readAt: 0n as Timestamp };
    const { heldBy = [], ...at } = known;
    const left = holders(heldBy);
    this.keys.set(path, { ...at, readAt: ts > at.readAt ? ts : at.readAt, ...(left.length === 0 ? {} : { heldBy: left }) });
  }
}
