import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { JsonRpcSigner, parseEther, type Contract } from 'ethers';
import { network as hardhat } from 'hardhat';
import { signStruct } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { bytesOf, hexOf, ZERO_ADDRESS, type Address, type ClusterId, type Hash32, type Hex } from '../../protocol/types/index.ts';
import {
  advanceProposal, anchorCertificate, castVote, chosenOf, createCluster, delayOf, disputeById, formDrawnGroup, offerCapacity, openDispute, openDraw,
  openNetwork, promote, proposalOf, proposeParams, providerOf, readParams, registerProvider, releaseFees, requestExit, revokeCertificate, signCertificate,
  stake, standingOf, withdrawStake,
  type Network, type SignedOffer,
} from '../../sdk/operator/index.ts';
import { deploy } from '../../scripts/deploy.ts';
import { DAY, hash, keyOf, PINT } from './world.ts';

/** A key that this test funds itself; the chain's own accounts hold their keys. */
const OWNER: Hex = hexOf(keyOf(42));

describe('sdk/operator: parameters, certificates, draws over JSON-RPC', () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof hardhat.createServer>>;
  let rpcUrl: string;
  let chain: Network;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'picolo-operator-'));
    server = await hardhat.createServer();
    const { address, port } = await server.listen();
    rpcUrl = `http://${address}:${port}`;
    const owner = addressOf(bytesOf(OWNER));
    await deploy({ rpcUrl, folder, parameters: { issuers: [owner] }, fund: { accounts: [owner], amountWei: parseEther('60000000') } });
    chain = await openNetwork({ rpcUrl, deployment: folder, key: OWNER });
    await chain.provider.send('hardhat_setBalance', [owner, '0x56bc75e2d63100000']);
  });

  after(async () => {
    await server.close();
    chain.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const skip = async (seconds: bigint): Promise<void> => {
    await chain.provider.send('evm_increaseTime', [`0x${seconds.toString(16)}`]);
    await chain.provider.send('hardhat_mine', ['0x1']);
  };

  it('a parameter from its proposal to its change', async () => {
    await chain.send('PintToken', 'delegate', [chain.account]);
    await skip(1n);
    expect((await readParams(chain)).stakeRates).to.deep.equal({ minimum: 1_000n * PINT, perGib: PINT, perVcpu: 50n * PINT });
    expect(await delayOf(chain, 'stakeRates')).to.equal(24n * DAY);
    const { proposal } = await proposeParams(chain, 'draw', { delay: 2n }, 'Shorter draws');
    expect((await proposalOf(chain, proposal)).state).to.equal('pending');
    await skip(DAY + 1n);
    await castVote(chain, proposal, 'for');
    await skip(6n * DAY);
    expect((await proposalOf(chain, proposal)).state).to.equal('succeeded');
    await advanceProposal(chain, proposal, 'queue');
    await skip(2n * DAY);
    await advanceProposal(chain, proposal, 'execute');
    expect((await readParams(chain)).draw).to.deep.equal({ delay: 2n });
    expect((await proposalOf(chain, proposal)).state).to.equal('executed');
  });

  it('what is unknown or refused is a coded fault', async () => {
    const reason = (error: unknown): string => (isPicoloError(error) ? `${error.code} ${String(error.facts['reason'])}` : 'bare');
    const coded = (work: Promise<unknown>): Promise<string> => work.then(() => 'none', reason);
    expect(await coded(proposeParams(chain, 'draw', { depth: 2n }, 'x'))).to.equal('CHAIN_REFUSED no parameter depth in draw');
    expect(await coded(proposalOf(chain, 7n))).to.equal('CHAIN_REFUSED no such proposal');
    expect(await coded(promote(chain, chain.account))).to.match(/^CHAIN_REFUSED RuleNotMet/);
    expect(await coded(chosenOf(chain, hash(1) as Hash32 as ClusterId, []))).to.equal('CHAIN_REFUSED no draw is open');
  });

  it('a certificate from a root to the ladder, and its end', async () => {
    const key = keyOf(43);
    const { node } = await registerProvider(chain, key);
    await stake(chain, node, 2_000n * PINT);
    await offerCapacity(chain, node, 100, 'eu-west');
    const issuedAt = BigInt((await chain.provider.getBlock('latest'))!.timestamp);
    const certificate = { node, number: 3n, transportKeyHash: hash(1), softwareHash: hash(2), issuedAt, expiresAt: issuedAt + 30n * DAY };
    await anchorCertificate(chain, certificate, signCertificate(chain, bytesOf(OWNER), certificate));
    const standing = await standingOf(chain, node);
    expect(standing).to.deep.equal({
      step: 'staked', certified: true, issuer: chain.account, certificate: 3n, expiresAt: certificate.expiresAt, promotedAt: 0n, earnedWei: 0n, feeStakeWei: 0n,
    });
    await releaseFees(chain, node);
    await revokeCertificate(chain, 3n);
    expect((await standingOf(chain, node)).certified).to.equal(false);
  });

  it('an exit takes what fees do not lock, and later the rest', async () => {
    const { node } = await registerProvider(chain, keyOf(44));
    await stake(chain, node, 2_000n * PINT);
    await offerCapacity(chain, node, 100, 'eu-west');
    const splitter = chain.address('ClusterSplitter');
    await chain.provider.send('hardhat_impersonateAccount', [splitter]);
    await chain.provider.send('hardhat_setBalance', [splitter, '0x56bc75e2d63100000']);
    const registry = chain.contract('NodeRegistry').connect(new JsonRpcSigner(chain.provider, splitter)) as Contract;
    await (await registry.getFunction('noteFees')(node, chain.address('PintToken'), 800n * PINT)).wait();
    const { feeStakeWei } = await standingOf(chain, node);
    expect(feeStakeWei > 0n && feeStakeWei < 2_000n * PINT).to.equal(true);

    const first = await requestExit(chain, node);
    expect([first.leavingWei, first.stayingWei]).to.deep.equal([2_000n * PINT - feeStakeWei, feeStakeWei]);
    expect(await providerOf(chain, node)).to.include({ pendingWei: first.leavingWei, activeWei: feeStakeWei, lockedWei: feeStakeWei, freeWei: 0n, offeredGib: 0 });
    expect(await requestExit(chain, node), 'nothing is free').to.include({ leavingWei: 0n, stayingWei: feeStakeWei, unlockAt: first.unlockAt });
    await skip(365n * DAY);
    await withdrawStake(chain, node);
    expect(await requestExit(chain, node)).to.include({ leavingWei: feeStakeWei, stayingWei: 0n });
  });

  it('a view is of one block, whatever is mined while it is read', async () => {
    const { node } = await registerProvider(chain, keyOf(45));
    await stake(chain, node, 2_000n * PINT);
    await offerCapacity(chain, node, 100, 'eu-west');
    const provider = await providerOf(chain, node);
    const moved = moving(chain, () => offerCapacity(chain, node, 50, 'us-east'));
    expect(await providerOf(moved.chain, node)).to.deep.equal(provider);
    expect([moved.happened(), (await providerOf(chain, node)).offeredGib]).to.deep.equal([true, 50]);

    const plaintiff = await openNetwork({ rpcUrl, deployment: folder, key: hexOf(keyOf(46)) });
    await chain.provider.send('hardhat_setBalance', [plaintiff.account, '0x56bc75e2d63100000']);
    await chain.send('PintToken', 'transfer', [plaintiff.account, 1_000n * PINT]);
    const { dispute } = await openDispute(plaintiff, 'withheld', node, hash(9) as Hash32, 'https://example.org/claim');
    const view = await disputeById(chain, dispute);
    expect(view.phase).to.equal('answer');
    const passed = moving(chain, () => skip(30n * DAY));
    expect(await disputeById(passed.chain, dispute)).to.deep.equal(view);
    expect([passed.happened(), (await disputeById(chain, dispute)).phase]).to.deep.equal([true, 'overdue']);
    plaintiff.close();
  });

  it('a draw composes a group that no provider chose', async () => {
    const terms = { token: ZERO_ADDRESS, pricePerGibMonthWei: 0n, pricePerMillionReadsWei: 0n, pricePerMillionWritesWei: 0n, pricePerGibOutWei: 0n, thresholdWei: 0n };
    const { cluster } = await createCluster(chain, { replicationFactor: 2, regions: [], terms });
    const keys = [50, 51, 52, 53].map(keyOf);
    for (const key of keys) {
      const { node } = await registerProvider(chain, key);
      await stake(chain, node, 2_000n * PINT);
      await offerCapacity(chain, node, 100, 'eu-west');
    }
    const candidates = keys.map((key) => addressOf(key)).sort();
    await openDraw(chain, cluster, 10, candidates);
    await chain.provider.send('hardhat_mine', ['0x3']);
    const { header, chosen } = await chosenOf(chain, cluster, candidates);
    const expiresAt = BigInt((await chain.provider.getBlock('latest'))!.timestamp) + DAY;
    const offers = keys.filter((key) => chosen.includes(addressOf(key))).map((key) => signed(chain, cluster, key, expiresAt));
    await formDrawnGroup(chain, cluster, header, candidates, offers);
    const [started] = await chain.events('ClusterRegistry', 'EpochStarted');
    expect(started?.['roster']).to.equal(`0x${[...chosen].sort().map((signer) => signer.slice(2)).join('')}`);
  });
});

/** The chain, on which `change` happens between the first value that is read and the next. */
function moving(chain: Network, change: () => Promise<unknown>): { readonly chain: Network; happened(): boolean } {
  let reads = 0;
  const contract = (name: Parameters<Network['contract']>[0]): Contract => {
    const real = chain.contract(name);
    const getFunction = (view: string) => async (...args: unknown[]): Promise<unknown> => {
      reads += 1;
      if (reads === 2) await change();
      return real.getFunction(view)(...args);
    };
    return new Proxy(real, { get: (target, key) => (key === 'getFunction' ? getFunction : Reflect.get(target, key)) });
  };
  return { chain: { ...chain, contract }, happened: () => reads > 1 };
}

function signed(chain: Network, cluster: ClusterId, key: Uint8Array, expiresAt: bigint): SignedOffer {
  const node: Address = addressOf(key);
  const offer = { cluster, node, gib: 10, expiresAt };
  return { offer, signer: node, signature: signStruct(chain.domain, 'Offer', offer, key) };
}
