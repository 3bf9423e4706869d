import type { CommittedBlock } from '../../../protocol/consensus/index.ts';
import { ZERO_HASH, type Timestamp } from '../../../protocol/types/index.ts';
import { bodyOf, nameOf } from '../commands.ts';
import type { Violate } from './index.ts';

export interface Executed {
  readonly id: string;
  readonly ts: Timestamp;
  readonly command: CommittedBlock['entries'][number]['command'];
}

interface KeyState {
  readonly version: string;
  readonly wts: bigint;
  readonly rts: bigint;
}

const ABSENT: KeyState = { version: ZERO_HASH, wts: 0n, rts: 0n };

/**
 * The committed chain as honest replicas tell it: one block per height, executed once more by the
 * plainest possible rules. Shares no code with the core.
 */
export class ChainChecker {
  private readonly hashes = new Map<bigint, string>();
  private readonly current = new Map<string, KeyState>();
  readonly nonces = new Map<string, string>();
  /** Fate of every executed entry. */
  readonly fate = new Map<string, 'applied' | 'aborted'>();
  readonly commandFate = new Map<string, string>();
  /** Everything that took effect, in the order of the chain. */
  readonly applied: Executed[] = [];
  /** Committed opening blocks, by epoch and view. */
  readonly openings = new Set<string>();
  private readonly rowsByValue = new Map<string, string>();
  private readonly submitted = new Set<string>();
  private height = 0n;
  closeTs = 0n;
  private readonly violate: Violate;

  constructor(violate: Violate) {
    this.violate = violate;
  }

  submit(command: string): void {
    this.submitted.add(command);
  }

  /** True when the block was new. */
  committed(node: number, block: CommittedBlock): boolean {
    const outcomes = block.entries.map(({ id, outcome }) => `${id}${outcome}`).join();
    const told = `${block.blockHash} ${block.closeTs} ${outcomes}`;
    const before = this.hashes.get(block.height);
    if (before !== undefined) {
      if (before !== told) this.violate('agreement', `replica ${node} committed another block at ${block.height}`);
      return false;
    }
    this.hashes.set(block.height, told);
    this.extend(block);
    return true;
  }

  private extend(block: CommittedBlock): void {
    if (block.height !== this.height + 1n) return this.violate('agreement', `height ${block.height} after ${this.height}`);
    if (block.closeTs < this.closeTs) this.violate('closed', `closed timestamp went back at ${block.height}`);
    for (const entry of block.entries) this.execute(entry);
    this.height = block.height;
    this.closeTs = block.closeTs;
  }

  private execute({ id, ts, command, outcome }: CommittedBlock['entries'][number]): void {
    const nonce = this.nonces.get(command.noncePath);
    if (outcome === 'skipped') {
      if (nonce === undefined && ts > this.closeTs) this.violate('execution', `skipped ${id} could have run`);
      return;
    }
    if (!this.submitted.has(command.id)) this.violate('forged', `${id} executes a command that no client sent`);
    if (ts <= this.closeTs) this.violate('closed', `${id} at ${ts} executed after ${this.closeTs} was closed`);
    if (nonce !== undefined) this.violate('exactly-once', `nonce of ${id} was used by ${nonce}`);
    this.nonces.set(command.noncePath, id);
    this.fate.set(id, outcome);
    this.commandFate.set(command.id, id);
    const { invalid, hidden } = bodyOf(command);
    if (hidden !== null && outcome === 'applied') this.violate('footprint', `${id} writes ${hidden}, which its footprint does not name`);
    const ok = ts <= command.notAfter && !invalid && hidden === null && this.holds(ts, command.items);
    if (ok !== (outcome === 'applied')) this.violate('execution', `${id} was ${outcome}, plain rules say ${ok ? 'applied' : 'aborted'}`);
    if (outcome === 'applied') this.apply({ id, ts, command });
  }

  /** No lost update: every version names its successor's base. */
  private holds(ts: Timestamp, items: Executed['command']['items']): boolean {
    return items.every(({ path, version, mode }) => {
      const at = this.current.get(path) ?? ABSENT;
      return at.version === version && ts > at.wts && (mode === 'R' || ts > at.rts);
    });
  }

  private apply(entry: Executed): void {
    const { id, ts, command } = entry;
    const { removes, unique, sets } = bodyOf(command);
    this.applied.push(entry);
    for (const { path, mode } of command.items) {
      const at = this.current.get(path) ?? ABSENT;
      if (mode === 'R') this.current.set(path, { ...at, rts: ts > at.rts ? ts : at.rts });
      else this.current.set(path, { version: removes.includes(path) ? ZERO_HASH : id, wts: ts, rts: 0n });
    }
    if (unique !== null) this.keepUnique(unique, sets[unique], id);
  }

  /** At most one live row per value of a unique index (invariant 12). */
  private keepUnique(value: string, row: string | undefined, id: string): void {
    const owner = this.rowsByValue.get(value);
    if (row === undefined) this.rowsByValue.delete(value);
    else if (owner !== undefined && owner !== row) this.violate('unique', `${id} gives ${nameOf(value)} to ${row} while ${owner} has it`);
    else this.rowsByValue.set(value, row);
  }

  /** Why an entry that is in no block can never be executed successfully any more; undefined while it still can. */
  impossible({ id, ts, command }: Executed): string | undefined {
    const nonce = this.nonces.get(command.noncePath);
    if (nonce !== undefined && nonce !== id) return `its nonce was used by ${nonce}`;
    if (ts <= this.closeTs) return `${this.closeTs} was closed without it`;
    for (const { path, version, mode } of command.items) {
      const at = this.current.get(path) ?? ABSENT;
      // an absent key can become absent again
      if (at.version !== version && version !== ZERO_HASH && this.fate.has(version)) return `${version} of ${nameOf(path) ?? path} was replaced by ${at.version}`;
      if (at.version === version && (ts <= at.wts || (mode === 'W' && ts <= at.rts))) return `a later entry used ${nameOf(path) ?? path}`;
    }
    return undefined;
  }
}
