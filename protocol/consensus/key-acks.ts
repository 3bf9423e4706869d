import { invariant } from '../errors/index.ts';
import type { EntryId, Item, Path, Timestamp } from '../types/index.ts';
import type { AckedEntry } from './state.ts';

/**
 * Acknowledged entries that use one key. Every transaction of a database reads its schema, so thousands may stand
 * under one key: what is asked of all of them is kept in sums.
 */
export class KeyAcks {
  private readonly path: Path;
  private readonly entries = new Map<EntryId, AckedEntry>();
  private readonly readers = new Map<EntryId, { count: number; fromTs: Timestamp }>();
  private writers = 0;
  /** At or above all of their timestamps. */
  toTs = 0n as Timestamp;

  constructor(path: Path) {
    this.path = path;
  }

  get size(): number {
    return this.entries.size;
  }

  values(): Iterable<AckedEntry> {
    return this.entries.values();
  }

  /** When all of them read the version and none writes: a timestamp at or below theirs. */
  readersFrom(version: EntryId): Timestamp | undefined {
    return this.writers === 0 && this.readers.size === 1 ? this.readers.get(version)?.fromTs : undefined;
  }

  add(entry: AckedEntry): void {
    this.entries.set(entry.id, entry);
    if (entry.ts > this.toTs) this.toTs = entry.ts;
    const item = this.itemOf(entry);
    if (item.mode === 'W') {
      this.writers += 1;
      return;
    }
    const readers = this.readers.get(item.version);
    if (readers === undefined) this.readers.set(item.version, { count: 1, fromTs: entry.ts });
    else Object.assign(readers, { count: readers.count + 1, fromTs: entry.ts < readers.fromTs ? entry.ts : readers.fromTs });
  }

  delete(entry: AckedEntry): void {
    if (!this.entries.delete(entry.id)) return;
    const { mode, version } = this.itemOf(entry);
    const readers = this.readers.get(version);
    if (mode === 'W') this.writers -= 1;
    else if (readers !== undefined && --readers.count === 0) this.readers.delete(version);
  }

  private itemOf({ command }: AckedEntry): Item {
    const item = command.items.find(({ path }) => path === this.path);
    invariant(item !== undefined, 'acked-entry-uses-its-keys', { path: this.path });
    return item;
  }
}
