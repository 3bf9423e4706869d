import { expect } from 'chai';
import {
  contentWrittenBy, footprintOf, indexEntryOf, keyRef, keysNeeded, pathOf, put, remove, rowsNeeded, schemaPath,
  type Before, type KeyRef, type Mutation,
} from '../../../protocol/rows/index.ts';
import { schemaEffects, schemaFromRow } from '../../../protocol/schema/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { owner, World } from './world.ts';

const SQL = 'CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p(id), n INTEGER UNIQUE)';

describe('rows: building on transactions that are not executed yet', () => {
  it('tells what a transaction leaves at a key: rows, index entries, counters, schema', () => {
    const world = World.with(SQL);
    world.run([put('p', [1n], [1n])]);
    const tx = world.sign([put('c', [1n], [1n, 1n, 5n])]);
    const buckets = Array.from({ length: limits.referenceBuckets }, (_, i) => keyRef(world.database, 'c', 'fk:0', [1n, BigInt(i)]).path);
    const counter = tx.body.items.find(({ path }) => buckets.includes(path));
    expect(contentWrittenBy(tx, pathOf(world.database, 'c', '', [1n]), world.view)).to.deep.equal([1n, 1n, 5n]);
    expect(contentWrittenBy(tx, pathOf(world.database, 'c', 'unique:n', [5n]), world.view)).to.deep.equal([1n]);
    expect(contentWrittenBy(tx, counter!.path, world.view)).to.deep.equal([1n]);
    expect(contentWrittenBy(tx, pathOf(world.database, 'c', '', [2n]), world.view)).to.equal(undefined);
    world.apply(tx);
    const gone = world.sign([remove('c', [1n])]);
    expect(contentWrittenBy(gone, pathOf(world.database, 'c', '', [1n]), world.view)).to.equal(undefined);
    expect(contentWrittenBy(gone, counter!.path, world.view)).to.equal(undefined);
  });

  it('hands on a pending schema, and the index entries that a new index needs', () => {
    const world = World.with(SQL);
    world.run([put('c', [1n], [1n, null, 5n])]);
    const before = world.schema;
    const tx = world.ddl('CREATE INDEX by_p ON c (p)');
    const after = schemaFromRow(contentWrittenBy(tx, schemaPath(world.database), world.view)!);
    expect(after).to.deep.equal(world.schema);
    const [created] = schemaEffects(before, after).createdIndexes;
    const entry = indexEntryOf(world.database, created!.table, created!.index, [1n, null, 5n]);
    expect(entry).to.deep.equal({ ref: keyRef(world.database, 'c', 'by_p', [null, 1n]), content: [1n] });
  });
});

describe('rows: what a client must read', () => {
  it('two rounds suffice: the rows it replaces, then the keys they and their references touch', () => {
    const world = World.with(SQL);
    world.run([put('p', [1n], [1n]), put('p', [2n], [2n]), put('c', [1n], [1n, 1n, 5n])]);
    const scripts: Mutation[][] = [
      [put('c', [2n], [2n, 2n, 6n])], [put('c', [1n], [1n, 2n, 7n])], [remove('c', [1n])], [remove('p', [2n])],
      [remove('p', [1n]), remove('c', [1n])],
    ];
    for (const mutations of scripts) {
      const fetched = new Set<string>();
      const fetch = (refs: readonly KeyRef[]): void => refs.forEach(({ path }) => fetched.add(path));
      const before: Before = {
        versionOf(ref) {
          expect(fetched.has(ref.path), `${ref.table} ${ref.index} was not read`).to.equal(true);
          return world.before.versionOf(ref);
        },
        contentOf: (ref) => (ref.index === '' || ref.index.startsWith('fk:') ? world.before.contentOf(ref) : undefined),
      };
      const input = { schema: world.schema, database: world.database, writer: owner, nonce: 9n, mutations, before };
      fetch(rowsNeeded(world.database, mutations));
      fetch(keysNeeded(input));
      expect(footprintOf(input)).to.deep.equal(world.items(mutations, 9n));
    }
  });

  it('what was computed from other rows is declared as read, at the version seen', () => {
    const world = World.with(SQL);
    world.run([put('p', [1n], [1n])]);
    const path = pathOf(world.database, 'p', '', [1n]);
    const version = world.leaves.get(path)!.version;
    const mutations = [put('p', [2n], [2n])];
    const items = footprintOf({
      schema: world.schema, database: world.database, writer: owner, nonce: 9n, mutations, before: world.before, reads: [{ path, version }],
    });
    expect(items.find((item) => item.path === path)).to.deep.equal({ path, version, mode: 'R' });
    const tx = world.sign(mutations, { items, nonce: 9n });
    expect(world.check(tx)).to.equal('valid');
    world.run([put('p', [1n], [1n])]);
    expect(world.apply(tx), 'the row it was computed from has changed').to.equal(false);
  });

  it('a key whose path another key holds is refused', () => {
    const world = World.with(SQL);
    world.run([put('p', [1n], [1n])]);
    const before: Before = { ...world.before, contentOf: (ref) => (ref.table === 'p' ? [77n] : world.before.contentOf(ref)) };
    const input = { schema: world.schema, database: world.database, writer: owner, nonce: 9n, mutations: [remove('p', [1n])], before };
    expect(() => footprintOf(input)).to.throw().with.property('code', 'TX_PATH_TAKEN');
  });
});
