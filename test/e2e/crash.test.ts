import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { startProvider, type LocalProvider } from '../../cli/devnet/network.ts';
import type { Database } from '../../sdk/index.ts';
import { groupAt, logOf, sameHeight, startLoad, troubleIn } from './group.ts';
import { eventually, openWorld, type Dapp, type World } from './world.ts';

const WORKERS = 3;

describe('e2e: crashes', () => {
  let world: World;
  let dapp: Dapp;
  let db: Database;
  const acknowledged: number[] = [];

  before(async () => {
    world = await openWorld();
    dapp = await world.order();
    db = await (await connect()).createDatabase({ group: dapp.group, name: 'crash', schema: 'CREATE TABLE kept (id INTEGER PRIMARY KEY, worker INTEGER NOT NULL)' });
  });

  after(() => world?.close());

  const connect = (urls?: readonly string[], timeoutMs = 20_000): ReturnType<World['connect']> => (
    world.connect({ key: dapp.key, timeoutMs, payment: { channel: dapp.channel, limitWei: 10n ** 17n, aheadWei: 10n ** 15n } }, urls)
  );
  const provider = (at: number): LocalProvider => world.providers[at] as LocalProvider;
  const crash = (at: number): Promise<void> => provider(at).process?.kill() as Promise<void>;
  const restart = async (at: number): Promise<void> => void world.own(await startProvider(provider(at)));
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const live = (at: number): Promise<true> => eventually(`${provider(at).name} is live`, async () => (
    (await groupAt(provider(at), dapp.group))?.state === 'live' ? true : undefined));

  const missing = async (): Promise<number[]> => {
    const reader = (await (await connect()).database(db.id, { bookmark: db.bookmark }));
    const rows = await reader.sql`SELECT id FROM kept`;
    const found = new Set(rows.map(({ id }) => id));
    return acknowledged.filter((id) => !found.has(id));
  };

  const insert = async (id: number, session = db): Promise<void> => {
    await session.table('kept').insert({ id, worker: 0 });
    acknowledged.push(id);
  };

  it('P-5.2.1-safety: a replica killed in the middle of writes and started with the same command has lost and forked nothing', async () => {
    const sessions = await Promise.all(Array.from({ length: WORKERS }, async () => (await connect()).database(db.id)));
    const load = startLoad(sessions, 'kept', 1_000);
    await eventually('some acknowledged writes', async () => (load.acknowledged.length > 10 ? true : undefined));
    await crash(1);
    const before = load.acknowledged.length;
    await eventually('writes go on without it', async () => (load.acknowledged.length > before + 20 ? true : undefined));
    await restart(1);
    await live(1);
    const after = load.acknowledged.length;
    await eventually('writes go on with it', async () => (load.acknowledged.length > after + 10 ? true : undefined));
    await load.stop();
    expect(load.failures).to.deep.equal([]);
    acknowledged.push(...load.acknowledged);
    for (const session of sessions) if (BigInt(session.bookmark) > BigInt(db.bookmark)) db = db.session(session.bookmark);

    const checkpoints = await sameHeight(world.providers, dapp.group);
    expect(new Set(checkpoints.map(({ stateRoot }) => stateRoot)).size).to.equal(1);
    expect(await missing()).to.deep.equal([]);
  });

  it('P-6.1-cpoq: every node, the one that crashed too, proves random rows from its own disk', async () => {
    const { verdicts } = await db.challenge({ count: 32 });
    expect(verdicts.map(({ verdict }) => verdict)).to.deep.equal(['honest', 'honest', 'honest', 'honest']);
  });

  it('P-5.2.1-liveness: it signs again: with another replica down, no write is final without it', async () => {
    await crash(2);
    await insert(10);
    const { certifiedHeight } = await groupAt(provider(1), dapp.group) ?? { certifiedHeight: '0' };
    await eventually('a checkpoint with its signature', async () => (
      BigInt((await groupAt(provider(1), dapp.group))?.certifiedHeight ?? 0) > BigInt(certifiedHeight) ? true : undefined));
    await restart(2);
    await live(2);
  });

  it('P-5.2.1-safety: with two of four killed nothing is acknowledged; with them back, writes go on', async () => {
    await crash(0);
    await crash(3);
    const survivors = await (await connect([provider(1).apiUrl, provider(2).apiUrl], 3_000)).database(db.id);
    const write = survivors.table('kept').insert({ id: 20, worker: 0 }).then(() => 'acknowledged', ({ code }) => String(code));
    expect(await Promise.race([write, pause(4_000).then(() => 'nothing')])).to.not.equal('acknowledged');
    await Promise.all([restart(0), restart(3)]);
    await Promise.all([live(0), live(3)]);
    await insert(21);
    // its outcome was open; whatever the client is told now must be true
    const outcome = await write;
    const { row } = await db.get('kept', 20);
    expect(outcome).to.be.oneOf(['acknowledged', 'SDK_NOT_ORDERED']);
    expect(row !== null).to.equal(outcome === 'acknowledged');
    expect(await missing()).to.deep.equal([]);
  });

  it('P-5.2.1-safety: with all four killed at once, everything that was acknowledged is there afterwards', async () => {
    const sessions = await Promise.all(Array.from({ length: WORKERS }, async () => (await connect()).database(db.id)));
    const load = startLoad(sessions, 'kept', 100_000);
    await eventually('some acknowledged writes', async () => (load.acknowledged.length > 15 ? true : undefined));
    await Promise.all([0, 1, 2, 3].map(crash));
    acknowledged.push(...load.acknowledged);
    const stopped = load.stop();
    await pause(200);
    await Promise.all([0, 1, 2, 3].map(restart));
    await Promise.all([0, 1, 2, 3].map(live));
    await stopped;
    await insert(30);
    expect(await missing()).to.deep.equal([]);
    const checkpoints = await sameHeight(world.providers, dapp.group);
    expect(new Set(checkpoints.map(({ stateRoot }) => stateRoot)).size).to.equal(1);
  });

  it('no guard refused a signature and no replica stopped, over all these restarts', () => {
    for (const each of world.providers) {
      expect(logOf(each).filter(({ msg }) => msg === 'node started').length).to.be.greaterThan(1);
      expect(troubleIn(each)).to.deep.equal([]);
    }
  });

  it('R-2, OPS-3: a replica whose journal has lost its end quarantines itself, and nobody has anything against it', async () => {
    await insert(40);
    await crash(3);
    const [journal] = readdirSync(provider(3).dir, { recursive: true, encoding: 'utf8' }).filter((name) => /epoch-\d+\.journal$/.test(name));
    const path = join(provider(3).dir, journal as string);
    truncateSync(path, Math.floor(statSync(path).size / 2));
    await restart(3);
    await eventually('it notices', async () => (logOf(provider(3)).some(({ msg }) => msg === 'consensus quarantined') ? true : undefined));
    await insert(41);
    expect(await missing()).to.deep.equal([]);
    for (const each of world.providers) expect(logOf(each).filter(({ msg }) => msg === 'evidence' || msg === 'offence seen')).to.deep.equal([]);
  });
});
