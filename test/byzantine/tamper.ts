/**
 * Alters a replica's SQLite file behind its back, as somebody with the operator's access would: values and checksums, so
 * that the node itself notices nothing. Used by the demo and the tests; never part of the product.
 */
import Database from 'better-sqlite3';
import { contentHashOf, keyHashOf, rowHashOf } from '../../protocol/rows/index.ts';
import { hexOf, type EntryId, type Timestamp } from '../../protocol/types/index.ts';
import type { Scalar } from '../../protocol/codec/index.ts';

export interface Tampering {
  /** Rows that were altered. */
  readonly rows: number;
  /** Puts the true values back. */
  undo(): void;
}

type Stored = Record<string, bigint | string | number | null> & { _entry: bigint; entryId: Buffer; writtenAt: Buffer; _checksum: bigint };

/**
 * Replaces column `position` of every `every`-th row of a table by what `forge` makes of it.
 * @param width columns of the table; the first is its integer key
 */
export function tamper(
  file: string, table: string, width: number, position: number, every: number, forge: (value: Scalar) => Scalar,
): Tampering {
  const db = new Database(file);
  db.defaultSafeIntegers(true);
  db.pragma('busy_timeout = 5000');
  const space = db.prepare("SELECT id FROM spaces WHERE name = ? AND index_name = ''").get(table) as { id: bigint };
  const rows = db.prepare(
    `SELECT t.*, e.entry AS entryId, e.ts AS writtenAt FROM t${space.id} t JOIN entries e ON e.id = t._entry`,
  ).all() as Stored[];
  const update = db.prepare(`UPDATE t${space.id} SET c${position} = ?, _checksum = ? WHERE c0 = ?`);
  const victims = rows.filter((_, i) => i % every === 0);
  const columns = Array.from({ length: width }, (_, i) => `c${i}`);
  db.transaction(() => {
    for (const row of victims) {
      const values = columns.map((name) => row[name] as Scalar);
      values[position] = forge(values[position] as Scalar);
      const by = { entryId: hexOf(row.entryId) as EntryId, ts: BigInt(`0x${row.writtenAt.toString('hex')}`) as Timestamp };
      const hash = rowHashOf(by, keyHashOf([values[0] as Scalar]), contentHashOf(values));
      update.run(values[position] as never, BigInt(hash.slice(0, 10)), row['c0'] as bigint);
    }
  }).immediate();
  return {
    rows: victims.length,
    undo() {
      db.transaction(() => {
        for (const row of victims) update.run(row[`c${position}`] as never, row._checksum, row['c0'] as bigint);
      }).immediate();
      db.close();
    },
  };
}
