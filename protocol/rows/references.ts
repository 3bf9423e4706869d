import { pick, type ForeignKey, type Row, type Schema, type Table } from '../schema/index.ts';
import type { Scalar } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { bytesOf, type DatabaseId, type Path } from '../types/index.ts';
import { contentBefore, isAbsent, type Before } from './before.ts';
import { txFaults } from './faults.ts';
import { keyRef, type KeyRef } from './path.ts';
import type { PlanBuilder, RowChange } from './plan.ts';

/*
 * Foreign keys without a global check.
 *
 * A new child reads its parent's key (R, present). That alone is not enough: a read at a version and a
 * later removal of that version are compatible (consensus §2.2), and the removal could not see the child.
 * So children are counted: per reference and parent key there are `referenceBuckets` counters, leaves
 * under (child table, `fk:n`, parent key ‖ bucket); a child belongs to the bucket its own path picks.
 * Whoever adds or takes away a child writes one counter; whoever frees a parent key reads all of them as
 * absent. A child at ts1 and a removal at ts2 then conflict twice: R/W on the parent needs ts1 < ts2 and W/R
 * on the counter needs ts2 < ts1, so no order lets both commit. Buckets keep the children of one busy parent
 * from waiting for each other; an absent counter means zero, so a parent without children leaves no trace.
 */

/** A counter that the transaction moves. */
interface Count {
  readonly ref: KeyRef;
  delta: bigint;
}

/** A key that a row gives up and references may point at. */
interface Freed {
  readonly parent: Table;
  readonly target: string;
  readonly key: readonly Scalar[];
}

interface ParentKeys {
  readonly freed: Map<Path, Freed>;
  readonly made: Set<Path>;
}

interface Reference {
  readonly child: Table;
  readonly foreignKey: ForeignKey;
}

/** Adds parents, counters and restrict checks to the plan; references hold when the transaction is over. */
export function planReferences(
  schema: Schema, database: DatabaseId, rows: readonly RowChange[], before: Before, plan: PlanBuilder,
): void {
  const references = referencesByParent(schema);
  const counts = new Map<Path, Count>();
  const wanted = new Map<Path, KeyRef>();
  const keys: ParentKeys = { freed: new Map(), made: new Set() };
  for (const row of rows) {
    for (const foreignKey of row.table.foreignKeys) moveChild(database, row, foreignKey, counts, wanted);
    moveParent(database, row, references.get(row.table.name) ?? [], keys);
  }
  for (const parent of wanted.values()) requireParent(parent, before, plan, keys);
  const totals = writeCounts(counts, before, plan);
  for (const [path, freed] of keys.freed) {
    if (keys.made.has(path)) continue;
    const pointing = (references.get(freed.parent.name) ?? []).filter(({ foreignKey }) => foreignKey.target === freed.target);
    for (const reference of pointing) requireNoChildren(database, reference, freed.key, before, plan, totals);
  }
}

/** The bucket depends on the child alone, so an update that keeps the parent moves nothing. */
function moveChild(
  database: DatabaseId, row: RowChange, foreignKey: ForeignKey, counts: Map<Path, Count>, wanted: Map<Path, KeyRef>,
): void {
  const bucket = bucketOf(row.ref.path);
  const counter = (content: Row | undefined): { ref: KeyRef; key: readonly Scalar[] } | undefined => {
    const key = content && wholeKey(pick(row.table, content, foreignKey.columns));
    return key && { ref: counterRef(database, row.table, foreignKey, key, bucket), key };
  };
  const from = counter(row.old);
  const to = counter(row.next);
  if (from?.ref.path === to?.ref.path) return;
  if (from !== undefined) countAt(counts, from.ref).delta -= 1n;
  if (to === undefined) return;
  countAt(counts, to.ref).delta += 1n;
  const parent = keyRef(database, foreignKey.parent, foreignKey.target, to.key);
  wanted.set(parent.path, parent);
}

/** Notes the referenced keys that a row gives up or brings. */
function moveParent(database: DatabaseId, row: RowChange, references: readonly Reference[], { freed, made }: ParentKeys): void {
  const { table: parent } = row;
  for (const target of new Set(references.map(({ foreignKey }) => foreignKey.target))) {
    const columns = target === '' ? parent.primaryKey : parent.indexes.find(({ name }) => name === target)?.columns ?? [];
    const old = row.old && wholeKey(pick(parent, row.old, columns));
    const next = row.next && wholeKey(pick(parent, row.next, columns));
    const from = old && keyRef(database, parent.name, target, old).path;
    const to = next && keyRef(database, parent.name, target, next).path;
    if (from === to) continue;
    if (from !== undefined && old !== undefined) freed.set(from, { parent, target, key: old });
    if (to !== undefined) made.add(to);
  }
}

function referencesByParent(schema: Schema): ReadonlyMap<string, readonly Reference[]> {
  const references = schema.tables.flatMap((child) => child.foreignKeys.map((foreignKey) => ({ child, foreignKey })));
  return Map.groupBy(references, ({ foreignKey }) => foreignKey.parent);
}

function counterRef(database: DatabaseId, child: Table, foreignKey: ForeignKey, key: readonly Scalar[], bucket: number): KeyRef {
  return keyRef(database, child.name, foreignKey.name, [...key, BigInt(bucket)]);
}

/** The last byte of a path is a hash of the key. */
function bucketOf(child: Path): number {
  return (bytesOf(child)[31] as number) % limits.referenceBuckets;
}

/** A key with a NULL refers to nothing and is referred to by nothing. */
function wholeKey(key: readonly Scalar[]): readonly Scalar[] | undefined {
  return key.includes(null) ? undefined : key;
}

/** Brought by this transaction, or present before and not given up. */
function requireParent(parent: KeyRef, before: Before, plan: PlanBuilder, { freed, made }: ParentKeys): void {
  if (made.has(parent.path)) return;
  if (freed.has(parent.path)) throw txFaults.parentMissing({ table: parent.table, path: parent.path });
  plan.read(parent);
  if (isAbsent(before, parent)) throw txFaults.parentMissing({ table: parent.table, path: parent.path });
}

/** Children that come and go in one bucket cancel out; then its counter is not touched. */
function writeCounts(counts: ReadonlyMap<Path, Count>, before: Before, plan: PlanBuilder): ReadonlyMap<Path, bigint> {
  const totals = new Map<Path, bigint>();
  for (const { ref, delta } of counts.values()) {
    if (delta === 0n) continue;
    const total = countBefore(before, ref) + delta;
    if (total < 0n) throw txFaults.badState({ table: ref.table, index: ref.index, reason: 'fewer children counted than removed' });
    totals.set(ref.path, total);
    plan.write(ref, total === 0n ? null : [total]);
  }
  return totals;
}

function countBefore(before: Before, ref: KeyRef): bigint {
  const [count] = contentBefore(before, ref) ?? [0n];
  if (typeof count !== 'bigint') throw txFaults.badState({ table: ref.table, index: ref.index, reason: 'not a counter' });
  return count;
}

/** ON DELETE RESTRICT: every counter of the freed key is zero afterwards. */
function requireNoChildren(
  database: DatabaseId, { child, foreignKey }: Reference, key: readonly Scalar[], before: Before, plan: PlanBuilder,
  totals: ReadonlyMap<Path, bigint>,
): void {
  for (let bucket = 0; bucket < limits.referenceBuckets; bucket++) {
    const ref = counterRef(database, child, foreignKey, key, bucket);
    const total = totals.get(ref.path);
    if (total === undefined) plan.read(ref);
    const empty = total === undefined ? isAbsent(before, ref) : total === 0n;
    if (!empty) throw txFaults.stillReferenced({ table: foreignKey.parent, by: child.name, reference: foreignKey.name });
  }
}

function countAt(counts: Map<Path, Count>, ref: KeyRef): Count {
  const known = counts.get(ref.path);
  if (known !== undefined) return known;
  const count: Count = { ref, delta: 0n };
  counts.set(ref.path, count);
  return count;
}
