import { expect } from 'chai';
import { runChaos } from './chaos/run.ts';

describe('e2e: chaos', () => {
  it('P-5.2.1-safety: what was acknowledged is there, once and in order, through kills, stops, partitions, delays and full disks', async () => {
    const report = await runChaos({ seed: 3n, durationMs: 30_000 });
    expect(report.broken).to.deep.equal([]);
    expect(Object.keys(report.faults).length, 'kinds of faults').to.be.above(2);
    expect(report.acknowledgedRows).to.be.above(20);
    expect(report.acknowledgedAppends).to.be.above(3);
    expect(report.statementsRead).to.be.above(100);
  });
});
