import { ZERO_TIMESTAMP } from '../../protocol/hlc/index.ts';
import type { Row } from '../../protocol/schema/index.ts';
import type { EntryId, Path, Timestamp } from '../../protocol/types/index.ts';

const REMEMBERED = 10_000;

/**
 * What one session did: its causal token, and the rows it wrote with the versions its receipts gave them.
 * A row that was just written can be changed again without waiting for the checkpoint that proves it.
 */
export class OwnWrites {
  private readonly rows = new Map<Path, { readonly version: EntryId; readonly content: Row }>();
  private token: Timestamp;

  constructor(token: Timestamp = ZERO_TIMESTAMP) {
    this.token = token;
  }

  /** Everything this session wrote or saw happened at or before it. */
  get bookmark(): Timestamp {
    return this.token;
  }

  advance(ts: Timestamp): void {
    if (ts > this.token) this.token = ts;
  }

  wrote(path: Path, version: EntryId, content: Row | null): void {
    this.rows.delete(path);
    if (content === null) return;
    if (this.rows.size >= REMEMBERED) this.rows.delete(this.rows.keys().next().value as Path);
    this.rows.set(path, { version, content });
  }

  contentAt(path: Path, version: EntryId): Row | undefined {
    const known = this.rows.get(path);
    return known?.version === version ? known.content : undefined;
  }
}
