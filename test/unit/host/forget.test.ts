import { expect } from 'chai';
import { forgetBehind, type Progress } from '../../../node/host/forget.ts';
import { createMemorySigner } from '../../../node/memory/index.ts';
import type { Signer } from '../../../node/ports/index.ts';
import type { GroupId } from '../../../protocol/types/index.ts';
import { faultOf, signerDomain, signerKey, voteFor } from '../../conformance/signer.ts';

const group = `0x${'01'.repeat(32)}` as GroupId;
const start: Progress = { group, epoch: 3n, view: 0n, ackSeq: 0n, checkpoint: 0n };

function watching(): { signer: Signer; forgotten: string[] } {
  const forgotten: string[] = [];
  const forget = async (kind: string, below: string): Promise<void> => void forgotten.push(`${kind} ${below.slice(67)}`);
  return { signer: { ...createMemorySigner(signerKey, signerDomain), forget }, forgotten };
}

describe('forgetting behind a checkpoint', () => {
  it('forgets nothing that may still be asked for', async () => {
    const { signer, forgotten } = watching();
    await forgetBehind(signer, { ...start, view: 2n, ackSeq: 20_000n });
    expect(forgotten).to.deep.equal([]);
  });

  it('forgets old views, swept acknowledgements in steps, and checkpoints before the last', async () => {
    const { signer, forgotten } = watching();
    await forgetBehind(signer, { ...start, view: 7n, ackSeq: 30_000n, checkpoint: 90n });
    expect(forgotten).to.have.members([
      'FastBatch 3/5', 'FastVote 3/5', 'Proposal 3/5', 'BlockVote 3/5', 'ViewChange 3/5', 'FastAck 3/8192', 'Checkpoint 3/90',
    ]);
  });

  it('closes what it forgets and leaves the rest', async () => {
    const signer = createMemorySigner(signerKey, signerDomain);
    const vote = (view: number): Promise<string> =>
      signer.signAt({ kind: 'BlockVote', slot: `${group}/3/${view}/1` }, 'BlockVote', voteFor(1, view));
    await forgetBehind(signer, { ...start, view: 12n });
    expect(await faultOf(() => vote(9))).to.equal('SIGNER_BELOW_WATERMARK');
    await vote(10);
  });
});
