import { expect } from 'chai';
import { beyondJournal } from '../../../node/host/remembered.ts';
import { createMemorySigner } from '../../../node/memory/index.ts';
import type { Restored } from '../../../protocol/consensus/index.ts';
import { ZERO_HASH, type GroupId } from '../../../protocol/types/index.ts';
import { hashOf, signerDomain, signerKey, voteFor } from '../../conformance/signer.ts';

const at = { group: hashOf(1) as unknown as GroupId, epoch: 1n };
const restored = (ackSeq: bigint, vcView: bigint, view: bigint, round: number): Restored => ({ ackSeq, vcView, lastVoted: { view, round } }) as Restored;

async function signerThatSaid(said: { readonly ackSeq: bigint; readonly newView: bigint; readonly round: number }) {
  const signer = createMemorySigner(signerKey, signerDomain);
  const { group, epoch } = at;
  const slot = (...positions: readonly (bigint | number)[]): string => [group, epoch, ...positions].join('/');
  const ack = { group, epoch, view: 1n, batchRoot: ZERO_HASH, acked: 1n, ackSeq: said.ackSeq, ackHead: ZERO_HASH };
  const change = {
    group, epoch, newView: said.newView, qcView: 0n, qcRound: 0, qcBlock: ZERO_HASH, ackSeq: said.ackSeq, ackHead: ZERO_HASH, ackedRoot: ZERO_HASH,
  };
  await signer.signAt({ kind: 'FastAck', slot: slot(said.ackSeq) }, 'FastAck', ack);
  await signer.signAt({ kind: 'ViewChange', slot: slot(said.newView) }, 'ViewChange', change);
  await signer.signAt({ kind: 'BlockVote', slot: slot(1n, said.round) }, 'BlockVote', voteFor(said.round, 7));
  return signer;
}

describe('what the guard remembers beyond the journal (R-2, decision 0197)', () => {
  it('nothing, when the journal holds what was signed or more: a crash looks like that', async () => {
    const signer = await signerThatSaid({ ackSeq: 10n, newView: 2n, round: 9 });
    expect(beyondJournal(signer, at, restored(10n, 2n, 1n, 9))).to.equal(undefined);
    expect(beyondJournal(signer, at, restored(11n, 3n, 2n, 1))).to.equal(undefined);
    expect(beyondJournal(signer, { ...at, epoch: 2n }, undefined), 'another epoch').to.equal(undefined);
  });

  it('an acknowledgement, a request for a view or a block vote that the journal has lost', async () => {
    const signer = await signerThatSaid({ ackSeq: 10n, newView: 2n, round: 9 });
    expect(beyondJournal(signer, at, restored(9n, 2n, 1n, 9))).to.equal('FastAck');
    expect(beyondJournal(signer, at, restored(10n, 1n, 1n, 9))).to.equal('ViewChange');
    expect(beyondJournal(signer, at, restored(10n, 2n, 1n, 8))).to.equal('BlockVote');
    expect(beyondJournal(signer, at, undefined), 'the journal is gone').to.equal('FastAck');
  });
});
