import { isPicoloError, type PicoloError } from '../../protocol/errors/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { concatBytes, type Digest, type Signature } from '../../protocol/types/index.ts';
import { isBelow, newestOf, parseSlot, raises } from '../ports/index.ts';
import { signerFaults } from './faults.ts';
import { headerBatch, recordBatch, type GuardHeader, type GuardRecord } from './format.ts';
import type { GuardFile } from './guard-file.ts';

interface Entry {
  readonly digest: Digest;
  readonly signature: Signature;
}

export interface GuardState {
  readonly header: GuardHeader;
  readonly records: readonly GuardRecord[];
  readonly fileBytes: number;
  readonly nextSeq: bigint;
}

/** Compact when the log is this much larger than what it still says. */
const SLACK_BYTES = 1024 * 1024;
/** How long a written record may wait for its flush. */
const FLUSH_AFTER_MS = 50;

/**
 * What this key has said, in memory and on disk. A record is in memory from the moment it is claimed, so no second
 * claim can slip in, and in the file before the signature leaves: it survives the process. The flush follows behind,
 * because the journal's record of the same statement was flushed before anybody asked for the signature (decision
 * 0180). A disk error is final: nothing is claimed after it.
 */
export class Guard {
  private readonly file: GuardFile;
  private readonly slots = new Map<string, Map<string, Entry>>();
  private readonly watermarks = new Map<string, readonly string[]>();
  private readonly header: GuardHeader;
  private queue: GuardRecord[] = [];
  private fileBytes: number;
  /** Length of the file at its last flush; each batch carries it, which tells a torn tail from damage. */
  private flushedBytes: number;
  private liveBytes = 0;
  private nextSeq: bigint;
  private writes = 0;
  private flushedWrites = 0;
  private flushing: Promise<void> | undefined;
  private compacting: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failure: PicoloError | undefined;
  size = 0;

  constructor(file: GuardFile, state: GuardState) {
    this.file = file;
    this.header = state.header;
    this.fileBytes = state.fileBytes;
    this.flushedBytes = state.fileBytes;
    this.nextSeq = state.nextSeq;
    for (const record of state.records) this.replay(record);
  }

  /** The signature that holds the slot; throws when the slot is closed or says something else. */
  find(statement: string, slot: string, digest: Digest): Signature | undefined {
    if (this.failure !== undefined) throw this.failure;
    const known = this.slots.get(statement)?.get(slot);
    if (known !== undefined) {
      if (known.digest !== digest) throw signerFaults.wouldContradict({ kind: statement, slot });
      return known.signature;
    }
    const { scope, positions } = parseSlot(slot);
    const watermark = this.watermarks.get(`${statement}|${scope}`);
    if (watermark !== undefined && isBelow(positions, watermark)) {
      throw signerFaults.belowWatermark({ kind: statement, slot, watermark: watermark.join('/') });
    }
    if (this.size >= limits.guardSlots) throw signerFaults.guardFull({ slots: this.size });
    return undefined;
  }

  newest(statement: string, prefix: string): readonly string[] | undefined {
    return newestOf(this.slots.get(statement)?.keys() ?? [], prefix);
  }

  /** Claims a free slot (see `find`). The claim counts at once, survives the process after `write` and power loss after `flush`. */
  claim(statement: string, slot: string, entry: Entry): void {
    this.keep(statement, slot, entry);
    this.queue.push({ kind: 'signed', statement, slot, ...entry });
  }

  /** Closes and forgets every slot below; durable after `flush`. A lower watermark changes nothing. */
  forget(statement: string, below: string): void {
    const { scope, positions } = parseSlot(below);
    const current = this.watermarks.get(`${statement}|${scope}`);
    if (current !== undefined && !raises(current, positions)) return;
    this.replay({ kind: 'forgotten', statement, below });
    this.queue.push({ kind: 'forgotten', statement, below });
  }

  /** Resolves when everything claimed so far is in the file; rejects with SIGNER_GUARD_FAILED for good. */
  async write(): Promise<void> {
    while (this.compacting !== undefined) await this.compacting;
    if (this.failure !== undefined) throw this.failure;
    if (this.queue.length === 0) return;
    const data = recordBatch(this.nextSeq, this.flushedBytes, this.queue);
    this.queue = [];
    try {
      this.file.append(this.fileBytes, data);
    } catch (error) {
      throw this.fail(error);
    }
    this.fileBytes += data.length;
    this.nextSeq += 1n;
    this.writes += 1;
    this.timer ??= setTimeout(() => void this.flush().catch(() => undefined), FLUSH_AFTER_MS); // a failure shows at the next claim
  }

  /** Resolves when everything claimed so far is on disk; rejects with SIGNER_GUARD_FAILED for good. */
  async flush(): Promise<void> {
    await this.write();
    const target = this.writes;
    while (this.flushedWrites < target) await (this.flushing ??= this.run());
    if (this.fileBytes > 2 * this.liveBytes + SLACK_BYTES) await (this.compacting ??= this.compact());
  }

  async close(): Promise<void> {
    await this.flush().catch(() => undefined);
    clearTimeout(this.timer);
    this.failure ??= signerFaults.closed();
    await this.file.close();
  }

  private async run(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { writes, fileBytes } = this;
    try {
      await this.file.flush();
    } catch (error) {
      throw this.fail(error);
    } finally {
      this.flushing = undefined;
    }
    this.flushedWrites = Math.max(this.flushedWrites, writes);
    this.flushedBytes = Math.max(this.flushedBytes, fileBytes);
  }

  /** Everything that is known, queued claims included, in a new file. */
  private async compact(): Promise<void> {
    const records = [...this.known()];
    this.queue = [];
    let length = 0;
    try {
      await this.flushing;
      await this.file.replace((inode) => {
        const data = concatBytes(headerBatch({ ...this.header, inode }), recordBatch(1n, 0, records));
        length = data.length;
        return data;
      });
    } catch (error) {
      throw this.fail(error);
    } finally {
      this.compacting = undefined;
    }
    this.fileBytes = length;
    this.flushedBytes = length;
    this.liveBytes = length;
    this.nextSeq = 2n;
    this.flushedWrites = this.writes;
  }

  private *known(): Iterable<GuardRecord> {
    for (const [key, positions] of this.watermarks) {
      const at = key.indexOf('|');
      yield { kind: 'forgotten', statement: key.slice(0, at), below: [key.slice(at + 1), ...positions].join('/') };
    }
    for (const [statement, slots] of this.slots) for (const [slot, entry] of slots) yield { kind: 'signed', statement, slot, ...entry };
  }

  private fail(error: unknown): PicoloError {
    this.failure ??= isPicoloError(error) ? error : signerFaults.guardFailed({ reason: String(error) }, error);
    return this.failure;
  }

  private replay(record: GuardRecord): void {
    if (record.kind === 'signed') {
      this.keep(record.statement, record.slot, { digest: record.digest, signature: record.signature });
      return;
    }
    const { scope, positions } = parseSlot(record.below);
    this.watermarks.set(`${record.statement}|${scope}`, positions);
    const slots = this.slots.get(record.statement) ?? new Map<string, Entry>();
    for (const slot of slots.keys()) {
      const parsed = parseSlot(slot);
      if (parsed.scope === scope && isBelow(parsed.positions, positions)) this.drop(slots, slot);
    }
  }

  private keep(statement: string, slot: string, entry: Entry): void {
    let slots = this.slots.get(statement);
    if (slots === undefined) this.slots.set(statement, (slots = new Map()));
    if (!slots.has(slot)) {
      this.size += 1;
      this.liveBytes += recordBytes(slot);
    }
    slots.set(slot, entry);
  }

  private drop(slots: Map<string, Entry>, slot: string): void {
    slots.delete(slot);
    this.size -= 1;
    this.liveBytes -= recordBytes(slot);
  }
}

/** Rough size of a record on disk; only decides when to compact. */
function recordBytes(slot: string): number {
  return slot.length + 120;
}
