import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { openSqlPool, type QueryOutcome, type SqlPool } from '../../../node/storage/index.ts';
import { at, databaseId, FileFixture, scratchFolder } from './fixture.ts';

const shop = databaseId(1);
const other = databaseId(2);

describe('untrusted SQL: what it cannot do', () => {
  let pool: SqlPool;
  let file: FileFixture;
  const outside = join(scratchFolder(), 'stolen.db');

  before(() => {
    file = new FileFixture();
    file.database(shop, ['CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL)']);
    file.database(other, ['CREATE TABLE secret (id TEXT PRIMARY KEY, word TEXT)']);
    for (let i = 1n; i <= 20n; i++) file.put(shop, 'item', [i, `item ${i}`, Number(i) / 2], 100);
    file.put(other, 'secret', ['a', 'xyzzy'], 100);
    file.close(200);
    pool = openSqlPool({ path: file.path, workers: 1, timeoutMs: 800, memoryBytes: 300 * 1024 * 1024, maxRows: 1000, maxBytes: 100_000 });
  });
  after(async () => {
    await pool.close();
    file.end();
  });

  const run = (sql: string): Promise<QueryOutcome> => pool.query({ database: shop, sql });
  const refusal = (sql: string): Promise<string> =>
    run(sql).then(() => 'ran', (error: { code?: string; message: string }) => error.code ?? error.message);

  const attacks: Readonly<Record<string, readonly string[]>> = {
    SQL_NOT_SELECT: [
      "ATTACH ':memory:' AS x", `ATTACH '${outside}' AS x`, `VACUUM INTO '${outside}'`, 'VACUUM', 'PRAGMA query_only = 0', 'PRAGMA table_info(item)',
      'EXPLAIN SELECT 1', 'EXPLAIN QUERY PLAN SELECT 1', 'INSERT INTO item VALUES (99, 1, 1)', 'UPDATE item SET name = 1', 'DELETE FROM item',
      'DROP TABLE item', 'CREATE TABLE x (a)', 'CREATE TEMP TABLE x (a)', 'CREATE TEMP VIEW x AS SELECT 1',
      'BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT a', 'REINDEX',
      'ANALYZE', "DETACH 'main'", 'WITH a AS (SELECT 1) DELETE FROM item', 'INSERT INTO item SELECT * FROM item RETURNING *',
      'ALTER TABLE item ADD COLUMN x', 'CREATE TRIGGER x AFTER INSERT ON item BEGIN SELECT 1; END', 'CREATE VIRTUAL TABLE x USING fts5(a)',
    ],
    SQL_SYNTAX: [
      'SELECT 1; DROP TABLE item', 'SELECT 1;; SELECT 2', '', ';', 'SELECT 1 INTO x', 'SELECT 1 \u0000; DROP TABLE item',
      '.dump', 'SELECT * FROM item FOR UPDATE',
    ],
    SQL_FORBIDDEN: [
      'SELECT * FROM main.t1', 'SELECT main.item.id FROM item', 'SELECT * FROM temp.item', 'SELECT * FROM sqlite_master', 'SELECT * FROM sqlite_schema',
      'SELECT * FROM sqlite_temp_master', 'SELECT * FROM pragma_database_list', 'SELECT * FROM dbstat', 'SELECT * FROM item INDEXED BY x',
      'SELECT raise(ABORT, 1)', "SELECT name MATCH 'x' FROM item", 'SELECT name COLLATE evil FROM item',
      "SELECT * FROM (SELECT * FROM sqlite_master)", 'WITH a AS (SELECT * FROM sqlite_master) SELECT * FROM a',
      'SELECT (SELECT count(*) FROM sqlite_master)', 'SELECT 1 IN sqlite_master',
    ],
    SQL_FORBIDDEN_FUNCTION: [
      "SELECT load_extension('x')", 'SELECT random()', 'SELECT randomblob(9)', 'SELECT zeroblob(900000000)', 'SELECT sqlite_version()', 'SELECT changes()',
      'SELECT last_insert_rowid()', "SELECT readfile('/etc/passwd')", "SELECT writefile('x', 'y')", "SELECT * FROM pragma_table_info('item')",
      "SELECT * FROM fsdir('/')", 'SELECT picolo_as_of()', "SELECT sqlite_compileoption_get(1)", 'SELECT exp(1)', "SELECT 1 IN generate_series(1, 10)",
      "SELECT fts3_tokenizer('x')", 'SELECT sum(1) FILTER (WHERE random() > 0)', 'SELECT * FROM item ORDER BY random()', 'SELECT 1 LIMIT random()',
    ],
    SQL_CLOCK: [
      'SELECT CURRENT_TIMESTAMP', 'SELECT current_date', 'SELECT CURRENT_TIME', "SELECT datetime('now')", "SELECT date('n' || 'ow')", 'SELECT date()',
      "SELECT strftime('%s')", "SELECT strftime('%s', ' NOW ')", "SELECT julianday(x'6e6f77')", "SELECT timediff('2020-01-01', 'now')", 'SELECT unixepoch()',
    ],
    SQL_REFUSED: [
      'SELECT * FROM secret', 'SELECT * FROM t2', 'SELECT * FROM t1', 'SELECT * FROM h1', 'SELECT _ts FROM item',
      'SELECT c0 FROM item', 'SELECT * FROM position',
      'SELECT * FROM entries', 'SELECT "no such column" FROM item', 'SELECT * FROM item WHERE 1 IN secret', 'SELECT * FROM nowhere',
    ],
  };
  for (const [code, statements] of Object.entries(attacks)) {
    it(`${code}: ${statements.length} statements end there`, async () => {
      const seen = await Promise.all(statements.map(async (sql) => [sql, await refusal(sql)]));
      expect(seen.filter(([, got]) => got !== code)).to.deep.equal([]);
    });
  }

  it('nothing was written, nothing opened', async () => {
    expect(existsSync(outside)).to.equal(false);
    expect(readdirSync(dirname(file.path)).filter((name) => !/^group\.sqlite(-wal|-shm)?$/.test(name))).to.deep.equal([]);
    expect((await run('SELECT count(*) FROM item')).rows).to.deep.equal([[20n]]);
  });

  it('a recursion without end is killed and the next query runs', async () => {
    const before = pool.stats().lost;
    expect(await refusal('WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c')).to.equal('SQL_TIME_LIMIT');
    expect(pool.stats().lost).to.equal(before + 1);
    expect((await run('SELECT 1')).rows).to.deep.equal([[1n]]);
  });

  it('a memory bomb is killed or refused', async () => {
    const bombs = [
      "WITH RECURSIVE c(x) AS (SELECT 'aaaaaaaa' UNION ALL SELECT x || x FROM c) SELECT count(*), max(length(x)) FROM c",
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT length(group_concat(printf('%1000d', x))) FROM c",
      "SELECT length(printf('%1000000000d', 1))",
    ];
    for (const bomb of bombs) expect(await refusal(bomb), bomb).to.match(/^SQL_(?:MEMORY_LIMIT|TIME_LIMIT|REFUSED)$/);
    expect((await run('SELECT 1')).rows).to.deep.equal([[1n]]);
  });

  it('results are bounded by rows and bytes', async () => {
    const counting = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1001)';
    expect(await refusal(`${counting} SELECT x FROM c`)).to.equal('SQL_ROW_LIMIT');
    expect((await run(`${counting} SELECT x FROM c LIMIT 1000`)).rows).to.have.length(1000);
    expect(await refusal(`${counting} SELECT printf('%1000d', x) FROM c LIMIT 500`)).to.equal('SQL_BYTE_LIMIT');
    expect(await refusal('SELECT 9e999')).to.equal('SQL_NOT_FINITE');
  });

  it('a statement above the limit and a queue that is full are refused', async () => {
    expect(await refusal(`SELECT '${'x'.repeat(70_000)}'`)).to.equal('SQL_TOO_LONG');
    expect(await refusal(`SELECT ${'('.repeat(5000)}1${')'.repeat(5000)}`)).to.match(/^SQL_/);
    const small = openSqlPool({ path: file.path, workers: 1, waiting: 2 });
    const codes = await Promise.all(Array.from({ length: 5 }, () =>
      small.query({ database: shop, sql: 'SELECT 1' }).then(() => 'ran', (error: { code: string }) => error.code)));
    await small.close();
    expect(codes.filter((code) => code === 'SQL_OVERLOADED')).to.have.length(2);
  });

  it('an unknown database and a closed pool say so', async () => {
    const code = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'ran', (error: { code: string }) => error.code);
    expect(await code(pool.query({ database: databaseId(9), sql: 'SELECT 1' }))).to.equal('SQL_UNKNOWN_DATABASE');
    const second = openSqlPool({ path: file.path });
    const running = code(second.query({ database: shop, sql: 'SELECT 1', asOf: at(150) }));
    await second.close();
    expect(await running).to.equal('SQL_CLOSED');
    expect(await code(second.query({ database: shop, sql: 'SELECT 1' }))).to.equal('SQL_CLOSED');
  });
});
