import { expect } from 'chai';
import type { MxOptions, MxService } from '../../node/mx/index.ts';
import { encode, signStruct } from '../../protocol/codec/index.ts';
import { parseQuery, queryC } from '../../protocol/dictionary/index.ts';
import {
  getMessage, prepareGet, preparePut, putMessage, signPart, signReceipt, transactionOf, type Get, type GetAsk, type Message, type PutAsk,
} from '../../protocol/mx/index.ts';
import type { Hash32 } from '../../protocol/types/index.ts';
import { domain, identity, type Identity } from '../unit/mx/kit.ts';
import { settle, until } from './until.ts';

/** A data consumer (or a peer that follows no rules): sends what it likes, keeps what it gets. */
export interface MxChannel {
  readonly got: Message[];
  send(message: Message | Uint8Array): void;
  close(): void;
}

export interface MxNode {
  readonly id: Identity;
  readonly service: MxService;
  /** What happened at the node, in order: 'local', 'put', 'stopped'. */
  readonly trace: string[];
  /** Rows of `people(ln)`, and a way to make new ones appear. */
  readonly names: string[];
  appear(name: string): void;
}

/** What a transport's test provides. */
export interface MxWorld {
  node(seed: number, names: string[], changes?: Partial<MxOptions>): Promise<MxNode>;
  /** Makes both nodes neighbours of each other and waits for the link. */
  link(a: MxNode, b: MxNode): Promise<void>;
  /** Connects as `id`; `asNeighbour` also makes the node treat it as a neighbour it may ask. */
  channel(node: MxNode, id: Identity, asNeighbour?: boolean): Promise<MxChannel>;
  close(): Promise<void>;
}

let nonce = 0n;
const query = encode(queryC, parseQuery('SELECT lastname FROM users').query);

export function ask(client: Identity, changes: Partial<GetAsk> = {}): Get {
  const prepared = prepareGet({
    client: client.address, nonce: ++nonce, query, hops: 3, results: 100, mode: 'pull', expiresAtMs: BigInt(Date.now() + 20_000),
      ...changes,
  });
  return getMessage(prepared, signStruct(domain, 'MxAsk', prepared.toSign, client.key));
}

function write(client: Identity, changes: Partial<PutAsk> = {}): Message {
  const prepared = preparePut({
    client: client.address, nonce: ++nonce, write: new Uint8Array([7]), nodes: [], hops: 3,
      expiresAtMs: BigInt(Date.now() + 20_000), ...changes,
  });
  return putMessage(prepared, signStruct(domain, 'MxAsk', prepared.toSign, client.key));
}

const kinds = (channel: MxChannel, transaction: Hash32): string[] =>
  channel.got.filter((message) => 'transaction' in message && message.transaction === transaction).map(({ kind }) => kind);
const rowsIn = (channel: MxChannel, transaction: Hash32): string[] =>
  channel.got.flatMap((message) => (message.kind === 'send' && message.transaction === transaction ? message.parts : []))
    .flatMap(({ rows }) => rows.map(([name]) => String(name)));
const endOf = (channel: MxChannel, transaction: Hash32) =>
  channel.got.find((message): message is Extract<Message, { kind: 'end' }> => message.kind === 'end' && message.transaction === transaction);
const errors = (channel: MxChannel): string[] => channel.got.flatMap((message) => (message.kind === 'error' ? [message.code] : []));

/** The behaviour of Picolo §7 over any transport (P-7-transport-free). */
export function mxConformance(name: string, makeWorld: () => Promise<MxWorld>): void {
  describe(`mx: ${name}`, () => {
    const user = identity(900);
    let world: MxWorld;
    beforeEach(async () => (world = await makeWorld()));
    afterEach(() => world.close());

    /** Asks and waits for END; returns the transaction. */
    async function done(channel: MxChannel, message: Message): Promise<Hash32> {
      const transaction = transactionOf(message as Get);
      channel.send(message);
      await until('END', () => endOf(channel, transaction) !== undefined);
      return transaction;
    }

    async function line(...names: readonly string[][]): Promise<MxNode[]> {
      const nodes: MxNode[] = [];
      for (const [i, own] of names.entries()) {
        nodes.push(await world.node(100 + i, own));
        if (i > 0) await world.link(nodes[i - 1] as MxNode, nodes[i] as MxNode);
      }
      return nodes;
    }

    it('P-7-pull: OK, one SEND, END, also over several nodes', async () => {
      const [a] = await line(['Berg'], ['Dahl'], ['Lund']);
      const channel = await world.channel(a as MxNode, user);
      const transaction = await done(channel, ask(user));
      expect(kinds(channel, transaction)).to.deep.equal(['ok', 'send', 'end']);
      expect(rowsIn(channel, transaction)).to.deep.equal(['Berg', 'Dahl', 'Lund']);
      expect(endOf(channel, transaction)?.reason).to.equal('done');
    });

    it('P-7-push: SENDs as origins answer, then END; never more than the number asked', async () => {
      const [a] = await line(['Berg'], ['Dahl'], ['Lund', 'Moe']);
      const channel = await world.channel(a as MxNode, user);
      const all = await done(channel, ask(user, { mode: 'push' }));
      expect(kinds(channel, all)).to.deep.equal(['ok', 'send', 'send', 'send', 'end']);
      const three = await done(channel, ask(user, { mode: 'push', results: 3 }));
      expect(rowsIn(channel, three)).to.deep.equal(['Berg', 'Dahl', 'Lund']);
      expect(endOf(channel, three)?.reason).to.equal('enough');
    });

    it('P-7-push: in follow mode rows are pushed as they appear until the number is met', async () => {
      const [a, b] = await line(['Berg'], []) as [MxNode, MxNode];
      const channel = await world.channel(a, user);
      const message = ask(user, { mode: 'follow', results: 3 });
      const transaction = transactionOf(message);
      channel.send(message);
      await until('the first row', () => rowsIn(channel, transaction).length === 1 && b.trace.includes('local'));
      await settle(20);
      b.appear('Dahl');
      a.appear('Lund');
      await until('END', () => endOf(channel, transaction) !== undefined);
      expect(rowsIn(channel, transaction)).to.have.members(['Berg', 'Dahl', 'Lund']);
      await until('both watchers stop', () => [a, b].every(({ trace }) => trace.includes('stopped')));
    });

    it('P-7-send: interleaved queries never mix', async () => {
      const [a] = await line(['Berg', 'Dahl'], ['Lund']);
      const channel = await world.channel(a as MxNode, user);
      const asks = [ask(user, { results: 1 }), ask(user, { hops: 0 }), ask(user)];
      for (const message of asks) channel.send(message);
      const [one, near, all] = asks.map(transactionOf) as [Hash32, Hash32, Hash32];
      await until('all END', () => [one, near, all].every((transaction) => endOf(channel, transaction) !== undefined));
      expect([one, near, all].map((transaction) => rowsIn(channel, transaction).length)).to.deep.equal([1, 2, 3]);
    });

    it('P-7-close: the server and the nodes behind it stop; P-7-ok: CLOSE is acknowledged', async () => {
      const nodes = await line([], [], []);
      const channel = await world.channel(nodes[0] as MxNode, user);
      const message = ask(user, { mode: 'follow' });
      channel.send(message);
      await until('all nodes watch', () => nodes.every(({ trace }) => trace.includes('local')));
      await settle(20);
      channel.send({ kind: 'close', transaction: transactionOf(message) });
      await until('all nodes stop', () => nodes.every(({ trace, service }) => trace.includes('stopped') && service.status().open === 0));
      expect(kinds(channel, transactionOf(message))).to.deep.equal(['ok', 'ok']);
    });

    it('P-7-error: malformed, unauthorised, expired and overloaded requests are told why', async () => {
      const busy = { load: 0 };
      const a = await world.node(100, ['Berg'], { load: () => busy.load });
      const channel = await world.channel(a, user);
      const genuine = ask(user);
      channel.send(new Uint8Array([1, 2, 3]));
      channel.send({ ...genuine, signature: ask(identity(901)).signature });
      channel.send({ ...genuine, hops: 9 });
      channel.send(ask(user, { expiresAtMs: BigInt(Date.now() - 1) }));
      channel.send(ask(user, { query: new Uint8Array([9]) }));
      await until('five refusals', () => errors(channel).length === 5);
      busy.load = 0.99;
      channel.send(ask(user, { hops: 3 }));
      await until('the sixth', () => errors(channel).length === 6);
      expect(errors(channel).sort()).to.deep.equal(['expired', 'malformed', 'malformed', 'malformed', 'overloaded', 'unauthorised']);
      expect(a.trace).to.deep.equal([]);
    });

    it('P-6.5-adaptive-drop: under load near queries are served and far ones are shed', async () => {
      const a = await world.node(100, ['Berg'], { load: () => 0.9 });
      const channel = await world.channel(a, user);
      const near = await done(channel, ask(user, { hops: 2 }));
      channel.send(ask(user, { hops: 12 }));
      await until('the far one is refused', () => errors(channel).length === 1);
      expect(rowsIn(channel, near)).to.deep.equal(['Berg']);
      expect(errors(channel)).to.deep.equal(['overloaded']);
    });

    it('P-7-hops: nothing beyond the limit, and in a ring every node works once', async () => {
      const nodes = await line(['A'], ['B'], ['C'], ['D']);
      const [a, , , d] = nodes as [MxNode, MxNode, MxNode, MxNode];
      const channel = await world.channel(a, user);
      expect(rowsIn(channel, await done(channel, ask(user, { hops: 2 })))).to.deep.equal(['A', 'B', 'C']);
      expect(d.trace).to.deep.equal([]);
      await world.link(d, a);
      const round = await done(channel, ask(user, { hops: 8 }));
      expect(rowsIn(channel, round)).to.have.members(['A', 'B', 'C', 'D']);
      expect(nodes.map(({ trace }) => trace.length)).to.deep.equal([2, 2, 2, 1]);
    });

    it('P-5.4.1-local-first: what the node has itself is not asked of others', async () => {
      const [a, b] = await line(['Berg', 'Dahl'], ['Lund']) as [MxNode, MxNode];
      const channel = await world.channel(a, user);
      const transaction = await done(channel, ask(user, { results: 2 }));
      expect(endOf(channel, transaction)?.reason).to.equal('enough');
      expect(a.trace).to.deep.equal(['local']);
      expect(b.trace).to.deep.equal([]);
    });

    it('P-7-put: applied at the listed nodes, or at every node within the hops', async () => {
      const nodes = await line([], [], []);
      const [a, b, c] = nodes as [MxNode, MxNode, MxNode];
      const channel = await world.channel(a, user);
      const listed = await done(channel, write(user, { nodes: [c.id.address] }));
      expect(nodes.map(({ trace }) => trace)).to.deep.equal([[], [], ['put']]);
      expect(kinds(channel, listed)).to.deep.equal(['ok', 'end']);
      const applied = endOf(channel, listed)?.receipts.filter(({ outcome }) => outcome === 'applied');
      expect(applied?.map(({ origin }) => origin)).to.deep.equal([c.id.address]);
      const near = await done(channel, write(user, { hops: 1 }));
      expect(endOf(channel, near)?.receipts.map(({ outcome }) => outcome)).to.deep.equal(['applied', 'applied']);
      expect(nodes.map(({ trace }) => trace.length)).to.deep.equal([1, 1, 1]);
      const alone = await done(channel, write(user, { nodes: [b.id.address], hops: null }));
      expect(endOf(channel, alone)?.receipts.some(({ origin, outcome }) => origin === b.id.address && outcome === 'applied')).to.equal(true);
    });

    it('P-6.5-greedy-ganesh: a forwarder cannot pass a peer\'s rows off under that signature as its own, nor alter them', async () => {
      const a = await world.node(100, ['Berg']);
      const honest = identity(300);
      const ganesh = identity(301);
      const forwarder = await world.channel(a, ganesh, true);
      const channel = await world.channel(a, user);
      const message = ask(user);
      const transaction = transactionOf(message);
      channel.send(message);
      const asked = () => forwarder.got.some((got) => got.kind === 'get' && transactionOf(got) === transaction);
      await until('the forwarder is asked', asked);
      const answer = { entity: 'users', columns: ['lastname'], quality: 1, rows: [['Lund']] };
      const genuine = signPart(answer, 0, answer.rows, transaction, honest.address, Date.now(), honest.attest);
      forwarder.send({ kind: 'send', transaction, parts: [{ ...genuine, origin: ganesh.address }, { ...genuine, rows: [['Lundt']] },
        genuine, genuine] });
      const receipts = [signReceipt('rows', 1, transaction, honest.address, Date.now(), honest.attest)];
      forwarder.send({ kind: 'end', transaction, reason: 'done', receipts });
      await until('END', () => endOf(channel, transaction) !== undefined);
      expect(rowsIn(channel, transaction)).to.deep.equal(['Berg', 'Lund']);
      const standing = a.service.standings().find(({ peer }) => peer === ganesh.address);
      expect(standing?.quality).to.be.below(0.5);
    });

    it('P-7-end: a neighbour that vanishes or stays silent makes the END partial, not endless', async () => {
      const a = await world.node(100, ['Berg'], { mx: { hopWaitMs: 40 } });
      const mute = await world.channel(a, identity(302), true);
      const channel = await world.channel(a, user);
      const silent = await done(channel, ask(user));
      expect(endOf(channel, silent)?.reason).to.equal('partial');
      const second = ask(user, { hops: 16 });
      channel.send(second);
      const asked = (): boolean => mute.got.some((got) => got.kind === 'get' && transactionOf(got) === transactionOf(second));
      await until('the neighbour is asked', asked);
      mute.close();
      await until('END', () => endOf(channel, transactionOf(second)) !== undefined);
      expect(endOf(channel, transactionOf(second))?.reason).to.equal('partial');
      expect(rowsIn(channel, transactionOf(second))).to.deep.equal(['Berg']);
    });
  });
}
