/**
 * Frames waiting for one peer, bounded in bytes. When it is full the oldest frame goes: whatever it
 * said is the least likely to matter still, and the protocols above re-send.
 */
export class FrameQueue {
  private frames: (Uint8Array | undefined)[] = [];
  private head = 0;
  private readonly maxBytes: number;
  bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get length(): number {
    return this.frames.length - this.head;
  }

  /** Returns how many frames were dropped to make room. */
  push(frame: Uint8Array): number {
    this.frames.push(frame);
    this.bytes += frame.length;
    let dropped = 0;
    while (this.bytes > this.maxBytes && this.length > 1) {
      this.shift();
      dropped += 1;
    }
    return dropped;
  }

  shift(): Uint8Array | undefined {
    const frame = this.frames[this.head];
    if (frame === undefined) return undefined;
    this.frames[this.head++] = undefined;
    this.bytes -= frame.length;
    if (this.head > 1024 && this.head * 2 > this.frames.length) {
      this.frames = this.frames.slice(this.head);
      this.head = 0;
    }
    return frame;
  }

  peek(): Uint8Array | undefined {
    return this.frames[this.head];
  }

  clear(): void {
    this.frames = [];
    this.head = 0;
    this.bytes = 0;
  }
}
