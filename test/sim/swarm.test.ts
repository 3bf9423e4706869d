import { expect } from 'chai';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { simulate, type RunResult } from './world.ts';

/** CI's share of the seeds; `node scripts/sim.ts` runs as many as there is time for. */
const SAFETY_SEEDS = 150;
const LIVENESS_SEEDS = 90;

function explain({ seed, violations }: RunResult): string {
  return violations.map(({ invariant, what, atMs }) => `seed ${seed}: ${invariant} at ${atMs.toFixed(1)} ms: ${what}`).join('\n');
}

describe('simulation: swarm of faults', function () {
  this.timeout(600_000);
  before(() => installNativeCrypto());

  it('P-5.2.1-safety: no seed breaks an invariant, whatever f replicas, clients, disks, clocks and the network do', () => {
    let fast = 0;
    let classic = 0;
    for (let seed = 1n; seed <= SAFETY_SEEDS; seed++) {
      const result = simulate(seed, 'safety');
      expect(result.violations, explain(result)).to.deep.equal([]);
      fast += result.fast;
      classic += result.classic;
    }
    expect(fast, 'fast receipts').to.be.above(SAFETY_SEEDS * 3);
    expect(classic, 'classic receipts').to.be.above(SAFETY_SEEDS * 3);
  });

  it('P-5.2.1-liveness: once faults stop, everything is decided and everybody agrees', () => {
    for (let seed = 1n; seed <= LIVENESS_SEEDS; seed++) {
      const result = simulate(seed, 'liveness');
      expect(result.violations, explain(result)).to.deep.equal([]);
    }
  });

  it('a seed is a run: twice the same events', () => {
    for (const seed of [3n, 17n, 29n]) expect(simulate(seed, 'safety').hash).to.equal(simulate(seed, 'safety').hash);
    expect(simulate(3n, 'safety').hash).to.not.equal(simulate(4n, 'safety').hash);
  });
});
