import type { Scalar } from '../codec/index.ts';

export type ColumnType = 'INTEGER' | 'REAL' | 'TEXT' | 'BLOB' | 'BOOLEAN' | 'TIMESTAMP';

/** The scalars of a row in column order; columns added later and still at their default are left off at the end. */
export type Row = readonly Scalar[];

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly notNull: boolean;
  /** `null` = no default: a NOT NULL column must then be given. */
  readonly default: Scalar;
}

/** A declared index. `columns` are positions in the table's column list. */
export interface Index {
  /** The user's name, or `unique:<columns>` for a UNIQUE constraint. */
  readonly name: string;
  readonly columns: readonly number[];
  readonly unique: boolean;
}

/** `columns` are in the order of the parent's key, so their values *are* the parent key. */
export interface ForeignKey {
  /** `fk:<position>`; names the child counters of this reference in the state tree. */
  readonly name: string;
  readonly columns: readonly number[];
  readonly parent: string;
  /** Index of the parent that is referenced; empty for its primary key. */
  readonly target: string;
}

export interface Table {
  readonly name: string;
  /** Schema version that created it: tells a table from an earlier one of the same name. */
  readonly since: number;
  readonly columns: readonly Column[];
  /** Columns the table was created with; later ones were added by ALTER TABLE. */
  readonly baseColumns: number;
  /** Column positions in key order. */
  readonly primaryKey: readonly number[];
  readonly indexes: readonly Index[];
  readonly foreignKeys: readonly ForeignKey[];
}

/** Immutable; a change makes the next version. Tables stand in the order of their creation, parents first. */
export interface Schema {
  readonly version: number;
  readonly tables: readonly Table[];
}

/** Version 0: what a database has before its first DDL transaction. */
export const emptySchema: Schema = Object.freeze({ version: 0, tables: Object.freeze([]) });

/** A reference as written: names, not yet looked up. No columns = the parent's primary key. */
export interface ReferenceDefinition {
  readonly columns: readonly string[];
  readonly parent: string;
  readonly parentColumns: readonly string[];
}

export interface TableDefinition {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  readonly uniques: readonly (readonly string[])[];
  readonly references: readonly ReferenceDefinition[];
}

/** One parsed DDL statement; names are as the user wrote them. */
export type DdlStatement =
  | { readonly kind: 'createTable'; readonly table: TableDefinition; readonly ifNotExists: boolean }
  | {
    readonly kind: 'createIndex'; readonly name: string; readonly table: string; readonly columns: readonly string[];
    readonly unique: boolean; readonly ifNotExists: boolean;
  }
  | { readonly kind: 'addColumn'; readonly table: string; readonly column: Column; readonly reference: ReferenceDefinition | null }
  | { readonly kind: 'dropTable'; readonly name: string; readonly ifExists: boolean }
  | { readonly kind: 'dropIndex'; readonly name: string; readonly ifExists: boolean };
