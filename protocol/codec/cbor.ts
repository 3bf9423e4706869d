import { codecFaults } from './codec-faults.ts';

/*
 * The subset of CBOR (RFC 8949) that canonical bodies need: integers of 64 bits, bytes, text, arrays, booleans and null, each in
 * the one form of §4.2.1 (shortest heads, definite lengths). The reader takes that form alone, so bytes and values correspond
 * one to one, and nothing has to be encoded again to find out whether it was canonical.
 */
const UINT = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const MAX_UINT64 = (1n << 64n) - 1n;
const MOST_DEPTH = 64;
const FIRST_BYTES = 64 * 1024;
const KEPT_BYTES = 4 * 1024 * 1024;
/** Shorter texts are cheaper to copy by hand than to hand over to the platform. */
const SHORT_TEXT = 200;

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

let buffer = new Uint8Array(FIRST_BYTES);
let view = new DataView(buffer.buffer);
let end = 0;

/** Canonical bytes of a plain value: null, boolean, safe integer, bigint of 64 bits, text, bytes, array. Throws CODEC_WRONG_SHAPE for others. */
export function toCborBytes(value: unknown): Uint8Array {
  end = 0;
  write(value);
  const out = buffer.slice(0, end);
  if (buffer.length > KEPT_BYTES) resize(FIRST_BYTES);
  return out;
}

function write(value: unknown): void {
  if (typeof value === 'string') return writeText(value);
  if (typeof value === 'number') return writeNumber(value);
  if (typeof value === 'bigint') return writeBigint(value);
  if (value === null) return writeByte(NULL);
  if (typeof value === 'boolean') return writeByte(value ? TRUE : FALSE);
  if (value instanceof Uint8Array) return writeBytes(value);
  if (!Array.isArray(value)) throw codecFaults.wrongShape({ expected: 'a value that CBOR can hold', got: typeof value });
  writeHead(ARRAY, value.length);
  for (const item of value) write(item);
}

function reserve(bytes: number): void {
  if (end + bytes <= buffer.length) return;
  const before = buffer;
  resize(Math.max(2 * before.length, end + bytes));
  buffer.set(before.subarray(0, end));
}

function resize(bytes: number): void {
  buffer = new Uint8Array(bytes);
  view = new DataView(buffer.buffer);
}

function writeByte(byte: number): void {
  reserve(1);
  buffer[end++] = byte;
}

function writeHead(major: number, length: number): void {
  reserve(9);
  const type = major << 5;
  if (length < 24) {
    buffer[end++] = type | length;
  } else if (length < 0x100) {
    buffer[end++] = type | 24;
    buffer[end++] = length;
  } else if (length < 0x10000) {
    buffer[end] = type | 25;
    view.setUint16(end + 1, length);
    end += 3;
  } else if (length < 0x1_0000_0000) {
    buffer[end] = type | 26;
    view.setUint32(end + 1, length);
    end += 5;
  } else {
    writeLongHead(major, BigInt(length));
  }
}

function writeLongHead(major: number, value: bigint): void {
  reserve(9);
  buffer[end] = (major << 5) | 27;
  view.setBigUint64(end + 1, value);
  end += 9;
}

function writeNumber(value: number): void {
  if (!Number.isSafeInteger(value)) throw codecFaults.wrongShape({ expected: 'a safe integer', got: String(value) });
  if (value >= 0) writeHead(UINT, value);
  else writeHead(NEGATIVE, -1 - value);
}

function writeBigint(value: bigint): void {
  const major = value < 0n ? NEGATIVE : UINT;
  const size = value < 0n ? -1n - value : value;
  if (size > MAX_UINT64) throw codecFaults.wrongShape({ expected: 'an integer of 64 bits', got: 'a wider one' });
  if (size <= 0xffff_ffffn) writeHead(major, Number(size));
  else writeLongHead(major, size);
}

function writeBytes(value: Uint8Array): void {
  writeHead(BYTES, value.length);
  reserve(value.length);
  buffer.set(value, end);
  end += value.length;
}

function writeText(value: string): void {
  if (value.length <= SHORT_TEXT && writeAscii(value)) return;
  const bytes = utf8.encode(value);
  writeHead(TEXT, bytes.length);
  reserve(bytes.length);
  buffer.set(bytes, end);
  end += bytes.length;
}

/** False, and nothing written, when a character takes more than one byte. */
function writeAscii(value: string): boolean {
  const start = end;
  writeHead(TEXT, value.length);
  reserve(value.length);
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0x7f) {
      end = start;
      return false;
    }
    buffer[end++] = code;
  }
  return true;
}

interface Input {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
}

/** The value whose canonical bytes these are. Throws CODEC_MALFORMED for any others. */
export function fromCborBytes(bytes: Uint8Array): unknown {
  const { buffer: memory, byteOffset, length } = bytes;
  // not the caller's own array: a slice of a Node Buffer would be a view, and keep a whole message alive
  const input: Input = { bytes: new Uint8Array(memory, byteOffset, length), view: new DataView(memory, byteOffset, length), at: 0 };
  const value = read(input, 0);
  if (input.at !== length) throw malformed('bytes behind the end');
  return value;
}

function read(input: Input, depth: number): unknown {
  const first = input.bytes[input.at++];
  if (first === undefined) throw malformed('the end is missing');
  if (first === NULL) return null;
  if (first === TRUE || first === FALSE) return first === TRUE;
  const size = readSize(input, first & 31);
  switch (first >> 5) {
    case UINT: return size;
    case NEGATIVE: return negative(size);
    case BYTES: return take(input, size).slice();
    case TEXT: return readText(take(input, size));
    case ARRAY: return readArray(input, size, depth);
    default: throw malformed('a kind of value that no message holds');
  }
}

/** A number while it is exact, a bigint above; refused when a shorter head would have done. */
function readSize(input: Input, info: number): number | bigint {
  if (info < 24) return info;
  const { at } = input;
  const width = info < 28 ? 1 << (info - 24) : 0;
  if (width === 0 || at + width > input.bytes.length) throw malformed('the head of a value');
  input.at += width;
  switch (width) {
    case 1: return shortest(input.bytes[at] as number, 24);
    case 2: return shortest(input.view.getUint16(at), 0x100);
    case 4: return shortest(input.view.getUint32(at), 0x10000);
    default: {
      const value = input.view.getBigUint64(at);
      if (value <= 0xffff_ffffn) throw malformed('a longer head than needed');
      return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
    }
  }
}

function shortest(value: number, least: number): number {
  if (value < least) throw malformed('a longer head than needed');
  return value;
}

function negative(size: number | bigint): number | bigint {
  return typeof size === 'number' && size < Number.MAX_SAFE_INTEGER ? -1 - size : -1n - BigInt(size);
}

/** A view; the length is checked before anything is made of it. */
function take(input: Input, size: number | bigint): Uint8Array {
  const from = input.at;
  if (typeof size === 'bigint' || size > input.bytes.length - from) throw malformed('a length beyond the end');
  input.at += size;
  return input.bytes.subarray(from, from + size);
}

function readText(bytes: Uint8Array): string {
  if (bytes.length <= SHORT_TEXT) {
    let text = '';
    for (const byte of bytes) {
      if (byte > 0x7f) return strictUtf8(bytes);
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return strictUtf8(bytes);
}

function strictUtf8(bytes: Uint8Array): string {
  try {
    return fromUtf8.decode(bytes);
  } catch {
    throw malformed('text that is not UTF-8');
  }
}

function readArray(input: Input, size: number | bigint, depth: number): unknown[] {
  // every item takes a byte at least: no room is made for items that cannot come
  if (typeof size === 'bigint' || size > input.bytes.length - input.at) throw malformed('a length beyond the end');
  if (depth >= MOST_DEPTH) throw malformed('arrays within arrays without end');
  const out: unknown[] = [];
  for (let i = 0; i < size; i++) out.push(read(input, depth + 1));
  return out;
}

function malformed(reason: string): Error {
  return codecFaults.malformed({ reason });
}
