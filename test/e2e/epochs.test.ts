import { expect } from 'chai';
import { startProvider, type LocalProvider } from '../../cli/devnet/network.ts';
import type { Address, ClusterId, GroupId } from '../../protocol/types/index.ts';
import type { Database } from '../../sdk/index.ts';
import { collectOffers, listProviders, replaceMember, waitForGroup, type Network } from '../../sdk/operator/index.ts';
import { groupAt, sameHeight, troubleIn } from './group.ts';
import { expectRefusal, post } from './raw.ts';
import { eventually, openWorld, type Dapp, type World } from './world.ts';

const FIRST = 40;

describe('e2e: epochs of a group', () => {
  let world: World;
  let dapp: Dapp;
  let network: Network;
  let db: Database;
  let roster: Address[];
  let replaced: LocalProvider;

  before(async () => {
    world = await openWorld({ providers: 5 });
    dapp = await world.order();
    network = await world.network(dapp.key);
    const picolo = await connect();
    db = await picolo.createDatabase({ group: dapp.group, name: 'epochs', schema: 'CREATE TABLE t (id INTEGER PRIMARY KEY, words TEXT NOT NULL)' });
    const { groups } = await picolo.status();
    roster = [...groups.find(({ group }) => group === dapp.group)?.roster ?? []];
    if (roster.length === 0) roster = (await rosterNow()) as Address[];
  });

  after(() => world?.close());

  const connect = (): ReturnType<World['connect']> => world.connect({ key: dapp.key, payment: { channel: dapp.channel, limitWei: 10n ** 17n, aheadWei: 10n ** 15n } });
  const byNode = (node: string): LocalProvider => world.providers.find((provider) => provider.node === node) as LocalProvider;
  const members = (): LocalProvider[] => roster.map(byNode);
  const outsider = (): LocalProvider => world.providers.find(({ node }) => !roster.includes(node)) as LocalProvider;

  async function rosterNow(): Promise<readonly string[]> {
    for (const { apiUrl } of world.providers) {
      const { groups } = (await (await fetch(`${apiUrl}/v1/status`)).json()) as { groups: { group: string; roster: string[] }[] };
      const found = groups.find(({ group }) => group === dapp.group);
      if (found !== undefined) return found.roster;
    }
    return [];
  }

  async function replace(leaving: LocalProvider, joining: LocalProvider): Promise<void> {
    const listings = (await listProviders(network)).filter(({ node }) => node === joining.node);
    const [offer] = await collectOffers(network.domain, listings, dapp.cluster as ClusterId, 1, 1);
    await replaceMember(network, dapp.cluster as ClusterId, 0, roster, leaving.node, offer as never);
    roster = [...roster.filter((node) => node !== leaving.node), joining.node].sort() as Address[];
  }

  const epochOf = (provider: LocalProvider, epoch: string): Promise<true> => eventually(`${provider.name} in epoch ${epoch}`, async () => {
    const facts = await groupAt(provider, dapp.group);
    return facts?.state === 'live' && facts.epoch === epoch ? true : undefined;
  });

  const rowsOf = async (provider: LocalProvider): Promise<number> => {
    const { body, text } = await post(`${provider.apiUrl}/v1/query`, JSON.stringify({ database: db.id, sql: 'SELECT count(*) FROM t', minTimestamp: db.bookmark }));
    return Number((body['rows'] as [[string | number]] | undefined)?.[0][0] ?? text);
  };

  async function expectOneState(): Promise<void> {
    const checkpoints = await sameHeight(members(), dapp.group);
    expect(new Set(checkpoints.map(({ stateRoot }) => stateRoot)).size).to.equal(1);
  }

  it('P-4.2.1-insert: a fifth provider takes the place of a member, fetches the state and serves the next epoch', async () => {
    await db.table('t').insertMany(Array.from({ length: FIRST }, (_, id) => ({ id, words: `row ${id}` })), { batchRows: 10 });
    const joining = outsider();
    replaced = members()[0] as LocalProvider;
    await replace(replaced, joining);
    await waitForGroup(members().map(({ apiUrl }) => apiUrl), dapp.group as GroupId);
    await Promise.all(members().map((member) => epochOf(member, '2')));
    const { receipt } = await db.sql`INSERT INTO t (id, words) VALUES (${FIRST}, 'epoch two')`;
    expect(receipt?.mode).to.be.oneOf(['fast', 'classic']); // verified under the new roster at once
    expect(await Promise.all(members().map(rowsOf))).to.deep.equal([FIRST + 1, FIRST + 1, FIRST + 1, FIRST + 1]);
    await expectOneState();
    expect((await db.get('t', 3)).row).to.deep.equal({ id: 3, words: 'row 3' });
  });

  it('T-6.1-restored: what the newcomer fetched is complete: it proves random rows from its own disk', async () => {
    const { verdicts } = await db.challenge({ count: 24, urls: members().map(({ apiUrl }) => apiUrl) });
    expect(verdicts.map(({ verdict }) => verdict)).to.deep.equal(['honest', 'honest', 'honest', 'honest']);
  });

  it('P-4.2.2-graceful: the one that left serves the group no more', async () => {
    const asked = JSON.stringify({ database: db.id, sql: 'SELECT 1' });
    expectRefusal(await post(`${replaced.apiUrl}/v1/query`, asked), 'API_UNKNOWN_GROUP');
    expect((await fetch(`${replaced.apiUrl}/healthz`)).status).to.equal(200);
  });

  it('P-4.2.2-degraded: a member that was down while another one was replaced finds its way when it is started', async () => {
    const [down, leaving] = members() as [LocalProvider, LocalProvider];
    await down.process?.kill();
    await replace(leaving, replaced); // comes back, with the state of an older epoch on its disk
    const up = members().filter((member) => member !== down);
    await Promise.all(up.map((member) => epochOf(member, '3')));
    await db.sql`INSERT INTO t (id, words) VALUES (${FIRST + 1}, 'epoch three')`;
    world.own(await startProvider(down));
    await epochOf(down, '3');
    await db.sql`INSERT INTO t (id, words) VALUES (${FIRST + 2}, 'all four')`;
    expect(await Promise.all(members().map(rowsOf))).to.deep.equal([FIRST + 3, FIRST + 3, FIRST + 3, FIRST + 3]);
    await expectOneState();
  });

  it('no replica stopped for a reason of its own', () => {
    expect(world.providers.flatMap(troubleIn)).to.deep.equal([]);
  });
});
