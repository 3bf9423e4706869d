import { keyOf, rowFaults, sameScalar, validateKey, validateRow, type Row, type Schema, type Table } from '../schema/index.ts';
import type { Scalar } from '../codec/index.ts';
import type { DatabaseId, Path } from '../types/index.ts';
import { contentBefore, resolveEach, type Before } from './before.ts';
import { txFaults } from './faults.ts';
import { indexKeyOf } from './index-key.ts';
import type { Mutation } from './mutation.ts';
import { keyRef, type KeyRef } from './path.ts';
import { PlanBuilder } from './plan-builder.ts';
import { planReferences } from './references.ts';

/** One row that a transaction changes. */
export interface RowChange {
  readonly table: Table;
  readonly ref: KeyRef;
  readonly old: Row | undefined;
  readonly next: Row | undefined;
}

/**
 * The footprint rule for rows (consensus §2.2): primary keys written, unique keys taken and freed, parents
 * referred to, child counters moved. Throws ROW_* and TX_* for what no replica may accept.
 */
export function planRows(schema: Schema, database: DatabaseId, mutations: readonly Mutation[], before: Before): PlanBuilder {
  const plan = new PlanBuilder();
  const rows = resolveEach(mutations, (mutation) => rowChangeOf(schema, database, mutation, before));
  for (const { ref, next } of rows) {
    if (plan.uses.has(ref.path)) throw txFaults.duplicateKey({ table: ref.table, path: ref.path });
    plan.write(ref, next ?? null);
  }
  planIndexes(database, rows, plan);
  planReferences(schema, database, rows, plan);
  return plan;
}

function rowChangeOf(schema: Schema, database: DatabaseId, mutation: Mutation, before: Before): RowChange {
  const table = schema.tables.find(({ name }) => name === mutation.table);
  if (table === undefined) throw rowFaults.unknownTable({ table: mutation.table, schemaVersion: schema.version });
  validateKey(table, mutation.key);
  const ref = keyRef(database, table.name, '', mutation.key);
  const next = mutation.kind === 'put' ? mutation.row : undefined;
  if (next !== undefined) {
    validateRow(table, next);
    if (!sameKey(keyOf(table, next), mutation.key)) throw rowFaults.keyMismatch({ table: table.name });
  }
  const old = contentBefore(before, ref);
  // two keys with one path: 2^64 work by a writer against itself, and it gains nothing
  if (old !== undefined && !sameKey(keyOf(table, old), mutation.key)) throw txFaults.pathTaken({ table: table.name, path: ref.path });
  if (old === undefined && next === undefined) throw txFaults.nothingToRemove({ table: table.name, path: ref.path });
  return { table, ref, old, next };
}

interface Place {
  readonly ref: KeyRef;
  readonly exclusive: boolean;
}

interface IndexMove extends Place {
  lost: boolean;
  gained: readonly Scalar[] | undefined;
}

/** A leaf moves only when the indexed values do; an update of other columns leaves it and its version alone. */
function planIndexes(database: DatabaseId, rows: readonly RowChange[], plan: PlanBuilder): void {
  const moves = new Map<Path, IndexMove>();
  for (const row of rows) for (const index of row.table.indexes) addMoves(database, row, index, moves);
  for (const { ref, exclusive, lost, gained } of moves.values()) {
    const content = gained ?? null;
    const where = { table: ref.table, index: ref.index };
    if (!exclusive) {
      plan.follow({ ref, content });
      continue;
    }
    plan.write(ref, content);
    if (lost) plan.demand(ref, 'present', () => txFaults.badState({ ...where, reason: 'a row without its unique entry' }));
    else plan.demand(ref, 'absent', () => txFaults.uniqueTaken(where));
  }
}

function addMoves(database: DatabaseId, row: RowChange, index: Table['indexes'][number], moves: Map<Path, IndexMove>): void {
  const placed = (content: Row | undefined): Place | undefined => {
    if (content === undefined) return undefined;
    const { key, exclusive } = indexKeyOf(row.table, index, content);
    return { ref: keyRef(database, row.table.name, index.name, key), exclusive };
  };
  const from = placed(row.old);
  const to = placed(row.next);
  if (from !== undefined && to !== undefined && from.ref.path === to.ref.path) return;
  if (from !== undefined) moveAt(moves, from).lost = true;
  if (to === undefined) return;
  const move = moveAt(moves, to);
  if (move.gained !== undefined) throw txFaults.uniqueTaken({ table: row.table.name, index: index.name });
  move.gained = row.ref.key;
}

function moveAt(moves: Map<Path, IndexMove>, at: Place): IndexMove {
  const known = moves.get(at.ref.path);
  if (known !== undefined) return known;
  const move: IndexMove = { ...at, lost: false, gained: undefined };
  moves.set(at.ref.path, move);
  return move;
}

function sameKey(a: readonly Scalar[], b: readonly Scalar[]): boolean {
  return a.length === b.length && a.every((value, i) => sameScalar(value, b[i] as Scalar));
}
