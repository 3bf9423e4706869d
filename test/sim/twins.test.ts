import { expect } from 'chai';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { ALL_RULES } from '../../protocol/consensus/rules.ts';
import { playTwins, sampleScripts, twinScripts } from './twins.ts';

/** CI's share of the scripts; `npm run sim -- --twins --seeds 10000` plays all of them. */
const SCRIPTS = 150;

describe('simulation: twins', function () {
  this.timeout(600_000);
  before(() => installNativeCrypto());

  it('scripts cover every leader and every cut once', () => {
    const all = [...twinScripts()];
    expect(new Set(all.map(({ twin, cuts }) => `${twin}/${cuts.join()}`)).size).to.equal(all.length);
    expect(all.length).to.be.within(8_192, 16_384);
    expect(new Set(all.map(({ twin }) => twin)).size).to.equal(4);
  });

  it('P-5.2.1-safety, P-5.2.1-liveness: two machines with one key harm nobody, however the group is cut', () => {
    let views = 0n;
    for (const [i, script] of sampleScripts(SCRIPTS).entries()) {
      const { violations, ...result } = playTwins(script, BigInt(i));
      expect(violations, `twin ${script.twin}, cuts ${script.cuts.join()}: ${violations[0]?.invariant} ${violations[0]?.what}`).to.deep.equal([]);
      views += result.views;
    }
    expect(Number(views) / SCRIPTS, 'views per script').to.be.above(1);
  });

  it('and they do harm a group with a rule switched off', () => {
    const found = sampleScripts(60).find((script, i) => playTwins(script, BigInt(i), { ...ALL_RULES, carryCertificates: false }).violations.length > 0);
    expect(found).to.not.equal(undefined);
  });
});
