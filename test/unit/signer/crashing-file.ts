import type { GuardFile } from '../../../node/signer/index.ts';

/** A disk in memory that can lose power: what was being written survives in part, in full or not at all. */
export class CrashingFile implements GuardFile {
  private data: Uint8Array | undefined;
  private pending: { at: number; data: Uint8Array } | undefined;
  private dead = false;
  private inodeNumber = 1n;
  appends = 0;
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

  async append(at: number, data: Uint8Array): Promise<void> {
    if (this.failNext) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    this.appends += 1;
    this.pending = { at, data };
    await new Promise((resolve) => setImmediate(resolve)); // the flush takes a while
    await this.alive();
    this.data = joined(this.data as Uint8Array, at, data);
    this.pending = undefined;
  }

  async replace(make: (inode: bigint) => Uint8Array): Promise<void> {
    const next = make(this.inodeNumber + 1n);
    await new Promise((resolve) => setImmediate(resolve));
    await this.alive();
    this.inodeNumber += 1n;
    this.data = next;
  }

  async truncate(length: number): Promise<void> {
    await this.alive();
    this.data = this.data?.slice(0, length);
  }

  async close(): Promise<void> {
    return undefined;
  }

  /** Power loss: nothing of this object resolves any more. The disk that is left, after `keep` bytes of the write in flight. */
  crash(keep: number, garbage: boolean): CrashingFile {
    this.dead = true;
    let left = this.data;
    if (this.pending !== undefined && left !== undefined) {
      const part = this.pending.data.slice(0, Math.min(keep, this.pending.data.length));
      if (garbage && part.length > 0) part[part.length - 1] = (part[part.length - 1] as number) ^ 0xff;
      left = joined(left, this.pending.at, part);
    }
    return new CrashingFile(left, this.inodeNumber);
  }

  private alive(): Promise<void> {
    return this.dead ? new Promise(() => undefined) : Promise.resolve();
  }
}

function joined(data: Uint8Array, at: number, tail: Uint8Array): Uint8Array {
  const out = new Uint8Array(at + tail.length);
  out.set(data.subarray(0, at));
  out.set(tail, at);
  return out;
}
