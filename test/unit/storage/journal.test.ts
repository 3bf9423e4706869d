import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { createMemoryDisk } from '../../../node/memory/index.ts';
import { diskFiles, lockFolder, openJournal, type Files, type OpenFile } from '../../../node/storage/index.ts';
import { FaultyFiles } from '../../conformance/faulty-files.ts';
import { journalConformance } from '../../conformance/journal.ts';

const folders: string[] = [];
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'picolo-journal-'));
  folders.push(path);
  return path;
}

/** The real disk; what dead journals left open is closed at the end. */
const handles: OpenFile[] = [];
const tracked: Files = {
  ...diskFiles,
  async open(path, mode) {
    const file = await diskFiles.open(path, mode);
    handles.push(file);
    return file;
  },
};
after(async () => {
  await Promise.all(handles.map((file) => file.close().catch(() => undefined)));
});
after(() => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const path = 'log';
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'resolved', (error: { code?: string }) => error.code ?? 'no code');

journalConformance('disk', () => {
  const at = join(folder(), 'log');
  return { open: () => openJournal({ path: at, files: tracked }), crash: () => undefined };
});
journalConformance('disk that loses what was not flushed', () => {
  const files = new FaultyFiles();
  return { open: () => openJournal({ path, files }), crash: () => files.crash() };
});
journalConformance('memory', () => {
  const disk = createMemoryDisk();
  return { open: () => disk.open(), crash: () => undefined };
});

describe('journal on a failing disk', () => {
  async function written(files: FaultyFiles, ...records: string[]): Promise<void> {
    const journal = openJournal({ path, files });
    records.forEach((record) => journal.append(bytes(record)));
    await journal.flush();
  }

  it('one flush covers every record queued while the previous one ran', async () => {
    const files = new FaultyFiles();
    const gate = Promise.withResolvers<void>();
    files.gate = gate.promise;
    const journal = openJournal({ path, files });
    journal.append(bytes('first'));
    const done = [journal.flush()];
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 100; i++) {
      journal.append(bytes(`later ${i}`));
      done.push(journal.flush());
    }
    gate.resolve();
    await Promise.all(done);
    expect(files.flushes).to.deep.equal([path, path]);
  });

  it('continues after short writes', async () => {
    const files = new FaultyFiles();
    files.maxWrite = 3;
    await written(files, 'a longer record', 'another');
    files.crash();
    expect(openJournal({ path, files }).recover().records).to.deep.equal([bytes('a longer record'), bytes('another')]);
  });

  it('a full disk ends the journal once and for all', async () => {
    const files = new FaultyFiles();
    const journal = openJournal({ path, files });
    files.room = 40;
    journal.append(bytes('x'.repeat(100)));
    expect(await code(journal.flush())).to.equal('JOURNAL_DISK_FULL');
    files.room = Infinity;
    expect(await code(journal.flush())).to.equal('JOURNAL_DISK_FULL');
    expect(await code(journal.rewrite([]))).to.equal('JOURNAL_DISK_FULL');
    expect(() => journal.append(bytes('y'))).to.throw(/JOURNAL_DISK_FULL/);
  });

  it('a failed flush is never tried again, and those who queued behind it hear of it', async () => {
    const files = new FaultyFiles();
    const journal = openJournal({ path, files });
    files.failures.push('EIO');
    journal.append(bytes('a'));
    const first = journal.flush();
    await Promise.resolve();
    await Promise.resolve();
    journal.append(bytes('b'));
    const second = journal.flush();
    expect(await code(first)).to.equal('JOURNAL_FLUSH_FAILED');
    expect(await code(second)).to.equal('JOURNAL_FLUSH_FAILED');
    expect(files.flushes).to.deep.equal([]);
  });

  it('a torn tail is cut, kept aside, and reported until the log is rewritten', async () => {
    const files = new FaultyFiles();
    await written(files, 'a', 'b');
    const whole = files.read(path) as Uint8Array;
    files.put(path, whole.slice(0, whole.length - 1));
    const journal = openJournal({ path, files });
    expect(journal.recover()).to.deep.equal({ records: [bytes('a')], torn: true, missing: false });
    journal.append(bytes('c'));
    await journal.flush();
    files.crash();
    const again = openJournal({ path, files });
    expect(again.recover()).to.deep.equal({ records: [bytes('a'), bytes('c')], torn: true, missing: false });
    await again.rewrite([bytes('d')]);
    files.crash();
    expect(openJournal({ path, files }).recover()).to.deep.equal({ records: [bytes('d')], torn: false, missing: false });
  });

  it('any damage to any byte loses a suffix and never invents or reorders a record', async () => {
    const files = new FaultyFiles();
    const records = ['one', 'two', '', 'four', 'five'];
    await written(files, ...records);
    const whole = files.read(path) as Uint8Array;
    fc.assert(fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const damaged = whole.slice();
      damaged[at] = (damaged[at] as number) ^ flip;
      files.put(path, damaged);
      const found = openJournal({ path, files }).recover();
      expect(found.torn).to.equal(true);
      expect(found.records).to.deep.equal(records.slice(0, found.records.length).map(bytes));
    }));
  });

  it('a crash at any byte of a flush keeps the earlier records and reports the tear', async () => {
    for (let keep = 0; keep < 30; keep++) {
      const files = new FaultyFiles();
      await written(files, 'first');
      const journal = openJournal({ path, files });
      files.failures.push('EIO');
      journal.append(bytes('second'));
      await code(journal.flush());
      files.crash(keep);
      const { records, torn } = openJournal({ path, files }).recover();
      expect(records.length, `${keep} bytes`).to.equal(keep >= 14 ? 2 : 1);
      expect(torn, `${keep} bytes`).to.equal(keep > 0 && keep < 14);
    }
  });

  it('a crash before the rename leaves the old log', async () => {
    const files = new FaultyFiles();
    await written(files, 'old');
    const journal = openJournal({ path, files });
    files.failures.push('EIO');
    expect(await code(journal.rewrite([bytes('new')]))).to.equal('JOURNAL_FLUSH_FAILED');
    files.crash();
    const again = openJournal({ path, files });
    expect(again.recover().records).to.deep.equal([bytes('old')]);
    expect(files.read(`${path}.next`)).to.equal(undefined);
  });

  it('refuses records above the limit', () => {
    const journal = openJournal({ path, files: new FaultyFiles() });
    expect(() => journal.append(new Uint8Array(8 * 1024 * 1024 + 1))).to.throw(/JOURNAL_RECORD_TOO_LARGE/);
  });
});

describe('journal on the real disk', () => {
  it('a file cut by hand is torn, and a rewrite leaves one file', async () => {
    const at = join(folder(), 'log');
    const journal = openJournal({ path: at });
    journal.append(bytes('a'));
    journal.append(bytes('b'));
    await journal.close();
    writeFileSync(at, readFileSync(at).subarray(0, statSync(at).size - 1));
    const torn = openJournal({ path: at });
    expect(torn.recover()).to.include({ torn: true, missing: false });
    await torn.rewrite([bytes('z')]);
    await torn.close();
    expect(openJournal({ path: at }).recover().torn).to.equal(false);
    expect(readdirSync(dirname(at))).to.deep.equal(['log']);
  });

  it('one process per data folder', () => {
    const at = folder();
    const lock = lockFolder(at);
    expect(() => lockFolder(at)).to.throw(/STORAGE_FOLDER_IN_USE.*pid/);
    lock.release();
    lockFolder(at).release();
  });
});
