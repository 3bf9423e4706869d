import { expect } from 'chai';
import fc from 'fast-check';
import { isPicoloError } from '../../../protocol/errors/index.ts';
import { findTable, parseDdl, parseDdlScript, schemaOf } from '../../../protocol/schema/index.ts';

describe('schema: parsing', () => {
  it('reads columns, types, defaults, keys, uniques, references and indexes', () => {
    const schema = schemaOf([`
      CREATE TABLE IF NOT EXISTS "Shop" (id INTEGER PRIMARY KEY, "openedAt" timestamp, name TEXT NOT NULL DEFAULT 'it''s' UNIQUE) STRICT;
      CREATE TABLE sale (shop INT REFERENCES Shop ON DELETE RESTRICT ON UPDATE NO ACTION, n INTEGER DEFAULT -5, paid BOOL DEFAULT (TRUE),
        rate REAL DEFAULT 1, raw BLOB DEFAULT x'00ff', shopName TEXT COLLATE BINARY, PRIMARY KEY (n, shop), UNIQUE (raw, rate),
        FOREIGN KEY (shopName) REFERENCES Shop(name)) WITHOUT ROWID;
      CREATE INDEX by_rate ON sale (rate, n);`]);
    const sale = findTable(schema, 'SALE')!;
    const types = sale.columns.map(({ type, notNull }) => `${type}${notNull ? '!' : ''}`);
    expect(types).to.deep.equal(['INTEGER!', 'INTEGER!', 'BOOLEAN', 'REAL', 'BLOB', 'TEXT']);
    expect(sale.columns.map((column) => column.default)).to.deep.equal([null, -5n, 1n, 1, Uint8Array.of(0, 255), null]);
    expect(sale.primaryKey).to.deep.equal([1, 0]);
    expect(sale.indexes).to.deep.equal([
      { name: 'unique:raw,rate', columns: [4, 3], unique: true }, { name: 'by_rate', columns: [3, 1], unique: false },
    ]);
    expect(sale.foreignKeys).to.deep.equal([
      { name: 'fk:0', columns: [0], parent: 'Shop', target: '' }, { name: 'fk:1', columns: [5], parent: 'Shop', target: 'unique:name' },
    ]);
    expect(findTable(schema, 'shop')?.columns[2]).to.deep.equal({ name: 'name', type: 'TEXT', notNull: true, default: "it's" });
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['CREATE TABLE t (a INTEGER)', 'SCHEMA_NO_PRIMARY_KEY', /table: t/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT PRIMARY KEY)', 'SCHEMA_UNSUPPORTED', /two primary keys/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT CHECK (b > 1))', 'SCHEMA_UNSUPPORTED', /CHECK.*column: b/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY, CHECK (a > 1))', 'SCHEMA_UNSUPPORTED', /CHECK/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)', 'SCHEMA_UNSUPPORTED', /AUTOINCREMENT/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY DESC)', 'SCHEMA_UNSUPPORTED', /DESC/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY ON CONFLICT REPLACE)', 'SCHEMA_UNSUPPORTED', /ON CONFLICT/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER AS (a))', 'SCHEMA_UNSUPPORTED', /generated/],
    ['CREATE TABLE t (a TEXT COLLATE NOCASE PRIMARY KEY)', 'SCHEMA_UNSUPPORTED', /COLLATE/],
    ['CREATE TABLE t (a TEXT, PRIMARY KEY (a COLLATE NOCASE))', 'SCHEMA_UNSUPPORTED', /COLLATE/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY REFERENCES t ON DELETE CASCADE)', 'SCHEMA_UNSUPPORTED', /Cascade/],
    ['CREATE TABLE t (a VARCHAR(20) PRIMARY KEY)', 'SCHEMA_BAD_TYPE', /column: a, type: VARCHAR/],
    ['CREATE TABLE t (a TEXT(20) PRIMARY KEY)', 'SCHEMA_UNSUPPORTED', /sizes/],
    ['CREATE TABLE t (a PRIMARY KEY)', 'SCHEMA_BAD_TYPE', /column: a/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER DEFAULT "x")', 'SCHEMA_BAD_DEFAULT', /column: b/],
    ["CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER DEFAULT '5')", 'SCHEMA_BAD_DEFAULT', /column: b/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER DEFAULT 9223372036854775808)', 'SCHEMA_BAD_DEFAULT', /column: b/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY, b REAL DEFAULT 1e999)', 'SCHEMA_BAD_DEFAULT', /column: b/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY, b BOOLEAN DEFAULT 2)', 'SCHEMA_BAD_DEFAULT', /column: b/],
    ['CREATE TABLE t (a INTEGER PRIMARY KEY, b TIMESTAMP DEFAULT CURRENT_TIMESTAMP)', 'SCHEMA_BAD_DEFAULT', /column: b/],
    ['CREATE TABLE _t (a INTEGER PRIMARY KEY)', 'SCHEMA_BAD_NAME', /_t/],
    ['CREATE TABLE sqlite_t (a INTEGER PRIMARY KEY)', 'SCHEMA_BAD_NAME', /sqlite_t/],
    ['CREATE TABLE "a b" (a INTEGER PRIMARY KEY)', 'SCHEMA_BAD_NAME', /a b/],
    ['CREATE TABLE t ("é" INTEGER PRIMARY KEY)', 'SCHEMA_BAD_NAME', /column/],
    [`CREATE TABLE ${'x'.repeat(64)} (a INTEGER PRIMARY KEY)`, 'SCHEMA_BAD_NAME', /xxx/],
    ['CREATE TEMP TABLE t (a INTEGER PRIMARY KEY)', 'SCHEMA_UNSUPPORTED', /TEMPORARY/],
    ['CREATE TABLE main.t (a INTEGER PRIMARY KEY)', 'SCHEMA_UNSUPPORTED', /main/],
    ['CREATE TABLE t AS SELECT 1', 'SCHEMA_UNSUPPORTED', /AS SELECT/],
    ['CREATE INDEX i ON t (a) WHERE a > 1', 'SCHEMA_UNSUPPORTED', /partial/],
    ['CREATE INDEX i ON t (a DESC)', 'SCHEMA_UNSUPPORTED', /DESC/],
    ['CREATE INDEX i ON t (lower(a))', 'SCHEMA_UNSUPPORTED', /expressions/],
    ['ALTER TABLE t RENAME TO u', 'SCHEMA_UNSUPPORTED', /ADD COLUMN/],
    ['ALTER TABLE t ADD COLUMN b TEXT UNIQUE', 'SCHEMA_UNSUPPORTED', /UNIQUE/],
    ['SELECT 1', 'SCHEMA_NOT_DDL', /SelectStmt/],
    ['EXPLAIN CREATE TABLE t (a INTEGER PRIMARY KEY)', 'SCHEMA_NOT_DDL', /Explain/],
    ['CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END', 'SCHEMA_NOT_DDL', /Trigger/],
    ['CREATE TABEL t', 'SCHEMA_SYNTAX', /TABEL.*line: 1/],
    ['', 'SCHEMA_SYNTAX', /expected one statement|no SQL/],
    ['DROP TABLE a; DROP TABLE b', 'SCHEMA_SYNTAX', /got: 2/],
    [`DROP TABLE a -- ${'x'.repeat(70_000)}`, 'SCHEMA_TOO_LONG', /length/],
  ];
  for (const [sql, code, message] of refused) {
    it(`refuses ${sql.slice(0, 70) || 'nothing'}`, () => {
      expect(() => parseDdl(sql)).to.throw(message).with.property('code', code);
    });
  }

  it('P-1-typed: any input parses or fails with a typed fault', () => {
    const words = ['CREATE', 'TABLE', 'INDEX', 'UNIQUE', 't', 'a', '(', ')', ',', 'INTEGER', 'TEXT', 'PRIMARY KEY', 'DEFAULT', '1', "'x'", '-',
      'NULL', 'NOT NULL', 'REFERENCES', 'ON', 'ALTER', 'ADD COLUMN', 'DROP', ';', '"', "'",
      'x\'0', '--', '/*', '\u0000', '\ud800', 'é'];
    const soup = fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((parts) => parts.join(' '));
    fc.assert(fc.property(fc.oneof(soup, fc.string({ maxLength: 80 })), (sql) => {
      try {
        parseDdlScript(sql);
      } catch (error) {
        expect(isPicoloError(error), String(error)).to.equal(true);
      }
    }), { numRuns: 3000 });
  });
});
