import { expect } from 'chai';
import fc from 'fast-check';
import { compatible } from '../../../protocol/consensus/fast/judge.ts';
import { addAcked, dropAcked, failingOver, fitsOver } from '../../../protocol/consensus/replay.ts';
import type { KnownEntry } from '../../../protocol/consensus/index.ts';
import type { AckedEntry, Replica } from '../../../protocol/consensus/state.ts';
import type { EntryId } from '../../../protocol/types/index.ts';
import { command, entry, hash, NOTHING, replica } from './fixtures.ts';

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
