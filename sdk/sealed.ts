import { NONCE_BYTES, openCell, sealCell, type CellPlace, type DataKey } from '../protocol/market/index.ts';
import { sdkFaults } from './errors.ts';
import type { Database } from './database.ts';
import { scalarOf, valueOf, type Row, type Value } from './sql/values.ts';

/** Columns of a table whose values are encrypted under one key. They are BLOB columns. */
export interface SealedColumns {
  readonly table: string;
  readonly columns: readonly string[];
  readonly key: DataKey;
}

/**
 * Encrypts the named columns of rows, ready for `insertMany` (P-3.2-role-data-provider). Each cell gets a fresh nonce and is bound to its
 * database, table, column and primary key.
 */
export async function sealRows(db: Database, { table, columns, key }: SealedColumns, rows: readonly Readonly<Record<string, unknown>>[]): Promise<Row[]> {
  const sealed: Row[] = [];
  for (const row of rows) {
    const place = await placesIn(db, table, row);
    const cells = columns.map((column, i): [string, Value] => {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      return [column, sealCell(key, place(column), scalarOf(row[column], i), nonce)];
    });
    sealed.push({ ...(row as Row), ...Object.fromEntries(cells) });
  }
  return sealed;
}

/**
 * Reads all rows of the table, proven complete, and decrypts the named columns.
 * @throws MARKET_ALTERED_CELL for a cell that this key does not open
 */
export async function openRows(db: Database, { table, columns, key }: SealedColumns): Promise<Row[]> {
  const opened: Row[] = [];
  for (const row of await db.range(table)) {
    const place = await placesIn(db, table, row);
    const cells = columns.map((column): [string, Value] => {
      const sealed = row[column];
      if (sealed === null) return [column, null];
      if (!(sealed instanceof Uint8Array)) throw sdkFaults.unknownColumn({ table, column, reason: 'it is no sealed BLOB column' });
      return [column, valueOf(openCell(key, place(column), sealed), 'number')];
    });
    opened.push({ ...row, ...Object.fromEntries(cells) });
  }
  return opened;
}

async function placesIn(db: Database, table: string, row: Readonly<Record<string, unknown>>): Promise<(column: string) => CellPlace> {
  const key = await db.table(table).keyIn(row);
  return (column) => ({ database: db.id, table, column, key });
}
