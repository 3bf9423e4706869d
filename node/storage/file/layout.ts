import type { Scalar } from '../../../protocol/codec/index.ts';
import type { Column, Table } from '../../../protocol/schema/index.ts';

/**
 * The SQLite file of a group (docs/decisions/0023). All databases of the group share it, because a block
 * is one transaction. Users' tables are `t<id>` (current rows) and `h<id>` (superseded ones), columns
 * `c0…`; names live in `spaces` and `schemas`, so a rename or a reserved word never meets SQLite.
 */
export const layoutVersion = 4n;

export const layout = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

  -- one row: where the chain stands, the highest timestamp applied, and the oldest that AS OF can reach
  CREATE TABLE position (
    id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, height INTEGER NOT NULL, hash BLOB NOT NULL, close_ts BLOB NOT NULL,
    max_ts BLOB NOT NULL, history_from BLOB NOT NULL
  ) STRICT;

  CREATE TABLE databases (id INTEGER PRIMARY KEY, database BLOB NOT NULL UNIQUE) STRICT;
  -- every version a schema ever had, from the timestamp it took effect
  CREATE TABLE schemas (
    database INTEGER NOT NULL, ts BLOB NOT NULL, version INTEGER NOT NULL, entry BLOB NOT NULL, row BLOB NOT NULL, PRIMARY KEY (database, ts)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX schemas_entry ON schemas (entry);
  -- kinds of leaves: the rows of a table (index_name empty), an index, the counters of a reference; since = schema version of the table's birth
  CREATE TABLE spaces (
    id INTEGER PRIMARY KEY, database INTEGER NOT NULL, name TEXT NOT NULL, index_name TEXT NOT NULL, since INTEGER NOT NULL,
    dropped_ts BLOB, UNIQUE (database, name, index_name, since)
  ) STRICT;

  -- who wrote what: one row per entry that a leaf, current or superseded, still points to (refs); no head where nobody signed (decisions)
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY, entry BLOB NOT NULL, ts BLOB NOT NULL, head BLOB NOT NULL, mutations BLOB NOT NULL, refs INTEGER NOT NULL
  ) STRICT;

  -- every leaf of the newest state; rows keep their content in t<space>, everything else keeps it here
  CREATE TABLE leaves (
    path BLOB PRIMARY KEY, hash BLOB NOT NULL, entry INTEGER NOT NULL, space INTEGER NOT NULL, key BLOB NOT NULL, content BLOB, mutation INTEGER
  ) STRICT, WITHOUT ROWID;
  -- superseded leaves, for reads at a checkpoint; the content of rows is in h<space>
  CREATE TABLE old_leaves (
    path BLOB NOT NULL, to_ts BLOB NOT NULL, hash BLOB NOT NULL, entry INTEGER NOT NULL, space INTEGER NOT NULL, key BLOB NOT NULL, content BLOB,
    mutation INTEGER, PRIMARY KEY (path, to_ts)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX old_leaves_to ON old_leaves (to_ts);
  CREATE TABLE nonces (path BLOB NOT NULL, ts BLOB NOT NULL, not_after BLOB NOT NULL, PRIMARY KEY (path, ts)) STRICT, WITHOUT ROWID;
  CREATE INDEX nonces_end ON nonces (not_after);
  -- keys read or removed above the closed timestamp: lower timestamps may not write there any more
  CREATE TABLE recent (path BLOB PRIMARY KEY, written_ts BLOB NOT NULL, read_ts BLOB NOT NULL) STRICT, WITHOUT ROWID;

  -- keys of transactions over several groups: open intents, and what above the closed timestamp has no leaf to tell its version
  CREATE TABLE intents (path BLOB PRIMARY KEY, version BLOB NOT NULL, ts BLOB NOT NULL, open INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  -- keys that open parts have only read
  CREATE TABLE holds (path BLOB NOT NULL, prepare BLOB NOT NULL, PRIMARY KEY (path, prepare)) STRICT, WITHOUT ROWID;
  -- proofs of own decisions to commit, for participants that ask late
  CREATE TABLE decisions (plan BLOB PRIMARY KEY, decided BLOB NOT NULL) STRICT, WITHOUT ROWID;

  -- what changed since the newest certified checkpoint, with what was there before; folded = the checkpoint that took it in
  CREATE TABLE pending (
    id INTEGER PRIMARY KEY, ts BLOB NOT NULL, entry BLOB NOT NULL, applied INTEGER NOT NULL, changes BLOB NOT NULL, folded INTEGER
  ) STRICT;
  CREATE INDEX pending_folded ON pending (folded);
  CREATE TABLE checkpoints (
    height INTEGER PRIMARY KEY, close_ts BLOB NOT NULL, root BLOB NOT NULL, count INTEGER NOT NULL, capsule BLOB NOT NULL, certificate BLOB
  ) STRICT;
  -- max_ts: highest timestamp of this block and all before it
  CREATE TABLE blocks (height INTEGER PRIMARY KEY, close_ts BLOB NOT NULL, max_ts BLOB NOT NULL, encoded BLOB NOT NULL) STRICT;
  CREATE TABLE staged (
    height INTEGER NOT NULL, from_path BLOB NOT NULL, next BLOB, bytes BLOB NOT NULL, PRIMARY KEY (height, from_path)
  ) STRICT;
`;

const affinity = { INTEGER: 'INTEGER', BOOLEAN: 'INTEGER', TIMESTAMP: 'INTEGER', REAL: 'REAL', TEXT: 'TEXT', BLOB: 'BLOB' } as const;

/** Columns that stand behind a row's own: who wrote it, when, which mutation it was, and a checksum against bit rot. */
export const hiddenColumns = '_entry INTEGER NOT NULL, _ts BLOB NOT NULL, _mutation INTEGER NOT NULL, _checksum INTEGER NOT NULL';

/** Column list of the first `count` columns: `c0, c1, …`. */
export function columnNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `c${i}`);
}

export function columnSql(table: Table, position: number): string {
  const type = table.columns[position]?.type ?? 'BLOB';
  return `c${position} ${affinity[type]}`;
}

/**
 * Statements that create the current and the history table. Rows lie in primary-key order, so an
 * unordered scan gives the same order on every replica, however its rows got there.
 */
export function createTableSql(id: number, table: Table): string {
  const key = table.primaryKey.map((position) => `c${position}`);
  const columns = table.columns.map((_, i) => columnSql(table, i)).join(', ');
  const clustered = isRowId(table) ? 'STRICT' : 'STRICT, WITHOUT ROWID';
  return `
    CREATE TABLE t${id} (${columns}, ${hiddenColumns}, PRIMARY KEY (${key.join(', ')})) ${clustered};
    CREATE TABLE h${id} (${columns}, ${hiddenColumns}, _to BLOB NOT NULL) STRICT;
    CREATE INDEX h${id}_key ON h${id} (${key.join(', ')}, _to);
    CREATE INDEX h${id}_to ON h${id} (_to);
  `;
}

/** SQLite stores such a table by its key anyway. */
function isRowId(table: Table): boolean {
  const [only, ...more] = table.primaryKey;
  return more.length === 0 && only !== undefined && affinity[table.columns[only]?.type ?? 'BLOB'] === 'INTEGER';
}

export function indexName(id: number, name: string): string {
  return `"i${id}_${name.replaceAll('"', '""')}"`;
}

export function createIndexSql(id: number, name: string, columns: readonly number[]): string {
  return `CREATE INDEX ${indexName(id, name)} ON t${id} (${columns.map((position) => `c${position}`).join(', ')})`;
}

/** Existing rows, current and superseded, get the default at once. */
export function addColumnSql(id: number, table: Table, column: Column): string {
  const position = table.columns.findIndex(({ name }) => name === column.name);
  const missing = column.default === null ? '' : ` DEFAULT ${literalOf(column.default)}`;
  return ['t', 'h'].map((kind) => `ALTER TABLE ${kind}${id} ADD COLUMN ${columnSql(table, position)}${missing};`).join(' ');
}

function literalOf(value: Scalar): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  if (typeof value === 'number') return Number.isInteger(value) ? value.toFixed(1) : String(value);
  return String(value);
}
