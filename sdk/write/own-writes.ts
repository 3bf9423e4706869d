import { ZERO_TIMESTAMP } from '../../protocol/hlc/index.ts';
import type { Row } from '../../protocol/schema/index.ts';
import type { EntryId, Path, Timestamp } from '../../protocol/types/index.ts';

const REMEMBERED = 10_000;

/** A key as this session left it; `content` null = it removed the key. */
export interface OwnRow {
  readonly version: EntryId;
  readonly content: Row | null;
}

/**
 * What one session did: its causal token, and the rows it wrote with the versions its receipts gave them.
 * A row that was just written can be changed again without waiting for the checkpoint that proves it.
 */
export class OwnWrites {
  private readonly rows = new Map<Path, OwnRow>();
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

  /** @param version zero for a removed key */
  wrote(path: Path, version: EntryId, content: Row | null): void {
    this.rows.delete(path);
    if (this.rows.size >= REMEMBERED) this.rows.delete(this.rows.keys().next().value as Path);
    this.rows.set(path, { version, content });
  }

  /** How this session left a key, if it did; somebody else may have changed it since. */
  latest(path: Path): OwnRow | undefined {
    return this.rows.get(path);
  }

  /** After an abort: somebody else did. */
  forget(path: Path): void {
    this.rows.delete(path);
  }
}
