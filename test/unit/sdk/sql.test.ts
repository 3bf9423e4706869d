import { expect } from 'chai';
import { connect, isPicoloError, type Database, type Picolo } from '../../../sdk/index.ts';
import { hexOf } from '../../../protocol/types/index.ts';
import { listen, type RunningNodes } from './nodes.ts';
import { World } from './world.ts';

const SCHEMA = `
  CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE, balance INTEGER NOT NULL DEFAULT 0, note TEXT);
  CREATE TABLE transfer (id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account (id), amount REAL, done BOOLEAN, at TIMESTAMP, raw BLOB);
  CREATE INDEX by_account ON transfer (account);
`;

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isPicoloError(error)) return error.code;
    throw error;
  }
  return 'none';
}

describe('sdk: SQL', () => {
  let world: World;
  let nodes: RunningNodes;
  let picolo: Picolo;
  let db: Database;

  before(async () => {
    world = new World();
    nodes = await listen(world);
    picolo = await connect(nodes.urls[0] as string, { wallet: hexOf(new Uint8Array(32).fill(0x51)) });
  });
  after(async () => nodes.close());
  beforeEach(async () => {
    db = await picolo.createDatabase({ name: `bank ${Math.random()}`, schema: SCHEMA });
  });

  it('P-3.2-role-consumer: an application creates and uses a database by the SDK alone', async () => {
    await db.sql`INSERT INTO account (id, owner, balance) VALUES (${1}, ${'ada'}, ${100})`;
    const rows = await db.sql`SELECT id, owner, balance FROM account WHERE owner = ${'ada'}`;
    expect([...rows]).to.deep.equal([{ id: 1, owner: 'ada', balance: 100 }]);
    expect(rows.assurance).to.equal('quorum');
    expect(rows.nodes).to.have.length(2);
  });

  it('finds the other replicas from one address', () => {
    expect(picolo.nodes).to.have.members(nodes.urls);
    expect(picolo.trust).to.equal('node');
  });

  it('opens a database by its id in another client', async () => {
    await db.sql`INSERT INTO account (id, owner) VALUES (1, 'ada')`;
    const reader = await connect(nodes.urls);
    const other = await reader.database(db.id);
    expect([...await other.sql`SELECT owner FROM account`]).to.deep.equal([{ owner: 'ada' }]);
    expect(await codeOf(other.sql`INSERT INTO account (id, owner) VALUES (2, 'bob')`)).to.equal('SDK_NO_WALLET');
  });

  it('P-1-typed: values come back as they were bound, every type', async () => {
    await db.sql`INSERT INTO account (id, owner) VALUES (1, 'ada')`;
    const at = new Date(1_700_000_000_000);
    await db.sql`INSERT INTO transfer (id, account, amount, done, at, raw) VALUES (${7n}, 1, ${2}, ${true}, ${at}, ${Uint8Array.of(1, 2)})`;
    const [row] = await db.sql`SELECT * FROM transfer`;
    expect(row).to.deep.equal({ id: 7, account: 1, amount: 2, done: 1, at: at.getTime(), raw: Uint8Array.of(1, 2) });
    expect(await codeOf(db.sql`INSERT INTO account (id, owner) VALUES (${'x'}, 'eve')`)).to.equal('ROW_WRONG_TYPE');
  });

  it('UPDATE runs in the client on proven rows and tells what it touched', async () => {
    await db.sql`INSERT INTO account (id, owner, balance) VALUES (1, 'ada', 10), (2, 'bob', 20), (3, 'eve', 30)`;
    const result = await db.sql`UPDATE account SET balance = balance + ${5} WHERE balance >= ${20} RETURNING id`;
    expect(result.changes).to.equal(2);
    expect(result.receipt?.outcome).to.equal('applied');
    expect([...result].map(({ id }) => id)).to.have.members([2, 3]);
    expect((await db.sql`SELECT balance FROM account ORDER BY id`).map(({ balance }) => balance)).to.deep.equal([10, 25, 35]);
  });

  it('UPDATE by key, twice in a row, and DELETE', async () => {
    await db.sql`INSERT INTO account (id, owner, balance) VALUES (1, 'ada', 10)`;
    await db.sql`UPDATE account SET balance = balance - 1 WHERE id = 1`;
    await db.sql`UPDATE account SET balance = balance - 1 WHERE id = ${1}`;
    expect((await db.get('account', 1)).row).to.include({ balance: 8 });
    const gone = await db.sql`DELETE FROM account WHERE owner = 'ada'`;
    expect(gone.changes).to.equal(1);
    expect((await db.get('account', 1)).row).to.equal(null);
    expect((await db.sql`DELETE FROM account WHERE id = 1`).receipt).to.equal(undefined);
  });

  it('UPDATE with a subquery in WHERE asks the nodes which rows match', async () => {
    await db.sql`INSERT INTO account (id, owner) VALUES (1, 'ada'), (2, 'bob')`;
    await db.sql`INSERT INTO transfer (id, account) VALUES (1, 2)`;
    await db.sql`UPDATE account SET note = ${'busy'} WHERE id IN (SELECT account FROM transfer WHERE id = ${1}) RETURNING id`;
    expect([...await db.sql`SELECT owner, note FROM account ORDER BY id`]).to.deep.equal([{ owner: 'ada', note: null }, { owner: 'bob', note: 'busy' }]);
    expect(await codeOf(db.sql`UPDATE account SET note = (SELECT max(id) FROM transfer)`)).to.equal('SDK_UNSUPPORTED_SQL');
  });

  it('a key that exists is refused, unless the statement says what to do', async () => {
    await db.sql`INSERT INTO account (id, owner, balance) VALUES (1, 'ada', 1)`;
    expect(await codeOf(db.sql`INSERT INTO account (id, owner) VALUES (1, 'bob')`)).to.equal('SDK_ALREADY_EXISTS');
    expect(await codeOf(db.sql`INSERT INTO account (id, owner) VALUES (2, 'ada')`)).to.equal('TX_UNIQUE_TAKEN');
    expect((await db.sql`INSERT OR IGNORE INTO account (id, owner) VALUES (1, 'bob')`).receipt).to.equal(undefined);
    await db.sql`INSERT INTO account (id, owner, balance) VALUES (2, 'ada', 5) ON CONFLICT (owner) DO UPDATE SET balance = balance + excluded.balance + ${10}`;
    await db.sql`INSERT OR REPLACE INTO account (id, owner, balance) VALUES (3, 'cy', 3)`;
    await db.sql`INSERT OR REPLACE INTO account (id, owner, balance) VALUES (3, 'di', 4)`;
    expect([...await db.sql`SELECT id, owner, balance FROM account ORDER BY id`])
      .to.deep.equal([{ id: 1, owner: 'ada', balance: 16 }, { id: 3, owner: 'di', balance: 4 }]);
  });

  it('INSERT computes expressions, takes rows from a SELECT, and chooses keys that are left out', async () => {
    const [made] = await db.sql`INSERT INTO account (owner, balance) VALUES (lower(${'ADA'}), 6 * 7) RETURNING id, owner, balance`;
    expect(made).to.include({ owner: 'ada', balance: 42 });
    expect(made?.id).to.be.a('number').and.above(0);
    await db.sql`INSERT INTO account (id, owner, balance) SELECT 5, 'copy of ' || owner, balance FROM account WHERE owner = ${'ada'}`;
    expect((await db.get('account', 5)).row).to.include({ owner: 'copy of ada', balance: 42 });
  });

  it('references hold: a parent must exist and may not go away', async () => {
    expect(await codeOf(db.sql`INSERT INTO transfer (id, account) VALUES (1, 99)`)).to.equal('TX_PARENT_MISSING');
    await db.sql`INSERT INTO account (id, owner) VALUES (1, 'ada')`;
    await db.sql`INSERT INTO transfer (id, account) VALUES (1, 1)`;
    await db.sql`INSERT INTO transfer (id, account) VALUES (2, 1)`;
    expect(await codeOf(db.sql`DELETE FROM account WHERE id = 1`)).to.equal('TX_STILL_REFERENCED');
    await db.sql`DELETE FROM transfer`;
    expect((await db.sql`DELETE FROM account`).changes).to.equal(1);
  });

  it('changes the schema, and a client with an old one catches up', async () => {
    const reader = await (await connect(nodes.urls, { wallet: hexOf(new Uint8Array(32).fill(0x51)) })).database(db.id);
    await db.sql`ALTER TABLE account ADD COLUMN email TEXT`;
    await db.sql`INSERT INTO account (id, owner, email) VALUES (1, 'ada', 'a@b')`;
    expect(reader.schema.version).to.equal(1);
    await reader.sql`INSERT INTO account (id, owner) VALUES (2, 'bob')`;
    expect(reader.schema.version).to.equal(2);
    expect((await db.sql`CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY)`).receipt).to.equal(undefined);
  });

  it('finds a table and a column that another session just made, without being told', async () => {
    const other = await (await connect(nodes.urls, { wallet: hexOf(new Uint8Array(32).fill(0x51)) })).database(db.id);
    await db.sql`CREATE TABLE note (id INTEGER PRIMARY KEY)`;
    await other.sql`INSERT INTO note (id) VALUES (1)`;
    await db.sql`ALTER TABLE note ADD COLUMN words TEXT`;
    await other.sql`INSERT INTO note (id, words) VALUES (2, 'hello')`;
    await db.sql`CREATE TABLE proven (id INTEGER PRIMARY KEY)`;
    expect((await other.get('proven', 1)).row).to.equal(null);
    expect(await db.sql`SELECT count(*) AS n FROM note`).to.deep.equal([{ n: 2 }]);
  });

  it('says what is wrong with a statement before anything is sent', async () => {
    const before = world.submitted;
    expect(await codeOf(db.run('SELEC 1'))).to.equal('SDK_SYNTAX');
    expect(await codeOf(db.run('SELECT 1; SELECT 2'))).to.equal('SDK_SYNTAX');
    expect(await codeOf(db.run('PRAGMA user_version'))).to.equal('SDK_UNSUPPORTED_SQL');
    expect(await codeOf(db.run('INSERT INTO nowhere VALUES (1)'))).to.equal('SDK_UNKNOWN_TABLE');
    expect(await codeOf(db.run('INSERT INTO account (id) VALUES (?)', []))).to.equal('SDK_MISSING_PARAMETER');
    expect(await codeOf(db.run('INSERT INTO account (id) VALUES (?)', [{}]))).to.equal('SDK_BAD_PARAMETER');
    expect(await codeOf(db.run('INSERT INTO account (id, owner, nope) VALUES (1, \'x\', 2)'))).to.equal('ROW_UNKNOWN_COLUMN');
    expect(world.submitted).to.equal(before);
  });

  it('P-1-tx-wide: a transaction applies as a whole', async () => {
    await db.sql`INSERT INTO account (id, owner, balance) VALUES (1, 'ada', 10), (2, 'bob', 0)`;
    const { value, receipt } = await db.transaction(async (tx) => {
      const from = await tx.get('account', 1);
      if (Number(from?.balance) < 4) throw new Error('too poor');
      await tx.sql`UPDATE account SET balance = balance - ${4} WHERE id = 1`;
      await tx.sql`UPDATE account SET balance = balance + ${4} WHERE id = 2`;
      await tx.sql`INSERT INTO transfer (id, account, amount) VALUES (1, 2, 4)`;
      await tx.sql`UPDATE account SET note = 'sent' WHERE id = 1`;
      return tx.get('account', 1);
    });
    expect(value).to.include({ balance: 6, note: 'sent' });
    expect(receipt?.outcome).to.equal('applied');
    expect((await db.sql`SELECT sum(balance) AS total FROM account`)[0]).to.deep.equal({ total: 10 });
    const kept = await db.transaction(async (tx) => { tx.remove('transfer', 1); throw new Error('changed my mind'); }).catch((error: Error) => error.message);
    expect(kept).to.equal('changed my mind');
    expect((await db.get('transfer', 1)).row).to.not.equal(null);
  });

  it('a condition is not judged by a row as this session left it long ago', async () => {
    await db.sql`INSERT INTO account (id, owner) VALUES (1, 'ada')`;
    const other = await (await connect(nodes.urls, { wallet: hexOf(new Uint8Array(32).fill(0x51)) })).database(db.id);
    await other.sql`UPDATE account SET owner = 'bob' WHERE id = 1`;
    expect((await db.sql`UPDATE account SET owner = 'cy' WHERE id = 1 AND owner = 'bob'`).changes).to.equal(1);
    await other.sql`DELETE FROM account WHERE id = 1`;
    await other.sql`INSERT INTO account (id, owner) VALUES (1, 'dan')`;
    expect((await db.sql`DELETE FROM account WHERE id = 1`).changes).to.equal(1);
    expect((await db.get('account', 1)).row).to.equal(null);
  });

  it('retries a transaction that others overtook, on fresh rows', async () => {
    await db.sql`INSERT INTO account (id, owner, balance) VALUES (1, 'ada', 0)`;
    const other = await picolo.database(db.id);
    let runs = 0;
    await db.transaction(async (tx) => {
      runs += 1;
      await tx.sql`UPDATE account SET balance = balance + 1 WHERE id = 1`;
      if (runs === 1) await other.sql`UPDATE account SET balance = balance + 10 WHERE id = 1`;
    });
    expect(runs).to.equal(2);
    expect((await db.get('account', 1)).row).to.include({ balance: 11 });
  });

  it('five sessions add to one counter and none is lost', async () => {
    await db.sql`INSERT INTO account (id, owner, balance) VALUES (1, 'ada', 0)`;
    await Promise.all(Array.from({ length: 5 }, () => db.session(db.bookmark).sql`UPDATE account SET balance = balance + 1 WHERE id = 1`));
    expect((await db.get('account', 1)).row).to.include({ balance: 5 });
  });

  it('D1 shape: prepare, bind, first, all, raw, batch', async () => {
    const insert = db.prepare('INSERT INTO account (id, owner, balance) VALUES (?, ?, ?)');
    const [first] = await db.batch([insert.bind(1, 'ada', 5), insert.bind(2, 'bob', 6), db.prepare('UPDATE account SET balance = 7 WHERE id = 2')]);
    expect(first).to.deep.include({ success: true });
    expect(first?.meta).to.include({ changes: 1, changed_db: true });
    const all = await db.prepare('SELECT * FROM account WHERE id > ?1 OR id = ?1 ORDER BY id').bind(1).all();
    expect(all.results.map(({ owner }) => owner)).to.deep.equal(['ada', 'bob']);
    expect(await db.prepare('SELECT balance FROM account WHERE id = ?').bind(2).first('balance')).to.equal(7);
    expect(await db.prepare('SELECT 1 AS one WHERE 0').first()).to.equal(null);
    expect(await db.prepare('SELECT id, owner FROM account ORDER BY id').raw({ columnNames: true })).to.deep.equal([['id', 'owner'], [1, 'ada'], [2, 'bob']]);
  });
});
