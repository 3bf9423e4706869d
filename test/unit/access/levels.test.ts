import { expect } from 'chai';
import fc from 'fast-check';
import {
  admit, classify, createAccess, forwardTo, isNewcomer, levelOf, noteDeposit, observe, standings, type Access, type Observation,
} from '../../../protocol/access/index.ts';
import type { Address } from '../../../protocol/types/index.ts';

const start = 1_000_000;
const name = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}` as Address;
const [good, rider, newcomer, other] = [name(1), name(2), name(3), name(4)] as [Address, Address, Address, Address];
const fair: Observation = { replied: true, forwarded: true, goodRows: 5, badRows: 0 };
const idle: Observation = { replied: false, forwarded: false, goodRows: 0, badRows: 0 };

function times(access: Access, peer: Address, seen: Observation, count: number, nowMs = start): void {
  for (let i = 0; i < count; i++) observe(access, peer, seen, nowMs);
}

/** Share of `draws` evenly spaced draws that pass. */
function servedShare(access: Access, peer: Address, draws = 1000, nowMs = start): number {
  let served = 0;
  for (let i = 0; i < draws; i++) if (forwardTo(access, peer, (i + 0.5) / draws, nowMs)) served += 1;
  return served / draws;
}

describe('access levels', () => {
  it('P-6.3.2-level-formula: replies * forwards * quality relative to the best, counts starting at the prior', () => {
    const access = createAccess({ epsilon: 0.001, quality: ({ goodRows }) => (goodRows > 20 ? 0.8 : 0.4) });
    times(access, good, { ...fair, goodRows: 10 }, 4); // (1+4)(1+4) * 0.8
    times(access, other, { replied: true, forwarded: false, goodRows: 1, badRows: 0 }, 3); // (1+3)(1+0) * 0.4
    expect(levelOf(access, good, start)).to.equal(1);
    expect(levelOf(access, other, start)).to.be.closeTo((4 * 1 * 0.4) / (5 * 5 * 0.8), 1e-12);
  });

  it('P-6.3.2-level-formula: quality is pluggable and stays inside (0, 1) whatever is plugged in', () => {
    for (const quality of [() => 0, () => 1, () => 7, () => -3, () => Number.NaN]) {
      const access = createAccess({ quality });
      observe(access, good, fair, start);
      expect(standings(access, start)[0]?.quality).to.be.within(0.001, 0.999);
    }
  });

  it('P-6.3.2-level-effect: the service rate follows the level', () => {
    const access = createAccess();
    times(access, good, fair, 9);
    times(access, other, fair, 4);
    for (const peer of [good, other, rider]) {
      expect(servedShare(access, peer)).to.be.closeTo(levelOf(access, peer, start), 0.002);
    }
    expect(levelOf(access, other, start)).to.be.within(0.2, 0.3);
  });

  it('P-6.5-free-rider: who neither replies nor forwards is served at the floor, who cooperates in full', () => {
    const access = createAccess({ epsilon: 0.1 });
    for (let i = 0; i < 20; i++) {
      observe(access, good, fair, start);
      observe(access, rider, idle, start);
    }
    expect(servedShare(access, good)).to.equal(1);
    expect(servedShare(access, rider)).to.be.closeTo(0.1, 0.001);
  });

  it('P-6.3.2-rule-reply, P-6.3.2-rule-forward: omitting either lowers the level', () => {
    const access = createAccess({ epsilon: 0.01 });
    times(access, good, fair, 10);
    times(access, other, { ...fair, replied: false }, 10);
    times(access, rider, { ...fair, forwarded: false }, 10);
    expect(levelOf(access, other, start)).to.be.below(0.2);
    expect(levelOf(access, rider, start)).to.be.below(0.2);
  });

  it('P-6.3.2-epsilon: a newcomer with a deposit is served more from its first query; everybody gets the floor', () => {
    const access = createAccess({ epsilon: 0.1, depositCap: 0.9 });
    times(access, good, fair, 20);
    expect(isNewcomer(access, newcomer)).to.equal(true);
    expect(levelOf(access, newcomer, start)).to.equal(0.1);
    noteDeposit(access, newcomer, 0.5, start);
    expect(isNewcomer(access, newcomer)).to.equal(false);
    expect(levelOf(access, newcomer, start)).to.be.closeTo(0.5, 1e-9);
    noteDeposit(access, other, 99, start);
    expect(levelOf(access, other, start)).to.be.closeTo(0.9, 1e-9);
  });

  it('P-6.3.2-epsilon: a deposit fades with time and with use, and the same deposit buys nothing twice', () => {
    const access = createAccess({ epsilon: 0.1, depositCap: 0.9, depositHalfLifeMs: 1000, depositHalfLifeServed: 10, halfLifeMs: 1e12 });
    times(access, good, fair, 50);
    noteDeposit(access, newcomer, 1, start);
    expect(levelOf(access, newcomer, start + 1000)).to.be.closeTo(0.5, 1e-6);
    for (let i = 0; i < 10; i++) admit(access, newcomer, 0, start + 1000);
    expect(levelOf(access, newcomer, start + 1000)).to.be.closeTo(0.3, 1e-6);
    noteDeposit(access, newcomer, 1, start + 1000);
    expect(levelOf(access, newcomer, start + 1000)).to.be.closeTo(0.3, 1e-6);
    expect(levelOf(access, newcomer, start + 100_000)).to.be.closeTo(0.1, 1e-6);
    noteDeposit(access, other, 0.5, start);
    noteDeposit(access, other, 1, start + 100_000); // only the increase counts
    expect(levelOf(access, other, start + 100_000)).to.be.closeTo(0.5, 1e-6);
  });

  it('P-6.3.2-level-local: two nodes hold different levels for a third, each from what it saw itself', () => {
    const [a, b] = [createAccess(), createAccess()];
    for (const access of [a, b]) times(access, good, fair, 10);
    times(a, other, fair, 10);
    expect(levelOf(a, other, start)).to.equal(1);
    expect(levelOf(b, other, start)).to.equal(0.1);
  });

  it('P-6.3.2-contained: a node that puts all its peers to the floor harms only itself', () => {
    const names = [1, 2, 3, 4, 5].map(name);
    const spiteful = names[0] as Address;
    const views = new Map(names.map((who) => [who, createAccess()]));
    for (let round = 0; round < 30; round++) {
      for (const [asker, view] of views) {
        for (const peer of names.filter((who) => who !== asker)) observe(view, peer, peer === spiteful ? idle : fair, start);
      }
    }
    const honest = names.slice(1);
    for (const asker of honest) {
      for (const peer of honest.filter((who) => who !== asker)) expect(levelOf(views.get(peer) as Access, asker, start)).to.equal(1);
      expect(levelOf(views.get(asker) as Access, spiteful, start)).to.equal(0.1);
    }
  });

  it('P-6.3.2-classify: cooperative forwards, fair forwards and replies, selfish does not forward', () => {
    const access = createAccess();
    expect(classify(access, good)).to.equal('unknown');
    times(access, good, fair, 4);
    times(access, other, { ...fair, replied: false }, 4);
    times(access, rider, idle, 4);
    times(access, newcomer, { ...fair, forwarded: null }, 4);
    const kinds = [good, other, rider, newcomer].map((peer) => classify(access, peer));
    expect(kinds).to.deep.equal(['fair', 'cooperative', 'selfish', 'unknown']);
  });

  it('soft state: what was done long ago stops counting', () => {
    const access = createAccess({ halfLifeMs: 1000 });
    times(access, good, fair, 100);
    expect(levelOf(access, rider, start)).to.equal(0.1);
    expect(levelOf(access, rider, start + 20_000)).to.be.above(0.9);
  });

  it('with nobody to compare with, nobody is refused', () => {
    expect(levelOf(createAccess(), newcomer, start)).to.equal(1);
  });

  it('the table is bounded; deposits already read are forgotten last', () => {
    const access = createAccess({ maxPeers: 3 });
    noteDeposit(access, newcomer, 1, start);
    times(access, good, fair, 5);
    for (let i = 10; i < 40; i++) observe(access, name(i), idle, start + i);
    expect(access.peers.size).to.equal(3);
    expect(access.peers.has(newcomer) && access.peers.has(good)).to.equal(true);
  });

  it('settings out of range are refused', () => {
    expect(() => createAccess({ epsilon: 0 })).to.throw('ACCESS_BAD_CONFIG');
    expect(() => createAccess({ depositCap: 0.01 })).to.throw('ACCESS_BAD_CONFIG');
    expect(() => createAccess({ halfLifeMs: 0 })).to.throw('ACCESS_BAD_CONFIG');
  });

  it('levels stay in [epsilon, 1] under any history', () => {
    const seen = fc.record({
      peer: fc.integer({ min: 1, max: 5 }), replied: fc.option(fc.boolean()), forwarded: fc.option(fc.boolean()),
      goodRows: fc.nat(100), badRows: fc.nat(100), afterMs: fc.nat(10_000_000), deposit: fc.double({ min: -1, max: 2, noNaN: true }),
    });
    fc.assert(fc.property(fc.array(seen, { maxLength: 40 }), (history) => {
      const access = createAccess();
      let nowMs = start;
      for (const { peer, afterMs, deposit, ...observation } of history) {
        nowMs += afterMs;
        observe(access, name(peer), observation, nowMs);
        noteDeposit(access, name(peer), deposit, nowMs);
        for (let i = 1; i <= 6; i++) expect(levelOf(access, name(i), nowMs)).to.be.within(0.1, 1);
      }
    }), { numRuns: 200 });
  });
});
