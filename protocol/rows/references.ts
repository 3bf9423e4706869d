import { pick, type ForeignKey, type Row, type Schema, type Table } from '../schema/index.ts';
import type { Scalar } from '../codec/index.ts';
import type { PicoloError } from '../errors/index.ts';
import { limits } from '../limits/index.ts';
import { bytesOf, type DatabaseId, type Path } from '../types/index.ts';
import { txFaults } from './faults.ts';
import { keyRef, type KeyRef } from './path.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { RowChange } from './plan.ts';

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

/** A counter that the transaction may move. */
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
export function planReferences(schema: Schema, database: DatabaseId, rows: readonly RowChange[], plan: PlanBuilder): void {
  const references = referencesByParent(schema);
  const counts = new Map<Path, Count>();
  const wanted = new Map<Path, KeyRef>();
  const keys: ParentKeys = { freed: new Map(), made: new Set() };
  for (const row of rows) {
    for (const foreignKey of row.table.foreignKeys) moveChild(database, row, foreignKey, counts, wanted);
    moveParent(database, row, references.get(row.table.name) ?? [], keys);
  }
  for (const parent of wanted.values()) requireParent(parent, plan, keys);
  for (const { ref, delta } of counts.values()) plan.count(ref, delta); // children that come and go in one bucket cancel out
  for (const [path, freed] of keys.freed) {
    if (keys.made.has(path)) continue;
    const pointing = (references.get(freed.parent.name) ?? []).filter(({ foreignKey }) => foreignKey.target === freed.target);
    for (const reference of pointing) requireNoChildren(database, reference, freed.key, plan);
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
function requireParent(parent: KeyRef, plan: PlanBuilder, { freed, made }: ParentKeys): void {
  const missing = (): PicoloError => txFaults.parentMissing({ table: parent.table, path: parent.path });
  if (made.has(parent.path)) return;
  if (freed.has(parent.path)) throw missing();
  plan.read(parent);
  plan.demand(parent, 'present', missing);
}

/** ON DELETE RESTRICT: every counter of the freed key is zero afterwards. */
function requireNoChildren(database: DatabaseId, { child, foreignKey }: Reference, key: readonly Scalar[], plan: PlanBuilder): void {
  for (let bucket = 0; bucket < limits.referenceBuckets; bucket++) {
    plan.demandZero(counterRef(database, child, foreignKey, key, bucket), () => (
      txFaults.stillReferenced({ table: foreignKey.parent, by: child.name, reference: foreignKey.name })));
  }
}

function countAt(counts: Map<Path, Count>, ref: KeyRef): Count {
  const known = counts.get(ref.path);
  if (known !== undefined) return known;
  const count: Count = { ref, delta: 0n };
  counts.set(ref.path, count);
  return count;
}
