import Database from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Scalar } from '../../../protocol/codec/index.ts';
import { keyRef, pathOf, put, remove, type Mutation, type SignedTransaction } from '../../../protocol/rows/index.ts';
import { findTable, keyOf, pick, type Row, type Table } from '../../../protocol/schema/index.ts';
import { isPicoloError } from '../../../protocol/errors/index.ts';
import { indexKeyOf } from '../../../protocol/rows/index.ts';
import { bytesOf } from '../../../protocol/types/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { World } from './world.ts';

/*
 * SQLite with deferred foreign keys is the oracle: what it commits, the footprint rule accepts, and what
 * it refuses, the rule refuses; also when two transactions were built on the same state.
 */
const SQL = `
  CREATE TABLE parent (id INTEGER PRIMARY KEY, code TEXT UNIQUE, up INTEGER REFERENCES parent(id));
  CREATE TABLE child (a INTEGER, b INTEGER, parent INTEGER REFERENCES parent(id), code TEXT REFERENCES parent(code), slot INTEGER,
    PRIMARY KEY (a, b), UNIQUE (parent, slot));
  CREATE INDEX by_slot ON child (slot)`;
const DEFERRED = SQL.replaceAll(/REFERENCES parent\((\w+)\)/g, 'REFERENCES parent($1) DEFERRABLE INITIALLY DEFERRED');

const small = fc.bigInt({ min: 0n, max: 3n });
const orNull = (value: fc.Arbitrary<Scalar>): fc.Arbitrary<Scalar> => (
  fc.oneof({ weight: 3, arbitrary: value }, { weight: 2, arbitrary: fc.constant(null) }));
const code = fc.constantFrom('x', 'y', 'z');
const parentRow = fc.tuple(small, orNull(code), orNull(small)).map(([id, c, up]) => put('parent', [id], [id, c, up]));
const childRow = fc.tuple(small, small, orNull(small), orNull(code), orNull(small))
  .map(([a, b, parent, c, slot]) => put('child', [a, b], [a, b, parent, c, slot]));
const removal = fc.oneof(small.map((id) => remove('parent', [id])), fc.tuple(small, small).map(([a, b]) => remove('child', [a, b])));
const transaction = fc.uniqueArray(fc.oneof(parentRow, childRow, removal), {
  minLength: 1, maxLength: 4, selector: (m) => `${m.table}/${m.key.join('/')}`,
});

class Oracle {
  readonly db = new Database(':memory:');

  constructor() {
    this.db.pragma('foreign_keys = ON');
    this.db.exec(DEFERRED);
  }

  /** All or nothing; rows are replaced by taking every touched row out first. */
  commit(mutations: readonly Mutation[]): boolean {
    this.db.exec('BEGIN');
    try {
      for (const { table, key } of mutations) {
        this.db.prepare(`DELETE FROM ${table} WHERE ${table === 'parent' ? 'id = ?' : 'a = ? AND b = ?'}`).run(...key);
      }
      for (const mutation of mutations) {
        if (mutation.kind !== 'put') continue;
        this.db.prepare(`INSERT INTO ${mutation.table} VALUES (${mutation.row.map(() => '?').join()})`).run(...mutation.row);
      }
      this.db.exec('COMMIT');
      return true;
    } catch {
      if (this.db.inTransaction) this.db.exec('ROLLBACK');
      return false;
    }
  }

  has({ table, key }: Mutation): boolean {
    return this.db.prepare(`SELECT 1 FROM ${table} WHERE ${table === 'parent' ? 'id = ?' : 'a = ? AND b = ?'}`).get(...key) !== undefined;
  }
}

/** Signed when the client-side rule accepts; undefined when it refuses. */
function signed(world: World, mutations: readonly Mutation[]): SignedTransaction | undefined {
  try {
    return world.sign(mutations);
  } catch (error) {
    if (isPicoloError(error)) return undefined;
    throw error;
  }
}

/** Every leaf that the rows imply: themselves, index entries, child counters. */
function impliedLeaves(world: World): Map<string, Row> {
  const out = new Map<string, Row>();
  for (const { ref, content } of world.leaves.values()) {
    const table = findTable(world.schema, ref.table);
    if (table === undefined || ref.index !== '') continue;
    out.set(ref.path, content);
    for (const index of table.indexes) {
      out.set(pathOf(world.database, table.name, index.name, indexKeyOf(table, index, content).key), keyOf(table, content));
    }
    addCounters(world, table, content, out);
  }
  return out;
}

function addCounters(world: World, table: Table, row: Row, out: Map<string, Row>): void {
  const own = pathOf(world.database, table.name, '', keyOf(table, row));
  const bucket = BigInt((bytesOf(own)[31] as number) % limits.referenceBuckets);
  for (const foreignKey of table.foreignKeys) {
    const key = pick(table, row, foreignKey.columns);
    if (key.includes(null)) continue;
    const { path } = keyRef(world.database, table.name, foreignKey.name, [...key, bucket]);
    out.set(path, [((out.get(path)?.[0] as bigint | undefined) ?? 0n) + 1n]);
  }
}

function actualLeaves(world: World): Map<string, Row> {
  return new Map([...world.leaves.values()].filter(({ ref }) => !ref.table.startsWith('_')).map(({ ref, content }) => [ref.path, content]));
}

const sorted = (leaves: Map<string, Row>): [string, Row][] => [...leaves].toSorted(([a], [b]) => (a < b ? -1 : 1));

describe('rows: the footprint rule against SQLite', () => {
  it('accepts exactly the transactions that SQLite commits, and keeps indexes and counters exact', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(fc.property(fc.array(transaction, { minLength: 5, maxLength: 12 }), (script) => {
      const world = World.with(SQL);
      const oracle = new Oracle();
      for (const drawn of script) {
        const mutations = drawn.filter((mutation) => mutation.kind === 'put' || oracle.has(mutation));
        if (mutations.length === 0) continue;
        const tx = signed(world, mutations);
        expect(tx !== undefined).to.equal(oracle.commit(mutations));
        if (tx === undefined) {
          refused += 1;
          continue;
        }
        accepted += 1;
        expect(world.check(tx)).to.equal('valid');
        expect(world.apply(tx)).to.equal(true);
      }
      expect(sorted(actualLeaves(world))).to.deep.equal(sorted(impliedLeaves(world)));
      oracle.db.close();
    }), { numRuns: 120 });
    expect(accepted).to.be.above(100);
    expect(refused).to.be.above(100);
  }).timeout(20_000);

  it('of two transactions built on one state, no order that versions and timestamps allow breaks a constraint', () => {
    let both = 0;
    fc.assert(fc.property(fc.array(transaction, { minLength: 1, maxLength: 8 }), transaction, transaction, (script, one, two) => {
      const oracle = new Oracle();
      const world = World.with(SQL);
      for (const drawn of script) {
        const tx = signed(world, drawn.filter((mutation) => mutation.kind === 'put' || oracle.has(mutation)));
        if (tx !== undefined && tx.body.mutations.length > 0 && oracle.commit(tx.body.mutations)) world.apply(tx);
      }
      const present = (mutation: Mutation): boolean => mutation.kind === 'put' || oracle.has(mutation);
      const first = signed(world, one.filter(present));
      const second = signed(world, two.filter(present));
      // the earlier in time goes first: a later one whose reads or writes it moved is aborted
      if (first !== undefined && second !== undefined && world.apply(first) && world.apply(second)) {
        both += 1;
        expect(oracle.commit(first.body.mutations) && oracle.commit(second.body.mutations)).to.equal(true);
        expect(sorted(actualLeaves(world))).to.deep.equal(sorted(impliedLeaves(world)));
      }
      oracle.db.close();
    }), { numRuns: 400 });
    expect(both).to.be.above(20);
  }).timeout(20_000);
});
