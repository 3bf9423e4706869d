import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createMemoryChain } from '../../../node/memory/index.ts';
import type { ChainPort, ChannelView } from '../../../node/ports/index.ts';
import { Meters } from '../../../node/services/index.ts';
import { signStruct, type Domain } from '../../../protocol/codec/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import { ZERO_ADDRESS } from '../../../protocol/types/index.ts';
import { clusterAt, wordAt } from '../../conformance/chain.ts';
import { faultOf } from '../../conformance/signer.ts';

describe('meters', () => {
  const domain: Domain = { chainId: 31_337n, verifyingContract: ZERO_ADDRESS };
  const key = new Uint8Array(32).fill(9);
  const signer = addressOf(key);
  const { cluster } = clusterAt(1);
  const channel: ChannelView = {
    channel: wordAt(7), cluster, payer: signer, signer, token: ZERO_ADDRESS, depositWei: 100n, closeAt: 0n,
  };
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'picolo-meters-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A chain that a node sees with a delay: each look shows the next channels. */
  function late(...looks: ChannelView[][]): { chain: ChainPort; looked: () => number } {
    const chain = createMemoryChain();
    chain.mine({ clusters: [clusterAt(1)] });
    const port = chain.port();
    let count = 0;
    port.refresh = async () => {
      chain.mine({ channels: looks[count] ?? [] });
      count += 1;
    };
    return { chain: port, looked: () => count };
  }
  const voucherOf = (cumulative: bigint): Parameters<Meters['take']>[0] => {
    const voucher = { channel: channel.channel, cumulative };
    return { voucher, signature: signStruct(domain, 'Voucher', voucher, key) };
  };
  const open = (chain: ChainPort): Meters => new Meters({ chain, domain, file: join(folder, 'meters.json') });

  it('P-6.3-pay: takes a voucher of a channel that was opened, or topped up, after the last look at the chain', async () => {
    const { chain, looked } = late([channel], [{ ...channel, depositWei: 500n }]);
    const meters = open(chain);
    expect((await meters.take(voucherOf(60n), [cluster])).paidWei).to.equal(60n);
    expect((await meters.take(voucherOf(70n), [cluster])).paidWei).to.equal(70n);
    expect(looked()).to.equal(1);
    expect((await meters.take(voucherOf(300n), [cluster])).paidWei).to.equal(300n);
    expect(looked()).to.equal(2);
  });

  it('P-6.5-lying-consumer: looks once, then refuses', async () => {
    const { chain, looked } = late([], [channel], []);
    const meters = open(chain);
    expect(await faultOf(() => meters.take(voucherOf(60n), [cluster]))).to.equal('PAYMENT_WRONG_CHANNEL');
    expect(await faultOf(() => meters.take(voucherOf(60n), [wordAt(2) as never]))).to.equal('PAYMENT_WRONG_CHANNEL');
    expect(await faultOf(() => meters.take(voucherOf(101n), [cluster]))).to.equal('PAYMENT_OVERDRAWN');
    expect(looked()).to.equal(3);
    expect(meters.answer(cluster).paidWei).to.equal(0n);
  });
});
