import { expect } from 'chai';
import { addressOf } from '../../protocol/crypto/index.ts';
import { bytesOf } from '../../protocol/types/index.ts';
import { picolo as cli } from '../../cli/devnet/commands.ts';
import type { Database } from '../../sdk/index.ts';
import { providerOf } from '../../sdk/operator/index.ts';
import { faultOf, openWorld, type Dapp, type World } from './world.ts';

const SCHEMA = `
  CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT NOT NULL, city TEXT NOT NULL, UNIQUE (email));
  CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, cents INTEGER NOT NULL, FOREIGN KEY (customer) REFERENCES customer (id));
  CREATE INDEX purchase_cents ON purchase (cents);
  CREATE TABLE counter (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)`;
const CUSTOMERS = 50;
const PURCHASES = 250;
const CITIES = ['Lisbon', 'Nairobi', 'Osaka'];

describe('e2e: a journey through a network of processes', () => {
  let world: World;
  let dapp: Dapp;
  let db: Database;

  before(async () => {
    world = await openWorld();
    dapp = await world.order({ thresholdWei: 100_000_000_000n }); // a few writes on credit, then vouchers
  });

  after(() => world?.close());

  const openSession = async (first: number): Promise<Database> => {
    const urls = world.providers.map((_, i) => world.providers[(first + i) % world.providers.length]?.apiUrl as string);
    const picolo = await world.connect({ key: dapp.key, payment: { channel: dapp.channel, limitWei: 10n ** 17n, aheadWei: 10n ** 14n } }, urls);
    return picolo.database(db.id, { bookmark: db.bookmark });
  };

  it('P-6-stake-first: four staked providers hold the cluster\'s group', async () => {
    const network = await world.network(dapp.key);
    for (const { node } of world.providers) {
      expect(await providerOf(network, node)).to.include({ status: 'active', usedGib: 1, offeredGib: 50 });
    }
    const { groups } = await (await world.connect()).status();
    expect(groups.find(({ group }) => group === dapp.group)).to.include({ state: 'live', cluster: dapp.cluster, epoch: 1n });
  });

  it('P-3.2-role-consumer: a database with references, a unique column and an index, loaded in signed batches and paid by vouchers', async () => {
    const picolo = await world.connect({ key: dapp.key, payment: { channel: dapp.channel, limitWei: 10n ** 17n, aheadWei: 10n ** 14n } });
    expect(picolo.trust).to.equal('chain');
    db = await picolo.createDatabase({ group: dapp.group, name: 'shop', schema: SCHEMA });
    const customers = Array.from({ length: CUSTOMERS }, (_, id) => ({ id, email: `c${id}@example.org`, city: CITIES[id % 3] }));
    const purchases = Array.from({ length: PURCHASES }, (_, id) => ({ id, customer: id % CUSTOMERS, cents: 100 + id }));
    await db.table('customer').insertMany(customers, { batchRows: 25, concurrency: 2 });
    const loaded = await db.table('purchase').insertMany(purchases, { batchRows: 50 });
    expect(loaded.rows).to.equal(PURCHASES);
    expect((await db.table('purchase').count()).rows).to.equal(BigInt(PURCHASES));
    expect(picolo.promisedWei > 0n).to.equal(true);
  });

  it('T-3.2-inclusion: a row by key is proven against a checkpoint and carries its writer\'s signature', async () => {
    const { row, writer, proof, assurance } = await db.get('customer', 7);
    expect(row).to.deep.equal({ id: 7, email: 'c7@example.org', city: 'Nairobi' });
    expect(assurance).to.equal('proof');
    expect(proof.kind).to.equal('present');
    expect(writer).to.equal(addressOf(bytesOf(dapp.key)));
  });

  it('T-3.2-absence: a row that does not exist is proven absent', async () => {
    const { row, proof } = await db.get('customer', 7_000);
    expect(row).to.equal(null);
    expect(proof.kind).to.equal('absent');
  });

  it('a key range and an index range are proven complete', async () => {
    const found = await db.range('purchase', 10, 19);
    expect(found.map(({ id }) => id)).to.deep.equal([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect([found.complete, found.assurance]).to.deep.equal([true, 'proof']);
    const cheap = await db.range('purchase', 100, 104, { index: 'purchase_cents' });
    expect(cheap.map(({ cents }) => cents)).to.deep.equal([100, 101, 102, 103, 104]);
  });

  it('a join with aggregates is signed by f + 1 nodes that say the same', async () => {
    const totals = await db.sql`SELECT city, count(*) AS n, sum(cents) AS cents FROM purchase JOIN customer ON customer.id = purchase.customer
      GROUP BY city ORDER BY city`;
    const expected = CITIES.map((city, at) => {
      const cents = Array.from({ length: PURCHASES }, (_, id) => id).filter((id) => (id % CUSTOMERS) % 3 === at).map((id) => 100 + id);
      return { city, n: cents.length, cents: cents.reduce((a, b) => a + b, 0) };
    });
    expect(totals).to.deep.equal(expected);
    expect(totals.assurance).to.equal('quorum');
    expect(totals.nodes.length).to.be.at.least(2);
  });

  it('a reference without its parent, a second row with a unique value and a used key are refused', async () => {
    expect((await faultOf(db.sql`INSERT INTO purchase (id, customer, cents) VALUES (9000, 9000, 1)`)).code).to.equal('TX_PARENT_MISSING');
    expect((await faultOf(db.sql`INSERT INTO customer (id, email, city) VALUES (9000, 'c1@example.org', 'Osaka')`)).code).to.equal('TX_UNIQUE_TAKEN');
    expect((await faultOf(db.sql`INSERT INTO customer (id, email, city) VALUES (1, 'other@example.org', 'Osaka')`)).code).to.equal('SDK_ALREADY_EXISTS');
    expect((await faultOf(db.sql`DELETE FROM customer WHERE id = 1`)).code).to.equal('TX_STILL_REFERENCED');
    expect(await db.sql`SELECT count(*) AS n FROM customer`).to.deep.equal([{ n: CUSTOMERS }]);
  });

  it('P-5.3.2-time-travel: reads the state before a change', async () => {
    const before = db.bookmark;
    await db.sql`UPDATE customer SET city = 'Quito' WHERE id < 10`;
    expect(await db.sql`SELECT count(*) AS n FROM customer WHERE city = 'Quito'`).to.deep.equal([{ n: 10 }]);
    expect(await db.query('SELECT count(*) AS n FROM customer WHERE city = ?', ['Quito'], { asOf: before })).to.deep.equal([{ n: 0 }]);
  });

  it('P-5.2.1-conflict: sessions at different nodes change one row at once, and no update is lost', async () => {
    await db.sql`INSERT INTO counter (id, n) VALUES (1, 0)`;
    const sessions = await Promise.all([0, 1, 2].map(openSession));
    const rounds = 3;
    await Promise.all(sessions.map(async (session) => {
      for (let i = 0; i < rounds; i++) await session.sql`UPDATE counter SET n = n + 1 WHERE id = 1`;
    }));
    const reader = await openSession(3);
    const bookmark = sessions.map((session) => BigInt(session.bookmark)).reduce((a, b) => (a > b ? a : b));
    expect(await reader.session(String(bookmark)).sql`SELECT n FROM counter WHERE id = 1`).to.deep.equal([{ n: sessions.length * rounds }]);
  });

  it('a table made by one process is there for the next, and the one after sees its rows', async () => {
    const { rpcUrl, deployment } = world.chain;
    const run = (url: string, sql: string): Promise<{ rows: unknown }> => cli(
      ['sql', '--url', url, '--rpc', rpcUrl, '--deployment', deployment, '--channel', dapp.channel, '--database', db.id, '-c', sql], { PICOLO_KEY: dapp.key },
    );
    const [first, second, third] = world.providers.map(({ apiUrl }) => apiUrl) as [string, string, string];
    await run(first, 'CREATE TABLE note (id INTEGER PRIMARY KEY, words TEXT NOT NULL)');
    await run(second, "INSERT INTO note (id, words) VALUES (1, 'verified')");
    expect((await run(third, 'SELECT words FROM note')).rows).to.deep.equal([{ words: 'verified' }]);
  });
});
