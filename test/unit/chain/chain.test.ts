import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createChain, type ChainOptions } from '../../../node/chain/index.ts';
import { createRpc } from '../../../node/chain/rpc.ts';
import { Sender } from '../../../node/chain/sender.ts';
import { systemClock } from '../../../node/clock/index.ts';
import { createManualClock } from '../../../node/memory/index.ts';
import type { ChainPort } from '../../../node/ports/index.ts';
import type { PicoloError } from '../../../protocol/errors/index.ts';
import type { EncodedEvidence } from '../../../protocol/evidence/index.ts';
import type { ClusterId, Hex } from '../../../protocol/types/index.ts';
import { addressAt, chainConformance, groupAt, nodeAt, wordAt } from '../../conformance/chain.ts';
import { faultOf } from '../../conformance/signer.ts';
import { until } from '../../conformance/until.ts';
import { channelOpened, clusterCreated, epochStarted, groupClosed, onChannel, registered, staked, termsChanged } from './events.ts';
import { deployment, FakeChain, type FakeEvent } from './fake-chain.ts';

const operatorKey = new Uint8Array(32).fill(3);
const quick = { clock: systemClock, deployment, pollMs: 10, backoffMaxMs: 40, requestMs: 1_000 };

chainConformance('JSON-RPC', async () => {
  const fake = new FakeChain();
  await fake.listen();
  const port = await createChain({ ...quick, rpcUrl: fake.url, operatorKey });
  const mine = async (...events: FakeEvent[]): Promise<void> => {
    fake.mine(...events);
    await until('the block', () => port.beacon()?.blockNumber === BigInt(fake.height));
  };
  return {
    port,
    register: (node) => mine(...registered(node)),
    createCluster: ({ cluster }) => mine(...clusterCreated(Number(cluster))),
    startEpoch: (group) => mine(...epochStarted(group)),
    closeGroup: (group) => mine(groupClosed(group)),
    openChannel: ({ channel, cluster, payer, amountWei }) => mine(channelOpened(channel, cluster, payer, amountWei)),
    setLevel: (account, level) => mine({ contract: 'AccessDeposits', name: 'LevelChanged', args: [account, level] }),
    openChallenge: ({ group, node, challenger, epoch, height, path, answerBy }) => mine({
      contract: 'AvailabilityCourt', name: 'ChallengeOpened', args: [group, node, challenger, epoch, height, path, answerBy, 5n, 6n],
    }),
    closeChallenge: ({ group, node }) => mine({ contract: 'AvailabilityCourt', name: 'ChallengeClosed', args: [group, node, 0n] }),
    close: async () => {
      await port.close();
      await fake.close();
    },
  };
});

describe('chain reader', () => {
  let fake: FakeChain;
  let open: ChainPort[];
  let faults: PicoloError[];
  beforeEach(async () => {
    [fake, open, faults] = [new FakeChain(), [], []];
    await fake.listen();
  });
  afterEach(async () => {
    await Promise.all(open.map((port) => port.close()));
    await fake.close();
  });

  async function follow(options: Partial<ChainOptions> = {}): Promise<ChainPort> {
    const port = await createChain({ ...quick, rpcUrl: fake.url, onFault: (fault) => faults.push(fault), ...options });
    open.push(port);
    return port;
  }
  const stake = (port: ChainPort, n = 1): bigint | undefined => port.nodeOf(addressAt(n))?.activeStakeWei;
  const caughtUp = (port: ChainPort, depth = 0): Promise<void> =>
    until('the head', () => port.beacon()?.blockHash === fake.hashAt(fake.height - depth));

  it('takes back what a reorganisation removed and reads what replaced it', async () => {
    fake.mine(...registered(nodeAt(1)));
    fake.mine(staked(addressAt(1), 5n));
    fake.mine(...registered(nodeAt(2)));
    const port = await follow();
    expect(stake(port)).to.equal(10n ** 21n + 5n);
    fake.revert(2);
    fake.mine(staked(addressAt(1), 7n));
    fake.mineEmpty(2);
    await caughtUp(port);
    expect(stake(port)).to.equal(10n ** 21n + 7n);
    expect(port.nodeOf(addressAt(2))).to.equal(undefined);
  });

  it('survives many random reorganisations with exactly the state of the final chain', async () => {
    const port = await follow({ windowBlocks: 6 });
    let random = 12_345;
    const next = (below: number): number => (random = (random * 48_271) % 2_147_483_647) % below;
    const expected: bigint[] = [0n, 0n, 0n];
    fake.mine(...registered({ ...nodeAt(1), activeStakeWei: 1n }));
    expected.push(1n);
    for (let round = 0; round < 60; round++) {
      const depth = next(Math.min(5, expected.length - 4) + 1);
      fake.revert(depth);
      expected.length -= depth;
      for (let i = 0; i <= depth; i++) {
        const amount = BigInt(next(1000));
        fake.mine(staked(addressAt(1), amount));
        expected.push((expected.at(-1) as bigint) + amount);
      }
      if (next(3) === 0) await caughtUp(port);
    }
    await caughtUp(port);
    expect(stake(port)).to.equal(expected.at(-1));
  });

  it('starts over when the chain is another one below everything it remembers', async () => {
    fake.mine(...registered(nodeAt(1)));
    fake.mineEmpty(20);
    const port = await follow({ windowBlocks: 4 });
    expect(stake(port)).to.equal(10n ** 21n);
    fake.revert(21);
    fake.mine(...registered(nodeAt(2)));
    fake.mineEmpty(30);
    await caughtUp(port);
    expect(port.nodeOf(addressAt(1))).to.equal(undefined);
    expect(stake(port, 2)).to.equal(10n ** 21n);
  });

  it('reads the chain at once for who asks, in one poll for all who ask together', async () => {
    const port = await follow({ pollMs: 60_000 });
    fake.mine(...registered(nodeAt(1)));
    const before = fake.asked.length;
    await port.refresh();
    expect(stake(port)).to.equal(10n ** 21n);
    const onePoll = fake.asked.length - before;
    fake.mine(staked(addressAt(1), 5n));
    await Promise.all(Array.from({ length: 20 }, () => port.refresh()));
    expect(stake(port)).to.equal(10n ** 21n + 5n);
    expect(fake.asked.length - before).to.be.at.most(3 * onePoll);
  });

  it('lets nobody wait for a chain that is down, or for one that is closed', async () => {
    const port = await follow({ pollMs: 60_000, backoffMaxMs: 60_000 });
    fake.down = true;
    await Promise.all([port.refresh(), port.refresh()]);
    expect(faults.map(({ code }) => code)).to.have.length(1);
    await port.refresh();
    expect(faults).to.have.length(1);
    fake.down = false;
    const asked = (await follow({ pollMs: 60_000 })).refresh();
    await Promise.all(open.map((each) => each.close()));
    await asked;
  });

  it('waits for confirmations', async () => {
    fake.mineEmpty(1);
    const port = await follow({ confirmations: 3 });
    fake.mine(...registered(nodeAt(1)));
    fake.mineEmpty(2);
    await caughtUp(port, 3);
    expect(stake(port)).to.equal(undefined);
    fake.mineEmpty(1);
    await caughtUp(port, 3);
    expect(stake(port)).to.equal(10n ** 21n);
  });

  it('does not take a provider that lags behind for a reorganisation', async () => {
    fake.mine(...registered(nodeAt(1)));
    fake.mineEmpty(3);
    const port = await follow();
    fake.lag = 3;
    const polls = fake.asked.length;
    await until('some polls', () => fake.asked.length > polls + 8);
    expect(stake(port)).to.equal(10n ** 21n);
    expect(port.beacon()?.blockNumber).to.equal(BigInt(fake.height));
  });

  it('reads a long history in ranges that shrink until the provider accepts them', async () => {
    for (let i = 0; i < 300; i++) fake.mine(...(i % 10 === 0 ? registered({ ...nodeAt(1), activeStakeWei: 1n }) : []));
    fake.maxSpan = 7;
    const port = await follow({ windowBlocks: 20, maxRange: 1_000 });
    expect(stake(port)).to.equal(30n);
    expect(faults).to.deep.equal([]);
  });

  it('gives start times and rosters of groups from the past, too', async () => {
    fake.mine(...clusterCreated(5), ...epochStarted(groupAt(1, 5, 1n, [1, 2, 3, 4])));
    const { height } = fake;
    fake.mineEmpty(40);
    const port = await follow({ windowBlocks: 10 });
    expect(port.group(groupAt(1, 5, 1n, []).group)).to.deep.include({ startedAt: BigInt(1_700_000_000 + height * 12), epoch: 1n });
  });

  it('starts while the chain is down, keeps its state through an outage, and says how stale it is', async () => {
    fake.down = true;
    const port = await follow();
    expect(port.staleMs()).to.equal(Number.POSITIVE_INFINITY);
    expect(port.beacon()).to.equal(undefined);
    expect(faults.map(({ code }) => code)).to.include('CHAIN_UNREACHABLE');
    fake.mine(...registered(nodeAt(1)));
    fake.down = false;
    await until('the first read', () => stake(port) !== undefined);
    expect(port.staleMs()).to.be.below(5_000);
    fake.down = true;
    const before = port.staleMs();
    await until('staleness', () => port.staleMs() > before + 60);
    expect(stake(port)).to.equal(10n ** 21n);
    fake.mine(staked(addressAt(1), 1n));
    fake.down = false;
    await until('the news', () => stake(port) === 10n ** 21n + 1n);
  });

  it('refuses another network at the start, and later folds nothing of it', async () => {
    fake.chainId = 1n;
    expect(await faultOf(() => follow())).to.equal('CHAIN_WRONG_NETWORK');
    fake.chainId = 31_337n;
    const port = await follow();
    fake.down = true;
    await until('the outage', () => faults.some(({ code }) => code === 'CHAIN_UNREACHABLE'));
    fake.chainId = 1n;
    fake.mine(...registered(nodeAt(1)));
    fake.down = false;
    await until('the refusal', () => faults.some(({ code }) => code === 'CHAIN_WRONG_NETWORK'));
    expect(stake(port)).to.equal(undefined);
  });

  it('continues from its snapshot, and ignores one that the chain contradicts or that is broken', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'picolo-chain-'));
    try {
      const snapshotPath = join(folder, 'chain.json');
      fake.mine(...registered(nodeAt(1)), ...clusterCreated(5), ...epochStarted(groupAt(1, 5, 1n, [1, 2])));
      fake.mineEmpty(50);
      await (await follow({ snapshotPath, windowBlocks: 5 })).close();
      fake.mine(staked(addressAt(1), 1n));
      fake.asked.length = 0;
      const second = await follow({ snapshotPath, windowBlocks: 5 });
      expect(stake(second)).to.equal(10n ** 21n + 1n);
      expect(second.group(groupAt(1, 5, 1n, []).group)?.roster).to.have.length(2);
      expect(fake.asked.filter((method) => method === 'eth_getLogs').length).to.be.below(10);
      await second.close();
      fake.revert(52);
      fake.mineEmpty(60);
      const third = await follow({ snapshotPath, windowBlocks: 5 });
      expect(stake(third)).to.equal(undefined);
      await third.close();
      writeFileSync(snapshotPath, readFileSync(snapshotPath, 'utf8').slice(0, 50));
      expect((await follow({ snapshotPath })).beacon()?.blockNumber).to.equal(BigInt(fake.height));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('follows stake, keys, convictions, terms and channels', async () => {
    const cluster = wordAt(5) as ClusterId;
    const soon = BigInt(Math.floor(Date.now() / 1000)) + 1_000n;
    fake.mine(...registered(nodeAt(1)), ...clusterCreated(5), termsChanged(cluster, 1_600_000_000n, 8n), termsChanged(cluster, soon, 9n));
    fake.mine(
      { contract: 'StakeVault', name: 'UnbondRequested', args: [addressAt(1), 10n ** 20n, 0] },
      { contract: 'StakeVault', name: 'Slashed', args: [addressAt(1), 2, 10n ** 20n, 0, addressAt(9), 0, wordAt(3), 2] },
      { contract: 'StakeVault', name: 'SignerRotated', args: [addressAt(1), addressAt(50), addressAt(1)] },
      { contract: 'AccessDeposits', name: 'Deposited', args: [addressAt(1), addressAt(1), 77n] },
    );
    fake.mine(
      channelOpened(wordAt(70), cluster, addressAt(8), 50n), channelOpened(wordAt(71), cluster, addressAt(8), 40n),
      channelOpened(wordAt(72), cluster, addressAt(8), 90n, addressAt(66)),
      onChannel('ToppedUp', wordAt(70), 10n), onChannel('Collected', wordAt(70), 35n, 35n), onChannel('CloseRequested', wordAt(71), 99n),
    );
    const port = await follow();
    const node = port.nodeOf(addressAt(50));
    expect(node).to.deep.include({ node: addressAt(1), signer: addressAt(50), tombstoned: true, activeStakeWei: 8n * 10n ** 20n });
    expect(port.nodeOf(addressAt(1))).to.deep.equal(node);
    expect(port.cluster(cluster)?.terms).to.deep.include({ pricePerGibMonthWei: 8n, effectiveAt: 1_600_000_000n });
    expect(port.channelsOf(cluster).map(({ channel, depositWei, closeAt }) => [channel, depositWei, closeAt])).to.deep.equal([
      [wordAt(71), 40n, 99n], [wordAt(70), 60n, 0n],
    ]);
  });
});

describe('chain sender', () => {
  let fake: FakeChain;
  let port: ChainPort;
  beforeEach(async () => {
    fake = new FakeChain();
    await fake.listen();
    port = await createChain({ ...quick, rpcUrl: fake.url, operatorKey });
  });
  afterEach(async () => {
    await port.close();
    await fake.close();
  });
  const evidence = (n: number): EncodedEvidence => {
    const call = `0x${String(n).padStart(8, '0')}` as Hex;
    return { offence: 'FalseAnswer', slasher: 'SlasherAnswers', call };
  };

  it('sends to the slasher with ascending nonces, also when asked all at once', async () => {
    await Promise.all([1, 2, 3, 2].map((n) => port.submitEvidence(evidence(n))));
    expect(fake.sent.map(({ nonce, data, to, chainId }) => [nonce, data, to?.toLowerCase(), chainId])).to.deep.equal(
      [1, 2, 3].map((n, i) => [i, evidence(n).call, deployment.addresses.SlasherAnswers, 31_337n]),
    );
  });

  it('explains refusals, sends nothing then, and may be asked again', async () => {
    const { Interface } = await import('ethers');
    const { abis } = await import('../../../contracts/index.ts');
    const errors = new Interface(abis.SlasherConsensus);
    const revert = (name: string, ...args: unknown[]): void => {
      fake.refusal = { code: 3, message: 'execution reverted', data: { data: errors.encodeErrorResult(name, args) } };
    };
    revert('NotConflicting');
    expect(await faultOf(() => port.submitEvidence(evidence(1)))).to.equal('CHAIN_REVERTED');
    revert('AlreadyPunished', addressAt(1));
    expect(await faultOf(() => port.submitEvidence(evidence(1)))).to.equal('CHAIN_SETTLED');
    fake.refusal = { code: -32000, message: 'insufficient funds for gas * price + value' };
    expect(await faultOf(() => port.submitEvidence(evidence(1)))).to.equal('CHAIN_NO_FUNDS');
    expect(fake.sent).to.deep.equal([]);
    fake.refusal = undefined;
    await port.submitEvidence(evidence(1));
    expect(fake.sent).to.have.length(1);
  });

  it('needs a wallet', async () => {
    const walletless = await createChain({ ...quick, rpcUrl: fake.url });
    expect(await faultOf(() => walletless.submitEvidence(evidence(1)))).to.equal('CHAIN_NO_WALLET');
    await walletless.close();
    expect(await faultOf(() => walletless.submitEvidence(evidence(1)))).to.equal('CHAIN_NO_WALLET');
  });

  it('offers more for a transaction that is not mined, under the same nonce, and finds whichever was', async () => {
    const clock = createManualClock();
    const rpc = createRpc(fake.url, 1_000);
    const sender = new Sender({ rpc, clock, chainId: 31_337n, privateKey: operatorKey, pollMs: 10, bumpMs: 100, attempts: 5 });
    fake.mining = false;
    const sent = sender.send(deployment.addresses.SlasherAnswers, '0x01');
    await until('three offers', () => {
      if (clock.pending > 0) clock.advance(60);
      return fake.sent.length === 3;
    });
    fake.include(fake.sent[1] as never, '0x1');
    const pump = setInterval(() => clock.advance(10), 1);
    expect((await sent).hash).to.equal(fake.sent[1]?.hash);
    clearInterval(pump);
    expect(new Set(fake.sent.map(({ nonce }) => nonce)).size).to.equal(1);
    const offers = fake.sent.map(({ maxFeePerGas }) => maxFeePerGas as bigint);
    expect((offers[1] as bigint) * 100n >= (offers[0] as bigint) * 110n && (offers[2] as bigint) > (offers[1] as bigint)).to.equal(true);
  });

  it('takes the next nonce when another program with the wallet used its own', async () => {
    fake.mining = false;
    const sent = port.submitEvidence(evidence(1));
    await until('the transaction', () => fake.sent.length === 1);
    fake.used = 1;
    fake.mining = true;
    await sent;
    expect(fake.sent.map(({ nonce }) => nonce)).to.deep.equal([0, 1]);
  });

  it('reports a transaction that was mined but refused', async () => {
    fake.mining = false;
    const sent = faultOf(() => port.submitEvidence(evidence(1)));
    await until('the transaction', () => fake.sent.length === 1);
    fake.include(fake.sent[0] as never, '0x0');
    expect(await sent).to.equal('CHAIN_REVERTED');
  });
});
