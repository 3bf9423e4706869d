import { expect } from 'chai';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { shrink } from './shrink.ts';
import { ALL_RULES } from '../../protocol/consensus/rules.ts';
import { simulate } from './world.ts';

const LIVENESS_SEEDS = 300;

describe('simulation: faults that end', function () {
  this.timeout(600_000);
  before(() => installNativeCrypto());

  it('P-5.2.1-liveness: once faults stop, everything is decided and everybody agrees', () => {
    for (let seed = 1n; seed <= LIVENESS_SEEDS; seed++) {
      const { violations } = simulate(seed, 'liveness');
      expect(violations, `seed ${seed}: ${violations[0]?.invariant}: ${violations[0]?.what}`).to.deep.equal([]);
    }
  });

  it('a failing run shrinks to one that fails alike, with fewer faults', () => {
    const failed = simulate(1n, 'safety', { replicas: 4, durationMs: 800, rules: { ...ALL_RULES, carryCertificates: false, fastLock: false } });
    expect(failed.violations).to.have.length.above(0);
    const small = shrink(failed.plan, failed);
    expect(small.result.violations[0]?.invariant).to.equal(failed.violations[0]?.invariant);
    expect(small.without).to.have.length.above(0);
    expect(small.result.faults.length).to.be.at.most(failed.faults.length);
  });
});
