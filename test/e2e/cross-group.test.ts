import { expect } from 'chai';
import { startProvider, type LocalProvider } from '../../cli/devnet/network.ts';
import type { Database, Picolo } from '../../sdk/index.ts';
import { groupAt, sameHeight, troubleIn } from './group.ts';
import { eventually, faultOf, openWorld, type Dapp, type World } from './world.ts';

const PREPARE = '/v1/prepare';
const CARRY = '/v1/carry';

/** A client's network that is cut for ever at a call of its choice, as when its machine dies there. */
class Dying {
  dead = false;
  private readonly isLast: (url: string) => boolean;

  constructor(isLast: (url: string) => boolean) {
    this.isLast = isLast;
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    this.dead ||= this.isLast(url);
    if (this.dead) throw new TypeError('the machine is gone');
    return fetch(url, init);
  };
}

/** The groups lie on the same four nodes, or on four nodes each: then nothing that one group knows reaches the other but by messages. */
for (const apart of [false, true]) describe(`e2e: transactions over several groups ${apart ? 'that share no node' : 'on the same nodes'}`, () => {
  let world: World;
  let dapps: readonly [Dapp, Dapp];
  let members: readonly [readonly LocalProvider[], readonly LocalProvider[]];
  let picolo: Picolo;
  let shop: Database;
  let bank: Database;

  before(async () => {
    world = await openWorld();
    const near = [...world.providers];
    const far = apart ? await Promise.all([5, 6, 7, 8].map((n) => world.addProvider({ name: `provider-${n}`, region: 'us-east' }))) : near;
    dapps = [await world.order({}, { regions: ['eu-west'] }), await world.order({}, { regions: [apart ? 'us-east' : 'eu-west'] })];
    members = [near, far];
    picolo = await connect();
    shop = await picolo.createDatabase({ group: dapps[0].group, name: 'shop', schema: 'CREATE TABLE stock (id INTEGER PRIMARY KEY, units INTEGER NOT NULL)' });
    bank = await picolo.createDatabase({ group: dapps[1].group, name: 'bank', schema: 'CREATE TABLE account (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL)' });
  });

  beforeEach(async () => {
    await shop.table('stock').put({ id: 1, units: 10 });
    await bank.table('account').put({ id: 1, cents: 5_000 });
  });

  after(() => world?.close());

  const connect = (fetcher?: Dying['fetch']): Promise<Picolo> => world.connect({ key: dapps[0].key, ...(fetcher === undefined ? {} : { fetch: fetcher }) });

  /** Both sides of a sale, or neither. */
  const sell = (by: Picolo, [from, to]: readonly [Database, Database], options = {}): ReturnType<Picolo['transaction']> => (
    by.transaction([from, to], async ([goods, money]) => {
      const [stock, account] = [await goods.get('stock', 1), await money.get('account', 1)];
      goods.put('stock', { id: 1, units: Number(stock?.['units']) - 1 });
      money.put('account', { id: 1, cents: Number(account?.['cents']) + 900 });
    }, options));

  /** Proven in both groups, at or after what the sessions did. */
  const proven = async (of: readonly [Database, Database] = [shop, bank]): Promise<readonly [units: unknown, cents: unknown]> => {
    const [stock, account] = await Promise.all([of[0].get('stock', 1), of[1].get('account', 1)]);
    return [stock.row?.['units'], account.row?.['cents']];
  };

  /** Of another client, which sees what was written here: a stale read makes a first try abort. */
  const sessionsOf = async (by: Picolo): Promise<readonly [Database, Database]> => [
    await by.database(shop.id, { bookmark: shop.bookmark }), await by.database(bank.id, { bookmark: bank.bookmark }),
  ];

  it('each group is served by its own members', async () => {
    for (const [i, { group }] of dapps.entries()) {
      const serving = await Promise.all(world.providers.map(async (each) => await groupAt(each, group) !== undefined));
      expect(world.providers.filter((_each, at) => serving[at])).to.have.members([...members[i] as LocalProvider[]]);
    }
  });

  it('P-5.3.1-2pc: commits in both groups at one time, and each row leads back to its writer\'s signature', async () => {
    const { receipt } = await sell(picolo, [shop, bank]);
    expect(await proven()).to.deep.equal([9, 5_900]);
    expect([shop.bookmark, bank.bookmark]).to.deep.equal([`${receipt?.timestamp}`, `${receipt?.timestamp}`]);
    for (const [db, table] of [[shop, 'stock'], [bank, 'account']] as const) {
      const { proof, writer } = await db.get(table, 1);
      expect(writer).to.equal(picolo.address);
      expect(proof.kind === 'present' && [proof.row.version, proof.row.writtenAt]).to.deep.equal([receipt?.entryIds.get(db.id), receipt?.timestamp]);
    }
  });

  it('X-LOCK: two at one time over other rows of the same databases do not meet', async () => {
    let runs = 0;
    const add = (id: number): ReturnType<Picolo['transaction']> => picolo.transaction([shop.session(), bank.session()], async ([goods, money]) => {
      runs += 1;
      goods.put('stock', { id, units: id });
      money.put('account', { id, cents: id });
    });
    const both = await Promise.all([11, 12].map(async (id) => ({ id, ...await add(id) })));
    expect(runs, 'none had to try again').to.equal(2);
    for (const { id, receipt } of both) expect((await shop.session(`${receipt?.timestamp}`).get('stock', id)).row).to.deep.equal({ id, units: id });
  });

  it('aborts everywhere when one group refuses: a row had changed in between', async () => {
    const other = await (await connect()).database(bank.id, { bookmark: bank.bookmark });
    let runs = 0;
    const fault = await faultOf(picolo.transaction([shop, bank], async ([goods, money]) => {
      if (++runs > 1) throw Object.assign(new Error('once is enough'), { code: 'TEST_ABORTED' });
      const account = await money.get('account', 1);
      await other.table('account').put({ id: 1, cents: 100 });
      goods.put('stock', { id: 1, units: 0 });
      money.put('account', { id: 1, cents: Number(account?.['cents']) + 1 });
    }));
    expect(fault.code).to.equal('TEST_ABORTED');
    await shop.table('stock').put({ id: 1, units: 4 }); // nothing is locked
    bank = bank.session(other.bookmark);
    expect(await proven()).to.deep.equal([4, 100]);
  });

  it('a client that vanishes between its prepares leaves nothing locked after its deadline', async () => {
    let prepares = 0;
    const dying = new Dying((url) => url.endsWith(PREPARE) && ++prepares > 1);
    const gone = await connect(dying.fetch);
    void sell(gone, await sessionsOf(gone), { decideWithinMs: 1_500 }).catch(() => undefined);
    await eventually('its end', async () => dying.dead || undefined);
    await eventually('both groups free', async () => {
      await shop.table('stock').put({ id: 1, units: 9 });
      await bank.table('account').put({ id: 1, cents: 200 });
      return true;
    });
    expect(await proven()).to.deep.equal([9, 200]);
  });

  it('X-FINISH: the client dies after its prepares, and a replica is killed: the groups finish it, the replica too when it is back', async () => {
    const dying = new Dying((url) => url.endsWith(CARRY));
    const gone = await connect(dying.fetch);
    void sell(gone, await sessionsOf(gone), { decideWithinMs: 25_000 }).catch(() => undefined); // a leader may have to be replaced first
    await eventually('its end', async () => dying.dead || undefined);
    const victim = members[0][1] as LocalProvider;
    await victim.process?.kill();
    await eventually('both rows', async () => {
      const [units, cents] = await proven();
      return units === 9 && cents === 5_900 ? true : undefined;
    }, 60_000);
    world.own(await startProvider(victim));
    for (const [i, { group }] of dapps.entries()) {
      const serving = members[i] as readonly LocalProvider[];
      for (const each of serving) await eventually('it is live', async () => ((await groupAt(each, group))?.state === 'live' ? true : undefined));
      const checkpoints = await sameHeight(serving, group);
      expect(new Set(checkpoints.map(({ stateRoot }) => stateRoot)).size).to.equal(1);
    }
    const alone = await world.connect({ key: dapps[0].key }, [...new Set([victim.apiUrl, members[1][1]?.apiUrl as string])]);
    expect(await proven(await sessionsOf(alone))).to.deep.equal([9, 5_900]);
    for (const each of world.providers) expect(troubleIn(each), each.name).to.deep.equal([]);
  });
});
