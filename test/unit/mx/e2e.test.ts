import Database from 'better-sqlite3';
import { expect } from 'chai';
import Fastify, { type FastifyInstance } from 'fastify';
import { systemClock } from '../../../node/clock/index.ts';
import { createMxService, dialNeighbours, mxWebSocket, type MxOptions, type MxService } from '../../../node/mx/index.ts';
import { encode, type Scalar } from '../../../protocol/codec/index.ts';
import { defineDictionary, parseQuery, queryC, type Exports } from '../../../protocol/dictionary/index.ts';
import {
  clientStep, createMxClient, getMessage, openSession, prepareGet, type ClientEvent, type Ending, type GetAsk, type Part,
} from '../../../protocol/mx/index.ts';
import type { Address } from '../../../protocol/types/index.ts';
import { until } from '../../conformance/until.ts';
import { domain, identity, type Identity } from './kit.ts';
import { dialChannel } from './world.ts';

interface Node {
  readonly id: Identity;
  readonly service: MxService;
  readonly app: FastifyInstance;
  readonly url: string;
  readonly dialler: { close(): void };
}

async function startNode(seed: number, ddl: string, exports: Exports, changes: Partial<MxOptions> = {}): Promise<Node> {
  const id = identity(seed);
  const db = new Database(':memory:').defaultSafeIntegers();
  db.exec(ddl);
  const service = createMxService({
    self: id.address, signer: id.signer, neighbours: [], dictionary: defineDictionary(exports), clock: systemClock, random: Math.random,
    depositLevel: () => 0, consumerFloor: 1,
    answerLocally: async (sql, params) => db.prepare(sql).raw().all(...params) as Scalar[][],
    ...changes,
  });
  const app = Fastify();
  await app.register(mxWebSocket(service));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  return { id, service, app, url: `ws://127.0.0.1:${port}/v1/mx`, dialler: dialNeighbours(service) };
}

/** A data consumer that verifies what it gets. */
async function consume(node: Node, id: Identity) {
  const channel = await dialChannel(node.url, node.id.address, id);
  const client = createMxClient(domain);
  let nonce = 0n;
  return {
    close: () => channel.close(),
    async ask(sql: string, params: Scalar[], changes: Partial<GetAsk> = {}): Promise<{ parts: Part[]; ending: Ending }> {
      const prepared = prepareGet({
        client: id.address, nonce: ++nonce, query: encode(queryC, parseQuery(sql, params).query), hops: 3, results: 100, mode: 'pull',
        expiresAtMs: BigInt(Date.now() + 10_000), ...changes,
      });
      const message = getMessage(prepared, id.signer.sign('MxAsk', prepared.toSign));
      openSession(client, message);
      channel.send(message);
      await until('END arrives', () => channel.got.some(({ kind }) => kind === 'end' || kind === 'error'));
      const events = channel.got.splice(0).flatMap((got) => clientStep(client, got));
      const ended = events.find((event): event is Extract<ClientEvent, { kind: 'ended' }> => event.kind === 'ended');
      if (ended === undefined) throw new Error('the question was refused');
      return { parts: events.flatMap((event) => (event.kind === 'rows' ? [event.part] : [])), ending: ended.ending };
    },
  };
}

describe('MX over real WebSockets, three schemas', () => {
  let nodes: Node[];
  const link = (from: Node, to: readonly Node[]): void => {
    from.service.setNeighbours(to.map(({ id, url }) => ({ address: id.address, url })));
  };

  beforeEach(async () => {
    nodes = [
      await startNode(1, `CREATE TABLE users (lastname TEXT, city TEXT); INSERT INTO users VALUES ('Berg', 'Oslo'), ('Dahl', 'Rome')`,
        { users: { keywords: ['people'], columns: { lastname: ['ln', 'l_name', 'last_name'], city: ['town'] } } }),
      await startNode(2, `CREATE TABLE people (ln TEXT, town TEXT, secret TEXT); INSERT INTO people VALUES ('Lund', 'Oslo', 's3')`,
        { people: { keywords: ['user'], columns: { ln: ['lastname'], town: ['city'] } } }),
      await startNode(3, `CREATE TABLE customers (last_name TEXT, place TEXT, joined INTEGER);
                          CREATE TABLE payroll (lastname TEXT, city TEXT); INSERT INTO payroll VALUES ('Hidden', 'Oslo');
                          INSERT INTO customers VALUES ('Moe', 'Oslo', 3), ('Ruud', 'Oslo', 4), ('Vik', 'Bergen', 5)`,
        { customers: { keywords: ['users', 'profile'], columns: { last_name: [], place: ['city', 'town'] } } }),
    ];
    const [a, b, c] = nodes as [Node, Node, Node];
    link(a, [b]);
    link(b, [a, c]);
    link(c, [b]);
    await until('links are up', () => nodes.every(({ service }) => service.status().linked === service.status().neighbours));
  });

  afterEach(async () => {
    for (const { service, dialler, app } of nodes) {
      dialler.close();
      service.close();
      await app.close();
    }
  });

  it('P-5.4.1-network-query: one request crosses three schemas and every row comes back under its origin\'s signature', async () => {
    const [a, b, c] = nodes as [Node, Node, Node];
    const consumer = await consume(a, identity(50));
    const { parts, ending } = await consumer.ask('SELECT lastname FROM users WHERE city = ?', ['Oslo']);
    consumer.close();
    const byOrigin = new Map<Address, Scalar[]>(parts.map(({ origin, rows }) => [origin, rows.flat()]));
    expect(byOrigin.get(a.id.address)).to.deep.equal(['Berg']);
    expect(byOrigin.get(b.id.address)).to.deep.equal(['Lund']);
    expect(byOrigin.get(c.id.address)).to.deep.equal(['Moe', 'Ruud']);
    expect(parts.map(({ columns }) => columns[0]).sort()).to.deep.equal(['last_name', 'lastname', 'ln']);
    expect(ending).to.include({ reason: 'done', complete: true, rows: 4, rejected: 0 });
    expect(ending.receipts.map(({ origin }) => origin)).to.have.members([a, b, c].map(({ id }) => id.address));
  });

  it('P-7-hops, P-7-get: hops and number of results bound what comes back', async () => {
    const [a, b] = nodes as [Node, Node, Node];
    const consumer = await consume(a, identity(51));
    const near = await consumer.ask('SELECT lastname FROM users WHERE city = ?', ['Oslo'], { hops: 1 });
    expect(near.parts.map(({ origin }) => origin)).to.have.members([a.id.address, b.id.address]);
    const one = await consumer.ask('SELECT lastname FROM users WHERE city = ?', ['Oslo'], { results: 1 });
    expect(one.parts.flatMap(({ rows }) => rows)).to.deep.equal([['Berg']]);
    expect(one.ending.reason).to.equal('enough');
    const pushed = await consumer.ask('SELECT lastname FROM users WHERE city = ?', ['Oslo'], { mode: 'push', results: 3 });
    expect(pushed.ending).to.include({ reason: 'enough', rows: 3 });
    consumer.close();
  });

  it('P-5.4.1-private: a table or column that is not exported cannot be asked for, anywhere', async () => {
    const [a] = nodes as [Node, Node, Node];
    const consumer = await consume(a, identity(52));
    expect((await consumer.ask('SELECT secret FROM people', [])).parts).to.deep.equal([]);
    expect((await consumer.ask('SELECT lastname FROM payroll', [])).parts).to.deep.equal([]);
    const listed = await consumer.ask('SELECT * FROM _dictionary', []);
    const words = listed.parts.flatMap(({ rows }) => rows.flat()).join(' ');
    expect(words).to.contain('customers').and.not.to.match(/payroll|secret|joined/);
    consumer.close();
  });

  it('P-6.5-free-rider: a neighbour that neither replies nor forwards falls towards the floor; the others do not', async () => {
    const [a, b, c] = nodes as [Node, Node, Node];
    const rider = await startNode(4, 'CREATE TABLE t (x)', { nothing: { columns: { x: [] } } });
    nodes.push(rider);
    link(a, [b, rider]);
    link(rider, [a]);
    await until('links are up', () => a.service.status().linked === 2 && rider.service.status().linked === 1);
    const question = { query: 'SELECT lastname FROM users WHERE city = ?', params: ['Oslo'], hops: 2 };
    for (let i = 0; i < 15; i++) for (const { service } of [a, b, c]) await service.ask(question); // who only asks starves too
    const standings = new Map(a.service.standings().map((standing) => [standing.peer, standing]));
    expect(standings.get(b.id.address)?.kind).to.equal('fair');
    expect(standings.get(b.id.address)?.level).to.be.above(0.9);
    expect(a.service.levelOf(rider.id.address)).to.equal(0.1);
  });

  it('P-5.4.1-clustering: a node far away but near in meaning becomes a neighbour, an unrelated one does not', async () => {
    const [a, b, c] = nodes as [Node, Node, Node];
    const stars = await startNode(5, 'CREATE TABLE stars (x)', { stars: { columns: { magnitude: [] } } });
    nodes.push(stars);
    link(c, [b, stars]);
    await until('links are up', () => c.service.status().linked === 2);
    const seeker = await startNode(6, 'CREATE TABLE users (lastname TEXT, city TEXT)',
      { users: { keywords: ['profile'], columns: { lastname: ['last_name'], city: ['place'] } } },
      { resolveUrl: (node) => nodes.find(({ id }) => id.address === node)?.url });
    nodes.push(seeker);
    link(seeker, [a]);
    await until('the link is up', () => seeker.service.status().linked === 1);
    const near = { query: 'SELECT lastname FROM users WHERE place = ?', params: ['Bergen'], hops: 1 };
    expect((await seeker.service.ask(near)).parts).to.deep.equal([]);
    const members = await seeker.service.cluster({ threshold: 0.3 });
    expect(members.map(({ id }) => id)).to.include(c.id.address).and.not.to.include(stars.id.address);
    await until('the new link', () => seeker.service.status().linked === seeker.service.status().neighbours);
    expect((await seeker.service.ask(near)).parts.map(({ origin }) => origin)).to.deep.equal([c.id.address]);
  });

  it('a neighbour known by its URL alone becomes one once it has proven its address', async () => {
    const [a] = nodes as [Node, Node, Node];
    const lone = await startNode(7, 'CREATE TABLE t (x)', { t: { columns: { x: [] } } });
    nodes.push(lone);
    const dialler = dialNeighbours(lone.service, [a.url]);
    await until('the link is up', () => lone.service.status().linked === 1);
    expect(lone.service.neighbours()).to.deep.equal([{ address: a.id.address, url: a.url }]);
    dialler.close();
  });

  it('a consumer that cannot sign for the address it claims is not let in', async () => {
    const [a] = nodes as [Node, Node, Node];
    const liar = { ...identity(60), signer: identity(61).signer };
    const refused = await consume(a, liar).then(() => false, () => true);
    expect(refused).to.equal(true);
  });
});
