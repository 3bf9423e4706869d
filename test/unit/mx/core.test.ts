import { expect } from 'chai';
import { encode } from '../../../protocol/codec/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import {
  createMx, decodeMessage, encodeMessage, hopsAllowed, nextDeadlineMs, partIsAuthentic, prepareGet, preparePut, signPart,
  signReceipt, step, transactionOf,
  type Get, type Message, type Mx, type MxConfig, type MxEffect,
} from '../../../protocol/mx/index.ts';
import type { Address, Hash32 } from '../../../protocol/types/index.ts';
import { domain, get, identity, rowsOf, startMs } from './kit.ts';

const self = identity(1);
const peer = identity(2);
const third = identity(3);
const user = identity(9);

const make = (changes: Partial<MxConfig> = {}): Mx => createMx({ self: self.address, domain, attest: self.attest, ...changes });
const receive = (mx: Mx, from: Address, message: Message, nowMs = startMs, admitted = true): MxEffect[] =>
  step(mx, { kind: 'message', from, message, admitted, nowMs });
const answer = (mx: Mx, transaction: Hash32, rows: readonly string[], neighbours: readonly Address[] = [], more = false): MxEffect[] =>
  step(mx, {
    kind: 'answered', transaction, outcome: 'rows', more, neighbours, nowMs: startMs,
    answer: { entity: 't', columns: ['ln'], quality: 1, rows: rowsOf(...rows) },
  });
const sent = (effects: readonly MxEffect[], to: Address): Message[] =>
  effects.flatMap((effect) => (effect.kind === 'send' && effect.to === to ? [effect.message] : []));
const observed = (effects: readonly MxEffect[]) => effects.flatMap((effect) => (effect.kind === 'observed' ? [effect] : []));

/** A GET from `user` that has been answered locally and passed to `peer`. */
function forwarded(mx: Mx, message: Get, own: readonly string[] = []): Hash32 {
  receive(mx, user.address, message);
  const transaction = transactionOf(message);
  answer(mx, transaction, own, [peer.address]);
  return transaction;
}

describe('mx core: requests', () => {
  it('P-7-get: the transaction id is the hash of all that was asked, so a changed request is another one', () => {
    const message = get(user);
    const asks = [{ ...message.ask, results: 99 }, { ...message.ask, client: peer.address }];
    const ids = [message, ...asks.map((ask) => ({ ...message, ask }))];
    expect(new Set(ids.map(transactionOf)).size).to.equal(3);
    const mx = make();
    const codes = ids.slice(1).flatMap((changed) => sent(receive(mx, peer.address, changed as Get), peer.address));
    expect(codes.map((error) => error.kind === 'error' && error.code)).to.deep.equal(['malformed', 'unauthorised']);
  });

  it('P-7-error: a lost draw is answered with ERROR unserved and a signed receipt, and opens nothing', () => {
    const mx = make();
    const [error] = sent(receive(mx, peer.address, get(user), startMs, false), peer.address);
    expect(error).to.include({ kind: 'error', code: 'unserved' });
    expect(error?.kind === 'error' && error.receipt?.outcome).to.equal('refused');
    expect(mx.open.size + mx.seen.size).to.equal(0);
  });

  it('P-7-error: open transactions are bounded, in all and per peer', () => {
    const mx = make({ openMax: 4, openPerPeerMax: 2, shedFrom: 0.99 });
    const codes = Array.from({ length: 3 }, () => sent(receive(mx, peer.address, get(user)), peer.address)[0]?.kind);
    expect(codes).to.deep.equal(['ok', 'ok', 'error']);
    for (const from of [third.address, user.address, user.address]) receive(mx, from, get(user, { hops: 0 }));
    expect(mx.open.size).to.equal(4);
  });

  it('P-6.5-adaptive-drop: the hops allowed shrink as the load grows, to none at full load', () => {
    const mx = make();
    const at = (load: number): number => {
      step(mx, { kind: 'load', load });
      return hopsAllowed(mx);
    };
    expect([0, 0.49, 0.5, 0.75, 0.9, 1].map(at)).to.deep.equal([16, 16, 16, 8, 3, 0]);
  });

  it('P-7-hops: a second way to a node is answered with a signed "seen" and runs nothing', () => {
    const mx = make();
    const message = get(user);
    receive(mx, peer.address, message);
    const effects = receive(mx, third.address, { ...message, hops: 1 });
    expect(effects).to.have.length(1);
    const [end] = sent(effects, third.address);
    expect(end?.kind === 'end' && end.receipts.map(({ outcome }) => outcome)).to.deep.equal(['seen']);
  });

  it('P-7-hops: hops fall by one, nobody gets the request back, and at zero it stops', () => {
    const mx = make();
    const message = get(user, { hops: 2 });
    receive(mx, third.address, message);
    const effects = answer(mx, transactionOf(message), ['a'], [third.address, user.address, self.address, peer.address]);
    expect(sent(effects, peer.address)[0]).to.include({ kind: 'get', hops: 1, want: 99 });
    expect(effects.filter(({ kind }) => kind === 'send')).to.have.length(1);
    const last = { ...get(user, { hops: 2 }), hops: 0 };
    receive(mx, third.address, last);
    expect(sent(answer(mx, transactionOf(last), [], [peer.address]), peer.address)).to.deep.equal([]);
  });

  it('P-7-put: needs nodes or hops; a request asks for at least one row and no more hops than the limit', () => {
    const put = { client: user.address, nonce: 1n, write: new Uint8Array(1), nodes: [], hops: null, expiresAtMs: BigInt(startMs) };
    expect(() => preparePut(put)).to.throw('MX_BAD_ASK');
    const ask = get(user).ask;
    expect(() => prepareGet({ ...ask, results: 0 })).to.throw('MX_BAD_ASK');
    expect(() => prepareGet({ ...ask, hops: limits.mxHops + 1 })).to.throw('MX_BAD_ASK');
  });

  it('messages have one encoding, and strangers\' bytes never pass for one', () => {
    const message = get(user);
    expect(decodeMessage(encodeMessage(message))).to.deep.equal(message);
    const rows = [[null, 1n, 1.5, 'x', new Uint8Array([1])]];
    const own = { entity: 't', columns: ['a', null, 'c', 'd', 'e'], quality: 0.5, rows };
    const part = signPart(own, 0, rows, transactionOf(message), peer.address, 5, peer.attest);
    const send: Message = { kind: 'send', transaction: transactionOf(message), parts: [part] };
    expect(decodeMessage(encodeMessage(send))).to.deep.equal(send);
    expect(() => decodeMessage(encodeMessage(send).subarray(1))).to.throw('CODEC_');
    expect(() => decodeMessage(encode({ toCbor: (v: unknown) => v, fromCbor: (v) => v }, [1, [2]]))).to.throw('CODEC_WRONG_SHAPE');
  });
});

describe('mx core: replies and judgement', () => {
  const partOf = (mx: Mx, transaction: Hash32, origin: typeof peer, ...names: string[]): Message => ({
    kind: 'send', transaction,
    parts: [signPart(
      { entity: 't', columns: ['x'], quality: 1, rows: rowsOf(...names) }, 0, rowsOf(...names), transaction, origin.address, startMs, origin.attest,
    )],
  });
  const endOf = (transaction: Hash32, ...from: (readonly [typeof peer, 'rows' | 'none' | 'seen' | 'failed', number])[]): Message => ({
    kind: 'end', transaction, reason: 'done',
    receipts: from.map(([who, outcome, rows]) => signReceipt(outcome, rows, transaction, who.address, startMs, who.attest)),
  });

  it('P-7-push: a forwarder cuts rows at the number asked and the cut part still verifies', () => {
    const mx = make();
    const transaction = forwarded(mx, get(user, { mode: 'push', results: 2 }), ['a']);
    const effects = receive(mx, peer.address, partOf(mx, transaction, third, 'b', 'c', 'd'));
    const [send, end] = sent(effects, user.address);
    const part = send?.kind === 'send' ? send.parts[0] : undefined;
    expect(part?.rows).to.deep.equal([['b']]);
    expect(part !== undefined && partIsAuthentic(domain, transaction, part)).to.equal(true);
    expect(part !== undefined && partIsAuthentic(domain, transaction, { ...part, rows: [['c']] })).to.equal(false);
    expect(end).to.include({ kind: 'end', reason: 'enough' });
    expect(sent(effects, peer.address)).to.deep.equal([{ kind: 'close', transaction }]);
  });

  it('P-6.3.2-rule-reply, P-6.3.2-rule-forward: rows of its own are a reply, others heard through it a forward', () => {
    const mx = make();
    const transaction = forwarded(mx, get(user));
    receive(mx, peer.address, partOf(mx, transaction, peer, 'b'));
    const effects = receive(mx, peer.address, endOf(transaction, [peer, 'rows', 1], [third, 'none', 0]));
    expect(observed(effects)).to.deep.equal([
      { kind: 'observed', peer: peer.address, seen: { replied: true, forwarded: true, goodRows: 1, badRows: 0 } },
    ]);
  });

  it('P-6.3.2-rule-forward: an END that reached nobody counts against it; no hops, or being seen before, excuses', () => {
    const missed = make();
    const judged = (mx: Mx, message: Get, end: (t: Hash32) => Message) => {
      const transaction = forwarded(mx, message);
      return observed(receive(mx, peer.address, end(transaction)))[0]?.seen;
    };
    expect(judged(missed, get(user), (t) => endOf(t, [peer, 'none', 0]))).to.deep.include({ replied: null, forwarded: false });
    expect(judged(missed, get(user, { hops: 1 }), (t) => endOf(t, [peer, 'none', 0]))).to.deep.include({ forwarded: null });
    expect(judged(missed, get(user), (t) => endOf(t, [peer, 'seen', 0]))).to.deep.include({ forwarded: null });
    expect(judged(missed, get(user), (t) => endOf(t))).to.deep.include({ replied: false, forwarded: false });
  });

  it('P-6.3.2-rule-forward: receipts of invented nodes, of the client or of ourselves prove no forwarding', () => {
    const mx = make({ isNode: (address) => address === third.address });
    for (const who of [identity(77), user, self]) {
      const transaction = forwarded(mx, get(user));
      const effects = receive(mx, peer.address, endOf(transaction, [peer, 'none', 0], [who, 'none', 0]));
      expect(observed(effects)[0]?.seen.forwarded).to.equal(false);
    }
  });

  it('a peer that refuses is not blamed, and its receipt clears the forwarder', () => {
    const mx = make();
    const transaction = forwarded(mx, get(user));
    const receipt = signReceipt('refused', 0, transaction, peer.address, startMs, peer.attest);
    const effects = receive(mx, peer.address, { kind: 'error', transaction, code: 'unserved', detail: '', receipt });
    expect(observed(effects)[0]?.seen).to.deep.equal({ replied: null, forwarded: null, goodRows: 0, badRows: 0 });
    const end = sent(effects, user.address).at(-1);
    expect(end?.kind === 'end' && end.reason).to.equal('partial');
    expect(end?.kind === 'end' && end.receipts.map(({ outcome }) => outcome)).to.deep.equal(['none', 'refused']);
  });

  it('P-7-end: silence ends at the deadline, a node waiting longer than those behind it; the silent peer is blamed', () => {
    const mx = make({ hopWaitMs: 100 });
    const message = get(user, { hops: 2 });
    const transaction = forwarded(mx, message);
    expect(nextDeadlineMs(mx)).to.equal(startMs + 300);
    const behind = make({ hopWaitMs: 100 });
    receive(behind, self.address, { ...message, hops: 1 });
    expect(nextDeadlineMs(behind)).to.equal(startMs + 200);
    expect(step(mx, { kind: 'tick', nowMs: startMs + 299 })).to.deep.equal([]);
    const effects = step(mx, { kind: 'tick', nowMs: startMs + 300 });
    expect(sent(effects, user.address).map(({ kind }) => kind)).to.deep.equal(['send', 'end']);
    expect(sent(effects, peer.address)).to.deep.equal([{ kind: 'close', transaction }]);
    expect(observed(effects)[0]?.seen).to.deep.include({ replied: false, forwarded: false });
    expect(nextDeadlineMs(mx)).to.equal(undefined);
  });

  it('P-7-close: only who opened a transaction may close it; a client that vanishes closes all of its own', () => {
    const mx = make();
    const transaction = forwarded(mx, get(user));
    const [refusal] = sent(receive(mx, peer.address, { kind: 'close', transaction }), peer.address);
    expect(refusal).to.include({ kind: 'error', code: 'unauthorised' });
    const effects = step(mx, { kind: 'peerLost', peer: user.address, nowMs: startMs });
    expect(sent(effects, peer.address)).to.deep.equal([{ kind: 'close', transaction }]);
    expect(mx.open.size + mx.openByPeer.size + mx.heldBytes).to.equal(0);
  });

  it('messages of peers that were not asked change nothing', () => {
    const mx = make();
    const transaction = forwarded(mx, get(user));
    expect(receive(mx, third.address, partOf(mx, transaction, third, 'z'))).to.deep.equal([]);
    expect(receive(mx, third.address, endOf(transaction, [third, 'none', 0]))).to.deep.equal([]);
    expect(mx.open.get(transaction)?.rows).to.equal(0);
  });

  it('P-7-pull: what does not fit one frame is not sent, and END says so', () => {
    const mx = make();
    const message = get(user, { hops: 0, results: 100 });
    receive(mx, user.address, message);
    const effects = answer(mx, transactionOf(message), Array.from({ length: 40 }, () => 'x'.repeat(100_000)));
    const [send, end] = sent(effects, user.address);
    expect(send !== undefined && encodeMessage(send).length).to.be.within(2_000_000, limits.frameBytes);
    expect(end?.kind === 'end' && end.reason).to.equal('partial');
    expect(mx.heldBytes).to.equal(0);
  });

  it('transactions are remembered until their requests expire, not longer', () => {
    const mx = make();
    const message = get(user, { hops: 0 });
    receive(mx, user.address, message);
    answer(mx, transactionOf(message), ['a']);
    step(mx, { kind: 'tick', nowMs: startMs + 10_000 });
    expect(mx.seen.size).to.equal(1);
    step(mx, { kind: 'tick', nowMs: startMs + 30_001 });
    expect(mx.seen.size).to.equal(0);
    expect(sent(receive(mx, peer.address, message, startMs + 30_001), peer.address)[0]).to.include({ kind: 'error', code: 'expired' });
  });
});
