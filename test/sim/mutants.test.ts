import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { ALL_RULES } from '../../protocol/consensus/rules.ts';
import { MUTANTS, type Mutant } from './mutants.ts';
import { merged, simulate, type RunResult } from './world.ts';

/** The first run that shows the fault; undefined when the budget was not enough. */
function caught({ from = 1, seeds, mode = 'safety', overrides, host, rules }: Mutant): RunResult | undefined {
  for (let seed = from; seed < from + seeds; seed++) {
    const result = simulate(BigInt(seed), mode, merged(overrides, host, rules));
    if (result.violations.length > 0) return result;
  }
  return undefined;
}

const row = ({ name, rule, from = 1, seeds, caughtBy }: Mutant): string => `| ${name} | ${rule} | ${caughtBy.join(', ')} | ${from} to ${from + seeds - 1} |`;

describe('simulation: planted faults are noticed', function () {
  this.timeout(600_000);
  before(() => installNativeCrypto());

  it('the page of planted faults is this list', () => {
    const page = readFileSync('docs/spec/planted-faults.md', 'utf8').split('\n').filter((line) => /^\| [^|]+ \| [^|]+ \| [^|]+ \| \d+ to \d+ \|$/.test(line));
    expect(page).to.deep.equal(MUTANTS.map(row));
  });

  for (const mutant of MUTANTS) {
    it(`${mutant.name} (${mutant.rule}): noticed within ${mutant.seeds} seeds by the checker that is there for it`, () => {
      const result = caught(mutant);
      expect(result, 'not noticed').to.not.equal(undefined);
      expect(mutant.caughtBy, result?.violations[0]?.what).to.include(result?.violations[0]?.invariant);
      // the same schedule with every rule on is clean: it was the fault that was seen
      const sound = simulate(result?.seed ?? 0n, mutant.mode ?? 'safety', { ...mutant.overrides, rules: ALL_RULES });
      expect(sound.violations).to.deep.equal([]);
    });
  }
});
