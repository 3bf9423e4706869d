import { put, remove, pathOf, type Mutation } from '../../protocol/rows/index.ts';
import { keyOf, type Row, type Table } from '../../protocol/schema/index.ts';
import type { Scalar } from '../../protocol/codec/index.ts';
import type { DatabaseId, EntryId, Path } from '../../protocol/types/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { sdkFaults } from '../errors.ts';

/** What one row is to become. */
export interface Intent {
  readonly table: Table;
  readonly key: readonly Scalar[];
  /** Undefined removes the row. */
  readonly row: Row | undefined;
  /** The row must not exist yet (INSERT). */
  readonly fresh: boolean;
}

/** Mutations of one transaction, one per row; later ones build on earlier ones. */
export class Draft {
  private readonly database: DatabaseId;
  private readonly intents = new Map<Path, Intent>();
  private readonly seen = new Map<Path, EntryId>();

  constructor(database: DatabaseId) {
    this.database = database;
  }

  get size(): number {
    return this.intents.size;
  }

  path(table: Table, key: readonly Scalar[]): Path {
    return pathOf(this.database, table.name, '', key);
  }

  at(path: Path): Intent | undefined {
    return this.intents.get(path);
  }

  /** Rows of one table that this transaction has touched so far. */
  touched(table: Table): readonly Intent[] {
    return [...this.intents.values()].filter((intent) => intent.table.name === table.name);
  }

  /** Throws SDK_ALREADY_EXISTS when the transaction itself made the row. */
  insert(table: Table, row: Row): void {
    const key = keyOf(table, row);
    const path = this.path(table, key);
    const earlier = this.intents.get(path);
    if (earlier?.row !== undefined) throw sdkFaults.alreadyExists({ table: table.name });
    // a row that was removed and comes back is a replacement of the one that is there
    this.set(path, { table, key, row, fresh: earlier === undefined || earlier.fresh });
  }

  put(table: Table, row: Row): void {
    const key = keyOf(table, row);
    const path = this.path(table, key);
    this.set(path, { table, key, row, fresh: this.intents.get(path)?.fresh ?? false });
  }

  remove(table: Table, key: readonly Scalar[]): void {
    const path = this.path(table, key);
    if (this.intents.get(path)?.fresh === true) this.intents.delete(path);
    else this.set(path, { table, key, row: undefined, fresh: false });
  }

  /** The transaction depends on this key being as it was seen. */
  read(path: Path, version: EntryId): void {
    this.seen.set(path, version);
  }

  get reads(): readonly { readonly path: Path; readonly version: EntryId }[] {
    return [...this.seen].map(([path, version]) => ({ path, version }));
  }

  get all(): ReadonlyMap<Path, Intent> {
    return this.intents;
  }

  mutations(): Mutation[] {
    return [...this.intents.values()].map(({ table, key, row }) => (row === undefined ? remove(table.name, key) : put(table.name, key, row)));
  }

  private set(path: Path, intent: Intent): void {
    if (!this.intents.has(path) && this.intents.size >= limits.mutationsPerTransaction) throw sdkFaults.tooManyRows({ most: limits.mutationsPerTransaction });
    this.intents.set(path, intent);
  }
}
