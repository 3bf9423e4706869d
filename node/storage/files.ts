import { closeSync, constants, mkdirSync, openSync, promises, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

/** One open file. Writes may be short; nothing is durable before `sync` resolves. */
export interface OpenFile {
  /** Bytes written, possibly fewer than given. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Whatever was written is on the disk when it resolves. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * What the journal needs from a disk. Injectable, so that tests meet a full disk, short writes, failing
 * flushes and crashes that lose what was not flushed.
 */
export interface Files {
  /** Whole content, undefined when the file does not exist. */
  read(path: string): Uint8Array | undefined;
  /** Opens for writing, creating the file when it is missing; `empty` cuts it to nothing. */
  open(path: string, mode: 'keep' | 'empty'): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): void;
  /** Makes creations and renames inside the folder of `path` durable. */
  syncFolderOf(path: string): Promise<void>;
}

/** Writes that end on the disk spare a second way through the thread pool; not everywhere. */
const DURABLE_WRITES: number | undefined = constants.O_DSYNC;

/** The real disk. */
export const diskFiles: Files = {
  read(path) {
    try {
      return readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
  async open(path, mode) {
    mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(path, mode === 'empty' ? 'w' : 'a')); // what is opened below must be there
    const handle = await promises.open(path, constants.O_RDWR | (DURABLE_WRITES ?? 0));
    return {
      write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
      sync: async () => (DURABLE_WRITES === undefined ? handle.datasync() : undefined),
      truncate: (length) => handle.truncate(length),
      close: () => handle.close(),
    };
  },
  rename: (from, to) => promises.rename(from, to),
  remove: (path) => rmSync(path, { force: true }),
  async syncFolderOf(path) {
    if (process.platform === 'win32') return; // folders cannot be opened there; renames are journaled by the file system
    const handle = await promises.open(dirname(path), 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
