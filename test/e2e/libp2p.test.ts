import { connect as connectTcp } from 'node:net';
import { expect } from 'chai';
import { startProvider, type LocalProvider } from '../../cli/devnet/network.ts';
import type { Database } from '../../sdk/index.ts';
import { getJson, sameHeight, startLoad, troubleIn } from './group.ts';
import { eventually, openWorld, type Dapp, type World } from './world.ts';

const MULTISTREAM = '\x13/multistream/1.0.0\n';

describe('e2e: links over libp2p', () => {
  let world: World;
  let dapp: Dapp;
  let db: Database;

  before(async () => {
    world = await openWorld({ settings: { listen: { libp2p: true } } });
    dapp = await world.order();
    db = await (await connect()).createDatabase({ group: dapp.group, name: 'carried', schema: 'CREATE TABLE kept (id INTEGER PRIMARY KEY, worker INTEGER NOT NULL)' });
  });

  after(() => world?.close());

  const connect = (urls?: readonly string[]): ReturnType<World['connect']> => (
    world.connect({ key: dapp.key, payment: { channel: dapp.channel, limitWei: 10n ** 17n, aheadWei: 10n ** 15n } }, urls));
  const provider = (at: number): LocalProvider => world.providers[at] as LocalProvider;
  const crash = (at: number): Promise<void> => provider(at).process?.kill() as Promise<void>;
  const linked = ({ apiUrl, name }: LocalProvider, others: number): Promise<true> => eventually(`${others} links of ${name}`, async () => (
    (await getJson<{ peers: number }>(`${apiUrl}/v1/status`)).peers === others ? true : undefined));

  /** What the peer port says to a dialler of libp2p. */
  const greeting = ({ peerPort }: LocalProvider): Promise<string> => new Promise((resolve, reject) => {
    const socket = connectTcp(peerPort, '127.0.0.1', () => socket.write(MULTISTREAM));
    let heard = '';
    socket.on('data', (data) => {
      heard += data.toString();
      if (heard.length >= MULTISTREAM.length) socket.destroy();
    }).once('error', reject).once('close', () => resolve(heard));
  });

  it('carry a group of four processes: it commits, and answers with proofs from every member', async () => {
    for (const each of world.providers) {
      expect(await greeting(each)).to.equal(MULTISTREAM);
      await linked(each, 3);
    }
    await db.table('kept').insert({ id: 1, worker: 0 });
    for (const { apiUrl } of world.providers) {
      const alone = await (await connect([apiUrl])).database(db.id, { bookmark: db.bookmark });
      expect((await alone.get('kept', 1)).row).to.deep.equal({ id: 1, worker: 0 });
    }
  });

  it('P-5.2.1-liveness: a member killed under load is dialled again, holds what was acknowledged meanwhile, and is needed again', async () => {
    const sessions = await Promise.all([0, 1, 2].map(async () => (await connect()).database(db.id)));
    const load = startLoad(sessions, 'kept', 1_000);
    await eventually('some acknowledged writes', async () => (load.acknowledged.length > 10 ? true : undefined));
    await crash(1);
    const before = load.acknowledged.length;
    await eventually('writes go on without it', async () => (load.acknowledged.length > before + 20 ? true : undefined));
    world.own(await startProvider(provider(1)));
    await linked(provider(1), 3);
    await load.stop();
    expect(load.failures).to.deep.equal([]);

    await crash(2);
    await db.table('kept').insert({ id: 2, worker: 0 }); // final with the signature of the one that came back
    const checkpoints = await sameHeight([0, 1, 3].map(provider), dapp.group);
    expect(new Set(checkpoints.map(({ stateRoot }) => stateRoot)).size).to.equal(1);
    const reader = await (await connect([provider(1).apiUrl])).database(db.id, { bookmark: db.bookmark });
    const found = new Set((await reader.sql`SELECT id FROM kept`).map(({ id }) => id));
    expect([2, ...load.acknowledged].filter((id) => !found.has(id))).to.deep.equal([]);
    for (const each of world.providers) expect(troubleIn(each), each.name).to.deep.equal([]);
  });
});
