import { expect } from 'chai';
import { ZERO_HASH } from '../../protocol/types/index.ts';
import { checkAppends, type Txn } from './checkers/append.ts';
import { ChainChecker } from './checkers/chain.ts';
import { excludes } from './checkers/certificates.ts';
import { ClientChecker } from './checkers/clients.ts';
import { checkLinear, type Operation } from './checkers/linear.ts';
import { SnapshotChecker } from './checkers/snapshots.ts';
import { encodeCommand, pathOf, type TestCommand } from './commands.ts';
import type { Version } from './ledger.ts';

/** Reads are `k=ab`, appends `k+c`; keys and tokens are single letters. */
function txn(id: string, invokeMs: number, completeMs: number, ops: string, status: Txn['status'] = 'ok'): Txn {
  const reads = new Map<string, string[]>();
  const appends = new Map<string, string[]>();
  for (const op of ops.split(' ').filter((each) => each !== '')) {
    const [key, rest] = [op.charAt(0), [...op.slice(2)]];
    if (op.charAt(1) === '=') reads.set(key, rest);
    else appends.set(key, rest);
  }
  return { id, status, invokeMs, completeMs, reads, appends };
}

const names = (history: readonly Txn[]): string[] => checkAppends(history).map(({ name }) => name);

describe('simulation: the judges themselves', () => {
  describe('list-append histories', () => {
    it('a serial history is clean', () => {
      expect(names([txn('1', 0, 1, 'x= x+a'), txn('2', 2, 3, 'x=a x+b y= y+p'), txn('3', 4, 5, 'x=ab y=p')])).to.deep.equal([]);
    });

    const bad: readonly (readonly [string, readonly Txn[]])[] = [
      ['G0', [txn('1', 0, 9, 'x+a y+b'), txn('2', 0, 9, 'x+c y+d'), txn('3', 10, 11, 'x=ac y=db')]],
      ['G1a', [txn('1', 0, 1, 'x+a', 'fail'), txn('2', 2, 3, 'x=a')]],
      ['G1b', [txn('1', 0, 9, 'x+ab'), txn('2', 0, 9, 'x=a')]],
      ['G1c', [txn('1', 0, 9, 'x+a y=b'), txn('2', 0, 9, 'y+b x=a')]],
      ['G-single', [txn('1', 0, 9, 'x+a y+b'), txn('2', 0, 9, 'x=a y='), txn('3', 10, 11, 'y=b')]],
      ['G2', [txn('1', 0, 9, 'x= y= x+a'), txn('2', 0, 9, 'x= y= y+b'), txn('3', 10, 11, 'x=a y=b')]],
      ['G0-realtime', [txn('1', 0, 1, 'x+a'), txn('2', 2, 3, 'x+b'), txn('3', 0, 9, 'x=ba')]],
      ['G1c-realtime', [txn('1', 5, 6, 'x+a'), txn('2', 0, 1, 'x=a')]],
      ['G-single-realtime', [txn('1', 0, 1, 'x+a'), txn('2', 2, 3, 'x='), txn('3', 4, 5, 'x=a')]],
      ['G2-realtime', [txn('1', 0, 9, 'x= x+a'), txn('2', 0, 1, 'x= y= '), txn('3', 2, 9, 'y+b z= '), txn('4', 0, 1, 'z+c'), txn('5', 10, 11, 'x=a y=b z=c')]],
      ['incompatible-order', [txn('1', 0, 9, 'x=ab'), txn('2', 0, 9, 'x=ba')]],
      ['duplicate', [txn('1', 0, 9, 'x=aa')]],
    ];
    for (const [name, history] of bad) {
      it(`finds ${name}`, () => expect(names(history)[0]).to.satisfy((found: string) => found === name || (name === 'G2-realtime' && found === 'G-single-realtime')));
    }

    it('an indeterminate append may be seen or not, a failed one never', () => {
      expect(names([txn('1', 0, Infinity, 'x+a', 'info'), txn('2', 5, 6, 'x=a')])).to.deep.equal([]);
      expect(names([txn('1', 0, Infinity, 'x+a', 'info'), txn('2', 5, 6, 'x=')])).to.deep.equal([]);
    });
  });

  describe('linearizability of one key', () => {
    const op = (kind: 'read' | 'cas', expectValue: string | null, set: string | null, invokeMs: number, completeMs: number): Operation => ({
      id: `${kind}${invokeMs}`, kind, expect: expectValue, set, invokeMs, completeMs,
    });

    it('overlapping operations may go in any order', () => {
      expect(checkLinear([op('cas', null, 'a', 0, 10), op('read', null, null, 1, 9), op('read', 'a', null, 2, 3), op('cas', 'a', 'b', 4, 12)])).to.equal('linearizable');
    });

    it('a stale read, two winners of one swap, and a lost write are broken', () => {
      expect(checkLinear([op('cas', null, 'a', 0, 1), op('read', null, null, 2, 3)])).to.equal('broken');
      expect(checkLinear([op('cas', null, 'a', 0, 9), op('cas', null, 'b', 0, 9)])).to.equal('broken');
      expect(checkLinear([op('cas', null, 'a', 0, 1), op('cas', 'a', 'b', 2, 3), op('read', 'a', null, 4, 5)])).to.equal('broken');
    });

    it('an operation without an answer may happen late or never', () => {
      expect(checkLinear([op('cas', null, 'a', 0, Infinity), op('read', null, null, 5, 6), op('read', 'a', null, 7, 8)])).to.equal('linearizable');
      expect(checkLinear([op('cas', null, 'a', 0, Infinity), op('read', 'a', null, 5, 6), op('read', null, null, 7, 8)])).to.equal('broken');
    });

    it('says that it does not know rather than search for ever', () => {
      const many = Array.from({ length: 40 }, (_, i) => op('cas', `${i % 2}`, `${(i + 1) % 2}`, 0, 100));
      expect(checkLinear([op('cas', null, '0', 0, 100), ...many, op('read', 'never', null, 0, 100)])).to.equal('unknown');
    });
  });

  describe('state', () => {
    const command = (items: TestCommand['items'], more: Partial<TestCommand> = {}): ReturnType<typeof encodeCommand> => encodeCommand({
      client: 'c', nonce: items.length, salt: 0, items, removes: [], sets: {}, unique: null, invalid: false, hidden: null, classicOnly: false,
      notAfter: '1000', ...more,
    });
    const judged = (act: (chain: ChainChecker, found: string[]) => void): string[] => {
      const found: string[] = [];
      act(new ChainChecker((name) => found.push(name)), found);
      return found;
    };
    type Run = readonly [id: string, ts: bigint, command: ReturnType<typeof command>, outcome: string];
    const block = (height: bigint, closeTs: bigint, ...entries: readonly Run[]): never => ({
      epoch: 1n, height, blockHash: `b${height}`, closeTs, encoded: new Uint8Array(),
      entries: entries.map(([id, ts, each, outcome]) => ({ id, ts, command: each, outcome, certView: null })),
    } as never);

    it('two blocks at one height, an entry below a closed timestamp, a command nobody sent', () => {
      expect(judged((chain) => {
        chain.committed(0, block(1n, 0n));
        chain.committed(1, { ...block(1n, 0n) as object, blockHash: 'other' } as never);
      })).to.deep.equal(['agreement']);
      expect(judged((chain) => {
        const late = command([[pathOf('La'), ZERO_HASH, 'W']]);
        chain.submit(late.id);
        chain.committed(0, block(1n, 50n));
        chain.committed(0, block(2n, 50n, ['e', 40n, late, 'applied']));
      })).to.deep.equal(['closed']);
      expect(judged((chain) => chain.committed(0, block(1n, 0n, ['e', 5n, command([]), 'applied'])))).to.deep.equal(['forged']);
    });

    it('an applied entry on a replaced version, a hidden write, a second owner of a unique value', () => {
      const first = command([[pathOf('La'), ZERO_HASH, 'W']]);
      const second = command([[pathOf('La'), ZERO_HASH, 'W']], { salt: 1, nonce: 9 });
      expect(judged((chain) => {
        [first, second].forEach(({ id }) => chain.submit(id));
        chain.committed(0, block(1n, 0n, ['e', 5n, first, 'applied'], ['f', 6n, second, 'applied']));
      })).to.deep.equal(['execution']);
      const hidden = command([[pathOf('La'), ZERO_HASH, 'W']], { hidden: pathOf('Lb') });
      expect(judged((chain) => {
        chain.submit(hidden.id);
        chain.committed(0, block(1n, 0n, ['e', 5n, hidden, 'applied']));
      })).to.deep.equal(['footprint', 'execution']);
      const owner = (row: string, nonce: number, version: string): ReturnType<typeof command> =>
        command([[pathOf(row), ZERO_HASH, 'W'], [pathOf('U0'), version, 'W']], { nonce, unique: pathOf('U0'), sets: { [pathOf('U0')]: row } });
      expect(judged((chain) => {
        const [a, b] = [owner('Ra', 1, ZERO_HASH), owner('Rb', 2, 'e')];
        [a, b].forEach(({ id }) => chain.submit(id));
        chain.committed(0, block(1n, 0n, ['e', 5n, a, 'applied'], ['f', 6n, b, 'applied']));
      })).to.deep.equal(['unique']);
    });

    it('a final entry that a later block makes impossible', () => {
      const found: string[] = [];
      const chain = new ChainChecker((name) => found.push(name));
      const clients = new ClientChecker((name) => found.push(name), chain);
      const first = command([[pathOf('La'), ZERO_HASH, 'W']], { nonce: 6 });
      const winner = command([[pathOf('La'), 'd', 'W']], { nonce: 7 });
      const loser = command([[pathOf('La'), 'd', 'W']], { nonce: 8 });
      [first, winner].forEach(({ id }) => chain.submit(id));
      (clients as unknown as { unswept: Set<unknown> }).unswept.add({ command: loser, entry: 'e', ts: 4n, outcome: 'applied', fast: true, atMs: 0 });
      const made = block(1n, 0n, ['d', 3n, first, 'applied'], ['f', 5n, winner, 'applied']) as { entries: never };
      chain.committed(0, made as never);
      clients.afterCommit(made as never);
      expect(found).to.deep.equal(['undone']);
    });

    it('a snapshot that changed after it was served, and money that appeared', () => {
      const found: string[] = [];
      const chain = new ChainChecker((name) => found.push(name));
      const snapshots = new SnapshotChecker((name) => found.push(name), chain);
      const version = (value: string): Version => ({ ts: 1n as never, version: 'e' as never, value: [value] });
      snapshots.take(0, 10n, new Map([[pathOf('La'), version('x')]]));
      snapshots.end([]);
      expect(found).to.deep.equal(['snapshot']);
      found.length = 0;
      const paid = command([[pathOf('A0'), ZERO_HASH, 'W']]);
      const richer = new SnapshotChecker((name) => found.push(name), chain);
      richer.take(0, 10n, new Map([[pathOf('A0'), version('120')]]));
      richer.end([{ id: 'e', ts: 1n as never, command: paid }]);
      expect(found).to.deep.equal(['money']);
    });

    it('readers and writers of one version exclude each other by time', () => {
      const use = (mode: string, ts: bigint): Parameters<typeof excludes>[0] => ({ mode, entry: { id: 'e', ts, command: command([]) } as never });
      expect(excludes(use('R', 1n), use('R', 2n))).to.equal(false);
      expect(excludes(use('R', 1n), use('W', 2n))).to.equal(false);
      expect(excludes(use('R', 2n), use('W', 2n))).to.equal(true);
      expect(excludes(use('W', 1n), use('W', 2n))).to.equal(true);
    });
  });
});
