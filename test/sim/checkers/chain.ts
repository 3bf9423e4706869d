import type { CommittedBlock } from '../../../protocol/consensus/index.ts';
import { ZERO_HASH, type Timestamp } from '../../../protocol/types/index.ts';
import { bodyOf } from '../commands.ts';
import type { Violate } from './index.ts';

/**
 * The committed chain as honest replicas tell it: one block per height, executed once more by the
 * plainest possible rules. Shares no code with the core.
 */
export class ChainChecker {
  private readonly hashes = new Map<bigint, string>();
  private readonly current = new Map<string, { version: string; wts: bigint; rts: bigint }>();
  private readonly nonces = new Map<string, string>();
  /** Fate of every executed entry. */
  readonly fate = new Map<string, 'applied' | 'aborted'>();
  readonly commandFate = new Map<string, string>();
  private height = 0n;
  closeTs = 0n;
  private readonly violate: Violate;

  constructor(violate: Violate) {
    this.violate = violate;
  }

  committed(node: number, block: CommittedBlock): void {
    const outcomes = block.entries.map(({ id, outcome }) => `${id}${outcome}`).join();
    const told = `${block.blockHash} ${block.closeTs} ${outcomes}`;
    const before = this.hashes.get(block.height);
    if (before === undefined) {
      this.hashes.set(block.height, told);
      this.extend(block);
    } else if (before !== told) this.violate('agreement', `replica ${node} committed another block at ${block.height}`);
  }

  private extend(block: CommittedBlock): void {
    if (block.height !== this.height + 1n) return this.violate('agreement', `height ${block.height} after ${this.height}`);
    if (block.closeTs < this.closeTs) this.violate('closed', `closed timestamp went back at ${block.height}`);
    for (const entry of block.entries) {
      const { id, ts, command, outcome } = entry;
      const nonce = this.nonces.get(command.noncePath);
      if (outcome === 'skipped') {
        if (nonce === undefined && ts > this.closeTs) this.violate('execution', `skipped ${id} could have run`);
        continue;
      }
      if (ts <= this.closeTs) this.violate('closed', `${id} at ${ts} executed after ${this.closeTs} was closed`);
      if (nonce !== undefined) this.violate('exactly-once', `nonce of ${id} was used by ${nonce}`);
      this.nonces.set(command.noncePath, id);
      this.fate.set(id, outcome);
      this.commandFate.set(command.id, id);
      const ok = ts <= command.notAfter && !bodyOf(command).invalid && this.holds(ts, command.items);
      if (ok !== (outcome === 'applied')) this.violate('execution', `${id} was ${outcome}, plain rules say ${ok ? 'applied' : 'aborted'}`);
      if (outcome === 'applied') this.apply(id, ts, command.items, new Set(bodyOf(command).removes));
    }
    this.height = block.height;
    this.closeTs = block.closeTs;
  }

  /** No lost update: every version names its successor's base. */
  private holds(ts: Timestamp, items: CommittedBlock['entries'][number]['command']['items']): boolean {
    return items.every(({ path, version, mode }) => {
      const at = this.current.get(path) ?? { version: ZERO_HASH as string, wts: 0n, rts: 0n };
      return at.version === version && ts > at.wts && (mode === 'R' || ts > at.rts);
    });
  }

  private apply(id: string, ts: Timestamp, items: CommittedBlock['entries'][number]['command']['items'], removes: ReadonlySet<string>): void {
    for (const { path, mode } of items) {
      const at = this.current.get(path) ?? { version: ZERO_HASH as string, wts: 0n, rts: 0n };
      if (mode === 'R') this.current.set(path, { ...at, rts: ts > at.rts ? ts : at.rts });
      else this.current.set(path, { version: removes.has(path) ? ZERO_HASH : id, wts: ts, rts: 0n });
    }
  }
}
