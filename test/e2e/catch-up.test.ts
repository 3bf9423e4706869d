import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect } from 'chai';
import { startProvider, type LocalProvider } from '../../cli/devnet/network.ts';
import type { Database } from '../../sdk/index.ts';
import { Links, putBehind } from './chaos/links.ts';
import { groupAt, logOf, sameHeight, startLoad, troubleIn, type Load } from './group.ts';
import { eventually, openWorld, type Dapp, type World } from './world.ts';

/** A history of a second: who is away for longer than the kept checkpoints last finds no blocks to replay. */
const SHORT_HISTORY = { group: { history_ms: 1_000, checkpoint_interval_ms: 150, close_interval_ms: 100 } };
const LAGGARD = 3;
/** Rows that fill a dozen chunks. */
const ROWS = 100;
const TEXT = 'state to carry '.repeat(2_000);
const SLOW_MS = 150;

interface Staged {
  readonly chunks: number;
  readonly height: bigint;
}

interface Arrival {
  readonly height: bigint;
  /** Chunks by the member that served them. */
  readonly chunks: readonly number[];
}

describe('e2e: catching up by a snapshot', () => {
  let world: World;
  let dapp: Dapp;
  let db: Database;
  let load: Load;
  let wholeChunks = 0;
  const links = new Links((node) => world.providers[node]?.process?.pid ?? -1);

  before(async () => {
    world = await openWorld({ settings: SHORT_HISTORY });
    await Promise.all(world.providers.map(async (provider, index) => {
      await putBehind(links, provider, index);
      await provider.process?.stop();
      await restart(index);
    }));
    dapp = await world.order();
    db = await (await connect()).createDatabase({
      group: dapp.group, name: 'carried',
      schema: ['CREATE TABLE kept (id INTEGER PRIMARY KEY, worker INTEGER NOT NULL)', 'CREATE TABLE load (id INTEGER PRIMARY KEY, text TEXT NOT NULL)'],
    });
    await db.table('load').insertMany(Array.from({ length: ROWS }, (_, id) => ({ id, text: `${id} ${TEXT}` })), { batchRows: 4, concurrency: 1 });
  });

  beforeEach(async () => {
    load = startLoad([await (await connect()).database(db.id)], 'kept', 1_000 * (1 + installs().length));
  });

  afterEach(() => load.stop());

  after(async () => {
    await world?.close();
    await links.close();
  });

  const connect = (urls?: readonly string[]): ReturnType<World['connect']> => (
    world.connect({ key: dapp.key, payment: { channel: dapp.channel, limitWei: 10n ** 17n, aheadWei: 10n ** 15n } }, urls));
  const provider = (at: number): LocalProvider => world.providers[at] as LocalProvider;
  const crash = (at: number): Promise<void> => provider(at).process?.kill() as Promise<void>;
  const restart = async (at: number): Promise<void> => void world.own(await startProvider(provider(at)));

  const ledgerOf = (at: number): Sqlite.Database => (
    new Sqlite(join(provider(at).dir, 'data/groups', dapp.group.slice(2, 18), 'ledger.sqlite'), { readonly: true }).defaultSafeIntegers());

  const staged = (): Staged | undefined => {
    const file = ledgerOf(LAGGARD);
    const [row] = file.prepare('SELECT height, count(*) AS chunks FROM staged GROUP BY height').all() as { height: bigint; chunks: bigint }[];
    file.close();
    return row === undefined ? undefined : { height: row.height, chunks: Number(row.chunks) };
  };

  /** What the laggard's log tells of states that it installed. */
  const installs = (): Arrival[] => logOf(provider(LAGGARD)).flatMap(({ msg, detail }) => {
    const [, height, sources] = /^installed height (\d+), fetched (.*)$/.exec(msg === 'group state' ? String(detail) : '') ?? [];
    return height === undefined ? [] : [{ height: BigInt(height), chunks: [...String(sources).matchAll(/(\d+) chunks from/g)].map(([, count]) => Number(count)) }];
  });

  const nextInstall = (before: number): Promise<Arrival> => eventually('an installed state', async () => installs()[before], 60_000);

  /** Until no other member has a block that the laggard needs next; it may hold a few itself that were on their way. */
  const leaveBehind = async (): Promise<void> => {
    await crash(LAGGARD);
    const file = ledgerOf(LAGGARD);
    const { height } = file.prepare('SELECT max(height) AS height FROM blocks').get() as { height: bigint };
    file.close();
    await eventually('histories that begin later', async () => {
      const oldest = [0, 1, 2].map((at) => {
        const other = ledgerOf(at);
        const { first } = other.prepare('SELECT min(height) AS first FROM blocks').get() as { first: bigint };
        other.close();
        return first;
      });
      return oldest.every((first) => first > height + 10n) ? true : undefined;
    }, 60_000);
  };

  /** A row as each member alone proves it, at a height that all have certified. */
  const proofs = (table: string, id: number): Promise<unknown[]> => eventually('proofs under one checkpoint', async () => {
    await sameHeight(world.providers, dapp.group);
    const all = await Promise.all(world.providers.map((provider) => proofOf(provider, table, id)));
    // another checkpoint may be certified while they are asked
    return all.every(({ checkpoint }) => checkpoint.height === all[0]?.checkpoint.height) ? all : undefined;
  });

  const proofOf = async ({ apiUrl, node }: LocalProvider, table: string, id: number) => {
    const alone = await (await connect([apiUrl])).database(db.id);
    const { row, writer, checkpoint, proof } = await alone.get(table, id);
    expect(proof.node).to.equal(node);
    return { row, writer, checkpoint, rank: proof.rank, count: proof.count, tree: proof.kind === 'present' ? proof.entry.proof : null };
  };

  const expectOneState = async (): Promise<void> => {
    await load.stop();
    expect(load.failures).to.deep.equal([]);
    for (const [table, id] of [['load', ROWS - 1], ['kept', load.acknowledged.at(-1) ?? -1], ['kept', 999_999]] as const) {
      const [first, ...others] = await proofs(table, id);
      for (const other of others) expect(other).to.deep.equal(first);
    }
    for (const each of world.providers) expect(troubleIn(each), each.name).to.deep.equal([]);
  };

  it('U-1: a member whose place has left all histories takes a certified state in chunks from several members', async () => {
    await leaveBehind();
    await restart(LAGGARD);
    const { chunks } = await nextInstall(0);
    wholeChunks = chunks.reduce((sum, count) => sum + count, 0);
    expect(wholeChunks).to.be.above(8);
    expect(chunks.length, 'members that served').to.equal(3);
    await expectOneState();
  });

  it('U-1: killed in the middle of a transfer it goes on where it stood', async () => {
    await leaveBehind();
    for (const other of [0, 1, 2]) links.slow(LAGGARD, other, SLOW_MS);
    await restart(LAGGARD);
    await eventually('some chunks', async () => ((staged()?.chunks ?? 0) >= 4 ? true : undefined));
    await crash(LAGGARD);
    const { chunks: kept, height: begun } = staged() as Staged;
    expect(kept).to.be.below(wholeChunks);
    await restart(LAGGARD);
    const { height, chunks } = await nextInstall(1);
    links.heal();
    expect(height, 'not the newer one that was offered now').to.equal(begun);
    expect(kept + chunks.reduce((sum, count) => sum + count, 0), 'no chunk twice').to.be.within(wholeChunks, wholeChunks + 2);
    await expectOneState();
  });

  it('P-5.2.1-liveness: it votes: with another member down, no write is final without it', async () => {
    await crash(1);
    await db.table('kept').insert({ id: 1, worker: 0 });
    const { certifiedHeight } = await groupAt(provider(LAGGARD), dapp.group) ?? { certifiedHeight: '0' };
    await eventually('a checkpoint with its signature', async () => (
      BigInt((await groupAt(provider(LAGGARD), dapp.group))?.certifiedHeight ?? 0) > BigInt(certifiedHeight) ? true : undefined));
    await restart(1);
    await expectOneState();
  });
});
