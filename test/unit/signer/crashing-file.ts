import type { GuardFile } from '../../../node/signer/index.ts';

/** A disk in memory that can lose power: each write since the last flush survives in part, in full or not at all. */
export class CrashingFile implements GuardFile {
  private data: Uint8Array | undefined;
  private unflushed: { at: number; data: Uint8Array }[] = [];
  private dead = false;
  private inodeNumber = 1n;
  flushes = 0;
  failNext = false;

  constructor(data?: Uint8Array, inode = 1n) {
    this.data = data;
    this.inodeNumber = inode;
  }

  async read(): Promise<Uint8Array | undefined> {
    return this.data?.slice();
  }

  async inode(): Promise<bigint> {
    return this.inodeNumber;
  }

  append(at: number, data: Uint8Array): void {
    if (this.failNext) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    this.unflushed.push({ at, data });
  }

  async flush(): Promise<void> {
    this.flushes += 1;
    const writes = [...this.unflushed];
    await new Promise((resolve) => setImmediate(resolve)); // it takes a while
    await this.alive();
    this.data = writes.reduce((data, { at, data: tail }) => joined(data, at, tail), this.data as Uint8Array);
    this.unflushed = this.unflushed.filter((write) => !writes.includes(write));
  }

  async replace(make: (inode: bigint) => Uint8Array): Promise<void> {
    const next = make(this.inodeNumber + 1n);
    await new Promise((resolve) => setImmediate(resolve));
    await this.alive();
    this.inodeNumber += 1n;
    this.data = next;
    this.unflushed = [];
  }

  async close(): Promise<void> {
    return undefined;
  }

  /** The process dies, nothing of this object resolves any more; the disk goes on with everything that was written. */
  kill(): CrashingFile {
    return this.crash(() => Infinity);
  }

  /** Power loss. `keep` says how many bytes of each unflushed write are left. */
  crash(keep: (write: number) => number): CrashingFile {
    this.dead = true;
    const left = this.unflushed.reduce((data, { at, data: tail }, i) => {
      const part = tail.slice(0, Math.max(0, keep(i)));
      return part.length === 0 || data === undefined ? data : joined(data, at, part);
    }, this.data);
    return new CrashingFile(left, this.inodeNumber);
  }

  private alive(): Promise<void> {
    return this.dead ? new Promise(() => undefined) : Promise.resolve();
  }
}

function joined(data: Uint8Array, at: number, tail: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.max(data.length, at + tail.length));
  out.set(data);
  out.set(tail, at);
  return out;
}
