import { isPicoloError, type PicoloError } from '../../protocol/errors/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { concatBytes, type Digest, type Signature } from '../../protocol/types/index.ts';
import { isBelow, parseSlot, raises } from '../ports/index.ts';
import { signerFaults } from './faults.ts';
import { headerBatch, recordBatch, type GuardHeader, type GuardRecord } from './format.ts';
import type { GuardFile } from './guard-file.ts';

interface Entry {
  readonly digest: Digest;
  readonly signature: Signature;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (fault: PicoloError) => void;
}

export interface GuardState {
  readonly header: GuardHeader;
  readonly records: readonly GuardRecord[];
  readonly fileBytes: number;
  readonly nextSeq: bigint;
}

/** Compact when the log is this much larger than what it still says. */
const SLACK_BYTES = 1024 * 1024;

/**
 * What this key has said, in memory and on disk. A record is in memory from the moment it is
 * claimed, so no second claim can slip in while it is being written; everything claimed during one
 * flush shares the next one (group commit). A write error is final: nothing is claimed after it.
 */
export class Guard {
  private readonly file: GuardFile;
  private readonly slots = new Map<string, Map<string, Entry>>();
  private readonly watermarks = new Map<string, readonly string[]>();
  private readonly header: GuardHeader;
  private queue: GuardRecord[] = [];
  private waiters: Waiter[] = [];
  private fileBytes: number;
  private liveBytes = 0;
  private nextSeq: bigint;
  private flushing: Promise<void> | undefined;
  private failure: PicoloError | undefined;
  size = 0;

  constructor(file: GuardFile, state: GuardState) {
    this.file = file;
    this.header = state.header;
    this.fileBytes = state.fileBytes;
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

  /** Claims a free slot (see `find`). The claim counts at once and is durable after `flush`. */
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

  /** Resolves when everything claimed so far is on disk; rejects with SIGNER_GUARD_FAILED for good. */
  flush(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.queue.length === 0 && this.flushing === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject });
      this.flushing ??= this.run();
    });
  }

  async close(): Promise<void> {
    await this.flush().catch(() => undefined);
    this.failure ??= signerFaults.closed();
    await this.file.close();
  }

  private async run(): Promise<void> {
    await Promise.resolve(); // let this turn's other claims join
    while (this.waiters.length > 0) {
      const { queue, waiters } = this;
      this.queue = [];
      this.waiters = [];
      try {
        if (queue.length > 0) await this.write(queue);
      } catch (error) {
        this.fail(error, waiters);
        break;
      }
      for (const waiter of waiters) waiter.resolve();
    }
    this.flushing = undefined;
  }

  private async write(records: readonly GuardRecord[]): Promise<void> {
    if (this.fileBytes > 2 * this.liveBytes + SLACK_BYTES) {
      await this.compact();
      return;
    }
    const data = recordBatch(this.nextSeq, records);
    await this.file.append(this.fileBytes, data);
    this.fileBytes += data.length;
    this.nextSeq += 1n;
  }

  /** Everything that is known, queued claims included, in a new file. */
  private async compact(): Promise<void> {
    const records = [...this.known()];
    let length = 0;
    await this.file.replace((inode) => {
      const data = concatBytes(headerBatch({ ...this.header, inode }), recordBatch(1n, records));
      length = data.length;
      return data;
    });
    this.fileBytes = length;
    this.liveBytes = length;
    this.nextSeq = 2n;
  }

  private *known(): Iterable<GuardRecord> {
    for (const [key, positions] of this.watermarks) {
      const at = key.indexOf('|');
      yield { kind: 'forgotten', statement: key.slice(0, at), below: [key.slice(at + 1), ...positions].join('/') };
    }
    for (const [statement, slots] of this.slots) for (const [slot, entry] of slots) yield { kind: 'signed', statement, slot, ...entry };
  }

  private fail(error: unknown, waiters: readonly Waiter[]): void {
    const failure = isPicoloError(error) ? error : signerFaults.guardFailed({ reason: String(error) }, error);
    this.failure = failure;
    for (const waiter of [...waiters, ...this.waiters]) waiter.reject(failure);
    this.waiters = [];
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
