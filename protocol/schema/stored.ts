import { limits } from '../limits/index.ts';
import { applied } from './apply.ts';
import { schemaFaults } from './faults.ts';
import { parseDdl } from './parse.ts';
import { addedColumnsSql, indexesSql, tableSql } from './print.ts';
import { emptySchema, type Row, type Schema, type Table } from './types.ts';
import { sameScalar } from './values.ts';

/** Canonical statements that make the schema: tables, then added columns, then indexes. */
export function canonicalStatements(schema: Schema): readonly string[] {
  return schemaRow(schema).filter((value) => typeof value === 'string');
}

/**
 * The row of `_schema`: its version, then for every table the version that created it and its canonical
 * statements, then added columns, then indexes.
 */
export function schemaRow(schema: Schema): Row {
  const { version, tables } = schema;
  return [
    BigInt(version),
    ...tables.flatMap((table) => [BigInt(table.since), tableSql(schema, table), ...indexesSql(table, true)]),
    ...tables.flatMap((table) => addedColumnsSql(schema, table)),
    ...tables.flatMap((table) => indexesSql(table, false)),
  ];
}

/** Reads a `_schema` row back. Throws SCHEMA_BAD_ROW for anything but the canonical row of one schema. */
export function schemaFromRow(row: Row): Schema {
  const version = versionIn(row[0]);
  if (version === 0) {
    if (row.length !== 1) throw schemaFaults.badRow({ reason: 'version 0 has no tables' });
    return emptySchema;
  }
  const schema = Object.freeze({ version, tables: tablesIn(row, version) });
  const timeless = schema.tables.find(({ since }) => since < 1 || since > version);
  if (timeless !== undefined) throw schemaFaults.badRow({ reason: 'a table from no earlier version', table: timeless.name });
  const again = schemaRow(schema);
  const same = again.length === row.length && again.every((value, i) => sameScalar(value, row[i] ?? null));
  if (!same) throw schemaFaults.badRow({ reason: 'not canonical', version });
  return schema;
}

// Lenient on purpose: whatever is out of place does not read back as the same row.
function tablesIn(row: Row, version: number): readonly Table[] {
  let tables: readonly Table[] = [];
  let since = 0;
  for (const value of row.slice(1)) {
    if (typeof value === 'bigint') since = versionIn(value);
    else if (typeof value === 'string' && value.length <= limits.sqlBytes) {
      const statement = parseDdl(value);
      tables = applied(tables, statement, statement.kind === 'addColumn' ? version + 1 : since);
    } else throw schemaFaults.badRow({ reason: 'only versions and statements' });
  }
  return tables;
}

function versionIn(value: unknown): number {
  if (typeof value !== 'bigint' || value < 0n || value > 0xffff_ffffn) throw schemaFaults.badRow({ reason: 'not a version' });
  return Number(value);
}
