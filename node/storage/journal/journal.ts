import type { Journal } from '../../ports/index.ts';
import type { PicoloError } from '../../../protocol/errors/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { diskFiles, type Files } from '../files.ts';
import { Batch } from './batch.ts';
import { diskFault, journalFaults } from './faults.ts';
import { LogFile } from './log-file.ts';

export interface JournalOptions {
  /** The log; `<path>.next` and `<path>.torn` may stand beside it. */
  readonly path: string;
  readonly files?: Files;
}

/**
 * Opens the journal at `path`. A missing file is created by the first flush, not here: until its owner
 * has recorded something, another start still reports `missing`.
 *
 * A torn tail is moved to `<path>.torn` by the first flush, and `recover().torn` stays true over
 * restarts until `rewrite` has replaced the log. After a disk error every call fails with that error.
 * @throws JOURNAL_UNREADABLE
 */
export function openJournal({ path, files = diskFiles }: JournalOptions): Journal {
  return new DiskJournal(path, files);
}

class DiskJournal implements Journal {
  readonly #path: string;
  readonly #log: LogFile;
  readonly #recovered: ReturnType<Journal['recover']>;
  #nextSequence: bigint;
  #waiting: Batch;
  #running = false;
  /** The newest batch that was handed to the disk, or will be. */
  #latest: Promise<void> = Promise.resolve();
  #failed: PicoloError | undefined;

  constructor(path: string, files: Files) {
    this.#path = path;
    this.#log = new LogFile(path, files);
    const { records, firstSequence } = this.#log.found;
    this.#recovered = { records, torn: this.#log.torn, missing: this.#log.missing };
    this.#nextSequence = firstSequence + BigInt(records.length);
    this.#waiting = new Batch(this.#nextSequence);
  }

  append(record: Uint8Array): bigint {
    if (this.#failed !== undefined) throw this.#failed;
    const maxBytes = limits.journalRecordBytes;
    if (record.length > maxBytes) throw journalFaults.recordTooLarge({ bytes: record.length, maxBytes });
    if (this.#waiting.bytes + record.length > limits.journalQueuedBytes) throw journalFaults.overloaded({ queuedBytes: this.#waiting.bytes });
    this.#waiting.add(record);
    return this.#nextSequence++;
  }

  flush(): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    if (!this.#waiting.empty) this.#start();
    return this.#latest;
  }

  get overgrown(): boolean {
    return this.#log.overgrown;
  }

  recover(): ReturnType<Journal['recover']> {
    return this.#recovered;
  }

  rewrite(records: readonly Uint8Array[]): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    this.#waiting.startOver(records, this.#nextSequence);
    this.#nextSequence += BigInt(records.length);
    this.#start();
    return this.#latest;
  }

  async close(): Promise<void> {
    if (this.#failed?.code === 'JOURNAL_CLOSED') return;
    try {
      if (this.#failed === undefined) await this.flush();
    } finally {
      this.#failed = journalFaults.closed({ path: this.#path });
      await this.#log.close();
    }
  }

  #start(): void {
    this.#latest = this.#waiting.done.promise;
    if (!this.#running) void this.#run();
  }

  /** Group commit: whatever is queued while one flush runs shares the next one. */
  async #run(): Promise<void> {
    this.#running = true;
    await Promise.resolve(); // everything appended in this turn joins the batch
    while (!this.#waiting.empty && this.#failed === undefined) {
      const batch = this.#waiting;
      this.#waiting = new Batch(this.#nextSequence);
      this.#latest = batch.done.promise;
      try {
        await this.#write(batch);
        batch.done.resolve();
      } catch (error) {
        this.#fail(diskFault(error, this.#path), batch);
      }
    }
    this.#running = false;
  }

  async #write({ replace, records, firstSequence }: Batch): Promise<void> {
    if (replace !== undefined) await this.#log.replace(replace, firstSequence);
    if (records.length > 0) await this.#log.append(records, firstSequence + BigInt(replace?.length ?? 0));
  }

  #fail(fault: PicoloError, batch: Batch): void {
    this.#failed = fault;
    batch.done.reject(fault);
    this.#waiting.done.reject(fault);
  }
}
