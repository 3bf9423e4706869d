import { compareHex, ZERO_HASH, type Address, type DatabaseId, type EntryId, type Item, type Path } from '../types/index.ts';
import type { Schema } from '../schema/index.ts';
import type { Before } from './before.ts';
import { leafOf, nonceLeafOf, type Change, type EntryRef, type LeafChange } from './leaf.ts';
import type { Mutation } from './mutation.ts';
import { keyRef, nonceRef, type KeyRef } from './path.ts';
import type { Plan, PlanBuilder } from './plan-builder.ts';
import { planRows } from './plan.ts';
import { planReserved, schemaRef } from './reserved.ts';
import { isSchemaChange, type TransactionDraft } from './transaction.ts';

export interface PlanInput {
  /** At the version the transaction builds on; `emptySchema` before the first. */
  readonly schema: Schema;
  readonly database: DatabaseId;
  readonly writer: Address;
  readonly nonce: bigint;
  readonly mutations: readonly Mutation[];
  readonly before: Before;
}

export interface FootprintInput extends PlanInput {
  /** Keys whose rows the mutations were computed from, with the version seen (zero = seen absent). */
  readonly reads?: readonly { readonly path: Path; readonly version: EntryId }[];
}

/** All that a transaction uses and changes (footprint rule, consensus §2.2). Throws TX_*, ROW_*, SCHEMA_*. */
export function planOf(input: PlanInput): Plan {
  return collect(input).settle(input.before);
}

/** The rows that mutations replace: what to read first. */
export function rowsNeeded(database: DatabaseId, mutations: readonly Mutation[]): readonly KeyRef[] {
  return mutations.map(({ table, key }) => keyRef(database, table, '', key));
}

/**
 * Every key whose version `footprintOf` will ask for, and the content of those with index `fk:n`. Needs the
 * old rows (`rowsNeeded`) in `before` and nothing else, so a client reads in two rounds.
 */
export function keysNeeded(input: PlanInput): readonly KeyRef[] {
  const nonce = nonceRef(input.database, input.writer, input.nonce).path;
  return [...collect(input).uses.values()].map(({ ref }) => ref).filter(({ path }) => path !== nonce);
}

function collect({ schema, database, writer, nonce, mutations, before }: PlanInput): PlanBuilder {
  const plan = isSchemaChange(mutations)
    ? planReserved(schema, database, mutations)
    : planRows(schema, database, mutations, before);
  plan.read(schemaRef(database)); // no effect where the schema is written
  plan.consume(nonceRef(database, writer, nonce));
  return plan;
}

/** The items a client declares, ascending by path. Throws like `planOf`: what replicas would refuse fails here first. */
export function footprintOf(input: FootprintInput): readonly Item[] {
  const { uses } = planOf(input);
  const nonce = nonceRef(input.database, input.writer, input.nonce).path;
  const items = new Map<Path, Item>();
  for (const { path, version } of input.reads ?? []) items.set(path, { path, version, mode: 'R' });
  for (const [path, { ref, mode }] of uses) {
    items.set(path, { path, version: path === nonce ? ZERO_HASH : input.before.versionOf(ref), mode });
  }
  return [...items.values()].toSorted((a, b) => compareHex(a.path, b.path));
}

/**
 * What an executed transaction writes, key by key: rows under index '', index entries, child counters,
 * `_schema` and `_database`. A schema change has further effects on stored rows (`schemaEffects`).
 * @param before the current state; it equals what the items name, or the entry would have been aborted
 */
export function changesOf(schema: Schema, { header, body }: TransactionDraft, before: Before): readonly Change[] {
  const { database, writer, nonce } = header;
  return planOf({ schema, database, writer, nonce, mutations: body.mutations, before }).changes;
}

/** The same as leaves of the state tree, the nonce's included. */
export function leafChangesOf(schema: Schema, tx: TransactionDraft, before: Before, entry: EntryRef): readonly LeafChange[] {
  return [...changesOf(schema, tx, before).map((change) => leafOf(change, entry)), nonceLeafOf(tx.header, entry)];
}
