import { expect } from 'chai';
import type { Signer } from '../../node/ports/index.ts';
import { digestOf, verifyStruct, type Domain, type StructValue } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { ZERO_ADDRESS, type Address, type Hash32 } from '../../protocol/types/index.ts';

export const signerDomain: Domain = { chainId: 31_337n, verifyingContract: `0x${'22'.repeat(20)}` as Address };
export const signerKey: Uint8Array = new Uint8Array(32).fill(5);

export function hashOf(n: number): Hash32 {
  return `0x${n.toString(16).padStart(64, '0')}` as Hash32;
}

export function voteFor(round: number, block: number): StructValue<'BlockVote'> {
  return { group: hashOf(1), epoch: 1n, view: 1n, round, blockHash: hashOf(block), qcView: 1n, qcRound: 0 };
}

export const slotOf = (round: number | string): { kind: 'BlockVote'; slot: string } => ({ kind: 'BlockVote', slot: `g/1/1/${round}` });

/** The code of the fault that a promise or call ends in; fails when it succeeds. */
export async function faultOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (isPicoloError(error)) return error.code;
    throw error;
  }
  throw new Error('expected a fault');
}

/** The contract of the `Signer` port: every adapter passes it. */
export function signerConformance(name: string, open: (key: Uint8Array, domain: Domain) => Promise<Signer>): void {
  describe(`signer: ${name}`, () => {
    let signer: Signer;
    beforeEach(async () => {
      signer = await open(signerKey, signerDomain);
    });
    afterEach(() => signer.close());

    it('signs for its address and domain', async () => {
      expect(signer.address).to.equal(addressOf(signerKey));
      const signature = await signer.signAt(slotOf(1), 'BlockVote', voteFor(1, 7));
      expect(verifyStruct(signerDomain, 'BlockVote', voteFor(1, 7), signature, signer.address)).to.equal(true);
      const elsewhere = digestOf({ ...signerDomain, chainId: 1n }, 'BlockVote', voteFor(1, 7));
      expect(elsewhere).not.to.equal(digestOf(signerDomain, 'BlockVote', voteFor(1, 7)));
    });

    it('returns the stored signature when asked again, at once and later', async () => {
      const ask = (): Promise<string> => signer.signAt(slotOf(1), 'BlockVote', voteFor(1, 7));
      const together = await Promise.all([ask(), ask(), ask()]);
      expect(new Set([...together, await ask()]).size).to.equal(1);
    });

    it('refuses other content for a taken slot, before and after the first is durable', async () => {
      const first = signer.signAt(slotOf(1), 'BlockVote', voteFor(1, 7));
      expect(await faultOf(() => signer.signAt(slotOf(1), 'BlockVote', voteFor(1, 8)))).to.equal('SIGNER_WOULD_CONTRADICT');
      await first;
      expect(await faultOf(() => signer.signAt(slotOf(1), 'BlockVote', voteFor(1, 8)))).to.equal('SIGNER_WOULD_CONTRADICT');
      await signer.signAt(slotOf(2), 'BlockVote', voteFor(1, 8));
    });

    it('keeps the slots of different kinds apart', async () => {
      const proposal = { group: hashOf(1), epoch: 1n, view: 1n, round: 1, blockHash: hashOf(9) };
      await signer.signAt(slotOf(1), 'BlockVote', voteFor(1, 7));
      const propose = (block: number): Promise<string> =>
        signer.signAt({ kind: 'Proposal', slot: slotOf(1).slot }, 'Proposal', { ...proposal, blockHash: hashOf(block) });
      await propose(9);
      expect(await faultOf(() => propose(1))).to.equal('SIGNER_WOULD_CONTRADICT');
    });

    it('tells the highest slot it remembers of a kind, as numbers, in one group and epoch', async () => {
      expect(signer.newest('BlockVote', 'g/1')).to.equal(undefined);
      for (const slot of ['g/1/2/9', 'g/1/2/10', 'g/1/1/99', 'g/10/7/7', 'h/1/8/8']) await signer.signAt({ kind: 'BlockVote', slot }, 'BlockVote', voteFor(1, 7));
      expect(signer.newest('BlockVote', 'g/1')).to.deep.equal(['2', '10']);
      expect(signer.newest('Proposal', 'g/1')).to.equal(undefined);
    });

    it('forgets below a watermark and keeps it closed', async () => {
      const above = await signer.signAt(slotOf(10), 'BlockVote', voteFor(10, 7));
      await signer.signAt(slotOf(9), 'BlockVote', voteFor(9, 7));
      await signer.forget('BlockVote', slotOf(10).slot);
      expect(await faultOf(() => signer.signAt(slotOf(9), 'BlockVote', voteFor(9, 7)))).to.equal('SIGNER_BELOW_WATERMARK');
      expect(await faultOf(() => signer.signAt(slotOf(8), 'BlockVote', voteFor(8, 7)))).to.equal('SIGNER_BELOW_WATERMARK');
      expect(await signer.signAt(slotOf(10), 'BlockVote', voteFor(10, 7))).to.equal(above);
      expect(await faultOf(() => signer.signAt(slotOf(10), 'BlockVote', voteFor(10, 8)))).to.equal('SIGNER_WOULD_CONTRADICT');
      await signer.forget('BlockVote', slotOf(3).slot);
      expect(await faultOf(() => signer.signAt(slotOf(8), 'BlockVote', voteFor(8, 7)))).to.equal('SIGNER_BELOW_WATERMARK');
      await signer.signAt({ kind: 'BlockVote', slot: 'other/1/1/1' }, 'BlockVote', voteFor(1, 1));
    });

    it('signs freely only what cannot contradict', async () => {
      const hello = { binding: hashOf(3), from: signer.address, to: ZERO_ADDRESS };
      expect(verifyStruct(signerDomain, 'Hello', hello, signer.sign('Hello', hello), signer.address)).to.equal(true);
      expect(await faultOf(() => signer.sign('BlockVote', voteFor(1, 7)))).to.equal('SIGNER_NEEDS_POSITION');
    });
  });
}
