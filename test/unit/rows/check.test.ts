import { expect } from 'chai';
import {
  changeSchema, createDatabase, databaseIdOf, noncePath, pathOf, put, remove, schemaPath, type DatabaseMetadata, type Mutation,
} from '../../../protocol/rows/index.ts';
import { applyDdl, emptySchema, parseDdlScript, schemaRow } from '../../../protocol/schema/index.ts';
import { ZERO_HASH, type Item } from '../../../protocol/types/index.ts';
import { metadata, owner, strangerKey, stranger, World } from './world.ts';

const TABLES = `
  CREATE TABLE shop (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, open BOOLEAN DEFAULT TRUE);
  CREATE TABLE sale (id INTEGER PRIMARY KEY, shop INTEGER REFERENCES shop(id), price REAL, at TIMESTAMP);
  CREATE INDEX by_price ON sale (price)`;

function shops(): World {
  const world = World.with(TABLES);
  world.run([put('shop', [1n], [1n, 'north', 1n]), put('shop', [2n], [2n, 'south', 1n]), put('sale', [1n], [1n, 1n, 9.5, 0n])]);
  return world;
}

function modes(world: World, mutations: readonly Mutation[]): Record<string, string> {
  const name = new Map<string, string>([
    [schemaPath(world.database), 'schema'], [noncePath(world.database, owner, world.nonce + 1n), 'nonce'],
    ...[1n, 2n, 3n].map((id) => [pathOf(world.database, 'shop', '', [id]), `shop ${id}`] as const),
    ...[1n, 2n, 3n].map((id) => [pathOf(world.database, 'sale', '', [id]), `sale ${id}`] as const),
    ...['north', 'south', 'west'].map((key) => [pathOf(world.database, 'shop', 'unique:name', [key]), key] as const),
  ]);
  return Object.fromEntries(world.items(mutations).map(({ path, mode, version }) => (
    [name.get(path) ?? 'counter', `${mode}${version === ZERO_HASH ? '0' : ''}`])));
}

describe('rows: footprint rule', () => {
  it('names primary keys, unique keys taken and freed, parents, schema and nonce', () => {
    const world = shops();
    expect(modes(world, [put('shop', [3n], [3n, 'west', 1n])])).to.deep.equal({ schema: 'R', nonce: 'W0', 'shop 3': 'W0', west: 'W0' });
    expect(modes(world, [put('shop', [1n], [1n, 'west', 1n])])).to.deep.equal({ schema: 'R', nonce: 'W0', 'shop 1': 'W', north: 'W', west: 'W0' });
    expect(modes(world, [put('shop', [1n], [1n, 'north', 0n])])).to.deep.equal({ schema: 'R', nonce: 'W0', 'shop 1': 'W' });
    expect(modes(world, [put('sale', [2n], [2n, 2n, 1.5, 0n])]))
      .to.deep.equal({ schema: 'R', nonce: 'W0', 'sale 2': 'W0', 'shop 2': 'R', counter: 'W0' });
    expect(modes(world, [put('sale', [1n], [1n, 1n, 3.5, 0n])])).to.deep.equal({ schema: 'R', nonce: 'W0', 'sale 1': 'W' });
    expect(modes(world, [remove('sale', [1n])])).to.deep.equal({ schema: 'R', nonce: 'W0', 'sale 1': 'W', counter: 'W' });
  });

  it('refuses a footprint with any item missing, in another mode, or with a write too many', () => {
    const world = shops();
    const scripts = [
      [put('shop', [3n], [3n, 'west', 1n])], [put('sale', [2n], [2n, 2n, 1.5, 0n])], [remove('sale', [1n])], [remove('shop', [2n])],
    ];
    for (const mutations of scripts) {
      const items = world.items(mutations, 77n);
      const check = (next: readonly Item[]): string => world.check(world.sign(mutations, { items: next, nonce: 77n }));
      expect(check(items)).to.equal('valid');
      items.forEach((item, i) => {
        expect(check(items.filter((_, at) => at !== i)), item.path).to.equal('TX_FOOTPRINT_GAP');
        const flipped: Item = { ...item, mode: item.mode === 'W' ? 'R' : 'W' };
        expect(check(items.map((other) => (other === item ? flipped : other)))).to.equal('TX_FOOTPRINT_MODE');
      });
      const foreign = pathOf(world.database, 'shop', '', [99n]);
      const extra = (mode: Item['mode']): Item[] => [...items, { path: foreign, version: ZERO_HASH, mode }];
      expect(check(extra('W'))).to.equal('TX_FOOTPRINT_EXTRA');
      expect(check(extra('R'))).to.equal('valid'); // what a client read is its own to say
    }
  });

  it('P-1-typed: a wrong-typed row is refused with table and column named', () => {
    const world = shops();
    const bad: [Mutation, string][] = [
      [put('sale', [2n], [2n, 2n, 'cheap', 0n]), 'ROW_WRONG_TYPE'],
      [put('sale', [2n], [2n, 2n, 5n, 0n]), 'ROW_WRONG_TYPE'],
      [put('shop', [3n], [3n, null, 1n]), 'ROW_MISSING'],
      [put('shop', [3n], [3n, 'west', 2n]), 'ROW_OUT_OF_RANGE'],
      [put('shop', [3n], [3n, 'west']), 'ROW_WRONG_WIDTH'],
      [put('shop', [3n], [4n, 'west', 1n]), 'ROW_KEY_MISMATCH'],
      [put('ghost', [3n], [3n]), 'ROW_UNKNOWN_TABLE'],
      [put('_nonce', [3n], [3n]), 'ROW_UNKNOWN_TABLE'],
    ];
    const items = world.items([put('shop', [3n], [3n, 'west', 1n]), put('sale', [2n], [2n, 2n, 1.5, 0n])], 77n);
    for (const [mutation, code] of bad) expect(world.check(world.sign([mutation], { items, nonce: 77n }))).to.equal(code);
    expect(() => world.items([bad[0]![0]])).to.throw(/table: sale, column: price/);
  });

  it('refuses two rows with one unique value, and lets values change hands', () => {
    const world = shops();
    expect(() => world.items([put('shop', [3n], [3n, 'north', 1n])])).to.throw().with.property('code', 'TX_UNIQUE_TAKEN');
    expect(() => world.items([put('shop', [3n], [3n, 'w', 1n]), put('shop', [4n], [4n, 'w', 1n])]))
      .to.throw().with.property('code', 'TX_UNIQUE_TAKEN');
    const swap = world.sign([put('shop', [1n], [1n, 'south', 1n]), put('shop', [2n], [2n, 'north', 1n])]);
    expect(world.check(swap)).to.equal('valid');
    expect(world.apply(swap)).to.equal(true);
    expect(world.leaves.get(pathOf(world.database, 'shop', 'unique:name', ['south']))?.content).to.deep.equal([1n]);
  });

  it('refuses two mutations of one row and the removal of nothing', () => {
    const world = shops();
    expect(() => world.items([put('shop', [1n], [1n, 'a', 1n]), remove('shop', [1n])])).to.throw().with.property('code', 'TX_DUPLICATE_KEY');
    expect(() => world.items([remove('shop', [9n])])).to.throw().with.property('code', 'TX_NOTHING_TO_REMOVE');
  });

  it('waits for what it builds on instead of guessing', () => {
    const world = shops();
    const tx = world.sign([put('shop', [1n], [1n, 'north', 0n])]);
    expect(world.check(tx)).to.equal('valid');
    world.history.clear();
    expect(world.check(tx)).to.equal('unresolved');
    const blind = shops();
    const insert = blind.sign([put('shop', [3n], [3n, 'west', 0n])]);
    blind.schemas.clear();
    expect(blind.check(insert)).to.equal('unresolved');
  });

  it('a transaction for another schema version is refused', () => {
    const world = shops();
    const tx = world.sign([put('shop', [3n], [3n, 'west', 1n])]);
    const late = { ...tx, header: { ...tx.header, schemaVersion: 2 } };
    expect(world.check(late)).to.equal('TX_SCHEMA_VERSION');
    world.ddl('CREATE TABLE more (id INTEGER PRIMARY KEY)');
    expect(world.apply(tx), 'the schema has moved on').to.equal(false);
  });
});

describe('rows: databases', () => {
  const create = applyDdl(emptySchema, parseDdlScript(TABLES));

  it('D-2.2-name: changed metadata changes the name', () => {
    const names = [
      metadata, { ...metadata, owner: stranger }, { ...metadata, description: 'other' }, { ...metadata, createdMs: 1n },
      { ...metadata, schemaPolicy: 'fixed' as const }, { ...metadata, writers: { kind: 'any' as const } }, { ...metadata, readerKeys: 'ask' },
    ].map(databaseIdOf);
    expect(new Set(names).size).to.equal(names.length);
    const list = (addresses: (typeof owner)[]): string => databaseIdOf({ ...metadata, writers: { kind: 'list', addresses } });
    expect(list([owner, stranger])).to.equal(list([stranger, owner, owner]));
  });

  it('D-2.1-writers: only the writers named in the metadata may write', () => {
    const policies: [DatabaseMetadata['writers'], string][] = [
      [{ kind: 'owner' }, 'TX_NOT_WRITER'], [{ kind: 'list', addresses: [stranger] }, 'valid'], [{ kind: 'any' }, 'valid'],
    ];
    for (const [writers, expected] of policies) {
      const world = World.with(TABLES, { ...metadata, writers });
      expect(world.check(world.sign([put('shop', [3n], [3n, 'west', 1n])]))).to.equal('valid');
      expect(world.check(world.sign([put('shop', [3n], [3n, 'west', 1n])], { key: strangerKey }))).to.equal(expected);
    }
  });

  it('the schema follows its policy', () => {
    const ddl = (world: World): Mutation => changeSchema(applyDdl(world.schema, parseDdlScript('CREATE TABLE more (id INTEGER PRIMARY KEY)')));
    const verdicts = (schemaPolicy: DatabaseMetadata['schemaPolicy']): string[] => {
      const world = World.with(TABLES, { ...metadata, schemaPolicy, writers: { kind: 'any' } });
      return [world.check(world.sign([ddl(world)])), world.check(world.sign([ddl(world)], { key: strangerKey }))];
    };
    expect(verdicts('owner')).to.deep.equal(['valid', 'TX_NOT_OWNER']);
    expect(verdicts('writers')).to.deep.equal(['valid', 'valid']);
    expect(verdicts('fixed')).to.deep.equal(['TX_NOT_OWNER', 'TX_NOT_OWNER']);
  });

  it('D-3.2-create: is made once, under the hash of its metadata, by its owner', () => {
    const world = new World();
    const both = [createDatabase(metadata), changeSchema(create)];
    const tx = world.sign(both);
    expect(world.check(tx)).to.equal('valid');
    expect(world.check(world.sign(both, { items: tx.body.items, nonce: tx.header.nonce, key: strangerKey }))).to.equal('TX_NOT_OWNER');
    const renamed = { ...tx, body: { ...tx.body, mutations: [createDatabase({ ...metadata, description: 'x' }), both[1]!] } };
    expect(world.check(renamed)).to.equal('TX_WRONG_DATABASE');
    world.apply(tx);
    expect(() => world.items([createDatabase(metadata)])).to.throw().with.property('code', 'TX_DATABASE_EXISTS');
    expect(() => new World().items([changeSchema(create)])).to.throw().with.property('code', 'TX_DATABASE_MISSING');
  });

  it('schema and rows do not change together, and reserved tables take nothing else', () => {
    const world = shops();
    const next = changeSchema(applyDdl(world.schema, parseDdlScript('CREATE TABLE more (id INTEGER PRIMARY KEY)')));
    expect(() => world.items([next, put('shop', [3n], [3n, 'west', 1n])])).to.throw().with.property('code', 'TX_MIXED');
    expect(() => world.items([next, next])).to.throw().with.property('code', 'TX_BAD_RESERVED');
    expect(() => world.items([remove('_schema', [])])).to.throw().with.property('code', 'TX_BAD_RESERVED');
    expect(() => world.items([put('_schema', [], schemaRow(world.schema))])).to.throw().with.property('code', 'SCHEMA_BAD_TRANSITION');
    expect(() => world.items([put('_database', [], [1n, 'x'])])).to.throw().with.property('code', 'TX_BAD_RESERVED');
  });

  it('a schema change conflicts with every writer of rows', () => {
    const world = shops();
    const next = world.items([changeSchema(applyDdl(world.schema, parseDdlScript('CREATE TABLE more (id INTEGER PRIMARY KEY)')))]);
    expect(next.find(({ path }) => path === schemaPath(world.database))?.mode).to.equal('W');
  });
});
