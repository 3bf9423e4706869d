import { expect } from 'chai';
import { addMs, timestampOf } from '../../../protocol/hlc/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { ZERO_ADDRESS, ZERO_HASH, type Timestamp } from '../../../protocol/types/index.ts';
import { settle } from '../../../sdk/write/settle.ts';

describe('settling a write without an answer', () => {
  const failure = new Error('cut off');
  const urls = ['a', 'b', 'c', 'd'];

  /** What a client is told whose nonce is free at all nodes, whose transaction expired so long ago. */
  async function told(expiredMsAgo: number, closed: (notAfter: Timestamp) => Timestamp): Promise<unknown> {
    const notAfter = timestampOf(Date.now() - expiredMsAgo, 0, 0);
    const client = {
      nodes: { urls }, trust: { roster: async () => ({ replicas: urls }) },
      call: async () => ({ closeTs: closed(notAfter), versions: [{ version: ZERO_HASH, writtenAt: 0n }] }),
    };
    const transaction = { header: { database: ZERO_HASH, writer: ZERO_ADDRESS, nonce: 1n, notAfter } };
    return settle(client as never, transaction as never, ZERO_HASH as never, failure).catch((error: unknown) => error);
  }

  it('DATA-26: a free nonce means "never executed" from the expiry on', async () => {
    expect(await told(0, (notAfter) => notAfter)).to.include({ code: 'SDK_NOT_ORDERED' });
    expect(await told(0, (notAfter) => addMs(notAfter, limits.nonceGraceMs))).to.include({ code: 'SDK_NOT_ORDERED' });
  });

  it('DATA-26: it means nothing before, nor when a used one would be gone: the writer keeps its first failure', async () => {
    expect(await told(9_900, (notAfter) => addMs(notAfter, -1))).to.equal(failure);
    expect(await told(9_900, (notAfter) => addMs(notAfter, limits.nonceGraceMs + 1))).to.equal(failure);
  });
});
