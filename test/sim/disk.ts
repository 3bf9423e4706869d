import { encodeRecord, type JournalRecord } from '../../protocol/consensus/index.ts';
import type { Random } from './random.ts';

/** What an interrupted machine finds when it starts again. */
export interface Recovered {
  readonly records: readonly Uint8Array[];
  readonly torn: boolean;
  readonly missing: boolean;
}

/** The journal of one machine: records before `flushed` survive every crash that does not damage the disk. */
export class Disk {
  private records: JournalRecord[] = [];
  private flushed = 0;
  private torn = false;
  private missing = false;
  private image: { records: JournalRecord[]; epoch: bigint } | undefined;

  get length(): number {
    return this.records.length;
  }

  append(record: JournalRecord): void {
    this.records.push(record);
    this.missing = false;
  }

  flushUpTo(length: number): void {
    this.flushed = Math.max(this.flushed, Math.min(length, this.records.length));
  }

  /** A new file with these records takes the place of the old one. */
  rewrite(records: readonly JournalRecord[]): void {
    this.records = [...records];
    this.flushed = this.records.length;
  }

  /** Some of what was not flushed may have reached the disk all the same; the last record perhaps in part. */
  crash(random: Random, mayTear: boolean): void {
    const kept = this.flushed + random.int(this.records.length - this.flushed + 1);
    this.torn = mayTear && kept < this.records.length && random.chance(0.5);
    this.records = this.records.slice(0, kept);
    this.flushed = kept;
  }

  /** A bit of a flushed record flips: its checksum fails, and recovery stops before it. */
  flip(random: Random): void {
    if (this.records.length === 0) return;
    this.records = this.records.slice(0, random.int(this.records.length));
    this.flushed = this.records.length;
    this.torn = true;
  }

  lose(): void {
    this.rewrite([]);
    this.missing = true;
  }

  takeImage(epoch: bigint): void {
    this.image = { records: this.records.slice(0, this.flushed), epoch };
  }

  /** False when there is no image of this epoch. */
  restoreImage(epoch: bigint): boolean {
    if (this.image === undefined || this.image.epoch !== epoch) return false;
    this.rewrite(this.image.records);
    this.torn = false;
    return true;
  }

  recover(): Recovered {
    const { torn, missing } = this;
    this.torn = false;
    return { records: this.records.map(encodeRecord), torn, missing };
  }
}
