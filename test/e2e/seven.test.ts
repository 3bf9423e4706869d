import { expect } from 'chai';
import { startProvider, type LocalProvider } from '../../cli/devnet/network.ts';
import type { Database } from '../../sdk/index.ts';
import { groupAt, sameHeight, troubleIn } from './group.ts';
import { eventually, openWorld, type Dapp, type World } from './world.ts';

/** Groups of 7, 10 and 13 with sockets in one process are in `test/unit/host/sockets.test.ts`. */
describe('e2e: a group of seven processes', () => {
  let world: World;
  let dapp: Dapp;
  let db: Database;

  before(async () => {
    world = await openWorld({ providers: 7 });
    dapp = await world.order({}, { replicationFactor: 7 });
    const picolo = await world.connect({ key: dapp.key, payment: { channel: dapp.channel, limitWei: 10n ** 17n, aheadWei: 10n ** 15n } });
    db = await picolo.createDatabase({ group: dapp.group, name: 'seven', schema: 'CREATE TABLE kept (id INTEGER PRIMARY KEY)' });
  });

  after(() => world?.close());

  const provider = (at: number): LocalProvider => world.providers[at] as LocalProvider;

  it('P-5.2.1-safety: commits with all, commits with two killed, and holds one state when they are back', async () => {
    await db.table('kept').insert({ id: 1 });
    await Promise.all([1, 4].map((at) => provider(at).process?.kill()));
    for (let id = 2; id <= 6; id++) await db.table('kept').insert({ id });
    const answer = await db.sql`SELECT id FROM kept ORDER BY id`;
    expect(answer.map(({ id }) => id)).to.deep.equal([1, 2, 3, 4, 5, 6]);
    expect(answer.nodes.length, 'f + 1 of seven').to.be.at.least(3);

    await Promise.all([1, 4].map((at) => startProvider(provider(at))));
    for (const at of [1, 4]) await eventually('it is live', async () => ((await groupAt(provider(at), dapp.group))?.state === 'live' ? true : undefined));
    await db.table('kept').insert({ id: 7 });
    const checkpoints = await sameHeight(world.providers, dapp.group);
    expect(checkpoints.length).to.equal(7);
    expect(new Set(checkpoints.map(({ stateRoot }) => stateRoot)).size).to.equal(1);
    for (const each of world.providers) expect(troubleIn(each), each.name).to.deep.equal([]);
  });
});
