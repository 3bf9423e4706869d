import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

/** A small JSON file, or undefined when there is none. */
export function readStateFile<T>(file: string): T | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}

/** Replaces the file atomically; on disk when it returns. */
export function writeStateFile(file: string, value: unknown): void {
  writeBytesFile(file, new TextEncoder().encode(JSON.stringify(value)));
}

export function writeBytesFile(file: string, bytes: Uint8Array): void {
  const next = `${file}.next`;
  const handle = openSync(next, 'w', 0o600);
  try {
    writeSync(handle, bytes);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(next, file);
}
