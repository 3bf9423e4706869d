import { encode } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { checkTransition, rowFaults, schemaFromRow, schemaRow, type Row, type Schema } from '../schema/index.ts';
import type { DatabaseId } from '../types/index.ts';
import { databaseFromRow, databaseIdOf, databaseRow, type DatabaseMetadata } from './database.ts';
import { txFaults } from './faults.ts';
import { put, rowC, type Mutation } from './mutation.ts';
import { DATABASE_TABLE, keyRef, SCHEMA_TABLE, type KeyRef } from './path.ts';
import { PlanBuilder } from './plan-builder.ts';

/** The mutation that creates a database; the transaction's `database` is `databaseIdOf(metadata)`. */
export function createDatabase(metadata: DatabaseMetadata): Mutation {
  return put(DATABASE_TABLE, [], databaseRow(metadata));
}

/** The mutation that makes `next` the schema; `next` comes from `applyDdl` on the current one. */
export function changeSchema(next: Schema): Mutation {
  return put(SCHEMA_TABLE, [], schemaRow(next));
}

export function schemaRef(database: DatabaseId): KeyRef {
  return keyRef(database, SCHEMA_TABLE, '', []);
}

export function databaseRef(database: DatabaseId): KeyRef {
  return keyRef(database, DATABASE_TABLE, '', []);
}

/** Metadata that the mutations create, if they do. Throws TX_BAD_RESERVED. */
export function createdDatabase(mutations: readonly Mutation[]): DatabaseMetadata | undefined {
  const row = reservedRow(mutations, DATABASE_TABLE);
  return row === undefined ? undefined : databaseFromRow(row);
}

/** Schema that the mutations set, if they do. Throws TX_BAD_RESERVED, SCHEMA_*. */
export function changedSchema(mutations: readonly Mutation[]): Schema | undefined {
  const row = reservedRow(mutations, SCHEMA_TABLE);
  return row === undefined ? undefined : schemaFromRow(row);
}

/** Footprint and changes of a transaction that creates a database, changes its schema, or both. */
export function planReserved(schema: Schema, database: DatabaseId, mutations: readonly Mutation[]): PlanBuilder {
  const plan = new PlanBuilder();
  if (mutations.some(({ table }) => table !== DATABASE_TABLE && table !== SCHEMA_TABLE)) throw txFaults.mixed();
  planDatabase(database, mutations, plan);
  const row = reservedRow(mutations, SCHEMA_TABLE);
  if (row === undefined) plan.read(schemaRef(database));
  else {
    const bytes = encode(rowC, row).length;
    if (bytes > limits.rowBytes) throw rowFaults.tooLong({ table: SCHEMA_TABLE, bytes, maxBytes: limits.rowBytes });
    checkTransition(schema, schemaFromRow(row));
    plan.write(schemaRef(database), row);
  }
  return plan;
}

function planDatabase(database: DatabaseId, mutations: readonly Mutation[], plan: PlanBuilder): void {
  const ref = databaseRef(database);
  const row = reservedRow(mutations, DATABASE_TABLE);
  if (row === undefined) {
    plan.read(ref);
    plan.demand(ref, 'present', () => txFaults.databaseMissing({ database }));
    return;
  }
  const named = databaseIdOf(databaseFromRow(row));
  if (named !== database) throw txFaults.wrongDatabase({ database, named });
  plan.write(ref, row);
  plan.demand(ref, 'absent', () => txFaults.databaseExists({ database }));
}

function reservedRow(mutations: readonly Mutation[], table: string): Row | undefined {
  const [mutation, second] = mutations.filter((candidate) => candidate.table === table);
  if (mutation === undefined) return undefined;
  if (second !== undefined || mutation.kind !== 'put' || mutation.key.length > 0) throw txFaults.badReserved({ table });
  return mutation.row;
}
