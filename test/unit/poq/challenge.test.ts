import { createHash } from 'node:crypto';
import { expect } from 'chai';
import {
  challengeFor, challengesForProbability, detectionProbability, expectedChallenges, expectedDetectionMs, POQ_INTERVAL_MS, requestFor,
  schedule, type ChallengeSeed,
} from '../../../protocol/poq/index.ts';
import { epoch, group, hash, roster, self, target, third } from './fixtures.ts';

const seed = (rowCount: bigint, index: bigint, part: Partial<ChallengeSeed> = {}): ChallengeSeed => (
  { beacon: hash('block'), challenger: self, target, group, epoch, height: 10n, rowCount, index, ...part });

describe('poq: challenges', () => {
  it('P-6.1-random-index: every rank has the same chance (chi-square over 97 ranks, fixed seed)', () => {
    const draws = 19_400;
    const seen = new Array<number>(97).fill(0);
    for (let i = 0; i < draws; i++) {
      const rank = Number(challengeFor(seed(97n, BigInt(i))));
      seen[rank] = (seen[rank] as number) + 1;
    }
    const expected = draws / 97;
    const chiSquare = seen.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 96 degrees of freedom: mean 96, standard deviation 13.9; both tails would show a fault
    expect(chiSquare).to.be.within(96 - 4 * 13.9, 96 + 4 * 13.9);
  });

  it('P-6.1-random-index: no modulo bias where it would be largest (3/4 of the 64-bit range)', () => {
    const rowCount = 3n << 62n;
    let low = 0;
    for (let i = 0; i < 6000; i++) if (challengeFor(seed(rowCount, BigInt(i))) < 1n << 62n) low++;
    // a plain remainder would put half of the draws into the lowest third; standard deviation 36
    expect(low).to.be.within(2000 - 150, 2000 + 150);
  });

  it('P-6.1-random-index: every rank is below the signed count, from one row to 2^64 - 1', () => {
    for (const rowCount of [1n, 2n, 3n, 1_000_003n, (1n << 64n) - 1n]) {
      for (let i = 0n; i < 50n; i++) expect(challengeFor(seed(rowCount, i)) < rowCount).to.equal(true);
    }
    expect(() => challengeFor(seed(0n, 0n))).to.throw('POQ_ROW_COUNT');
    expect(() => challengeFor(seed(1n << 64n, 0n))).to.throw('POQ_ROW_COUNT');
  });

  it('P-6.1-unpredictable: every public input moves the rank and the request, and anyone recomputes both', () => {
    const base = seed(1n << 60n, 1n);
    const others = [
      { beacon: hash('next block') }, { challenger: third }, { target: third }, { group: hash('other') }, { epoch: 4n }, { height: 11n },
      { rowCount: (1n << 60n) - 1n }, { index: 2n },
    ];
    const ranks = [base, ...others.map((part) => ({ ...base, ...part }))].map(challengeFor);
    const requests = [base, ...others.map((part) => ({ ...base, ...part }))].map(requestFor);
    expect(new Set(ranks).size).to.equal(ranks.length);
    expect(new Set(requests).size).to.equal(requests.length);
    expect(challengeFor({ ...base })).to.equal(challengeFor(base));
  });

  it('the derivation is the documented one: SHA-256 of tag, fields and attempt, first 64 bits, remainder', () => {
    const u64 = (value: bigint): string => value.toString(16).padStart(16, '0');
    const names = [hash('block'), self, target, group].map((hex) => hex.slice(2));
    const fields = [...names, u64(epoch), u64(10n), u64(1_000_000n), u64(42n)].join('');
    const digest = (tag: string, rest: string): string => createHash('sha256').update(tag).update(Buffer.from(rest, 'hex')).digest('hex');
    const draw = BigInt(`0x${digest('picolo/poq/rank', `${fields}00000000`).slice(0, 16)}`);
    expect(challengeFor(seed(1_000_000n, 42n))).to.equal(draw % 1_000_000n);
    expect(requestFor(seed(1_000_000n, 42n))).to.equal(`0x${digest('picolo/poq/request', fields)}`);
  });
});

describe('poq: schedule', () => {
  it('P-6.1-ping10: each pair has one slot every 10 seconds, without gaps or overlaps', () => {
    expect(POQ_INTERVAL_MS).to.equal(10_000);
    let now = 1_700_000_000_000;
    let slot = schedule(self, target, now);
    for (let i = 0; i < 50; i++) {
      expect(slot.nextAtMs - slot.startsAtMs).to.equal(10_000);
      expect(schedule(self, target, slot.nextAtMs - 1).index).to.equal(slot.index);
      now = slot.nextAtMs;
      const next = schedule(self, target, now);
      expect(next.index).to.equal(slot.index + 1n);
      expect(next.startsAtMs).to.equal(now);
      slot = next;
    }
  });

  it('pairs of a group start at different moments of the interval', () => {
    const pairs = roster.replicas.flatMap((a) => roster.replicas.filter((b) => b !== a).map((b) => [a, b] as const));
    const starts = pairs.map(([a, b]) => schedule(a, b, 1e12).startsAtMs % 10_000);
    expect(new Set(starts).size).to.equal(starts.length);
    expect(() => schedule(self, target, 1e12, 0)).to.throw('POQ_INTERVAL');
  });
});

describe('poq: detection', () => {
  it('P-6.1-ppoq: expected time, probability and number of challenges for k of n corrupted cells', () => {
    expect(expectedChallenges({ cells: 1_000_000, corrupted: 1000 })).to.equal(1000);
    expect(expectedDetectionMs({ cells: 1_000_000, corrupted: 1000, challengers: 3, intervalMs: 10_000 })).to.be.closeTo(3_333_333, 1);
    expect(detectionProbability({ cells: 100, corrupted: 1 }, 0)).to.equal(0);
    expect(detectionProbability({ cells: 100, corrupted: 100 }, 1)).to.equal(1);
    const needed = challengesForProbability({ cells: 1000, corrupted: 10 }, 0.99);
    expect(detectionProbability({ cells: 1000, corrupted: 10 }, needed)).to.be.at.least(0.99);
    expect(detectionProbability({ cells: 1000, corrupted: 10 }, needed - 1)).to.be.lessThan(0.99);
    expect(challengesForProbability({ cells: 5, corrupted: 5 }, 0.5)).to.equal(1);
    for (const bad of [{ cells: 10, corrupted: 0 }, { cells: 10, corrupted: 11 }, { cells: Number.NaN, corrupted: 1 }]) {
      expect(() => expectedChallenges(bad)).to.throw('POQ_ODDS');
    }
    expect(() => expectedDetectionMs({ cells: 10, corrupted: 1, challengers: 0, intervalMs: 1 })).to.throw('POQ_ODDS');
    expect(() => challengesForProbability({ cells: 10, corrupted: 1 }, 1)).to.throw('POQ_ODDS');
  });

  it('P-6.1-ppoq: a corrupted cell is found within the computed time (400 runs, fixed seeds)', () => {
    const odds = { cells: 200, corrupted: 8 };
    const runs = 400;
    let total = 0;
    for (let run = 0; run < runs; run++) {
      for (let index = 0n, found = false; !found; index++) {
        total++;
        found = challengeFor(seed(200n, index, { beacon: hash(`beacon ${run}`) })) < 8n;
      }
    }
    // geometric: mean 25, standard error of the mean about 25 / sqrt(400)
    expect(total / runs).to.be.closeTo(expectedChallenges(odds), 4 * 25 / Math.sqrt(runs));
  });

  it('P-6.1-unpredictable: a replica that keeps only recently challenged rows is caught at the computed rate', () => {
    const [rows, kept, challenges] = [500, 100, 6000];
    const cache = new Map<bigint, true>(); // insertion order = age
    let caught = 0;
    let corrupted = 0;
    for (let i = 0; i < challenges; i++) {
      corrupted += (rows - cache.size) / rows;
      const rank = challengeFor(seed(BigInt(rows), BigInt(i), { beacon: hash(`beacon ${i}`) }));
      if (!cache.delete(rank)) caught++;
      cache.set(rank, true);
      if (cache.size > kept) cache.delete(cache.keys().next().value as bigint);
    }
    // knowing past challenges does not help: each new one misses the cache with probability 1 - kept / rows
    expect(caught).to.be.closeTo(corrupted, 4 * Math.sqrt(challenges * 0.8 * 0.2));
    expect(detectionProbability({ cells: rows, corrupted: rows - kept }, 3)).to.be.greaterThan(0.99);
  });
});
