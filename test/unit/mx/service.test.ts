import { expect } from 'chai';
import { createManualClock } from '../../../node/memory/index.ts';
import { ask as getFrom, type MxChannel, type MxWorld } from '../../conformance/mx.ts';
import { settle, until } from '../../conformance/until.ts';
import { identity } from './kit.ts';
import { memoryWorld } from './world.ts';

const user = identity(900);
const answers = (channel: MxChannel): string[] => channel.got.map((message) => (message.kind === 'error' ? message.code : message.kind));

describe('mx service', () => {
  let world: MxWorld;
  beforeEach(async () => (world = await memoryWorld()));
  afterEach(() => world.close());

  it('P-6.3.2-epsilon: the deposit is read once, on the first GET, before that GET is decided; order is kept', async () => {
    const read: string[] = [];
    const a = await world.node(100, ['Berg'], {
      random: () => 0.5,
      depositLevel: async (address) => {
        read.push(address);
        await settle(5);
        return address === user.address ? 1 : 0;
      },
    });
    const b = await world.node(101, ['Dahl']); // somebody to be compared with
    await world.link(a, b);
    for (let i = 0; i < 8; i++) await a.service.ask({ query: `SELECT lastname FROM users WHERE ln <> ${i}` });
    read.length = 0;
    const rich = await world.channel(a, user);
    const poor = await world.channel(a, identity(901));
    rich.send(getFrom(user, { mode: 'follow' }));
    rich.send(getFrom(user, { hops: 0 }));
    await until('both are served', () => answers(rich).filter((kind) => kind === 'ok').length === 2);
    poor.send(getFrom(identity(901), { hops: 0 }));
    await until('the poor one is told', () => poor.got.length > 0);
    expect(answers(poor)).to.deep.equal(['unserved']);
    expect(read).to.deep.equal([user.address, identity(901).address]);
  });

  it('P-6.3.2-level-effect: a lost draw is refused as unserved; consumerFloor opens a node to consumers, not to neighbours', async () => {
    const epsilonOnly = { random: () => 0.5, access: { quality: () => 0.5, prior: 1, epsilon: 0.1 } };
    for (const [consumerFloor, expected] of [[0, 'unserved'], [1, 'ok']] as const) {
      const a = await world.node(110 + consumerFloor, ['Berg'], { ...epsilonOnly, consumerFloor });
      const b = await world.node(120 + consumerFloor, ['Dahl']);
      await world.link(a, b);
      for (let i = 0; i < 8; i++) await a.service.ask({ query: `SELECT lastname FROM users WHERE ln <> ${i}` });
      const channel = await world.channel(a, user);
      channel.send(getFrom(user, { hops: 0 }));
      await until('an answer', () => channel.got.length > 0);
      expect(answers(channel)[0]).to.equal(expected);
    }
  });

  it('a chain out of reach delays nobody: served at the floor and read again with the next GET', async () => {
    let reads = 0;
    const a = await world.node(100, ['Berg'], {
      depositLevel: () => {
        reads += 1;
        return Promise.reject(new Error('no chain'));
      },
    });
    const channel = await world.channel(a, user);
    for (let i = 1; i <= 2; i++) {
      channel.send(getFrom(user, { hops: 0 }));
      await until('END', () => answers(channel).filter((kind) => kind === 'end').length === i);
    }
    expect(reads).to.equal(2);
  });

  it('a failing database is a failed receipt and a notice, never a crash', async () => {
    const notices: string[] = [];
    const a = await world.node(100, [], {
      answerLocally: () => Promise.reject(new Error('disk')),
      onNotice: ({ kind }) => notices.push(kind),
    });
    const { parts, ending } = await a.service.ask({ query: 'SELECT lastname FROM users', hops: 0 });
    expect(parts).to.deep.equal([]);
    expect(ending.receipts.map(({ outcome }) => outcome)).to.deep.equal(['failed']);
    expect(ending.complete).to.equal(false);
    expect(notices).to.include('failed');
  });

  it('values that are no SQL values fail the request instead of being signed', async () => {
    for (const wrong of [undefined, Number.NaN, 1n << 64n, true, [['a', 'b']]]) {
      const a = await world.node(100, [], { answerLocally: async () => [Array.isArray(wrong) ? wrong[0] : [wrong]] as never });
      const { ending } = await a.service.ask({ query: 'SELECT lastname FROM users', hops: 0 });
      expect(ending.receipts.map(({ outcome }) => outcome)).to.deep.equal(['failed']);
    }
  });

  it('closing cancels every timer and ends the node\'s own questions', async () => {
    const clock = createManualClock();
    const a = await world.node(100, [], { clock, answerLocally: () => new Promise(() => undefined) });
    const refused = a.service.ask({ query: 'SELECT lastname FROM users', hops: 0 }).then(() => '', (error: { code: string }) => error.code);
    expect(clock.pending).to.equal(1);
    a.service.close();
    expect(clock.pending).to.equal(0);
    expect(await refused).to.equal('MX_SERVICE_REFUSED');
  });
});
