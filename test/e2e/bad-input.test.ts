import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createProvider, startProvider, type LocalProvider } from '../../cli/devnet/network.ts';
import { projectRoot } from '../../cli/devnet/processes.ts';
import { encodeTransaction, schemaPath } from '../../protocol/rows/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { EntryId } from '../../protocol/types/index.ts';
import { applyDdl, parseDdlScript } from '../../protocol/schema/index.ts';
import type { Database } from '../../sdk/index.ts';
import { getJson, groupAt } from './group.ts';
import { expectNoInside, expectRefusal, faultIn, insertion, post, postTransaction, run, type Wanted } from './raw.ts';
import { eventually, faultOf, openWorld, type Dapp, type World } from './world.ts';

const NODE_AHEAD = relative(projectRoot, fileURLToPath(new URL('./node-ahead.ts', import.meta.url)));
const MAGIC = `0x${'ab'.repeat(32)}`;

describe('e2e: bad input', () => {
  let world: World;
  let dapp: Dapp;
  let db: Database;
  let wanted: Wanted;
  let api: string;
  let nextId = 1n;

  before(async () => {
    world = await openWorld({ chainProxy: true });
    dapp = await world.order();
    db = await (await connect()).createDatabase({ group: dapp.group, name: 'bad', schema: 'CREATE TABLE item (id INTEGER PRIMARY KEY, words TEXT NOT NULL)' });
    await db.sql`INSERT INTO item (id, words) VALUES (0, 'first')`;
    expect((await db.get('item', 0)).row).to.deep.equal({ id: 0, words: 'first' }); // certified by now
    api = provider(0).apiUrl;
    const { domain } = await world.network(dapp.key);
    const { body } = await post(`${api}/v1/versions`, JSON.stringify({ database: db.id, paths: [schemaPath(db.id)] }));
    const [{ version }] = body['versions'] as [{ version: EntryId }];
    wanted = { domain, key: dapp.key, database: db.id, schema: db.schema, schemaVersion: version, table: 'item', row: [] };
  });

  after(() => world?.close());

  /** Whatever was sent: the node answers, and its group goes on. */
  afterEach(async () => {
    await getJson(`${api}/v1/status`);
  });

  const connect = (urls?: readonly string[]): ReturnType<World['connect']> => (
    world.connect({ key: dapp.key, payment: { channel: dapp.channel, limitWei: 10n ** 17n, aheadWei: 10n ** 15n } }, urls)
  );
  const provider = (at: number): LocalProvider => world.providers[at] as LocalProvider;
  const restart = async (at: number, main?: string): Promise<void> => {
    await provider(at).process?.kill();
    world.own(await startProvider(provider(at), undefined, main));
  };
  const fresh = (change: Partial<Wanted> = {}): ReturnType<typeof insertion> => insertion({ ...wanted, row: [nextId++, 'x'], ...change });
  const query = (sql: string): Promise<ReturnType<typeof post> extends Promise<infer T> ? T : never> => (
    post(`${api}/v1/query`, JSON.stringify({ database: db.id, sql })));

  describe('a request', () => {
    it('with wrong types, malformed JSON or CBOR, or too large a body', async () => {
      expectRefusal(await post(`${api}/v1/query`, JSON.stringify({ database: db.id, sql: 5 })), 'CODEC_WRONG_SHAPE');
      expectRefusal(await post(`${api}/v1/query`, '{"database":'), 'API_MALFORMED');
      expectRefusal(await post(`${api}/v1/tx`, Uint8Array.of(0xff, 0, 1), 'application/cbor'), 'CODEC_MALFORMED');
      expectRefusal(await post(`${api}/v1/query`, 'x'.repeat(limits.requestBytes + 1)), 'API_OVERSIZED');
      expectRefusal(await post(`${api}/v1/query`, '<x/>', 'application/xml'), 'API_UNSUPPORTED_TYPE');
    });

    it('for a database that is not there', async () => {
      expectRefusal(await post(`${api}/v1/query`, JSON.stringify({ database: MAGIC, sql: 'SELECT 1' })), 'API_UNKNOWN_DATABASE');
      expect((await faultOf((await connect()).database(MAGIC))).code).to.equal('API_UNKNOWN_DATABASE');
    });
  });

  describe('a query', () => {
    it('with a syntax error, that writes, of an unknown table', async () => {
      expectRefusal(await query('SELEC 1'), 'SQL_SYNTAX');
      expectRefusal(await query('DELETE FROM item'), 'SQL_NOT_SELECT');
      expectRefusal(await query('SELECT * FROM nowhere'), 'SQL_REFUSED');
      expect((await faultOf(db.run('INSERT INTO nowhere (id) VALUES (1)'))).code).to.equal('SDK_UNKNOWN_TABLE');
    });

    it('that never ends is cut off, and others are answered meanwhile', async () => {
      const endless = query('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n');
      expect((await query('SELECT count(*) FROM item')).status).to.equal(200);
      expectRefusal(await endless, 'SQL_TIME_LIMIT');
      expect((await query('SELECT count(*) FROM item')).status).to.equal(200);
    });
  });

  describe('a transaction', () => {
    it('T-4.3.3-replay: sent again, at once and later, to its node and to another, is executed once and has one outcome', async () => {
      const bytes = encodeTransaction(fresh());
      const first = await postTransaction(api, bytes);
      expect(first.body['outcome'], first.text).to.equal('applied');
      const again = await Promise.all([0, 1, 2, 3].map((at) => postTransaction(provider(at).apiUrl, bytes)));
      for (const { status, body, text } of again) {
        const told = status === 200 ? body : expectRefusal({ status, body, text }, 'API_DECIDED', [409]);
        expect([told['entryId'], told['timestamp']]).to.deep.equal([first.body['entryId'], first.body['timestamp']]);
      }
      await db.sql`INSERT INTO item (id, words) VALUES (7000, 'a block later')`;
      const late = await eventually('the block', async () => {
        const answer = await postTransaction(provider(1).apiUrl, bytes);
        return answer.status === 409 ? answer : undefined;
      });
      expect(expectRefusal(late, 'API_DECIDED', [409])['entryId']).to.equal(first.body['entryId']);
    });

    it('expired, unsigned, signed by somebody else, or for another chain', async () => {
      expectRefusal(await postTransaction(api, fresh({ notAfterMs: Date.now() - 60_000 })), 'API_BAD_TRANSACTION');
      expectRefusal(await postTransaction(api, { ...fresh(), signature: `0x${'00'.repeat(65)}` as never }), 'API_BAD_TRANSACTION');
      expectRefusal(await postTransaction(api, { ...fresh(), signature: fresh().signature }), 'API_BAD_TRANSACTION');
      expectRefusal(await postTransaction(api, fresh({ domain: { ...wanted.domain, chainId: 1n } })), 'API_BAD_TRANSACTION');
    });

    it('for another database, of an unknown table, by a writer without the right: nothing is written', async () => {
      expectRefusal(await postTransaction(api, fresh({ database: MAGIC as never })), 'API_UNKNOWN_DATABASE');
      const ghost = applyDdl(wanted.schema, parseDdlScript('CREATE TABLE ghost (id INTEGER PRIMARY KEY, words TEXT)'));
      for (const tx of [fresh({ schema: ghost, table: 'ghost' }), fresh({ key: `0x${'11'.repeat(32)}` })]) {
        const { status, body, text } = await postTransaction(api, tx);
        expect([status, body['outcome']], text).to.deep.equal([200, 'aborted']);
      }
    });
  });

  describe('a command line', () => {
    it('with an unknown option, an unknown command or no required option: usage, exit code 2', async () => {
      const lines = [['node', 'start', '--nonsense'], ['nonsense'], ['provider', 'stake'], ['dev', '--providers', 'many']];
      const ended = await Promise.all(lines.map((args) => run(args)));
      expect(ended.map(({ code }) => code)).to.deep.equal([2, 2, 2, 2]);
      for (const { stderr } of ended) {
        expect(stderr).to.match(/--help/);
        expectNoInside(stderr);
      }
    });

    it('for a folder that is missing or taken, with a wrong password, without a password', async () => {
      const missing = await run(['--json', 'node', 'start', '--dir', join(world.dir, 'nowhere')]);
      expect([missing.code, faultIn(missing).code]).to.deep.equal([1, 'CONFIG_MISSING']);
      const { dir } = provider(0);
      const twice = await run(['--json', 'provider', 'init', '--dir', dir], { PICOLO_PASSWORD: 'x' });
      expect([twice.code, faultIn(twice).code]).to.deep.equal([1, 'CLI_EXISTS']);
      const wrong = join(world.dir, 'wrong-password');
      writeFileSync(wrong, 'not this one');
      const refused = await run(['--json', 'provider', 'status', '--dir', dir, '--password-file', wrong]);
      expect([refused.code, faultIn(refused).code]).to.deep.equal([1, 'SIGNER_BAD_KEYSTORE']);
      const none = await run(['--json', 'provider', 'init', '--dir', join(world.dir, 'new')]);
      expect([none.code, faultIn(none).code]).to.deep.equal([1, 'SIGNER_NO_PASSWORD']);
      for (const { stdout, stderr } of [missing, twice, refused, none]) expectNoInside(stdout + stderr);
    });

    it('P-6-stake-first: that stakes too little is told how much is needed', async () => {
      const poor = await createProvider(world.dir, world.chain, { name: 'poor' });
      const refused = await run(['--json', 'provider', 'stake', '--dir', poor.dir, '--amount', '1']);
      const fault = faultIn(refused);
      expect([refused.code, fault.code]).to.deep.equal([1, 'CHAIN_STAKE_TOO_LOW']);
      expect(BigInt(String(fault.facts['needWei'])) > 10n ** 18n).to.equal(true);
      expect(fault.todo).to.include('needWei');
    });
  });

  describe('a machine', () => {
    it('whose ports are taken, whose folder is in use', async () => {
      const taken = await createProvider(world.dir, world.chain, { name: 'taken', apiPort: Number(new URL(api).port) });
      const apiTaken = await run(['--json', 'node', 'start', '--dir', taken.dir]);
      expect([apiTaken.code, faultIn(apiTaken).code]).to.deep.equal([1, 'NODE_PORT_IN_USE']);
      const toml = join(taken.dir, 'picolo.toml');
      writeFileSync(toml, readFileSync(toml, 'utf8').replace(`:${taken.peerPort}`, `:${provider(0).peerPort}`));
      const peersTaken = await run(['--json', 'node', 'start', '--dir', taken.dir]);
      expect([peersTaken.code, faultIn(peersTaken).code]).to.deep.equal([1, 'NETWORK_PORT_IN_USE']);
      const second = await run(['--json', 'node', 'start', '--dir', provider(0).dir]);
      expect([second.code, faultIn(second).code]).to.deep.equal([1, 'STORAGE_FOLDER_IN_USE']);
    });

    it('whose clock is ten seconds ahead: the group goes on, and nothing that it stamped becomes final', async () => {
      await restart(3, NODE_AHEAD);
      const others = await (await connect([0, 1, 2].map((at) => provider(at).apiUrl))).database(db.id);
      await others.sql`INSERT INTO item (id, words) VALUES (8000, 'on time')`;
      const answer = await postTransaction(provider(3).apiUrl, fresh());
      if (answer.status === 200) {
        expect(Number(BigInt(String(answer.body['timestamp'])) >> 48n)).to.be.below(Date.now() + 1_000);
      } else {
        expectRefusal(answer, 'API_NOT_FINAL', [504]);
      }
      const through = await (await connect([3, 0].map((at) => provider(at).apiUrl))).database(db.id);
      await through.sql`INSERT INTO item (id, words) VALUES (8001, 'through a fast clock')`;
      expect(await others.session(through.bookmark).sql`SELECT count(*) AS n FROM item WHERE id IN (8000, 8001)`).to.deep.equal([{ n: 2 }]);
      await restart(3);
    });

    it('whose chain goes away: reads and writes go on, health says so, a node can start, and follows when it is back', async () => {
      await world.chainSwitch.down();
      await restart(2);
      const health = await fetch(`${provider(2).apiUrl}/healthz`);
      const { checks } = (await health.json()) as { checks: { name: string; ok: boolean; detail: string }[] };
      expect(health.status).to.equal(503);
      expect(checks.find(({ name }) => name === 'chain')).to.deep.equal({ name: 'chain', ok: false, detail: 'never reached' });
      await db.sql`INSERT INTO item (id, words) VALUES (9000, 'without a chain')`;
      expect((await db.get('item', 9000)).row).to.deep.equal({ id: 9000, words: 'without a chain' });
      expect((await faultOf(connect())).code).to.equal('SDK_CHAIN_RPC'); // whom to trust is told by the chain alone
      await world.chainSwitch.up();
      await eventually('the node to follow the chain', async () => ((await groupAt(provider(2), dapp.group))?.state === 'live' ? true : undefined), 60_000);
      expect((await fetch(`${provider(2).apiUrl}/healthz`)).status).to.equal(200);
    });
  });
});
