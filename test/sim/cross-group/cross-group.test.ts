import { expect } from 'chai';
import { installNativeCrypto } from '../../../node/crypto/index.ts';
import { ALL_RULES as CONSENSUS_RULES } from '../../../protocol/consensus/rules.ts';
import { ALL_RULES } from '../../../protocol/cross-group/rules.ts';
import { runBank } from './bank.ts';
import { BANK_MUTANTS } from './mutants.ts';

/** CI's share of the seeds. */
const SEEDS = 6n;

describe('simulation: cross-group transactions', function () {
  this.timeout(600_000);
  before(() => installNativeCrypto());

  it('P-5.3.1-2pc, P-5.3.1-2pc-max-ts: all groups end alike and at the highest prepare, whoever crashes, vanishes or lies', () => {
    let commits = 0;
    let aborts = 0;
    for (let seed = 1n; seed <= SEEDS; seed++) {
      const result = runBank(seed);
      expect(result.violations, `seed ${seed}`).to.deep.equal([]);
      commits += result.commits;
      aborts += result.aborts;
    }
    expect(commits, 'parts committed').to.be.above(10);
    expect(aborts, 'parts aborted').to.be.above(0);
  });

  for (const { name, overrides, seeds, from = 1 } of BANK_MUTANTS) {
    it(`planted fault is noticed: ${name}, within ${seeds} seeds`, () => {
      const seed = Array.from({ length: seeds }, (_, i) => BigInt(from + i)).find((each) => runBank(each, overrides).violations.length > 0);
      expect(seed, name).to.not.equal(undefined);
      // the same schedule with every rule on is clean: it was the fault that was seen
      const sound = runBank(seed as bigint, { ...overrides, rules: CONSENSUS_RULES, crossRules: ALL_RULES });
      expect(sound.violations).to.deep.equal([]);
    });
  }
});
