import type { Files, OpenFile } from '../../node/storage/index.ts';

interface Content {
  durable: Uint8Array;
  written: Uint8Array;
}

/** Folder entries and contents in memory, with the ways in which disks fail. */
export class FaultyFiles implements Files {
  readonly flushes: string[] = [];
  /** Bytes that still fit; further writes are short, then fail with ENOSPC. */
  room = Infinity;
  /** At most this many bytes per write call. */
  maxWrite = Infinity;
  /** Errors that the next flushes end with. */
  readonly failures: string[] = [];
  /** Delays flushes so that tests can queue behind them. */
  gate: Promise<void> | undefined;
  #entries = new Map<string, Content>();
  #durable = new Map<string, Content>();

  /** Power is cut: `keep` bytes of every unflushed suffix reach the platter anyway. */
  crash(keep = 0): void {
    this.#entries = new Map(this.#durable);
    for (const content of this.#entries.values()) {
      content.written = content.written.slice(0, Math.min(content.written.length, content.durable.length + keep));
      content.durable = content.written.slice();
    }
  }

  read(path: string): Uint8Array | undefined {
    return this.#entries.get(path)?.written.slice();
  }

  /** Puts a content on the disk as it is. */
  put(path: string, bytes: Uint8Array): void {
    const content = { durable: bytes.slice(), written: bytes.slice() };
    this.#entries.set(path, content);
    this.#durable.set(path, content);
  }

  async open(path: string, mode: 'keep' | 'empty'): Promise<OpenFile> {
    const content = this.#entries.get(path) ?? { durable: new Uint8Array(0), written: new Uint8Array(0) };
    if (mode === 'empty') content.written = new Uint8Array(0);
    this.#entries.set(path, content);
    return {
      write: async (bytes, position) => this.#write(content, bytes, position),
      sync: () => this.#sync(path, content),
      truncate: async (length) => void (content.written = content.written.slice(0, length)),
      close: async () => undefined,
    };
  }

  async rename(from: string, to: string): Promise<void> {
    const content = this.#entries.get(from);
    if (content === undefined) throw Object.assign(new Error('rename'), { code: 'ENOENT' });
    this.#entries.set(to, content);
    this.#entries.delete(from);
  }

  remove(path: string): void {
    this.#entries.delete(path);
  }

  async syncFolderOf(): Promise<void> {
    this.#durable = new Map(this.#entries);
  }

  #write(content: Content, bytes: Uint8Array, position: number): number {
    const count = Math.min(bytes.length, this.maxWrite, this.room);
    if (count === 0 && bytes.length > 0) throw Object.assign(new Error('write'), { code: 'ENOSPC' });
    this.room -= count;
    const next = new Uint8Array(Math.max(content.written.length, position + count));
    next.set(content.written);
    next.set(bytes.subarray(0, count), position);
    content.written = next;
    return count;
  }

  async #sync(path: string, content: Content): Promise<void> {
    const snapshot = content.written.slice();
    await this.gate;
    const failure = this.failures.shift();
    if (failure !== undefined) throw Object.assign(new Error('fdatasync'), { code: failure });
    this.flushes.push(path);
    content.durable = snapshot;
  }
}
