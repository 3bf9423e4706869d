import { expect } from 'chai';
import type { Journal } from '../../node/ports/index.ts';

/** A disk that outlives the journals opened on it. */
export interface JournalBench {
  open(): Journal;
  /** The process dies: whatever was not flushed is gone. The open journal is not used again. */
  crash(): void;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (journal: Journal): string[] => journal.recover().records.map((record) => new TextDecoder().decode(record));

/** What every adapter of the Journal port promises (consensus §2.14). */
export function journalConformance(name: string, make: () => JournalBench): void {
  describe(`journal port: ${name}`, () => {
    it('reports a log that was never there, and no longer once something was flushed', async () => {
      const bench = make();
      expect(bench.open().recover()).to.deep.equal({ records: [], torn: false, missing: true });
      const journal = bench.open();
      journal.append(bytes('a'));
      await journal.flush();
      bench.crash();
      const again = bench.open();
      expect(again.recover()).to.include({ torn: false, missing: false });
      expect(texts(again)).to.deep.equal(['a']);
    });

    it('keeps everything flushed, in order, over a crash', async () => {
      const bench = make();
      const journal = bench.open();
      const sequences = Array.from({ length: 50 }, (_, i) => journal.append(bytes(`record ${i}`)));
      await journal.flush();
      journal.append(bytes('not flushed'));
      bench.crash();
      const kept = texts(bench.open());
      expect(kept).to.deep.equal(sequences.map((_, i) => `record ${i}`));
      expect(sequences.every((sequence, i) => sequence === (sequences[0] as bigint) + BigInt(i))).to.equal(true);
    });

    it('takes empty and large records', async () => {
      const bench = make();
      const journal = bench.open();
      journal.append(new Uint8Array(0));
      journal.append(new Uint8Array(300_000).fill(7));
      await journal.flush();
      bench.crash();
      expect(bench.open().recover().records.map((record) => record.length)).to.deep.equal([0, 300_000]);
    });

    it('a flush covers what was appended while another one ran', async () => {
      const bench = make();
      const journal = bench.open();
      journal.append(bytes('a'));
      const first = journal.flush();
      journal.append(bytes('b'));
      const second = journal.flush();
      await Promise.all([first, second]);
      journal.append(bytes('c'));
      await journal.flush();
      await journal.flush();
      bench.crash();
      expect(texts(bench.open())).to.deep.equal(['a', 'b', 'c']);
    });

    it('replaces the whole log, what was queued included, and goes on after it', async () => {
      const bench = make();
      const journal = bench.open();
      journal.append(bytes('old'));
      await journal.flush();
      journal.append(bytes('queued'));
      const replaced = journal.rewrite([bytes('x'), bytes('y')]);
      const sequence = journal.append(bytes('z'));
      await replaced;
      await journal.flush();
      expect(journal.append(bytes('lost'))).to.equal(sequence + 1n);
      bench.crash();
      expect(texts(bench.open())).to.deep.equal(['x', 'y', 'z']);
    });

    it('has not overgrown with a few records, has with very many, and no longer after a rewrite', async () => {
      const bench = make();
      const journal = bench.open();
      journal.append(bytes('a'));
      await journal.flush();
      expect(journal.overgrown).to.equal(false);
      for (let i = 0; i < 1_200; i++) journal.append(new Uint8Array(4_096));
      await journal.flush();
      expect(journal.overgrown).to.equal(true);
      await journal.rewrite([bytes('x')]);
      expect(journal.overgrown).to.equal(false);
    });

    it('continues the sequence after a restart', async () => {
      const bench = make();
      const journal = bench.open();
      const last = journal.append(bytes('a'));
      await journal.flush();
      bench.crash();
      expect(bench.open().append(bytes('b'))).to.equal(last + 1n);
    });

    it('close flushes what is queued and refuses further use', async () => {
      const bench = make();
      const journal = bench.open();
      journal.append(bytes('a'));
      await journal.close();
      await journal.close();
      expect(() => journal.append(bytes('b'))).to.throw(/JOURNAL_CLOSED/);
      expect(texts(bench.open())).to.deep.equal(['a']);
    });
  });
}
