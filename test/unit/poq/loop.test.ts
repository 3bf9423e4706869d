import { expect } from 'chai';
import { limits } from '../../../protocol/limits/index.ts';
import {
  challengeFor, createPoq, POQ_INTERVAL_MS, requestFor, step, type Expectation, type PoqEffect, type PoqInput, type PoqState, type Question,
} from '../../../protocol/poq/index.ts';
import type { Address } from '../../../protocol/types/index.ts';
import { answerOf, domain, epoch, group, hash, outsider, roster, rowOf, self, stateOf, type State } from './fixtures.ts';

const START = 1_700_000_000_000;

/** Drives one loop; `rounds` of ticks every 250 ms. */
class Driver {
  state: PoqState = createPoq({ domain, self, roster, intervalMs: POQ_INTERVAL_MS });
  effects: PoqEffect[] = [];
  nowMs = START;

  feed(input: PoqInput): PoqEffect[] {
    const { state, effects } = step(this.state, input);
    this.state = state;
    this.effects.push(...effects);
    return [...effects];
  }

  ready(state: State): this {
    this.feed({ kind: 'beacon', blockNumber: 1n, blockHash: hash('block') });
    this.feed({ kind: 'checkpoint', certified: state.certified });
    return this;
  }

  /** Ticks until something happens or the time is over; returns the effects of the last tick. */
  until(ms: number, wanted: (effect: PoqEffect) => boolean = () => true): PoqEffect[] {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      this.nowMs += 250;
      const effects = this.feed({ kind: 'tick', nowMs: this.nowMs });
      if (effects.some(wanted)) return effects;
    }
    return [];
  }

  question(): Question & { kind: string } {
    return this.until(21_000).find((effect) => effect.kind === 'ask') as Question & { kind: string };
  }
}

const expectedOf = (state: State, { target, rank, request }: Question): Expectation => (
  { domain, roster, target, querier: self, request, rank, certified: state.certified, local: state.tree.proveRank(state.root, rank) });
const kinds = (effects: readonly PoqEffect[]): string[] => effects.map(({ kind }) => kind);

describe('poq: the loop of a replica', () => {
  const state = stateOf(40);

  it('P-6.1-ping10: every other member is asked once per 10 seconds, each a rank that anyone can recompute', () => {
    const driver = new Driver().ready(state);
    const asked = new Map<Address, number[]>();
    for (let i = 0; i < 240; i++) {
      for (const effect of driver.until(250)) {
        if (effect.kind !== 'ask') continue;
        const { target, index, rank, request } = effect;
        const seed = {
          beacon: hash('block'), challenger: self, target, group, epoch, height: 10n, rowCount: 40n, index,
        };
        expect([rank, request]).to.deep.equal([challengeFor(seed), requestFor(seed)]);
        asked.set(target, [...(asked.get(target) ?? []), driver.nowMs]);
        const reply = answerOf(state, expectedOf(state, effect), {}, target);
        const done = driver.feed({ kind: 'answer', nowMs: driver.nowMs, target, request, reply, local: null });
        expect(done).to.deep.equal([{ kind: 'mark', target, index, nowMs: driver.nowMs, outcome: 'agrees', reason: null }]);
      }
    }
    expect([...asked.keys()].sort()).to.deep.equal(roster.replicas.filter((peer) => peer !== self));
    for (const times of asked.values()) {
      expect(times.length).to.be.within(5, 6); // a minute
      times.slice(1).forEach((at, i) => expect(at - (times[i] as number)).to.be.within(9_750, 10_250));
    }
  });

  it('asks nothing without beacon, checkpoint or rows, and nothing of itself or as a stranger', () => {
    const driver = new Driver();
    expect(driver.until(30_000)).to.deep.equal([]);
    driver.feed({ kind: 'beacon', blockNumber: 1n, blockHash: hash('block') });
    expect(driver.until(30_000)).to.deep.equal([]);
    driver.feed({ kind: 'checkpoint', certified: stateOf(0).certified });
    expect(driver.until(30_000)).to.deep.equal([]);
    driver.feed({ kind: 'checkpoint', certified: stateOf(40, 11n).certified });
    expect(driver.question().target).to.not.equal(self);
    expect(() => createPoq({ domain, self: outsider, roster, intervalMs: 10_000 })).to.throw('POQ_STRANGER');
  });

  it('older beacons and checkpoints, and those of other groups and epochs, change nothing', () => {
    const driver = new Driver().ready(state);
    const before = driver.state;
    driver.feed({ kind: 'beacon', blockNumber: 1n, blockHash: hash('other') });
    driver.feed({ kind: 'checkpoint', certified: stateOf(5, 9n).certified });
    const foreign = { ...stateOf(5, 99n).certified.checkpoint, epoch: 9n };
    driver.feed({ kind: 'checkpoint', certified: { ...state.certified, checkpoint: foreign } });
    expect(driver.state).to.deep.equal(before);
  });

  it('P-6.1-ppoq-escalate: a false answer fetches the row and is reported with row, signature, signer and both statements', () => {
    const driver = new Driver().ready(state);
    const question = driver.question();
    const { target, request, rank } = question;
    const expected = expectedOf(state, question);
    const reply = answerOf(state, expected, { rowHash: hash('altered') }, target);
    const effects = driver.feed({ kind: 'answer', nowMs: driver.nowMs, target, request, reply, local: expected.local });
    expect(kinds(effects)).to.deep.equal(['mark', 'fetchRow']);
    const leaf = state.tree.at(state.root, rank);
    expect(effects[1]).to.include({ target, path: leaf.path, request });
    const row = rowOf(expected, leaf, self); // signed by somebody who is not the writer
    const [report] = driver.feed({ kind: 'row', nowMs: driver.nowMs, target, request, reply: row });
    expect(report).to.deep.equal({
      kind: 'report', target, row, rowVerdict: { kind: 'forgedRow', ...row },
      falseAnswer: {
        kind: 'falseAnswer', answer: reply.answer, signature: reply.signature, against: { kind: 'ownRoot', proof: expected.local },
      },
    });
    expect(driver.feed({ kind: 'row', nowMs: driver.nowMs, target, request, reply: row })).to.deep.equal([], 'reported once');
  });

  it('P-6.1-ppoq-escalate: a target that keeps the row back is reported all the same', () => {
    for (const silent of [true, false]) {
      const driver = new Driver().ready(state);
      const question = driver.question();
      const { target, request } = question;
      const reply = answerOf(state, expectedOf(state, question), { stateRoot: hash('invented') }, target);
      driver.feed({ kind: 'answer', nowMs: driver.nowMs, target, request, reply, local: null });
      const effects = silent
        ? driver.until(limits.poqAnswerMs + 250, ({ kind }) => kind === 'report')
        : driver.feed({ kind: 'row', nowMs: driver.nowMs, target, request, reply: null });
      const report = effects.find(({ kind }) => kind === 'report');
      expect(report).to.deep.include({ target, row: null, rowVerdict: null });
      expect(report).to.have.nested.property('falseAnswer.against.kind', 'certificate');
    }
  });

  it('an unanswered question is repeated unchanged, then counts once, with statistics asked for and the silence dated', () => {
    const driver = new Driver().ready(state);
    const question = driver.question();
    const { target, request } = question;
    const timeout = (): PoqEffect[] => driver.feed({ kind: 'timeout', nowMs: driver.nowMs, target, request });
    for (let attempt = 2; attempt <= limits.poqAttempts; attempt++) {
      const { kind: _kind, ...same } = question;
      expect(timeout()).to.deep.equal([{ ...same, kind: 'repeat', attempt, deadlineMs: driver.nowMs + limits.poqAnswerMs }]);
    }
    const since = driver.nowMs;
    const last = timeout();
    expect(kinds(last)).to.deep.equal(['mark', 'silent', 'statistics']);
    expect(last[0]).to.include({ outcome: 'unavailable', reason: 'timeout' });
    expect(last[1]).to.deep.equal({ kind: 'silent', target, failures: 1, sinceMs: since });
    expect(timeout()).to.deep.equal([], 'nothing is open any more');
  });

  it('refusals, malformed answers and passed deadlines count alike; silence adds up until an answer ends it', () => {
    const driver = new Driver().ready(state);
    const first = driver.question();
    const { target } = first;
    const mine = (effect: PoqEffect): boolean => 'target' in effect && effect.target === target;
    const asksIt = (effect: PoqEffect): boolean => effect.kind === 'ask' && mine(effect);
    const silences = (): PoqEffect[] => driver.effects.filter((effect) => effect.kind === 'silent' && mine(effect));
    driver.until(60_000, () => silences().length === 1);
    driver.until(60_000, () => silences().length === 2);
    expect(silences().map((effect) => 'failures' in effect && effect.failures)).to.deep.equal([1, 2]);
    expect(driver.effects.filter((effect) => effect.kind === 'statistics' && mine(effect))).to.have.length(1);
    const next = driver.until(30_000, asksIt).find(asksIt) as Question & PoqEffect;
    const wrong = answerOf(state, expectedOf(state, next), { querier: outsider }, target);
    const input = { kind: 'answer', nowMs: driver.nowMs, target, request: next.request, local: null } as const;
    expect(kinds(driver.feed({ ...input, reply: wrong }))).to.deep.equal(['repeat']);
    expect(kinds(driver.feed({ kind: 'refused', nowMs: driver.nowMs, target, request: next.request }))).to.deep.equal(['repeat']);
    const reply = answerOf(state, expectedOf(state, next), {}, target);
    driver.feed({ ...input, reply });
    expect(driver.state.targets.get(target)).to.include({ failures: 0, asked: null });
  });

  it('late, unknown and foreign replies change nothing', () => {
    const driver = new Driver().ready(state);
    const question = driver.question();
    const before = driver.state;
    const reply = answerOf(state, expectedOf(state, question), {}, question.target);
    const other = roster.replicas.find((peer) => peer !== self && peer !== question.target) as Address;
    const inputs: PoqInput[] = [
      { kind: 'answer', nowMs: driver.nowMs, target: question.target, request: hash('older'), reply, local: null },
      { kind: 'answer', nowMs: driver.nowMs, target: outsider, request: question.request, reply, local: null },
      { kind: 'timeout', nowMs: driver.nowMs, target: other, request: question.request },
      { kind: 'row', nowMs: driver.nowMs, target: question.target, request: question.request, reply: null },
    ];
    for (const input of inputs) expect(driver.feed(input)).to.deep.equal([]);
    expect(driver.state).to.deep.equal(before);
  });
});
