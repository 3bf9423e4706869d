import { expect } from 'chai';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { sealed } from './guard.ts';
import { shortened } from './plan.ts';
import { simulate, type RunResult } from './world.ts';

/** CI's share of the seeds; `npm run sim` runs as many as there is time for. */
const SAFETY_SEEDS = 1_700;

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
      const result = simulate(seed, 'safety', shortened(seed));
      expect(result.violations, explain(result)).to.deep.equal([]);
      fast += result.fast;
      classic += result.classic;
    }
    expect(fast, 'fast receipts').to.be.above(SAFETY_SEEDS);
    expect(classic, 'classic receipts').to.be.above(SAFETY_SEEDS);
  });

  it('real keys and EIP-712 digests under faults', () => {
    for (let seed = 1n; seed <= 4n; seed++) expect(simulate(seed, 'safety', { real: true, replicas: 4, durationMs: 500, commands: 12 }).violations).to.deep.equal([]);
  });

  it('a seed is a run: twice the same events', () => {
    for (const seed of [3n, 17n, 29n, 58n]) expect(simulate(seed, 'safety').hash).to.equal(simulate(seed, 'safety').hash);
    expect(simulate(3n, 'safety').hash).to.not.equal(simulate(4n, 'safety').hash);
  });

  it('a run that looks at the clock or the randomness of the machine ends', () => {
    for (const peek of [() => Date.now(), () => new Date(), () => Math.random(), () => setTimeout(() => undefined, 1), () => crypto.randomUUID()]) {
      expect(() => sealed<unknown>(peek)).to.throw('inside a simulated run');
    }
    expect(Date.now()).to.be.above(0);
  });
});
