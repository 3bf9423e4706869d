import { constants, writeSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { invariant } from '../../protocol/errors/index.ts';

/** The disk as the guard needs it; the tests put one in between that crashes. */
export interface GuardFile {
  /** Everything in the file, or undefined when there is none. */
  read(): Promise<Uint8Array | undefined>;
  /** Identity of the file on its disk: a restored or copied file has another one. */
  inode(): Promise<bigint>;
  /** Writes behind byte `at`: there when it returns, also if the process dies; durable after `flush`. */
  append(at: number, data: Uint8Array): void;
  flush(): Promise<void>;
  /** Creates or replaces the whole file, atomically and durably. `make` learns the new file's inode. */
  replace(make: (inode: bigint) => Uint8Array): Promise<void>;
  close(): Promise<void>;
}

// https://bford.info/cachedir: backup programs leave folders with this tag out
const CACHE_TAG = 'Signature: 8a477f597d28d172789f06886806bc55\n# Must not be restored: it says what this key has signed.\n';

/** A guard in a real folder. The folder is tagged so that backups leave it out (consensus §2.14). */
export async function openGuardFile(path: string): Promise<GuardFile> {
  await mkdir(dirname(path), { recursive: true });
  await writeTag(join(dirname(path), 'CACHEDIR.TAG'));
  return new DiskGuardFile(path);
}

class DiskGuardFile implements GuardFile {
  private readonly path: string;
  private handle: FileHandle | undefined;

  constructor(path: string) {
    this.path = path;
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async inode(): Promise<bigint> {
    return (await (await this.writer()).stat({ bigint: true })).ino;
  }

  append(at: number, data: Uint8Array): void {
    invariant(this.handle !== undefined, 'guard-file-is-open');
    for (let done = 0; done < data.length; ) done += writeSync(this.handle.fd, data, done, data.length - done, at + done);
  }

  async flush(): Promise<void> {
    await (await this.writer()).datasync();
  }

  async replace(make: (inode: bigint) => Uint8Array): Promise<void> {
    const temporary = `${this.path}.new`;
    await rm(temporary, { force: true });
    const next = await open(temporary, 'wx+', 0o600);
    await next.writeFile(make((await next.stat({ bigint: true })).ino));
    await next.sync();
    await rename(temporary, this.path);
    await syncFolder(dirname(this.path));
    await this.handle?.close();
    this.handle = next;
  }

  async close(): Promise<void> {
    await this.handle?.close();
    this.handle = undefined;
  }

  private async writer(): Promise<FileHandle> {
    this.handle ??= await open(this.path, constants.O_RDWR);
    return this.handle;
  }
}

async function writeTag(path: string): Promise<void> {
  const tag = await open(path, 'w');
  await tag.writeFile(CACHE_TAG);
  await tag.close();
}

/** A renamed file survives a crash only once its folder was flushed too. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there; NTFS journals the rename
  const folder = await open(path, 'r');
  await folder.sync();
  await folder.close();
}
