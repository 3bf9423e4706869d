import { isPicoloError, type PicoloError } from '../../protocol/errors/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Clock } from '../ports/index.ts';
import type { Channel } from './channel.ts';
import { networkFaults } from './faults.ts';
import { frameHeader, FrameReader, HEADER_BYTES, KEEP_ALIVE } from './frames.ts';
import type { FrameQueue } from './queue.ts';

export interface WireOptions {
  readonly clock: Clock;
  /** A keep-alive is sent after this much silence of ours; three times this much of theirs ends the link. */
  readonly keepAliveMs: number;
  /** Frame bound until the peer is known. */
  readonly maxBytes: number;
}

/**
 * One connection as a stream of frames: a coalescing writer that respects the connection's pressure, a
 * bounded reader and a heartbeat. It knows nothing about who is on the other side.
 */
export class Wire {
  onFrame: (frame: Uint8Array) => void = () => undefined;
  /** Called once; `fault` is set when something was wrong, not for an orderly end. */
  onClose: (fault: PicoloError | undefined) => void = () => undefined;
  private readonly channel: Channel;
  private readonly options: WireOptions;
  private readonly reader: FrameReader;
  private queue: FrameQueue | undefined;
  private blocked = false;
  private scheduled = false;
  private closed = false;
  private fault: PicoloError | undefined;
  private lastHeardMs: number;
  private wroteSinceBeat = false;
  private cancelBeat: () => void = () => undefined;

  constructor(channel: Channel, options: WireOptions) {
    this.channel = channel;
    this.options = options;
    this.reader = new FrameReader(options.maxBytes);
    this.lastHeardMs = options.clock.nowMs();
    channel.onData = (chunk) => this.receive(chunk);
    channel.onDrain = () => this.unblock();
    channel.onClose = () => this.finish();
  }

  /** From now on frames come from this queue, large frames are accepted, and the heart beats. */
  open(queue: FrameQueue): void {
    this.queue = queue;
    this.reader.maxBytes = limits.frameBytes;
    this.beat();
    this.wake();
  }

  /** Small frame written at once, ahead of the queue (handshake). */
  writeNow(frame: Uint8Array): void {
    if (this.closed) return;
    this.channel.write(Buffer.concat([frameHeader(frame.length), frame]));
  }

  /** Something was queued: write at the end of this turn of the loop, or now when there is a good load. A write is a system call, however short. */
  wake(): void {
    if (this.closed || this.blocked || this.queue === undefined) return;
    if (this.queue.bytes >= limits.coalesceBytes) {
      this.flush(this.queue);
    } else if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(() => {
        this.scheduled = false;
        if (this.queue !== undefined) this.flush(this.queue);
      });
    }
  }

  /** Orderly: what the socket still takes goes out before it closes. */
  end(): void {
    if (this.closed) return;
    if (this.queue !== undefined) this.flush(this.queue);
    this.queue = undefined;
    this.cancelBeat();
    this.channel.end();
    this.cancelBeat = this.options.clock.after(this.options.keepAliveMs, () => this.channel.destroy()); // it may have stopped reading
  }

  fail(fault: PicoloError): void {
    if (this.closed) return;
    this.fault ??= fault;
    this.channel.destroy();
    this.finish();
  }

  private receive(chunk: Buffer): void {
    if (this.closed) return;
    this.lastHeardMs = this.options.clock.nowMs();
    try {
      this.reader.push(chunk, (frame) => {
        if (!this.closed && frame.length > 0) this.onFrame(frame);
      });
    } catch (error) {
      if (!isPicoloError(error) || !error.code.startsWith('NETWORK_')) throw error; // the receiver's bug, not the peer's
      this.fail(error);
    }
  }

  private flush(queue: FrameQueue): void {
    while (!this.closed && !this.blocked && queue.length > 0) {
      const flowing = this.writeBatch(queue);
      this.wroteSinceBeat = true;
      this.blocked = !flowing;
    }
  }

  /** Small frames share one write; a large one follows its header without being copied. */
  private writeBatch(queue: FrameQueue): boolean {
    const batch: Uint8Array[] = [];
    let bytes = 0;
    for (let next = queue.peek(); next !== undefined && next.length < limits.coalesceBytes; next = queue.peek()) {
      if (bytes > 0 && bytes + next.length + HEADER_BYTES > limits.coalesceBytes) return this.channel.write(Buffer.concat(batch));
      batch.push(frameHeader(next.length), next);
      bytes += next.length + HEADER_BYTES;
      queue.shift();
    }
    const large = queue.shift();
    if (large === undefined) return this.channel.write(Buffer.concat(batch));
    batch.push(frameHeader(large.length));
    this.channel.write(Buffer.concat(batch));
    return this.channel.write(large);
  }

  private unblock(): void {
    this.blocked = false;
    if (this.queue !== undefined) this.flush(this.queue);
  }

  private beat(): void {
    const { clock, keepAliveMs } = this.options;
    this.cancelBeat = clock.after(keepAliveMs, () => {
      if (clock.nowMs() - this.lastHeardMs > 3 * keepAliveMs) {
        this.fail(networkFaults.silentPeer({ silentMs: clock.nowMs() - this.lastHeardMs }));
        return;
      }
      if (!this.wroteSinceBeat && !this.blocked) this.channel.write(KEEP_ALIVE);
      this.wroteSinceBeat = false;
      this.beat();
    });
  }

  private finish(): void {
    if (this.closed) return;
    this.closed = true;
    this.queue = undefined;
    this.cancelBeat();
    this.onClose(this.fault);
  }
}
