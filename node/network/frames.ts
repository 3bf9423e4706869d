import { networkFaults } from './faults.ts';

/** A frame is a 4-byte big-endian length and that many bytes; length 0 is a keep-alive. */
export const HEADER_BYTES = 4;

export const KEEP_ALIVE: Uint8Array = new Uint8Array(HEADER_BYTES);

export function frameHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(length);
  return header;
}

/**
 * Cuts a byte stream into frames. A frame that arrives whole is a view on the chunk, not a copy; a
 * longer one is gathered in one buffer. `maxBytes` may change between frames (small until the peer
 * is known), and is checked before any memory is taken.
 */
export class FrameReader {
  maxBytes: number;
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private headerFill = 0;
  private body: Buffer | undefined;
  private bodyFill = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Calls `onFrame` for every frame that `chunk` completes; throws NETWORK_FRAME_TOO_LARGE. */
  push(chunk: Buffer, onFrame: (frame: Uint8Array) => void): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.body === undefined ? this.readHeader(chunk, at, onFrame) : this.readBody(this.body, chunk, at, onFrame);
    }
  }

  private readHeader(chunk: Buffer, from: number, onFrame: (frame: Uint8Array) => void): number {
    const copied = chunk.copy(this.header, this.headerFill, from, from + HEADER_BYTES - this.headerFill);
    this.headerFill += copied;
    const at = from + copied;
    if (this.headerFill < HEADER_BYTES) return at;
    this.headerFill = 0;
    const length = this.header.readUInt32BE();
    if (length > this.maxBytes) throw networkFaults.frameTooLarge({ bytes: length, maxBytes: this.maxBytes });
    if (chunk.length - at >= length) {
      onFrame(view(chunk, at, length));
      return at + length;
    }
    this.body = Buffer.allocUnsafeSlow(length); // its own memory: a kept frame must not pin a shared pool
    this.bodyFill = 0;
    return at;
  }

  private readBody(body: Buffer, chunk: Buffer, from: number, onFrame: (frame: Uint8Array) => void): number {
    const copied = chunk.copy(body, this.bodyFill, from);
    this.bodyFill += copied;
    if (this.bodyFill === body.length) {
      this.body = undefined;
      onFrame(view(body, 0, body.length));
    }
    return from + copied;
  }
}

function view(buffer: Buffer, at: number, length: number): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset + at, length);
}
