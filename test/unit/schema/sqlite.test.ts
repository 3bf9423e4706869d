import Database from 'better-sqlite3';
import { expect } from 'chai';
import {
  applyDdl, expandRow, findTable, parseDdlScript, schemaEffects, schemaOf, sqliteAddColumn, sqliteDdl, type Table,
} from '../../../protocol/schema/index.ts';

const schema = schemaOf([`
  CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE, ok BOOLEAN DEFAULT TRUE,
    at TIMESTAMP DEFAULT -1, "order" REAL DEFAULT 1e21);
  CREATE TABLE pair (b TEXT, a BLOB, note TEXT DEFAULT 'it''s', PRIMARY KEY (a, b), UNIQUE (note, b), FOREIGN KEY (b) REFERENCES account(owner));
  CREATE UNIQUE INDEX u ON pair (note); CREATE INDEX by_order ON account ("order", at)`]);

function open(): Database.Database {
  const db = new Database(':memory:');
  db.defaultSafeIntegers(true);
  for (const sql of sqliteDdl(schema)) db.exec(sql);
  return db;
}

describe('schema: in SQLite', () => {
  it('builds strict tables with the indexes and keys of the schema', () => {
    const db = open();
    const tables = db.prepare("SELECT name, strict, wr FROM pragma_table_list WHERE name IN ('account', 'pair') ORDER BY name").all();
    expect(tables).to.deep.equal([{ name: 'account', strict: 1n, wr: 0n }, { name: 'pair', strict: 1n, wr: 1n }]);
    const indexes = db.prepare("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name").all();
    expect(indexes).to.deep.equal([{ name: 'by_order' }, { name: 'u' }]);
    expect(() => db.prepare('INSERT INTO account (id, owner) VALUES (?, ?)').run('x', 'a')).to.throw(/TEXT value|datatype mismatch/);
    expect(() => db.prepare('INSERT INTO account (id, owner) VALUES (1, NULL)').run()).to.throw(/NOT NULL/);
    db.close();
  });

  it('fills in the defaults that every replica computes', () => {
    const db = open();
    db.exec("INSERT INTO account (id, owner) VALUES (1, 'a'); INSERT INTO pair (a, b) VALUES (x'01', 'b')");
    expect(Object.values(db.prepare('SELECT * FROM account').get() as object)).to.deep.equal([1n, 'a', 1n, -1n, 1e21]);
    expect(db.prepare('SELECT note FROM pair').get()).to.deep.equal({ note: "it's" });
    db.close();
  });

  it('an added column reads the same in SQLite as in the protocol', () => {
    const db = open();
    db.exec("INSERT INTO account (id, owner) VALUES (1, 'a')");
    const after = applyDdl(schema, parseDdlScript(
      "ALTER TABLE account ADD COLUMN z BLOB NOT NULL DEFAULT x'00ff'; ALTER TABLE account ADD COLUMN r REAL DEFAULT 0.1",
    ));
    for (const { table, column } of schemaEffects(schema, after).addedColumns) db.exec(sqliteAddColumn(table, column));
    const [stored] = db.prepare('SELECT * FROM account').raw().all() as unknown[][];
    const expected = expandRow(findTable(after, 'account') as Table, [1n, 'a', 1n, -1n, 1e21]);
    expect(stored?.map((value) => (value instanceof Uint8Array ? Uint8Array.from(value) : value))).to.deep.equal(expected);
    db.close();
  });
});
