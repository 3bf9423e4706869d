import { expect } from 'chai';
import { contentWrittenBy, indexEntryOf, keyRef, pathOf, put, remove, schemaPath } from '../../../protocol/rows/index.ts';
import { schemaEffects, schemaFromRow } from '../../../protocol/schema/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { World } from './world.ts';

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
