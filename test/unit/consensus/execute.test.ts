import { expect } from 'chai';
import type { BlockEntry } from '../../../protocol/consensus/index.ts';
import { execute } from '../../../protocol/consensus/execute.ts';
import type { EntryId, KeyVersion, Path, Timestamp } from '../../../protocol/types/index.ts';
import { command, entry, fakeState, hash, NOTHING, replica, ts } from './fixtures.ts';

const block = (...entries: ReturnType<typeof entry>[]): BlockEntry[] => entries.map((each) => ({ ...each, certView: null }));
const at = (version: EntryId, writtenAt: number, readAt = 0): KeyVersion => ({ version, writtenAt: ts(writtenAt), readAt: ts(readAt) });

describe('consensus: execution (CON-3, CON-4)', () => {
  it('applies what names current versions, and the next entry sees it', () => {
    const of = replica();
    const first = entry(command('a', [['x', NOTHING, 'W']]), 10);
    const second = entry(command('b', [['x', first.id, 'W']]), 11);
    expect(execute(of, of.tip.hash, block(first, second)).outcomes).to.deep.equal(['applied', 'applied']);
  });

  it('P-5.2.1-conflict: the second writer of one version aborts and its nonce is gone', () => {
    const of = replica();
    const [a, b] = [entry(command('a', [['x', NOTHING, 'W']]), 10), entry(command('b', [['x', NOTHING, 'W']]), 11)];
    const { outcomes, writes } = execute(of, of.tip.hash, block(a, b));
    expect(outcomes).to.deep.equal(['applied', 'aborted']);
    expect(writes.get(b.command.noncePath)?.version).to.equal(b.id);
    expect(writes.get(hash('x') as Path)?.version).to.equal(a.id);
  });

  it('a command runs once, whatever entry brings it', () => {
    const of = replica();
    const cmd = command('a', [['x', NOTHING, 'R']]);
    expect(execute(of, of.tip.hash, block(entry(cmd, 10), entry(cmd, 11), entry(cmd, 10))).outcomes).to.deep.equal(['applied', 'skipped', 'skipped']);
  });

  it('two commands with one nonce: the first wins', () => {
    const of = replica();
    const one = entry(command('a', [['x', NOTHING, 'W']], { nonce: 'n' }), 10);
    const two = entry(command('b', [['y', NOTHING, 'W']], { nonce: 'n' }), 11);
    expect(execute(of, of.tip.hash, block(one, two)).outcomes).to.deep.equal(['applied', 'skipped']);
  });

  it('late entries leave no trace', () => {
    const of = replica();
    of.tip = { ...of.tip, closeTs: ts(10) };
    const { outcomes, writes, consumed } = execute(of, of.tip.hash, block(entry(command('a', [['x', NOTHING, 'W']]), 10)));
    expect(outcomes).to.deep.equal(['skipped']);
    expect([writes.size, consumed.length]).to.deep.equal([0, 0]);
  });

  it('timestamps order readers before the writer that replaces what they read', () => {
    const state = fakeState();
    state.keys.set(hash('x') as Path, at(hash('v') as unknown as EntryId, 5, 20));
    const of = replica(state);
    const version = hash('v') as unknown as EntryId;
    expect(execute(of, of.tip.hash, block(entry(command('w', [['x', version, 'W']]), 20))).outcomes, 'not above the read').to.deep.equal(['aborted']);
    expect(execute(of, of.tip.hash, block(entry(command('w', [['x', version, 'W']]), 21))).outcomes).to.deep.equal(['applied']);
    expect(execute(of, of.tip.hash, block(entry(command('r', [['x', version, 'R']]), 6))).outcomes).to.deep.equal(['applied']);
    expect(execute(of, of.tip.hash, block(entry(command('r', [['x', version, 'R']]), 5))).outcomes, 'not above the write').to.deep.equal(['aborted']);
  });

  it('a removed key is absent again, and its times still count', () => {
    const state = fakeState();
    state.removed.add(hash('x') as Path);
    const of = replica(state);
    const remove = entry(command('a', [['x', NOTHING, 'W']]), 10);
    const early = entry(command('b', [['x', NOTHING, 'W']]), 9);
    const later = entry(command('c', [['x', NOTHING, 'W']]), 11);
    expect(execute(of, of.tip.hash, block(remove, early, later)).outcomes).to.deep.equal(['applied', 'aborted', 'applied']);
  });

  it('an expired command and one with an invalid body abort', () => {
    const state = fakeState();
    const of = replica(state);
    const invalid = entry(command('bad', [['x', NOTHING, 'W']]), 10);
    state.invalid.add(invalid.command.id);
    const expired = entry(command('old', [['y', NOTHING, 'W']], { notAfter: ts(5) as Timestamp }), 6);
    expect(execute(of, of.tip.hash, block(invalid, expired)).outcomes).to.deep.equal(['aborted', 'aborted']);
  });
});
