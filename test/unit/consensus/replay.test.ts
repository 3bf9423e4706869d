import { expect } from 'chai';
import fc from 'fast-check';
import { compatible } from '../../../protocol/consensus/fast/judge.ts';
import { addAcked, disturbedBy, dropAcked, dropLost, failingOver, fitsOver } from '../../../protocol/consensus/replay.ts';
import type { KnownEntry } from '../../../protocol/consensus/index.ts';
import type { AckedEntry, Replica } from '../../../protocol/consensus/state.ts';
import type { BlockHeader } from '../../../protocol/consensus/index.ts';
import type { EntryId, Height, Path } from '../../../protocol/types/index.ts';
import { command, entry, fakeState, hash, NOTHING, replica, ts } from './fixtures.ts';

const acked = (of: KnownEntry): AckedEntry => ({
  ...of, view: 0n, cert: { view: 0n, batchRoot: hash('b'), entryIds: [of.id], votes: [] }, removes: new Set(), height: 0n, sinceMs: 0,
});
const candidate = (of: KnownEntry): KnownEntry & { removes: ReadonlySet<never> } => ({ ...of, removes: new Set<never>() });

/** Small random histories: every entry names the zero version or an earlier entry of the list. */
const history = fc.array(
  fc.record({ key: fc.constantFrom('x', 'y'), parent: fc.nat(8), mode: fc.constantFrom('R' as const, 'W' as const), at: fc.integer({ min: 1, max: 12 }) }),
  { minLength: 1, maxLength: 8 },
);

function build(plan: readonly { key: string; parent: number; mode: 'R' | 'W'; at: number }[]): KnownEntry[] {
  const entries: KnownEntry[] = [];
  for (const [i, { key, parent, mode, at }] of plan.entries()) {
    const version = (entries[parent]?.id ?? NOTHING) as EntryId;
    entries.push(entry(command(`c${i}`, [[key, version, mode]]), at));
  }
  return entries;
}

describe('consensus: replay (CON-5)', () => {
  it('key by key it is the same as one after the other', () => {
    fc.assert(fc.property(history, (plan) => {
      const entries = build(plan);
      const of: Replica = replica();
      for (const each of entries) {
        const fits = fitsOver(of, of.tip.hash, candidate(each));
        addAcked(of, acked(each));
        expect(fits).to.equal(failingOver(of, of.tip.hash).length === 0);
        if (!fits) dropAcked(of, each.id);
      }
      expect(failingOver(of, of.tip.hash)).to.have.length(0);
    }), { numRuns: 300 });
  });

  it('a reader may come after the writer that replaces what it read, with a smaller timestamp', () => {
    const of = replica();
    addAcked(of, acked(entry(command('w', [['x', NOTHING, 'W']]), 10)));
    expect(fitsOver(of, of.tip.hash, candidate(entry(command('r1', [['x', NOTHING, 'R']]), 9)))).to.equal(true);
    expect(fitsOver(of, of.tip.hash, candidate(entry(command('r2', [['x', NOTHING, 'R']]), 11)))).to.equal(false);
  });

  it('only acknowledgements of the asked view count for a block vote (decision 0010)', () => {
    const of = replica();
    const dead = entry(command('w', [['x', hash('gone') as unknown as EntryId, 'W']]), 10);
    addAcked(of, acked(dead));
    expect(failingOver(of, of.tip.hash)).to.have.length(1);
    expect(failingOver(of, of.tip.hash, 0n)).to.have.length(1);
    expect(failingOver(of, of.tip.hash, 1n)).to.have.length(0);
  });

  it('P-5.2.1-commute: compatible pairs are those that some order of time allows', () => {
    const use = fc.record({ mode: fc.constantFrom('R' as const, 'W' as const), ts: fc.integer({ min: 1, max: 5 }).map((n) => BigInt(n) as never) });
    fc.assert(fc.property(use, use, (a, b) => {
      expect(compatible(a, b)).to.equal(compatible(b, a));
      const of = replica();
      const [first, second] = [entry(command('a', [['x', NOTHING, a.mode]]), Number(a.ts)), entry(command('b', [['x', NOTHING, b.mode]]), Number(b.ts))];
      addAcked(of, acked(first));
      // two writers never fit; equal times of a reader and a writer do not either
      expect(fitsOver(of, of.tip.hash, candidate(second))).to.equal(compatible(a, b));
    }));
  });
});

describe('consensus: what a committed block disturbs (C-DEAD, decision 0196)', () => {
  const A = hash('entry a') as EntryId;
  const B = hash('entry b') as EntryId;

  /** A replica five blocks further than when it acknowledged `entries`, over a state in which `key` has `version`. */
  function above(entries: readonly KnownEntry[], key: string, version: EntryId, writtenAt = 1): Replica {
    const state = fakeState();
    const of = replica(state);
    for (const each of entries) addAcked(of, acked(each));
    state.keys.set(hash(key) as Path, { version, writtenAt: ts(writtenAt), readAt: ts(0) });
    of.tip = { ...of.tip, height: 5n as Height };
    return of;
  }
  const left = (of: Replica): string[] => [...of.acked.keys()];

  it('an entry on an absent key stays when the key is present: it may become absent again', () => {
    for (const mode of ['R', 'W'] as const) {
      const e = entry(command('e', [['k', NOTHING, mode]]), 9);
      const of = above([e], 'k', A);
      dropLost(of);
      expect(left(of)).to.deep.equal([e.id]);
      expect(of.current.deadAcks).to.deep.equal([]);
    }
  });

  it('an entry whose version was replaced leaves, and binds votes as a dead one', () => {
    const e = entry(command('e', [['k', A, 'W']]), 9);
    const of = above([e], 'k', B);
    dropLost(of);
    expect(left(of)).to.deep.equal([]);
    expect(of.current.deadAcks.map(({ id }) => id)).to.deep.equal([e.id]);
  });

  it('an entry that a later one passed by leaves; so does one whose time is closed', () => {
    const late = above([entry(command('e', [['k', A, 'R']]), 9)], 'k', A, 10);
    dropLost(late);
    expect(left(late)).to.deep.equal([]);
    const closed = above([entry(command('e', [['k', NOTHING, 'R']]), 9)], 'k', A);
    closed.tip = { ...closed.tip, closeTs: ts(9) };
    dropLost(closed);
    expect(left(closed)).to.deep.equal([]);
  });

  it('what waits for an acknowledged entry lives and dies with it', () => {
    const first = entry(command('first', [['k', NOTHING, 'W']]), 8);
    const next = entry(command('next', [['k', first.id, 'W']]), 9);
    const kept = above([first, next], 'k', A);
    dropLost(kept);
    expect(left(kept)).to.have.members([first.id, next.id]);
    kept.tip = { ...kept.tip, closeTs: ts(8) };
    dropLost(kept);
    expect(left(kept)).to.deep.equal([]);
  });

  it('after a restart with a shorter chain nothing leaves that was acknowledged higher up', () => {
    const of = above([entry(command('e', [['k', A, 'W']]), 9)], 'k', B);
    of.tip = { ...of.tip, height: 0n as Height };
    dropLost(of);
    expect(left(of)).to.have.length(1);
  });

  it('only what held over the parent is newly disturbed (C-VOTE 4)', () => {
    const dead = entry(command('dead', [['k', NOTHING, 'R']]), 9);
    const alive = entry(command('alive', [['other', NOTHING, 'R']]), 9);
    const of = above([dead, alive], 'k', A);
    const header = { parent: of.tip.hash, view: 0n } as BlockHeader;
    expect(disturbedBy(of, header, failingOver(of, of.tip.hash, 0n))).to.deep.equal([]);
    const both = [...of.acked.values()];
    expect(disturbedBy(of, header, both).map(({ id }) => id)).to.deep.equal([alive.id]);
  });
});
