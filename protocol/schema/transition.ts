import { schemaFaults } from './faults.ts';
import { isConstraint } from './names.ts';
import { addedColumnsSql, indexSql, tableSql } from './print.ts';
import type { Column, Index, Schema, Table } from './types.ts';

/** What a schema change does to what is stored; the work of a storage engine, in this order. */
export interface SchemaEffects {
  /** All their rows, index leaves and child counters leave the state. */
  readonly droppedTables: readonly Table[];
  readonly droppedIndexes: readonly { readonly table: Table; readonly index: Index }[];
  readonly createdTables: readonly Table[];
  readonly addedColumns: readonly { readonly table: Table; readonly column: Column }[];
  /** On tables that stay: every existing row gets a leaf, written by the entry that changed the schema. */
  readonly createdIndexes: readonly { readonly table: Table; readonly index: Index }[];
}

/**
 * The rule every replica applies to a proposed schema: the next version, reachable by DDL statements
 * from the current one without looking at any row. Throws SCHEMA_BAD_TRANSITION, SCHEMA_UNIQUE_ON_EXISTING,
 * SCHEMA_COLUMN_NEEDS_DEFAULT.
 */
export function checkTransition(before: Schema, after: Schema): void {
  if (after.version !== before.version + 1) throw bad('version', undefined, { before: before.version, after: after.version });
  const kept = after.tables.filter(({ since }) => since <= before.version);
  const expected = before.tables.filter((table) => kept.some((other) => isSame(table, other)));
  // kept tables in their order, new ones behind them
  const names = [...expected, ...after.tables.filter(({ since }) => since === after.version)].map(({ name }) => name);
  if (kept.length !== expected.length || names.some((name, i) => after.tables[i]?.name !== name)) throw bad('tables');
  for (const table of expected) checkKept(before, after, table, after.tables.find((other) => isSame(table, other)) as Table);
}

/** Difference of two versions in terms of storage; call it on versions that passed `checkTransition`. */
export function schemaEffects(before: Schema, after: Schema): SchemaEffects {
  const pairs = before.tables.flatMap((old) => {
    const now = after.tables.find((table) => isSame(table, old));
    return now === undefined ? [] : [{ old, now }];
  });
  return {
    droppedTables: before.tables.filter((table) => !pairs.some(({ old }) => old === table)),
    droppedIndexes: pairs.flatMap(({ old, now }) => missingIn(old, now).map((index) => ({ table: old, index }))),
    createdTables: after.tables.filter((table) => !pairs.some(({ now }) => now === table)),
    addedColumns: pairs.flatMap(({ old, now }) => now.columns.slice(old.columns.length).map((column) => ({ table: now, column }))),
    createdIndexes: pairs.flatMap(({ old, now }) => missingIn(now, old).map((index) => ({ table: now, index }))),
  };
}

function checkKept(before: Schema, after: Schema, old: Table, now: Table): void {
  if (tableSql(before, old) !== tableSql(after, now)) throw bad('table', now.name);
  const columns = addedColumnsSql(before, old);
  const columnsNow = addedColumnsSql(after, now);
  if (columns.some((sql, i) => columnsNow[i] !== sql)) throw bad('columns', now.name);
  now.columns.slice(old.columns.length).forEach((column) => {
    if (column.notNull && column.default === null) throw schemaFaults.columnNeedsDefault({ table: now.name, column: column.name });
  });
  const unique = missingIn(now, old).find((index) => index.unique);
  if (unique !== undefined) throw schemaFaults.uniqueOnExisting({ table: now.name, index: unique.name });
  checkReferences(before, after, old, now);
}

/** A parent may not be exchanged for a new table of the same name under rows that refer to it. */
function checkReferences(before: Schema, after: Schema, old: Table, now: Table): void {
  now.foreignKeys.forEach(({ name, parent, columns }, i) => {
    if (i < old.foreignKeys.length) {
      const stays = after.tables.some((table) => table.name === parent && before.tables.some((other) => isSame(other, table)));
      if (!stays) throw bad('parent', now.name, { parent });
    } else if (columns.some((column) => column < old.columns.length || (now.columns[column] as Column).default !== null)) {
      throw bad('reference', now.name, { reference: name });
    }
  });
}

/** The same table: a dropped and recreated one has another birth. */
function isSame(a: Table, b: Table): boolean {
  return a.name === b.name && a.since === b.since;
}

function missingIn(table: Table, other: Table): readonly Index[] {
  const known = new Set(other.indexes.map((index) => indexSql(other, index)));
  return table.indexes.filter((index) => !isConstraint(index) && !known.has(indexSql(table, index)));
}

function bad(part: string, table?: string, facts: Readonly<Record<string, string | number>> = {}): Error {
  return schemaFaults.badTransition({ part, table, ...facts });
}
