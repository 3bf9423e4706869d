import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { network } from 'hardhat';
import { contractNames, loadDeployment, parseDeployment, type DeployedContract } from '../../contracts/index.ts';
import { deploy } from '../../scripts/deploy.ts';
import { ethers as world, PINT } from './world.ts';

describe('scripts/deploy.ts over JSON-RPC', () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof network.createServer>>;
  let rpcUrl: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'picolo-deploy-'));
    server = await network.createServer();
    const { address, port } = await server.listen();
    rpcUrl = `http://${address}:${port}`;
  });

  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('deploys twice, hands out PINT, and the records load', async () => {
    const account = `0x${'ab'.repeat(20)}`;
    await deploy({ rpcUrl, folder });
    const result = await deploy({ rpcUrl, folder, fund: { accounts: [account], amountWei: 5n * PINT } });
    const loaded = loadDeployment(31337, folder);
    expect(loaded).to.deep.equal({ chainId: result.chainId, addresses: result.addresses, domain: result.domain, fromBlock: result.fromBlock });
    expect(loaded.domain).to.deep.equal({ chainId: 31337n, verifyingContract: loaded.addresses.StakeVault });
    const provider = new world.JsonRpcProvider(rpcUrl);
    const call = (to: string, signature: string, ...args: unknown[]): Promise<string> => {
      const abi = new world.Interface([`function ${signature}`]);
      const name = signature.slice(0, signature.indexOf('('));
      return provider.call({ to, data: abi.encodeFunctionData(name, args) }).then((data) => String(abi.decodeFunctionResult(name, data)[0]).toLowerCase());
    };
    const at = loaded.addresses;
    expect(await call(at.PintToken, 'balanceOf(address) view returns (uint256)', account)).to.equal(String(5n * PINT));
    expect(await call(at.StakeVault, 'REGISTRY() view returns (address)')).to.equal(at.NodeRegistry);
    expect(await call(at.StakeVault, 'isSlasher(address) view returns (bool)', at.SlasherConsensus)).to.equal('true');
    expect(await call(at.NodeRegistry, 'CLUSTERS() view returns (address)')).to.equal(at.ClusterRegistry);
    expect(await call(at.SlasherConsensus, 'VAULT() view returns (address)')).to.equal(at.StakeVault);
    provider.destroy();
  });

  it('a record says what was deployed, with what and where', async () => {
    expect(readdirSync(folder).sort()).to.deep.equal([...contractNames].map((name) => `${name}.json`).sort());
    const record = JSON.parse(readFileSync(join(folder, 'StakeVault.json'), 'utf8')) as DeployedContract;
    expect(record.codeHash).to.match(/^0x[0-9a-f]{64}$/);
    expect(record.args[3]).to.deep.equal(['1900800', '1209600', '604800']);
  });

  it('a missing or incomplete record is a typed fault', () => {
    expect(() => loadDeployment(424242)).to.throw('DEPLOYMENT_MISSING');
    expect(() => parseDeployment(1n, [])).to.throw('DEPLOYMENT_MALFORMED');
  });
});
