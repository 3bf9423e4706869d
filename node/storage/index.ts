/**
 * Durable state of a node (Picolo §5.3; consensus §2.9, §2.14): the journal that is flushed before
 * anything is signed, the ledger that holds rows, versions, history and the state tree in SQLite, and
 * the pool that runs strangers' SELECTs where they can do no harm.
 *
 * @example
 *   const lock = lockFolder(folder);                               // first: one process per data folder
 *   const journal = openJournal({ path: join(folder, 'journal') });
 *   const ledger = openLedger({ path: join(folder, 'group.sqlite'), group, domain, genesis });
 *   const pool = openSqlPool({ path: ledger.path });               // a file: children cannot read ':memory:'
 *   const { columns, rows, snapshot, resultHash } = await pool.query({ database, sql: 'SELECT * FROM item AS OF 1700000000000' });
 */
export { openJournal, type JournalOptions } from './journal/journal.ts';
export { diskFiles, type Files, type OpenFile } from './files.ts';
export { openSqlPool, type SqlPool, type SqlPoolOptions, type SqlPoolStats, type SqlRequest } from './sql/pool.ts';
export type { QueryOutcome } from './sql/reader.ts';
export type { ResultSet } from './sql/result.ts';
export { openLedger, type LedgerOptions, type SqlLedger } from './ledger/ledger.ts';
export type { KeyAnswer, RangeRead, StoredKey } from './ledger/reads.ts';
export type { StoredPosition } from './ledger/positions.ts';
export { lockFolder, type FolderLock } from './lock.ts';
