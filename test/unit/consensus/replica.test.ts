import { expect } from 'chai';
import fc from 'fast-check';
import {
  createReplica, encodeRecord, recordReader, restoreReplica, slotOf, snapshotRecords, statusOf, step,
  type Effect, type JournalRecord, type SignedMessage,
} from '../../../protocol/consensus/index.ts';
import { bitsOf, fits, hasBit, withBit } from '../../../protocol/consensus/index.ts';
import { NOTHING_SIGNED } from '../../../protocol/consensus/position.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { ZERO_HASH, type BlockHash } from '../../../protocol/types/index.ts';
import { command, config, fakeState, hash, nobodyRemembers, NOTHING, replica, run, ts } from './fixtures.ts';

const kinds = (effects: readonly Effect[]): string[] => effects.map(({ kind }) => kind);
const signedKinds = (effects: readonly Effect[]): string[] => effects.flatMap((effect) => (effect.kind === 'sign' ? [effect.name] : []));

describe('consensus: one replica', () => {
  it('signs nothing before the flush that it rests on (§2.14)', () => {
    const of = replica();
    const first = [
      ...step(of, { kind: 'start', nowMs: 1000 }),
      ...[1, 2, 3].flatMap((from) => step(of, {
        kind: 'message', nowMs: 1000, from, message: { kind: 'recalled', subject: 0, blockVote: null, fastAck: null, viewChange: null, heard: NOTHING_SIGNED },
      })),
    ];
    expect(kinds(first)).to.include('persist');
    expect(signedKinds(first)).to.deep.equal([]);
    const tokens = first.flatMap((effect) => (effect.kind === 'persist' ? [effect.token] : []));
    const after = step(of, { kind: 'flushed', nowMs: 1001, token: Math.max(...tokens) });
    expect(signedKinds(after)).to.deep.equal(['Proposal']);
  });

  it('signs nothing before q replicas said what they hold of its key, not even on a first start (R-3)', () => {
    const of = replica();
    const token = Math.max(...step(of, { kind: 'start', nowMs: 1000 }).flatMap((effect) => (effect.kind === 'persist' ? [effect.token] : [])));
    expect(signedKinds(step(of, { kind: 'flushed', nowMs: 1001, token }))).to.deep.equal([]);
    expect(signedKinds(nobodyRemembers(of, 1002))).to.deep.equal(['Proposal']);
  });

  it('only the leader of the view proposes (P-5.2.1-views)', () => {
    for (const self of [0, 1, 2, 3]) {
      const of = replica(fakeState(), self);
      run(of, { kind: 'start', nowMs: 1000 });
      expect(signedKinds(nobodyRemembers(of, 1001))).to.deep.equal(self === 0 ? ['Proposal'] : []);
    }
  });

  it('answers the same to the same inputs', () => {
    const json = (effects: readonly Effect[]): string => JSON.stringify(effects, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
    const [a, b] = [replica(), replica()];
    for (const nowMs of [1000, 1007, 990, 1200, 5000]) expect(json(run(a, { kind: 'tick', nowMs }))).to.equal(json(run(b, { kind: 'tick', nowMs })));
  });

  it('its clock never goes back, timeouts ignore steps backwards (T0)', () => {
    const of = replica();
    run(of, { kind: 'start', nowMs: 1000 });
    run(of, { kind: 'tick', nowMs: 1500 });
    run(of, { kind: 'tick', nowMs: 900 });
    expect([of.clockMs, of.elapsedMs]).to.deep.equal([1500, 500]);
    run(of, { kind: 'tick', nowMs: 950 });
    expect([of.clockMs, of.elapsedMs]).to.deep.equal([1500, 550]);
  });

  it('asks for the next view when the fast path does not open (P-5.2.1-rotation)', () => {
    const of = replica(fakeState(), 1);
    run(of, { kind: 'start', nowMs: 1000 });
    nobodyRemembers(of, 1000);
    const effects = run(of, { kind: 'tick', nowMs: 1000 + config.timing.commandTimeoutMs });
    expect(signedKinds(effects)).to.deep.equal(['ViewChange']);
    expect(statusOf(of).changingTo).to.equal(1n);
  });

  it('refuses more commands than it can watch', () => {
    const of = replica(fakeState(), 1);
    run(of, { kind: 'start', nowMs: 1000 });
    const waiting = { command: command('x', []), sinceMs: 0, gateway: undefined, classic: false, sentMs: 0, lookMs: 0 };
    for (let i = 0; i < limits.pendingCommands; i++) of.pending.set(hash(`${i}`) as never, { ...waiting });
    const reply = step(of, { kind: 'submit', nowMs: 1001, command: command('one more', [['x', NOTHING, 'W']]) }).find(({ kind }) => kind === 'reply');
    expect(reply).to.deep.include({ reply: { kind: 'refused', command: command('one more', []).id, reason: 'overloaded' } });
  });
});

describe('consensus: the journal', () => {
  const position = { height: 0n, blockHash: ZERO_HASH as BlockHash, closeTs: ts(0) };
  const restore = (records: readonly JournalRecord[], torn = false, missing = false): ReturnType<typeof restoreReplica> =>
    restoreReplica({ config, self: 1, application: fakeState(), records: records.map(encodeRecord), torn, missing, position });

  it('a replica that never ran has nothing to restore; one whose journal is gone is quarantined', () => {
    expect(restore([])).to.equal(undefined);
    expect(restore([], false, true)).to.deep.include({ quarantined: true });
  });

  it('a quarantined replica signs nothing, whatever happens', () => {
    const of = createReplica(config, 0, restore([], false, true), fakeState());
    const effects = [1000, 2000, 9000, 70_000].flatMap((nowMs) => run(of, { kind: nowMs === 1000 ? 'start' : 'tick', nowMs }));
    expect(signedKinds(effects)).to.deep.equal([]);
  });

  it('views, locks and clocks only rise; a torn tail abstains up to the highest view known', () => {
    const records: JournalRecord[] = [
      { kind: 'clock', ceilingMs: 5000n }, { kind: 'view', view: 2n }, { kind: 'viewChange', newView: 4n, highQc: null }, { kind: 'clock', ceilingMs: 4000n },
    ];
    expect(restore(records)).to.deep.include({ view: 2n, vcView: 4n, ceilingMs: 5000, abstainUntil: -1n });
    expect(restore(records, true)).to.deep.include({ abstainUntil: 4n });
  });

  it('the highest vote counts, whatever was written after it: the proof of the end of an epoch may be of an older view (R-3)', () => {
    const voted = (view: bigint, round: number): JournalRecord => ({
      kind: 'voted', parentQc: null, highQc: null, consumed: [], block: {
        entries: [], header: {
          group: config.group, epoch: 1n, view, round, height: 1n, parent: ZERO_HASH as BlockHash, kind: 'normal', closeTs: ts(0), maxTs: ts(0), count: 0,
          entriesRoot: ZERO_HASH, effectsRoot: ZERO_HASH, outcomeRoot: ZERO_HASH, tcRoot: ZERO_HASH, next: ZERO_HASH,
        },
      },
    });
    expect(restore([{ kind: 'view', view: 7n }, voted(7n, 1), voted(6n, 9)])).to.deep.include({ lastVoted: { view: 7n, round: 1 } });
    expect(restore([{ kind: 'view', view: 7n }, voted(7n, 1), voted(7n, 2)])).to.deep.include({ lastVoted: { view: 7n, round: 2 } });
  });

  it('asks what others hold of its key before it signs, and asks for a later view than the interrupted one', () => {
    const of = createReplica(config, 1, restore([{ kind: 'viewChange', newView: 3n, highQc: null }]), fakeState());
    const start = run(of, { kind: 'start', nowMs: 1000 });
    expect(start.some((effect) => effect.kind === 'send' && effect.message.kind === 'recall')).to.equal(true);
    const nothing = { kind: 'recalled' as const, subject: 1, blockVote: null, fastAck: null, viewChange: null, heard: NOTHING_SIGNED };
    expect(signedKinds(run(of, { kind: 'message', nowMs: 1001, from: 0, message: nothing }))).to.deep.equal([]);
    run(of, { kind: 'message', nowMs: 1002, from: 2, message: nothing });
    const effects = run(of, { kind: 'message', nowMs: 1003, from: 3, message: nothing });
    expect(signedKinds(effects)).to.deep.equal(['ViewChange']);
    expect(of.vcView).to.equal(4n);
  });

  it('its own signature from beyond the journal is proof of an old image', () => {
    const of = createReplica(config, 1, restore([{ kind: 'view', view: 1n }]), fakeState());
    run(of, { kind: 'start', nowMs: 1000 });
    const { group, epoch } = config;
    const value = { group, epoch, view: 1n, round: 9, blockHash: ZERO_HASH, qcView: 1n, qcRound: 8 };
    const blockVote = { kind: 'blockVote' as const, value, signature: '0x' as never };
    const message = { kind: 'recalled' as const, subject: 1, blockVote, fastAck: null, viewChange: null, heard: NOTHING_SIGNED };
    const effects = run(of, { kind: 'message', nowMs: 1001, from: 0, message });
    expect(effects).to.deep.include({ kind: 'milestone', milestone: { event: 'quarantined', cause: 'block vote beyond the journal' } });
  });

  it('more than f members who heard of signatures beyond the journal are proof, f are not (R-3, decision 0197)', () => {
    const positions = [{ ackSeq: 1n }, { voteSeq: 1n }, { voted: { view: 1n, round: 9 } }];
    for (const further of positions) {
      const of = createReplica(config, 1, restore([{ kind: 'view', view: 1n }]), fakeState());
      run(of, { kind: 'start', nowMs: 1000 });
      const message = { kind: 'recalled' as const, subject: 1, blockVote: null, fastAck: null, viewChange: null, heard: { ...NOTHING_SIGNED, ...further } };
      run(of, { kind: 'message', nowMs: 1001, from: 0, message });
      expect(of.quarantined, 'one liar').to.equal(false);
      run(of, { kind: 'message', nowMs: 1002, from: 2, message });
      expect(of.quarantined).to.equal(true);
    }
  });

  it('waits for the last answer, but not for long', () => {
    const nothing = { kind: 'recalled' as const, subject: 1, blockVote: null, fastAck: null, viewChange: null, heard: NOTHING_SIGNED };
    const answered = (): ReturnType<typeof createReplica> => {
      const of = createReplica(config, 1, restore([{ kind: 'view', view: 1n }]), fakeState());
      run(of, { kind: 'start', nowMs: 1000 });
      for (const from of [0, 2]) run(of, { kind: 'message', nowMs: 1001, from, message: nothing });
      return of;
    };
    const { heartbeatMs } = config.timing;
    const late = answered();
    expect(late.recalling, 'q have answered').to.not.equal(undefined);
    run(late, { kind: 'tick', nowMs: 1001 + 3 * heartbeatMs });
    expect(late.recalling).to.not.equal(undefined);
    run(late, { kind: 'tick', nowMs: 1001 + 4 * heartbeatMs });
    expect(late.recalling).to.equal(undefined);
    const all = answered();
    run(all, { kind: 'message', nowMs: 1002, from: 3, message: nothing });
    expect(all.recalling).to.equal(undefined);
  });

  it('tells how far it has signed only once that is on disk: an ordinary crash never looks like a loss', () => {
    const of = replica();
    run(of, { kind: 'start', nowMs: 1000 });
    const [proposal] = nobodyRemembers(of, 1000).flatMap((effect) => (effect.kind === 'sign' && effect.message.kind === 'proposal' ? [effect.message] : []));
    const message = { ...proposal, signature: '0x' as never } as SignedMessage;
    const effects = step(of, { kind: 'message', nowMs: 1001, from: 0, message });
    expect(kinds(effects)).to.include('persist');
    expect(of.signed).to.deep.equal(NOTHING_SIGNED);
    const token = Math.max(...effects.flatMap((effect) => (effect.kind === 'persist' ? [effect.token] : [])));
    expect(signedKinds(step(of, { kind: 'flushed', nowMs: 1002, token }))).to.deep.equal(['BlockVote']);
    expect(of.signed.voted).to.deep.equal({ view: 0n, round: 1 });
    expect(restore(snapshotRecords(of))?.voteSeq).to.equal(of.voteSeq);
  });

  it('compaction restores to the same state', () => {
    const of = replica(fakeState(), 1);
    run(of, { kind: 'start', nowMs: 1000 });
    run(of, { kind: 'tick', nowMs: 3000 });
    const restored = restore(snapshotRecords(of));
    expect(restored).to.deep.include({ view: of.view, vcView: of.vcView, lastVoted: of.lastVoted, ackSeq: of.ackSeq, ackHead: of.ackHead, ceilingMs: of.ceilingMs });
  });

  it('records survive their encoding', () => {
    const read = recordReader((bytes) => command(new TextDecoder().decode(bytes), []));
    const records: JournalRecord[] = [
      { kind: 'proposed', view: 3n, round: 4 }, { kind: 'sealed', height: 9n }, { kind: 'ackHead', ackSeq: 7n, ackHead: hash('head') },
      { kind: 'checkpointHash', height: 3n, hash: hash('c') },
      {
        kind: 'fastVote', value: { group: config.group, epoch: 1n, view: 2n, batchRoot: hash('b'), accept: 5n },
        entries: [{ id: hash('e') as never, ts: ts(3), items: command('a', [['x', NOTHING, 'W']]).items }],
      },
    ];
    for (const record of records) expect(read(encodeRecord(record))).to.deep.equal(record);
  });
});

describe('consensus: small things', () => {
  it('bitmaps are sets of small integers', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.nat(249)), (indexes) => {
      const bits = indexes.reduce(withBit, 0n);
      expect(bitsOf(bits)).to.deep.equal([...indexes].sort((a, b) => a - b));
      expect(indexes.every((index) => hasBit(bits, index))).to.equal(true);
      expect(fits(bits, Math.max(-1, ...indexes) + 1)).to.equal(true);
      if (indexes.length > 0) expect(fits(bits, Math.max(...indexes))).to.equal(false);
    }));
  });

  it('every statement that may be signed once has a slot of its own', () => {
    const { group, epoch } = config;
    const vote = { group, epoch, view: 1n, round: 2, blockHash: hash('a'), qcView: 0n, qcRound: 0 };
    const slot = slotOf(0, { name: 'BlockVote', value: vote });
    expect(slotOf(0, { name: 'BlockVote', value: { ...vote, blockHash: hash('b') } }), 'contents do not name a slot').to.equal(slot);
    expect(slotOf(0, { name: 'BlockVote', value: { ...vote, round: 3 } })).to.not.equal(slot);
    expect(slotOf(0, { name: 'BlockVote', value: { ...vote, epoch: 2n } })).to.not.equal(slot);
  });
});
