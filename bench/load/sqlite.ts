/**
 * The floor of the machine: better-sqlite3 in one process, WAL, synchronous=FULL, no network, no agreement, no proofs.
 * Callers that wait together share one transaction (group commit). Takes a `SqliteJob`, prints JSON.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import DatabaseConstructor from 'better-sqlite3';
import { closedLoop, type Load } from '../measure.ts';
import { COLUMNS, idsFrom, rowOf, TABLE_SQL } from '../world/row.ts';

export interface SqliteJob {
  readonly operation: 'insert' | 'read';
  readonly load: Load;
  readonly file: string;
  readonly rowsPerOperation: number;
  /** Rows that exist before a read bench. */
  readonly rows: number;
}

const job = JSON.parse(process.argv[2] ?? '{}') as SqliteJob;
rmSync(dirname(job.file), { recursive: true, force: true });
mkdirSync(dirname(job.file), { recursive: true });
const db = new DatabaseConstructor(job.file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(TABLE_SQL);
const insert = db.prepare(`INSERT INTO item VALUES (${COLUMNS.map((name) => `@${name}`).join(', ')})`);
const select = db.prepare('SELECT * FROM item WHERE id = ?');
const nextId = idsFrom(0);
const insertSome = (count: number): void => {
  for (let i = 0; i < count; i++) insert.run(rowOf(nextId()));
};
db.transaction(() => insertSome(job.rows))();

const waiting: (() => void)[] = [];
const commit = db.transaction((callers: number) => insertSome(callers * job.rowsPerOperation));

/** Everybody who asked in this turn of the loop is in the next transaction. */
function inserted(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) > 1) return;
    setImmediate(() => {
      const callers = waiting.splice(0);
      commit(callers.length);
      for (const done of callers) done();
    });
  });
}

const measured = await closedLoop(job.load, [], job.operation === 'insert' ? inserted : async () => {
  if (select.get(Math.floor(Math.random() * job.rows)) === undefined) throw new Error('a row that exists was not found');
});
process.stdout.write(JSON.stringify(measured));
