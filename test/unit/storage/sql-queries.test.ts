import { expect } from 'chai';
import fc from 'fast-check';
import type { Scalar } from '../../../protocol/codec/index.ts';
import { timestampOf } from '../../../protocol/hlc/index.ts';
import { resultHashOf } from '../../../protocol/query/index.ts';
import { openSqlPool, type QueryOutcome, type SqlPool } from '../../../node/storage/index.ts';
import { splitAsOf } from '../../../node/storage/sql/as-of.ts';
import { at, databaseId, FileFixture } from './fixture.ts';

const shop = databaseId(1);
const ddl = [
  'CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL)',
  'CREATE TABLE sale (region TEXT, day INTEGER, amount INTEGER, PRIMARY KEY (region, day))',
  'CREATE INDEX by_name ON item (name)',
];

describe('untrusted SQL: what it answers', () => {
  let pool: SqlPool;
  let file: FileFixture;
  before(() => {
    file = new FileFixture();
    file.database(shop, ddl);
    file.put(shop, 'item', [2n, 'pear', 2.5], 100);
    file.put(shop, 'item', [1n, 'apple', 1], 100);
    file.put(shop, 'item', [3n, 'fig', null], 200);
    file.put(shop, 'item', [1n, 'apple', 1.25], 300);
    file.put(shop, 'item', [2n], 400);
    file.close(500, 50);
    pool = openSqlPool({ path: file.path, workers: 2 });
  });
  after(async () => {
    await pool.close();
    file.end();
  });
  const run = (sql: string, params: readonly Scalar[] = []): Promise<QueryOutcome> => pool.query({ database: shop, sql, params });
  const rows = async (sql: string, params: readonly Scalar[] = []): Promise<unknown> => (await run(sql, params)).rows;
  const code = (sql: string, params: readonly Scalar[] = []): Promise<string> =>
    run(sql, params).then(() => 'ran', (error: { code: string }) => error.code);

  it('columns, typed values and the hash of the canonical result', async () => {
    const outcome = await run("SELECT id, name, price, x'00ff' AS raw FROM item");
    expect(outcome.columns).to.deep.equal(['id', 'name', 'price', 'raw']);
    expect(outcome.rows).to.deep.equal([[1n, 'apple', 1.25, new Uint8Array([0, 255])], [3n, 'fig', null, new Uint8Array([0, 255])]]);
    expect(outcome.resultHash).to.equal(resultHashOf(outcome.columns, outcome.rows));
    expect(outcome).to.include({ epoch: 1n, height: 1n, snapshot: at(500) });
  });

  it('P-5.3.2-time-travel: AS OF gives the state of that moment, absences included', async () => {
    expect(await rows('SELECT id, price FROM item AS OF 99')).to.deep.equal([]);
    expect(await rows('SELECT id, price FROM item AS OF 100')).to.deep.equal([[1n, 1], [2n, 2.5]]);
    expect(await rows('SELECT id, price FROM item WHERE id > 0 AS OF 250')).to.deep.equal([[1n, 1], [2n, 2.5], [3n, null]]);
    expect(await rows("SELECT id FROM item AS OF '1970-01-01T00:00:00.400Z' ORDER BY id DESC")).to.deep.equal([[3n], [1n]]);
    expect((await pool.query({ database: shop, sql: 'SELECT count(*) FROM item', asOf: at(300) })).rows).to.deep.equal([[3n]]);
    expect(await rows(`SELECT a.id FROM item a JOIN item AS OF ${at(350)} ON 1 WHERE EXISTS (SELECT 1 FROM item WHERE id = 2) AND item.id = 2`))
      .to.deep.equal([[1n], [2n], [3n]]).and.to.have.length(3);
  });

  it('AS OF outside the kept history, above the closed timestamp, or twice is a clear error', async () => {
    expect(await code('SELECT 1 AS OF 20')).to.equal('SQL_HISTORY_GONE');
    expect(await code('SELECT 1 FROM item AS OF 501')).to.equal('SQL_NOT_CLOSED');
    expect(await code('SELECT 1 FROM item AS OF 100, sale AS OF 200')).to.equal('SQL_BAD_AS_OF');
    expect(await code('SELECT 1 FROM item AS OF ?')).to.equal('SQL_BAD_AS_OF');
    expect(await code("SELECT 1 FROM item AS OF 'yesterday'")).to.equal('SQL_BAD_AS_OF');
  });

  it('the clause is found only where plain SQL ends', () => {
    const end = timestampOf(7, 0xffff, 0xffff_ffff);
    expect(splitAsOf('select 1 as of from t').asOf).to.equal(undefined);
    expect(splitAsOf("select ' as of 5' from t as of").asOf).to.equal(undefined);
    expect(splitAsOf('select * from t /* as of 5 */ as of 7 where a = 1')).to.deep.equal({ sql: 'select * from t /* as of 5 */         where a = 1', asOf: end });
    expect(splitAsOf('select * from t x AS\nOF 7').asOf).to.equal(end);
    expect(splitAsOf(`select 1 as of ${1n << 60n}`).asOf).to.equal(1n << 60n);
  });

  it('the order is total: equal rows of different replicas come in one order', async () => {
    expect(await rows('SELECT 1, name FROM item ORDER BY 1')).to.deep.equal([[1n, 'apple'], [1n, 'fig']]);
    expect(await rows('SELECT name FROM item LIMIT 1')).to.deep.equal([['apple']]);
    expect(await rows('SELECT name FROM item AS OF 250 ORDER BY price IS NULL LIMIT 2 OFFSET 1')).to.deep.equal([['pear'], ['fig']]);
    expect(await rows('VALUES (2), (1)')).to.deep.equal([[2n], [1n]]);
    expect(await rows('SELECT 2 UNION ALL SELECT 1')).to.deep.equal([[1n], [2n]]);
    expect(await rows('WITH a(x) AS (VALUES (3), (1)) SELECT x FROM a -- done')).to.deep.equal([[1n], [3n]]);
    expect(await rows('SELECT name FROM item;')).to.deep.equal([['apple'], ['fig']]);
  });

  it('parameters are numbered as SQLite numbers them', async () => {
    expect(await rows('SELECT ?, ?2, :a, ?, :a', [1n, 'b', 2.5, null])).to.deep.equal([[1n, 'b', 2.5, null, 2.5]]);
    expect(await code('SELECT ?', [])).to.equal('SQL_BAD_PARAMETERS');
    expect(await code('SELECT 1', [1n])).to.equal('SQL_BAD_PARAMETERS');
  });

  it('dates that are given are computed, in UTC', async () => {
    expect(await rows("SELECT date(86400, 'unixepoch'), strftime('%Y', '2024-05-06'), datetime('2024-01-01 00:00:00', 'localtime')"))
      .to.deep.equal([['1970-01-02', '2024', '2024-01-01 00:00:00']]);
  });

  it('common SQL runs: joins, windows, JSON, CTEs', async () => {
    expect(await rows(`WITH p AS (SELECT id, coalesce(price, 0) v FROM item)
      SELECT i.name, p.v, sum(p.v) OVER (ORDER BY p.id), json_object('n', i.name) ->> '$.n'
      FROM item i JOIN p USING (id) WHERE i.name LIKE '%p%' OR i.id IN (SELECT value FROM json_each('[3]')) ORDER BY i.id`))
      .to.deep.equal([['apple', 1.25, 1.25, 'apple'], ['fig', 0n, 1.25, 'fig']]);
  });
});

interface Write { readonly id: bigint; readonly value: string | null }

describe('snapshots of untrusted SQL', () => {
  it('P-5.3.2-mvcc: AS OF equals the fold of the writes up to it, for any history', async () => {
    const write = fc.record({ id: fc.bigInt({ min: 0n, max: 6n }), value: fc.option(fc.string({ maxLength: 3 }), { nil: null }) });
    const file = new FileFixture();
    const pool = openSqlPool({ path: file.path, workers: 1 });
    let runs = 0;
    await fc.assert(fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 30 }), async (writes) => {
      const database = databaseId(++runs);
      file.atomically(() => {
        file.database(database, ['CREATE TABLE v (id INTEGER PRIMARY KEY, word TEXT)', 'CREATE INDEX w ON v (word)']);
        writes.forEach(({ id, value }, i) => file.put(database, 'v', value === null ? [id] : [id, value], i + 1));
        file.close(32);
      });
      for (const ms of [1, Math.ceil(writes.length / 2), writes.length, 31]) {
        const expected = folded(writes.slice(0, ms));
        const all = await pool.query({ database, sql: `SELECT id, word FROM v AS OF ${ms} ORDER BY id` });
        expect(all.rows).to.deep.equal(expected);
        const some = await pool.query({ database, sql: `SELECT id FROM v WHERE word >= 'b' AS OF ${ms}` });
        const fromB = expected.filter(([, word]) => Buffer.compare(Buffer.from(word), Buffer.from('b')) >= 0);
        expect(some.rows).to.deep.equal(fromB.map(([id]) => [id]));
      }
    }), { numRuns: 60 });
    await pool.close();
    file.end();
  });

  it('P-5.3.2-snapshot, P-1-lockfree-reads: a scan during writes sees one state and blocks nobody', async () => {
    const file = new FileFixture();
    file.database(shop, ['CREATE TABLE pot (id INTEGER PRIMARY KEY, coins INTEGER)']);
    for (let i = 0n; i < 10n; i++) file.put(shop, 'pot', [i, 10n], 1);
    file.close(1);
    const pool = openSqlPool({ path: file.path, workers: 2 });
    const slow = 'SELECT sum(a.coins), count(*) FROM pot a JOIN pot b JOIN pot c JOIN pot d';
    const running = Array.from({ length: 20 }, () => pool.query({ database: shop, sql: slow }));
    let coins = Array.from({ length: 10 }, () => 10n);
    for (let ms = 2; ms < 60; ms++) {
      const [from, to] = [ms % 10, (ms * 7 + 3) % 10];
      coins = coins.map((value, i) => value - (i === from ? 1n : 0n) + (i === to ? 1n : 0n));
      file.atomically(() => {
        [from, to].forEach((i) => file.put(shop, 'pot', [BigInt(i), coins[i] as bigint], ms));
        file.close(ms - 1); // the newest write is above the closed timestamp: answers must not show it
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { rows } of await Promise.all(running)) expect(rows).to.deep.equal([[100_000n, 10_000n]]);
    await pool.close();
    file.end();
  });
});

function folded(writes: readonly Write[]): [bigint, string][] {
  const state = new Map<bigint, string>();
  for (const { id, value } of writes) {
    if (value === null) state.delete(id);
    else state.set(id, value);
  }
  return [...state].sort(([a], [b]) => Number(a - b));
}
