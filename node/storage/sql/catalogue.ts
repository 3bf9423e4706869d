import type { Database } from 'better-sqlite3';
import { decode } from '../../../protocol/codec/index.ts';
import { rowC } from '../../../protocol/rows/index.ts';
import { emptySchema, schemaFromRow, type Schema } from '../../../protocol/schema/index.ts';
import type { DatabaseId, Timestamp } from '../../../protocol/types/index.ts';
import { blobOf, tsBlob, tsFrom } from '../file/bytes.ts';
import { sqlFaults } from './faults.ts';
import { tableKey, type ViewForm } from './views.ts';

/** What a query at a timestamp means on the file as it stands. */
export interface Snapshot {
  readonly databaseKey: number;
  readonly schemaVersion: number;
  readonly form: ViewForm;
  readonly epoch: bigint;
  readonly height: bigint;
  readonly ts: Timestamp;
}

interface PositionRow {
  epoch: bigint; height: bigint; close_ts: Buffer; max_ts: Buffer; history_from: Buffer;
}

/**
 * Resolves database and timestamp (zero = the newest closed one) inside the caller's read transaction.
 * @throws SQL_UNKNOWN_DATABASE, SQL_NOT_CLOSED, SQL_HISTORY_GONE
 */
export function resolveSnapshot(connection: Database, database: DatabaseId, asOf: Timestamp): Snapshot {
  const position = get<PositionRow>(connection, 'SELECT epoch, height, close_ts, max_ts, history_from FROM main.position');
  const known = get<{ id: bigint }>(connection, 'SELECT id FROM main.databases WHERE database = ?', blobOf(database));
  if (position === undefined || known === undefined) throw sqlFaults.unknownDatabase({ database });
  const closeTs = tsFrom(position.close_ts);
  const ts = asOf === 0n ? closeTs : asOf;
  const historyFrom = tsFrom(position.history_from);
  if (ts > closeTs) throw sqlFaults.notClosed({ asked: ts, closeTs });
  if (ts < historyFrom) throw sqlFaults.historyGone({ asked: ts, oldest: historyFrom });
  const schema = get<{ version: bigint }>(connection, newestSchema('version'), known.id, tsBlob(ts));
  return {
    databaseKey: Number(known.id),
    schemaVersion: Number(schema?.version ?? 0n),
    form: tsFrom(position.max_ts) <= ts ? 'current' : 'past',
    epoch: position.epoch,
    height: position.height,
    ts,
  };
}

export function loadSchema(connection: Database, databaseKey: number, ts: Timestamp): Schema {
  const found = get<{ row: Buffer }>(connection, newestSchema('row'), databaseKey, tsBlob(ts));
  return found === undefined ? emptySchema : schemaFromRow(decode(rowC, found.row));
}

export function loadTableIds(connection: Database, databaseKey: number): ReadonlyMap<string, number> {
  const rows = connection.prepare<[number], { id: number; name: string; since: number }>(
    "SELECT id, name, since FROM main.spaces WHERE database = ? AND index_name = ''",
  ).all(databaseKey);
  return new Map(rows.map((row) => [tableKey(row), row.id]));
}

function newestSchema(column: 'version' | 'row'): string {
  return `SELECT ${column} FROM main.schemas WHERE database = ? AND ts <= ? ORDER BY ts DESC LIMIT 1`;
}

function get<R>(connection: Database, sql: string, ...values: unknown[]): R | undefined {
  return connection.prepare<unknown[], R>(sql).safeIntegers().get(...values);
}
