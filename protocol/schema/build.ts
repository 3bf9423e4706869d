import { limits } from '../limits/index.ts';
import { schemaFaults } from './faults.ts';
import { columnPosition, findTable, isConstraint, sameName } from './names.ts';
import type { Column, ForeignKey, Index, ReferenceDefinition, Table, TableDefinition } from './types.ts';

/** Looks up the names of a CREATE TABLE. Parents must exist; a table may refer to itself. */
export function tableFrom(definition: TableDefinition, tables: readonly Table[], since: number): Table {
  const { name } = definition;
  checkCounts(definition);
  const primaryKey = positionsOf(name, definition.columns, definition.primaryKey);
  const columns = definition.columns.map((column, i) => (primaryKey.includes(i) ? { ...column, notNull: true } : column));
  const indexes = uniqueIndexes(name, columns, primaryKey, definition.uniques);
  const bare: Table = { name, since, columns, baseColumns: columns.length, primaryKey, indexes, foreignKeys: [] };
  return { ...bare, foreignKeys: definition.references.map((reference, i) => foreignKeyOf(bare, reference, tables, i)) };
}

export function indexOf(table: string, columns: readonly Column[], name: string, names: readonly string[], unique: boolean): Index {
  return { name, columns: positionsOf(table, columns, names), unique };
}

/** Finds the key of the parent that is referenced and puts the columns in its order. */
export function foreignKeyOf(child: Table, reference: ReferenceDefinition, tables: readonly Table[], position: number): ForeignKey {
  const own = positionsOf(child.name, child.columns, reference.columns);
  const itself = sameName(reference.parent, child.name);
  const parent = itself ? child : findTable({ version: 0, tables }, reference.parent);
  if (parent === undefined) throw schemaFaults.unknownTable({ table: reference.parent, referencedBy: child.name });
  const named = reference.parentColumns.length > 0;
  const wanted = named ? positionsOf(parent.name, parent.columns, reference.parentColumns) : parent.primaryKey;
  const target = targetOf(parent, wanted, itself);
  if (target === undefined || wanted.length !== own.length) throw schemaFaults.badReference({ table: child.name, parent: parent.name });
  const columns = target.columns.map((column) => own[wanted.indexOf(column)] as number);
  target.columns.forEach((column, i) => checkTypes(child, columns[i] as number, parent, column));
  return { name: `fk:${position}`, columns, parent: parent.name, target: target.name };
}

/** A table's own reference may only use keys written in its CREATE TABLE: other indexes come after it. */
function targetOf(parent: Table, wanted: readonly number[], itself: boolean): Pick<Index, 'name' | 'columns'> | undefined {
  const uniques = parent.indexes.filter((index) => index.unique && (!itself || isConstraint(index)));
  const keys = [{ name: '', columns: parent.primaryKey }, ...uniques];
  return keys.find(({ columns }) => columns.length === wanted.length && columns.every((column) => wanted.includes(column)));
}

function checkTypes(child: Table, own: number, parent: Table, theirs: number): void {
  const a = child.columns[own] as Column;
  const b = parent.columns[theirs] as Column;
  if (a.type !== b.type) {
    throw schemaFaults.badReference({
      table: child.name, column: a.name, type: a.type, parent: parent.name, parentColumn: b.name, parentType: b.type,
    });
  }
}

function uniqueIndexes(
  table: string, columns: readonly Column[], primaryKey: readonly number[], uniques: TableDefinition['uniques'],
): Index[] {
  const out: Index[] = [];
  for (const names of uniques) {
    const positions = positionsOf(table, columns, names);
    const name = `unique:${positions.map((i) => (columns[i] as Column).name).join(',')}`;
    const known = sameList(positions, primaryKey) || out.some((index) => index.name === name);
    if (!known) out.push({ name, columns: positions, unique: true });
  }
  return out;
}

function positionsOf(table: string, columns: readonly Column[], names: readonly string[]): readonly number[] {
  const positions = names.map((name) => columnPosition(table, columns, name));
  if (new Set(positions).size !== positions.length) throw schemaFaults.duplicate({ table, columns: names.join(',').slice(0, 200) });
  return positions;
}

function checkCounts({ name, columns, uniques, references }: TableDefinition): void {
  const seen = new Set<string>();
  for (const column of columns) {
    const folded = column.name.toLowerCase();
    if (seen.has(folded)) throw schemaFaults.duplicate({ table: name, column: column.name });
    seen.add(folded);
  }
  if (columns.length > limits.columnsPerTable) throw schemaFaults.tooMany({ limit: 'columnsPerTable', table: name });
  if (uniques.length > limits.indexesPerTable) throw schemaFaults.tooMany({ limit: 'indexesPerTable', table: name });
  if (references.length > limits.foreignKeysPerTable) throw schemaFaults.tooMany({ limit: 'foreignKeysPerTable', table: name });
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
