import { expect } from 'chai';
import {
  applyDdl, canonicalStatements, checkTransition, findTable, parseDdlScript, schemaEffects, schemaFromRow, schemaOf, schemaRow, type Schema,
} from '../../../protocol/schema/index.ts';

const SHOPS = `
  CREATE TABLE shop (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE sale (id INTEGER PRIMARY KEY, shop INTEGER REFERENCES shop(id), price REAL DEFAULT 0.5)`;
const base = schemaOf([SHOPS]);
const next = (schema: Schema, sql: string): Schema => applyDdl(schema, parseDdlScript(sql));
const fails = (schema: Schema, sql: string, code: string): void => {
  expect(() => next(schema, sql), sql).to.throw().with.property('code', code);
};

describe('schema: applying statements', () => {
  it('a batch is one version; values never change', () => {
    const two = next(base, 'CREATE INDEX by_price ON sale (price); ALTER TABLE sale ADD COLUMN at TIMESTAMP');
    expect([base.version, two.version]).to.deep.equal([1, 2]);
    expect(findTable(base, 'sale')?.columns).to.have.length(3);
    expect(findTable(two, 'sale')).to.include({ since: 1, baseColumns: 3 });
    expect(Object.isFrozen(two)).to.equal(true);
  });

  it('IF EXISTS and IF NOT EXISTS make no version when there is nothing to do', () => {
    const sql = 'CREATE TABLE IF NOT EXISTS SHOP (x TEXT PRIMARY KEY); DROP TABLE IF EXISTS ghost; DROP INDEX IF EXISTS ghost';
    expect(next(base, sql)).to.equal(base);
  });

  it('refuses names that are taken, in any case, and things that do not exist', () => {
    fails(base, 'CREATE TABLE Shop (id INTEGER PRIMARY KEY)', 'SCHEMA_DUPLICATE');
    fails(base, 'CREATE TABLE t (id INTEGER PRIMARY KEY, ID TEXT)', 'SCHEMA_DUPLICATE');
    fails(base, 'CREATE INDEX shop ON sale (price)', 'SCHEMA_DUPLICATE');
    fails(base, 'ALTER TABLE sale ADD COLUMN PRICE REAL', 'SCHEMA_DUPLICATE');
    fails(base, 'CREATE TABLE t (a INTEGER, PRIMARY KEY (a, a))', 'SCHEMA_DUPLICATE');
    fails(base, 'CREATE INDEX i ON ghost (a)', 'SCHEMA_UNKNOWN_TABLE');
    fails(base, 'CREATE INDEX i ON sale (ghost)', 'SCHEMA_UNKNOWN_COLUMN');
    fails(base, 'DROP TABLE ghost', 'SCHEMA_UNKNOWN_TABLE');
    fails(base, 'DROP INDEX ghost', 'SCHEMA_UNKNOWN_INDEX');
  });

  it('references name a key of the parent with the same types, in any column order', () => {
    fails(base, 'CREATE TABLE t (a INTEGER PRIMARY KEY REFERENCES ghost)', 'SCHEMA_UNKNOWN_TABLE');
    fails(base, 'CREATE TABLE t (a INTEGER PRIMARY KEY REFERENCES sale(price))', 'SCHEMA_BAD_REFERENCE');
    fails(base, 'CREATE TABLE t (a TEXT PRIMARY KEY REFERENCES shop(id))', 'SCHEMA_BAD_REFERENCE');
    fails(base, 'CREATE TABLE t (a INTEGER, b INTEGER, PRIMARY KEY (a), FOREIGN KEY (a, b) REFERENCES shop)', 'SCHEMA_BAD_REFERENCE');
    const pair = schemaOf([
      'CREATE TABLE p (x TEXT, y INTEGER, PRIMARY KEY (x, y))',
      'CREATE TABLE c (a INTEGER PRIMARY KEY, b TEXT, FOREIGN KEY (a, b) REFERENCES p(y, x))',
    ]);
    expect(findTable(pair, 'c')?.foreignKeys[0]).to.deep.equal({ name: 'fk:0', columns: [1, 0], parent: 'p', target: '' });
  });

  it('what is referenced cannot be dropped', () => {
    fails(base, 'DROP TABLE shop', 'SCHEMA_STILL_REFERENCED');
    expect(next(base, 'DROP TABLE sale; DROP TABLE shop').tables).to.have.length(0);
    const indexed = schemaOf([
      'CREATE TABLE p (a INTEGER PRIMARY KEY, b TEXT); CREATE UNIQUE INDEX u ON p (b); CREATE TABLE c (a TEXT PRIMARY KEY REFERENCES p(b))',
    ]);
    fails(indexed, 'DROP INDEX u', 'SCHEMA_STILL_REFERENCED');
  });

  it('a unique index comes with its table, an added column has a value for old rows', () => {
    fails(base, 'CREATE UNIQUE INDEX u ON sale (price)', 'SCHEMA_UNIQUE_ON_EXISTING');
    fails(base, 'ALTER TABLE sale ADD COLUMN x TEXT NOT NULL', 'SCHEMA_COLUMN_NEEDS_DEFAULT');
    fails(base, 'ALTER TABLE sale ADD COLUMN x INTEGER DEFAULT 1 REFERENCES shop', 'SCHEMA_BAD_REFERENCE');
    expect(next(base, 'CREATE TABLE t (a INTEGER PRIMARY KEY); CREATE UNIQUE INDEX u ON t (a)').version).to.equal(2);
  });

  it('keeps to its limits', () => {
    const many = (count: number, one: (i: number) => string): string => Array.from({ length: count }, (_, i) => one(i)).join(';');
    fails(base, many(17, (i) => `CREATE INDEX i${i} ON sale (price)`), 'SCHEMA_TOO_MANY');
    fails(base, many(255, (i) => `CREATE TABLE t${i} (a INTEGER PRIMARY KEY)`), 'SCHEMA_TOO_MANY');
    fails(base, `CREATE TABLE t (${Array.from({ length: 257 }, (_, i) => `c${i} TEXT`).join()}, PRIMARY KEY (c0))`, 'SCHEMA_TOO_MANY');
  });
});

describe('schema: stored form', () => {
  const scripts: readonly (readonly string[])[] = [
    [SHOPS],
    [SHOPS,
      'ALTER TABLE shop ADD COLUMN boss INTEGER REFERENCES shop',
      'ALTER TABLE shop ADD COLUMN note TEXT NOT NULL DEFAULT \'a\'\'b\'; CREATE INDEX by_note ON shop (note)'],
    [SHOPS, 'CREATE TABLE later (id INTEGER PRIMARY KEY); ALTER TABLE shop ADD COLUMN l INTEGER REFERENCES later', 'DROP TABLE sale'],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX n ON t (b); CREATE UNIQUE INDEX u ON t (b, a);' +
      'ALTER TABLE t ADD COLUMN c REAL DEFAULT -1e21',
      'ALTER TABLE t ADD COLUMN d BLOB DEFAULT x\'00\'; CREATE INDEX m ON t (d)',
      'DROP INDEX n; CREATE TABLE s (x TEXT PRIMARY KEY REFERENCES s(x), b TEXT)'],
    [SHOPS, 'DROP TABLE sale', 'CREATE TABLE sale (id TEXT PRIMARY KEY)'],
  ];

  it('the row of a schema reads back as the same schema, after every step', () => {
    for (const script of scripts) {
      script.reduce((schema, sql) => {
        const after = sql === script[0] ? schemaOf([sql]) : next(schema, sql);
        expect(schemaFromRow(schemaRow(after))).to.deep.equal(after);
        if (sql !== script[0]) checkTransition(schema, after);
        return after;
      }, base);
    }
  });

  it('has one spelling per meaning', () => {
    const odd = schemaOf(['create table if not exists [shop] ("id" int not null primary key, name text unique not null) strict']);
    expect(canonicalStatements(odd)).to.deep.equal(canonicalStatements(base).slice(0, 1));
  });

  it('refuses rows that are not the canonical form', () => {
    const row = schemaRow(base);
    const bad = [
      [], [1n, ...row], row.slice(1), [...row, 'DROP TABLE sale'], [...row, 5n], [row[0]!, 0n, ...row.slice(2)], [row[0]!, 7n, ...row.slice(2)],
      row.map((value) => (typeof value === 'string' ? value.toLowerCase() : value)), [...row].reverse(), [0n, 'x'], [...row, 1.5], [-1n],
    ];
    for (const wrong of bad) expect(() => schemaFromRow(wrong), String(wrong)).to.throw().with.property('code').that.matches(/^SCHEMA_/);
  });
});

describe('schema: transitions', () => {
  it('describes the work of a storage engine', () => {
    const after = next(base, 'ALTER TABLE shop ADD COLUMN x TEXT; CREATE INDEX by_x ON shop (x); DROP TABLE sale;' +
      'CREATE TABLE sale (id TEXT PRIMARY KEY)');
    const effects = schemaEffects(base, after);
    expect(effects.droppedTables.map(({ name, since }) => [name, since])).to.deep.equal([['sale', 1]]);
    expect(effects.createdTables.map(({ name, since }) => [name, since])).to.deep.equal([['sale', 2]]);
    expect(effects.addedColumns.map(({ table, column }) => [table.name, column.name])).to.deep.equal([['shop', 'x']]);
    expect(effects.createdIndexes.map(({ index }) => index.name)).to.deep.equal(['by_x']);
    expect(schemaEffects(after, next(after, 'DROP INDEX by_x')).droppedIndexes.map(({ index }) => index.name)).to.deep.equal(['by_x']);
    checkTransition(base, after);
  });

  it('a table dropped and made again is another table, even if it looks the same', () => {
    const again = 'CREATE TABLE sale (id INTEGER PRIMARY KEY, shop INTEGER REFERENCES shop(id), price REAL DEFAULT 0.5)';
    const after = next(base, `DROP TABLE sale; ${again}`);
    expect(schemaEffects(base, after).droppedTables).to.have.length(1);
    expect(schemaEffects(base, after).createdTables).to.have.length(1);
  });

  it('refuses a schema that statements could not have made of the old one', () => {
    const from = next(base, 'ALTER TABLE shop ADD COLUMN x TEXT; CREATE INDEX by_x ON shop (x)');
    const [shop, sale] = from.tables as [Schema['tables'][number], Schema['tables'][number]];
    const after = (tables: Schema['tables'], version = 3): Schema => ({ version, tables });
    const bad: readonly (readonly [string, Schema])[] = [
      ['version', after(from.tables, 4)],
      ['version', from],
      ['tables', after([sale, shop])],
      ['tables', after([{ ...shop, since: 2 }, sale])],
      ['table', after([{ ...shop, columns: shop.columns.map((column) => ({ ...column, notNull: false })) }, sale])],
      ['table', after([{ ...shop, baseColumns: 3 }, sale])],
      ['columns', after([{ ...shop, columns: shop.columns.slice(0, 2), indexes: shop.indexes.slice(0, 1) }, sale])],
      ['columns', after([{ ...shop, columns: shop.columns.map((column) => (column.name === 'x' ? { ...column, default: 'y' } : column)) }, sale])],
      ['parent', after([{ ...shop, since: 3 }, sale].toSorted((a, b) => a.since - b.since))],
    ];
    for (const [part, schema] of bad) {
      expect(() => checkTransition(from, schema), part).to.throw(new RegExp(`part: ${part}`)).with.property('code', 'SCHEMA_BAD_TRANSITION');
    }
    const unique = { name: 'u', columns: [1], unique: true };
    expect(() => checkTransition(from, after([{ ...shop, indexes: [...shop.indexes, unique] }, sale])))
      .to.throw().with.property('code', 'SCHEMA_UNIQUE_ON_EXISTING');
    const must = { name: 'must', type: 'TEXT' as const, notNull: true, default: null };
    expect(() => checkTransition(from, after([{ ...shop, columns: [...shop.columns, must] }, sale])))
      .to.throw().with.property('code', 'SCHEMA_COLUMN_NEEDS_DEFAULT');
  });
});
