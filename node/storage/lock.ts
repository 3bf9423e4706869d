import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { storageFaults } from './faults.ts';

/** Held until released or until the process ends, however it ends. */
export interface FolderLock {
  release(): void;
}

/**
 * Claims a data folder for this process. Two processes that share a journal would sign twice at the same
 * position, so this is the first thing a node does. The lock is the operating system's, taken
 * through SQLite: it cannot be left behind by a crash.
 * @throws STORAGE_FOLDER_IN_USE
 */
export function lockFolder(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true });
  const holder = join(folder, 'instance.pid');
  const database = new Database(join(folder, 'instance.lock'), { timeout: 0 });
  try {
    database.pragma('journal_mode = DELETE'); // the lock itself; a WAL file would admit a second opener
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw storageFaults.folderInUse({ folder, pid: readPid(holder) }, error);
  }
  writeFileSync(holder, `${process.pid}\n`);
  return { release: () => database.close() };
}

function readPid(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return 'unknown'; // only a hint for the operator
  }
}
