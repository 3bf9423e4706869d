import { invariant } from '../errors/index.ts';
import { keyOf, rowFaults, validateKey, validateRow, type Row, type Schema, type Table } from '../schema/index.ts';
import type { DatabaseId, ItemMode, Path } from '../types/index.ts';
import { contentBefore, isAbsent, type Before } from './before.ts';
import { txFaults } from './faults.ts';
import { indexKeyOf } from './index-key.ts';
import type { Change } from './leaf.ts';
import type { Mutation } from './mutation.ts';
import { keyRef, pathOf, type KeyRef } from './path.ts';
import { planReferences } from './references.ts';

/** A key that a transaction depends on. */
export interface Use {
  readonly ref: KeyRef;
  readonly mode: ItemMode;
}

/** What mutations read, and what they write. Both follow from the schema and the rows before, on every machine alike. */
export interface Plan {
  readonly uses: ReadonlyMap<Path, Use>;
  readonly changes: readonly Change[];
}

/** One row that a transaction changes. */
export interface RowChange {
  readonly table: Table;
  readonly ref: KeyRef;
  readonly old: Row | undefined;
  readonly next: Row | undefined;
}

/** Collects uses; writing a key implies having read it. */
export class PlanBuilder {
  readonly uses = new Map<Path, Use>();
  readonly changes: Change[] = [];

  read(ref: KeyRef): void {
    if (!this.uses.has(ref.path)) this.uses.set(ref.path, { ref, mode: 'R' });
  }

  /** Written without content of its own: the nonce, whose leaf even an aborted entry leaves. */
  consume(ref: KeyRef): void {
    this.uses.set(ref.path, { ref, mode: 'W' });
  }

  write(ref: KeyRef, content: Change['content']): void {
    this.consume(ref);
    this.changes.push({ ref, content });
  }
}

/**
 * The footprint rule for rows (consensus §2.2): primary keys written, unique keys taken and freed, parents
 * referred to, child counters moved. Throws ROW_* and TX_* for what no replica may accept.
 */
export function planRows(schema: Schema, database: DatabaseId, mutations: readonly Mutation[], before: Before): PlanBuilder {
  const plan = new PlanBuilder();
  const rows = mutations.map((mutation) => rowChangeOf(schema, database, mutation, before));
  for (const { ref, next } of rows) {
    if (plan.uses.has(ref.path)) throw txFaults.duplicateKey({ table: ref.table, path: ref.path });
    plan.write(ref, next ?? null);
  }
  planIndexes(database, rows, before, plan);
  planReferences(schema, database, rows, before, plan);
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
    if (pathOf(database, table.name, '', keyOf(table, next)) !== ref.path) throw rowFaults.keyMismatch({ table: table.name });
  }
  const old = contentBefore(before, ref);
  if (old === undefined && next === undefined) throw txFaults.nothingToRemove({ table: table.name, path: ref.path });
  return { table, ref, old, next };
}

interface IndexMove {
  readonly ref: KeyRef;
  readonly exclusive: boolean;
  lost: boolean;
  gained: Row | undefined;
}

/** A leaf moves only when the indexed values do; an update of other columns leaves it and its version alone. */
function planIndexes(database: DatabaseId, rows: readonly RowChange[], before: Before, plan: PlanBuilder): void {
  const moves = new Map<Path, IndexMove>();
  for (const row of rows) for (const index of row.table.indexes) addMoves(database, row, index, moves);
  for (const { ref, exclusive, lost, gained } of moves.values()) {
    const content = gained ?? null;
    if (!exclusive) {
      plan.changes.push({ ref, content });
      continue;
    }
    if (!lost && !isAbsent(before, ref)) throw txFaults.uniqueTaken({ table: ref.table, index: ref.index });
    if (lost && isAbsent(before, ref)) {
      throw txFaults.badState({ table: ref.table, index: ref.index, reason: 'a row without its unique entry' });
    }
    plan.write(ref, content);
  }
}

function addMoves(database: DatabaseId, row: RowChange, index: Table['indexes'][number], moves: Map<Path, IndexMove>): void {
  const placed = (content: Row | undefined): { ref: KeyRef; exclusive: boolean } | undefined => {
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
  invariant(row.next !== undefined, 'rows-gain-has-row');
  move.gained = keyOf(row.table, row.next);
}

function moveAt(moves: Map<Path, IndexMove>, at: { readonly ref: KeyRef; readonly exclusive: boolean }): IndexMove {
  const known = moves.get(at.ref.path);
  if (known !== undefined) return known;
  const move: IndexMove = { ...at, lost: false, gained: undefined };
  moves.set(at.ref.path, move);
  return move;
}
