import { expect } from 'chai';
import {
  clientStep, closeSession, createMxClient, cutPart, openSession, signPart, signReceipt, type ClientEvent, type EndReason,
  type Ending, type MxClient, type Receipt,
} from '../../../protocol/mx/index.ts';
import type { Hash32 } from '../../../protocol/types/index.ts';
import { domain, get, identity, rowsOf, startMs, type Identity } from './kit.ts';

const user = identity(9);
const near = identity(1);
const far = identity(2);
const ganesh = identity(3);

function open(results = 100): { client: MxClient; transaction: Hash32 } {
  const client = createMxClient(domain);
  return { client, transaction: openSession(client, get(user, { results })) };
}
const part = (transaction: Hash32, origin: Identity, seq: number, ...names: string[]) =>
  signPart(
    { entity: 't', columns: ['x'], quality: 1, rows: rowsOf(...names) }, seq, rowsOf(...names), transaction, origin.address, startMs, origin.attest,
  );
const receipt = (transaction: Hash32, origin: Identity, outcome: 'rows' | 'none' | 'failed', rows = 0): Receipt =>
  signReceipt(outcome, rows, transaction, origin.address, startMs, origin.attest);
const end = (client: MxClient, transaction: Hash32, reason: EndReason, ...receipts: Receipt[]): Ending => {
  const [event] = clientStep(client, { kind: 'end', transaction, reason, receipts });
  return (event as Extract<ClientEvent, { kind: 'ended' }>).ending;
};

describe('mx client', () => {
  it('P-7-end: complete only when all who were reached accounted for all rows they signed for', () => {
    const { client, transaction } = open();
    clientStep(client, { kind: 'send', transaction, parts: [part(transaction, near, 0, 'a'), part(transaction, far, 0, 'b', 'c')] });
    const whole = [receipt(transaction, near, 'rows', 1), receipt(transaction, far, 'rows', 2)];
    expect(end(client, transaction, 'done', ...whole)).to.deep.include({ complete: true, rows: 3, rejected: 0 });
    for (const [reason, receipts] of [
      ['done', (t: Hash32) => [receipt(t, near, 'rows', 2)]],
      ['done', (t: Hash32) => [receipt(t, near, 'rows', 1), receipt(t, far, 'failed')]],
      ['done', () => []],
      ['partial', (t: Hash32) => [receipt(t, near, 'rows', 1)]],
    ] as const) {
      const again = open();
      clientStep(again.client, { kind: 'send', transaction: again.transaction, parts: [part(again.transaction, near, 0, 'a')] });
      expect(end(again.client, again.transaction, reason, ...receipts(again.transaction)).complete).to.equal(false);
    }
  });

  it('P-6.5-greedy-ganesh: altered, relabelled, repeated or excess rows are rejected and named', () => {
    const { client, transaction } = open(3);
    const genuine = part(transaction, far, 0, 'a', 'b');
    const events = clientStep(client, {
      kind: 'send', transaction,
      parts: [
        { ...genuine, origin: ganesh.address }, { ...genuine, rows: rowsOf('a', 'x') }, genuine, genuine, part(transaction, far, 1, 'c', 'd'),
      ],
    });
    expect(events.map(({ kind }) => kind)).to.deep.equal(['rejected', 'rejected', 'rows', 'rejected', 'rejected']);
    expect(end(client, transaction, 'done', receipt(transaction, far, 'rows', 2))).to.deep.include({ rejected: 4, complete: false });
  });

  it('P-6.5-greedy-ganesh: rows copied under another signature are shown as contested, with all who claim them', () => {
    const { client, transaction } = open();
    const parts = [part(transaction, ganesh, 0, 'own', 'copied'), part(transaction, far, 0, 'copied')];
    clientStep(client, { kind: 'send', transaction, parts });
    const { contested } = end(client, transaction, 'done');
    expect(contested.map(({ origins }) => origins)).to.deep.equal([[ganesh.address, far.address]]);
  });

  it('a cut part is accepted for the rows it still has', () => {
    const { client, transaction } = open();
    const cut = cutPart(cutPart(part(transaction, far, 0, 'a', 'b', 'c'), 2), 1);
    const [event] = clientStep(client, { kind: 'send', transaction, parts: [cut] });
    expect(event?.kind === 'rows' && event.part.rows).to.deep.equal([['a']]);
  });

  it('P-7-close: a closed transaction hears no more; closing twice is refused', () => {
    const { client, transaction } = open();
    expect(closeSession(client, transaction)).to.deep.equal({ kind: 'close', transaction });
    expect(clientStep(client, { kind: 'send', transaction, parts: [part(transaction, far, 0, 'a')] })).to.deep.equal([]);
    expect(clientStep(client, { kind: 'ok', transaction, of: 'close' })).to.deep.equal([{ kind: 'closed', transaction }]);
    expect(() => closeSession(client, transaction)).to.throw('MX_UNKNOWN_TRANSACTION');
  });
});
