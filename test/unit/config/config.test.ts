import { expect } from 'chai';
import { loadConfig, parseConfig, renderConfig } from '../../../node/config/index.ts';

const minimal = {
  region: 'eu-west', capacityGib: 50, rpcUrl: 'http://127.0.0.1:8545', deployment: 'deployments/31337',
  api: { host: '127.0.0.1', port: 4001 }, peers: { host: '127.0.0.1', port: 5001 },
};

function codeOf(text: string): string {
  try {
    parseConfig(text, '/srv/picolo');
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
}

describe('config', () => {
  it('what is rendered is read back, paths relative to the folder', () => {
    const config = parseConfig(renderConfig(minimal), '/srv/picolo');
    expect(config.listen.api).to.deep.equal({ host: '127.0.0.1', port: 4001 });
    expect(config.dataDir).to.equal('/srv/picolo/data');
    expect(config.chain.deployment).to.equal('/srv/picolo/deployments/31337');
    expect(config.poqIntervalMs).to.equal(10_000);
  });

  it('every mistake has a code and names the key', () => {
    const good = renderConfig(minimal);
    expect(codeOf('node = [')).to.equal('CONFIG_NOT_TOML');
    expect(codeOf(good.replace('region = "eu-west"', 'region = "moon"'))).to.equal('REGION_UNKNOWN');
    expect(codeOf(good.replace('capacity_gib = 50', 'capacity_gib = -1'))).to.equal('CONFIG_BAD_VALUE');
    expect(codeOf(good.replace('127.0.0.1:4001', '127.0.0.1'))).to.equal('CONFIG_BAD_VALUE');
    expect(codeOf(good.replace('capacity_gib', 'capacity_gb'))).to.equal('CONFIG_UNKNOWN_KEY');
    expect(codeOf('')).to.equal('CONFIG_MISSING_KEY');
    expect(codeOf(`${good}\n[colour]\n`)).to.equal('CONFIG_UNKNOWN_KEY');
  });

  it('a missing file says how to make one', () => {
    expect(() => loadConfig('/nowhere')).to.throw(/picolo provider init/).with.property('code', 'CONFIG_MISSING');
  });
});
