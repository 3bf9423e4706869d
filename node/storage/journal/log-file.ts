import type { Files, OpenFile } from '../files.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { journalFaults } from './faults.ts';
import { encodeRecords, HEADER_BYTES, parseJournal, type ParsedJournal } from './format.ts';

/** A log is worth rewriting when it is so many times as long as the last rewrite left it, and the slack on top. */
const GROWTH = 2;

/**
 * The log on disk: where it ends, what stands behind its sound part, and how bytes get there. One
 * caller at a time. `<path>.next` is a rewrite in progress, `<path>.torn` the bytes that were cut off.
 */
export class LogFile {
  readonly found: ParsedJournal;
  readonly missing: boolean;
  #torn: boolean;
  #tail: Uint8Array;
  #end: number;
  /** Length after the last rewrite; after a restart as if there had been none. */
  #rewritten = 0;
  #file: OpenFile | undefined;
  readonly #path: string;
  readonly #files: Files;

  constructor(path: string, files: Files) {
    this.#path = path;
    this.#files = files;
    const content = readOr(path, files);
    files.remove(`${path}.next`); // a rewrite that did not reach its rename never happened
    this.found = parseJournal(content ?? new Uint8Array(0));
    this.missing = content === undefined;
    this.#end = this.found.soundBytes;
    this.#tail = content?.slice(this.#end) ?? new Uint8Array(0);
    const headless = content !== undefined && this.#end < HEADER_BYTES;
    this.#torn = headless || this.#tail.length > 0 || files.read(`${path}.torn`) !== undefined;
  }

  get torn(): boolean {
    return this.#torn;
  }

  get overgrown(): boolean {
    return this.#torn || this.#end > GROWTH * this.#rewritten + limits.journalSlackBytes;
  }

  /** Durable when it resolves. */
  async append(records: readonly Uint8Array[], firstSequence: bigint): Promise<void> {
    const creating = this.#end === 0;
    const bytes = encodeRecords(records, firstSequence, creating);
    this.#file ??= await this.#openForAppend();
    await writeAll(this.#file, bytes, this.#end);
    await this.#file.sync();
    if (creating) await this.#files.syncFolderOf(this.#path);
    this.#end += bytes.length;
  }

  /** Atomic: a crash leaves the old log or the new one. Durable when it resolves. */
  async replace(records: readonly Uint8Array[], firstSequence: bigint): Promise<void> {
    const bytes = encodeRecords(records, firstSequence, true);
    const fresh = await this.#files.open(`${this.#path}.next`, 'empty');
    await writeAll(fresh, bytes, 0);
    await fresh.sync();
    await this.#files.rename(`${this.#path}.next`, this.#path);
    await this.#files.syncFolderOf(this.#path);
    await this.#file?.close();
    this.#file = fresh;
    this.#end = bytes.length;
    this.#rewritten = bytes.length;
    this.#tail = new Uint8Array(0);
    if (this.#torn) await this.#forgetTear();
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #openForAppend(): Promise<OpenFile> {
    if (this.#tail.length > 0) await this.#keepTail();
    const file = await this.#files.open(this.#path, 'keep');
    await file.truncate(this.#end);
    return file;
  }

  /** Only after the new log is durable: an old log without this mark would look whole. */
  async #forgetTear(): Promise<void> {
    this.#files.remove(`${this.#path}.torn`);
    await this.#files.syncFolderOf(this.#path);
    this.#torn = false;
  }

  /** The cut is remembered before it is made: a crash right after it must not hide that it happened. */
  async #keepTail(): Promise<void> {
    const keep = await this.#files.open(`${this.#path}.torn`, 'empty');
    await writeAll(keep, this.#tail, 0);
    await keep.sync();
    await keep.close();
    await this.#files.syncFolderOf(this.#path);
    this.#tail = new Uint8Array(0);
  }
}

function readOr(path: string, files: Files): Uint8Array | undefined {
  try {
    return files.read(path);
  } catch (error) {
    throw journalFaults.unreadable({ path, code: (error as NodeJS.ErrnoException).code ?? 'unknown' }, error);
  }
}

/** Continues after short writes; a write that makes no progress means that the disk is full. */
async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const written = await file.write(bytes.subarray(at), position + at);
    if (written <= 0) throw journalFaults.diskFull({ bytes: bytes.length - at });
    at += written;
  }
}
