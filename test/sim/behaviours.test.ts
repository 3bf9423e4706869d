import { expect } from 'chai';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { BEHAVIOURS } from './byzantine/behaviours.ts';
import { CALM_CLOCKS, CALM_DISK, CALM_NETWORK, HONEST_CLIENTS, type Overrides } from './plan.ts';
import { simulate } from './world.ts';

const quiet: Overrides = {
  replicas: 4, byzantine: new Map(), classicOnly: false, wire: false, keys: 30, commands: 60, viewDurationMs: 60_000,
  durationMs: 1_600, calmMs: 800, windowMs: 40, checkpointMs: 300, epochs: 0, historyBlocks: 1_000_000, smallCore: false,
  network: CALM_NETWORK, disk: CALM_DISK, clocks: { ...CALM_CLOCKS, skewMs: 3 }, workload: { ...HONEST_CLIENTS, invalid: 0.05 },
};

describe('simulation: one thing at a time', function () {
  this.timeout(600_000);
  before(() => installNativeCrypto());

  it('P-5.2.1-fast, P-5.2.1-sig-collect: a healthy group decides most on the fast path, and codecs carry all of it', () => {
    const result = simulate(1n, 'liveness', { ...quiet, keys: 400, wire: true });
    expect(result.violations).to.deep.equal([]);
    expect(result.fast).to.be.above(result.submitted / 2);
    expect(result.checkpoints).to.be.above(1);
    expect(result.views).to.equal(0n);
  });

  it('classic-only groups work without the fast path', () => {
    const result = simulate(2n, 'liveness', { ...quiet, classicOnly: true });
    expect(result.violations).to.deep.equal([]);
    expect(result.fast).to.equal(0);
    expect(result.classic).to.be.above(result.submitted / 2);
  });

  it('P-5.2.1-rotation: the leader changes on the view timer without failures', () => {
    const result = simulate(3n, 'liveness', { ...quiet, viewDurationMs: 400 });
    expect(result.violations).to.deep.equal([]);
    expect(Number(result.views)).to.be.within(3, 8);
  });

  it('quorums are N - f for any N, and above seven replicas the gateway collects the votes', () => {
    for (const replicas of [1, 5, 6, 10]) {
      const disk = { crashEveryMs: 600, torn: true, crashAll: 0.1 };
      const result = simulate(9n, 'liveness', { ...quiet, replicas, disk, epochs: 1 });
      expect(result.violations).to.deep.equal([]);
      expect(result.fast, `${replicas} replicas`).to.be.above(10);
    }
  });

  it('seven replicas tolerate two', () => {
    const byzantine = new Map([[1, ['voteAll', 'ackAll'] as const], [2, ['splitLeader', 'doubleVote'] as const]]);
    const result = simulate(4n, 'liveness', { ...quiet, replicas: 7, byzantine, viewDurationMs: 500 });
    expect(result.violations).to.deep.equal([]);
  });

  for (const { name, what } of BEHAVIOURS) {
    it(`P-5.2.1-safety, P-5.2.1-liveness: a replica that ${what} (${name}) harms nobody`, () => {
      for (const index of [0, 1]) {
        const result = simulate(5n + BigInt(index), 'liveness', { ...quiet, byzantine: new Map([[index, [name]]]), viewDurationMs: 300, keys: 6, commands: 40 });
        expect(result.violations).to.deep.equal([]);
      }
    });
  }

  it('P-6-signed-ops: commands in several forms, good and forged, under one name: each is decided once, and every honest replica can prove it', () => {
    const byzantine = new Map([[1, ['mixedSignatures'] as const]]);
    const workload = { forms: 0.5, twoGateways: 0.2 };
    const disk = { crashEveryMs: 700, torn: true, syncedLedger: false };
    let decided = 0;
    for (let seed = 1n; seed <= 8n; seed++) {
      const faults = seed % 2n === 0n ? { disk } : {};
      const result = simulate(seed, 'liveness', { ...quiet, ...faults, byzantine, workload, viewDurationMs: 500, keys: 12, wire: seed % 4n === 0n });
      expect(result.violations).to.deep.equal([]);
      decided += result.fast + result.classic;
    }
    expect(decided).to.be.above(200);
  });

  it('a replica that believes a signature by the name of its command is caught', () => {
    const caught = new Set<string>();
    for (let seed = 1n; seed <= 8n; seed++) {
      const workload = { forms: 0.5 };
      const result = simulate(seed, 'safety', { ...quiet, byzantine: new Map([[1, ['mixedSignatures']]]), workload, viewDurationMs: 500, keys: 12, trustNames: true });
      for (const { invariant } of result.violations) caught.add(invariant);
    }
    expect([...caught]).to.deep.equal(['provable']);
  });

  it('real keys and EIP-712 digests carry a run as well', () => {
    const result = simulate(8n, 'safety', { ...quiet, real: true, wire: true, commands: 25, durationMs: 600, calmMs: 600 });
    expect(result.violations).to.deep.equal([]);
    expect(result.fast).to.be.above(10);
    expect(result.checkpoints).to.be.above(0);
  });

  it('a replica restored from an old image notices, signs nothing, and the group goes on', () => {
    let quarantined = 0;
    for (let seed = 1n; seed <= 6n; seed++) {
      const disk = { damage: 'oldImage' as const };
      const result = simulate(seed, 'liveness', { ...quiet, disk, viewDurationMs: 600 });
      expect(result.violations).to.deep.equal([]);
      quarantined += result.milestones.get('quarantined') ?? 0;
    }
    expect(quarantined).to.be.above(0);
  });

  it('epochs follow each other, through crashes that lose the ledger', () => {
    const disk = { crashEveryMs: 400, syncedLedger: false };
    for (let seed = 1n; seed <= 4n; seed++) {
      const result = simulate(seed, 'liveness', { ...quiet, epochs: 2, disk });
      expect(result.violations).to.deep.equal([]);
      expect(result.epochs).to.equal(3n);
    }
  });

  it('a replica that fell behind the history of its peers continues from a snapshot', () => {
    const disk = { crashEveryMs: 400, syncedLedger: false };
    let snapshots = 0;
    for (let seed = 1n; seed <= 5n; seed++) {
      const result = simulate(seed, 'liveness', { ...quiet, disk, historyBlocks: 2, checkpointMs: 80, durationMs: 3_000, calmMs: 1_500 });
      expect(result.violations).to.deep.equal([]);
      snapshots += result.milestones.get('installed') ?? 0;
    }
    expect(snapshots).to.be.above(0);
  });

  it('with f+1 traitors safety may break, and then f+1 keys have slashable pairs, none of them honest', () => {
    let broken = 0;
    for (let seed = 1n; seed <= 12n; seed++) {
      const traitors = ['splitLeader', 'doubleVote', 'voteAll', 'ackAll'] as const;
      const result = simulate(seed, 'safety', { ...quiet, keys: 4, byzantine: new Map([[1, traitors], [2, traitors]]), viewDurationMs: 300 });
      for (const index of [...result.guilty, ...result.accused]) expect([1, 2]).to.include(index);
      if (result.violations.length === 0) continue;
      broken += 1;
      expect(result.guilty, result.violations[0]?.what).to.have.members([1, 2]);
    }
    expect(broken).to.be.above(0);
  });

  it('P-5.2.1-equivocation: contradictions are found in passing and never point at an honest replica', () => {
    const accused = new Set<number>();
    for (let seed = 1n; seed <= 6n; seed++) {
      const result = simulate(seed, 'safety', { ...quiet, keys: 4, byzantine: new Map([[1, ['voteAll', 'splitLeader']]]), viewDurationMs: 300 });
      expect(result.violations).to.deep.equal([]);
      for (const index of result.accused) accused.add(index);
    }
    expect([...accused]).to.deep.equal([1]);
  });
});
