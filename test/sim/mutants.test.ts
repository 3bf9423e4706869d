import { expect } from 'chai';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { ALL_RULES } from '../../protocol/consensus/rules.ts';
import { MUTANTS } from './mutants.ts';
import { simulate } from './world.ts';

/** First seed that shows the fault; undefined when the budget was not enough. */
function caughtAt(mutant: (typeof MUTANTS)[number]): number | undefined {
  for (let seed = 1; seed <= mutant.seeds; seed++) {
    if (simulate(BigInt(seed), 'safety', { ...mutant.overrides, rules: mutant.rules }).violations.length > 0) return seed;
  }
  return undefined;
}

describe('simulation: planted faults are noticed', function () {
  this.timeout(600_000);
  before(() => installNativeCrypto());

  for (const mutant of MUTANTS) {
    it(`${mutant.name}: caught within ${mutant.seeds} seeds`, () => {
      const seed = caughtAt(mutant);
      expect(seed, mutant.name).to.not.equal(undefined);
      // the same schedule with every rule on is clean: it was the fault that was seen
      const sound = simulate(BigInt(seed as number), 'safety', { ...mutant.overrides, rules: ALL_RULES });
      expect(sound.violations).to.deep.equal([]);
    });
  }
});
