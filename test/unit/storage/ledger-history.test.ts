import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import { installNativeCrypto } from '../../../node/crypto/index.ts';
import { openLedger, openSqlPool, type SqlLedger } from '../../../node/storage/index.ts';
import { contentHashOf, keyHashOf, pathOf, rowHashOf, type EntryRef } from '../../../protocol/rows/index.ts';
import { verifyProof } from '../../../protocol/state-tree/index.ts';
import { ZERO_HASH, type Hash32 } from '../../../protocol/types/index.ts';
import { domain, genesis, group, World, type Made } from '../../conformance/ledger-world.ts';
import { at, scratchFolder } from './fixture.ts';

const ddl = ['CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER)', 'CREATE INDEX by_size ON item (size)'];
const certificate = new Uint8Array([1]);
const open = (path: string, historyMs?: number): SqlLedger =>
  openLedger({ path, group, domain, genesis, ...(historyMs === undefined ? {} : { historyMs }) });

before(() => installNativeCrypto());

type Step =
  | { readonly kind: 'put' | 'abort'; readonly id: number; readonly size: number }
  | { readonly kind: 'remove'; readonly id: number }
  | { readonly kind: 'block'; readonly lag: number; readonly checkpoint: boolean; readonly certify: boolean; readonly reopen: boolean };

const id = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), id, size: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), id, size: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('block' as const), lag: fc.nat(4), checkpoint: fc.boolean(), certify: fc.boolean(), reopen: fc.boolean() }),
  },
);

describe('ledger under any history', () => {
  it('P-5.3.2-mvcc, P-5.3.2-time-travel: roots and AS OF equal the reference fold, over restarts and pruned checkpoints', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const path = join(scratchFolder(), 'group.sqlite');
      const world = new World();
      let ledger = open(path);
      let ms = 10;
      let closed = 10;
      let made: Made[] = [world.create(ddl, ms)];
      for (const s of [...steps, { kind: 'block', lag: 0, checkpoint: true, certify: false, reopen: false } as const]) {
        ms += 1;
        if (s.kind === 'remove') {
          if (world.keys.has(pathOf(world.database, 'item', '', [BigInt(s.id)]))) made.push(world.remove('item', [BigInt(s.id)], ms));
        } else if (s.kind !== 'block') {
          const row = world.putOf('item', { id: s.id, name: s.size === 0 ? null : `n${s.id}`, size: s.size });
          made.push(s.kind === 'put' ? world.write([row], ms) : world.abort([row], ms, s.size < 5 ? at(ms + s.size) : undefined));
        } else {
          closed = Math.max(closed, ms - s.lag);
          ledger.apply(world.block(made, closed));
          made = [];
          if (s.checkpoint) expect(ledger.commitment(world.height)).to.deep.equal(world.commitment(closed));
          if (s.checkpoint && s.certify) ledger.certify(world.height, certificate);
          if (s.reopen) {
            ledger.close();
            ledger = open(path);
          }
          ms = Math.max(ms, closed);
        }
      }
      const pool = openSqlPool({ path, workers: 1 });
      for (const moment of [10, Math.ceil((10 + closed) / 2), closed]) {
        const { rows } = await pool.query({ database: world.database, sql: 'SELECT * FROM item ORDER BY id', asOf: at(moment) });
        expect(rows).to.deep.equal(world.rowsAt('item', moment));
      }
      await pool.close();
      ledger.close();
    }), { numRuns: 10 });
  }).timeout(20_000);

  it('a group that certifies nothing keeps a bounded number of roots, and finds the last one after a restart', () => {
    const path = join(scratchFolder(), 'group.sqlite');
    let ledger = open(path);
    const world = new World();
    ledger.apply(world.block([world.create(ddl, 10)], 10));
    ledger.commitment(1n);
    for (let ms = 20; ms < 100; ms++) {
      ledger.apply(world.block([world.write([world.putOf('item', { id: ms % 7, name: null, size: ms })], ms, at(ms + 3))], ms));
      ledger.commitment(world.height);
    }
    expect(() => ledger.readAt(2n, ZERO_HASH)).to.throw(/LEDGER_UNKNOWN_CHECKPOINT/);
    ledger.close();
    ledger = open(path);
    expect(ledger.commitment(world.height)).to.deep.equal(world.commitment(99));
    expect(ledger.readAt(world.height - 60n, ZERO_HASH).kind).to.equal('absent');
    ledger.close();
  });

  it('a query sees the schema of its moment: dropped tables and missing columns too', async () => {
    const path = join(scratchFolder(), 'group.sqlite');
    const ledger = open(path);
    const world = new World();
    ledger.apply(world.block([world.create(ddl, 10), world.put('item', { id: 1, name: 'a', size: 1 }, 20)], 20));
    const altered = world.ddl(["ALTER TABLE item ADD COLUMN colour TEXT DEFAULT 'it''s red'"], 30);
    ledger.apply(world.block([altered, world.put('item', { id: 2, name: 'b', size: 2, colour: 'blue' }, 31)], 40));
    ledger.apply(world.block([world.ddl(['DROP TABLE item'], 50)], 60));
    ledger.apply(world.block([world.ddl(['CREATE TABLE item (code TEXT PRIMARY KEY)'], 70), world.put('item', { code: 'x' }, 71)], 80));
    const pool = openSqlPool({ path, workers: 1 });
    const all = (ms: number): Promise<unknown> => pool.query({ database: world.database, sql: 'SELECT * FROM item', asOf: at(ms) })
      .then(({ rows }) => rows, (error: { code: string }) => error.code);
    expect(await all(20)).to.deep.equal([[1n, 'a', 1n]]);
    expect(await all(40)).to.deep.equal([[1n, 'a', 1n, "it's red"], [2n, 'b', 2n, 'blue']]);
    expect(await all(60)).to.equal('SQL_REFUSED');
    expect(await all(80)).to.deep.equal([['x']]);
    await pool.close();
    ledger.close();
  });

  it('history ends where it was told to, and AS OF says so', async () => {
    const path = join(scratchFolder(), 'group.sqlite');
    const ledger = open(path, 100);
    const world = new World();
    ledger.apply(world.block([world.create(ddl, 10)], 10));
    for (let ms = 20; ms <= 400; ms += 20) {
      ledger.apply(world.block([world.put('item', { id: 1, name: `v${ms}`, size: ms }, ms)], ms));
      ledger.commitment(world.height);
      ledger.certify(world.height, certificate);
    }
    const { historyFrom } = ledger.position();
    expect(historyFrom).to.be.at.most(at(300)).and.to.be.above(at(200));
    const pool = openSqlPool({ path, workers: 1 });
    const name = (ms: number): Promise<unknown> => pool.query({ database: world.database, sql: 'SELECT name FROM item', asOf: at(ms) })
      .then(({ rows }) => rows[0]?.[0], (error: { code: string }) => error.code);
    expect(await name(399)).to.equal('v380');
    expect(await name(300)).to.equal('v300');
    expect(await name(100)).to.equal('SQL_HISTORY_GONE');
    await pool.close();
    expect(ledger.blockAt(2n)).to.equal(undefined);
    expect(ledger.blockAt(world.height)).to.not.equal(undefined);
    ledger.close();
    const file = new Database(path, { readonly: true });
    const count = (sql: string): number => file.prepare<[], number>(sql).pluck().get() as number;
    expect(count('SELECT count(*) FROM h3')).to.be.below(12);
    // nonces live as long as their transactions could: one per transaction, plus the rows' own entries
    expect(count('SELECT count(*) FROM entries WHERE refs <= 0')).to.equal(0);
    expect(count('SELECT count(*) FROM pending')).to.equal(0);
    expect(count('SELECT count(*) FROM old_leaves')).to.be.below(40);
    file.close();
  });
});

describe('ledger and the tails of its checkpoints', () => {
  it('U-2: a checkpoint that is fetched keeps the blocks whose entries it has not closed, however short the history', () => {
    const ledger = open(join(scratchFolder(), 'group.sqlite'), 1);
    const world = new World();
    ledger.apply(world.block([world.create(ddl, 10)], 10));
    // time closes 50 ms behind the entries: five blocks stand between a timestamp and its end
    const advance = (ms: number): void => {
      ledger.apply(world.block([world.put('item', { id: ms % 7, name: null, size: ms }, ms)], ms - 50));
      ledger.commitment(world.height);
      ledger.certify(world.height, certificate);
    };
    for (let ms = 100; ms < 300; ms += 10) advance(ms);
    const fetched = world.height;
    for (let ms = 300; ms < 600; ms += 10) {
      ledger.exportChunk(fetched, null, 1_000);
      advance(ms);
    }
    for (let down = 0n; down <= 5n; down++) expect(ledger.blockAt(fetched - down), `${down} below`).to.not.equal(undefined);
    expect(ledger.blockAt(fetched - 6n), 'closed altogether').to.equal(undefined);
    ledger.close();
  });
});

describe('ledger and damaged storage', () => {
  function damaged(change: (file: Database.Database, world: World) => void): { kind: string; rowHash?: Hash32; proven: Hash32 | undefined } {
    const path = join(scratchFolder(), 'group.sqlite');
    const world = new World();
    const first = open(path);
    first.apply(world.block([world.create(ddl, 10), world.put('item', { id: 1, name: 'a', size: 5 }, 20)], 30));
    const { stateRoot } = first.commitment(1n);
    first.certify(1n, certificate);
    first.close();
    const file = new Database(path);
    change(file, world);
    file.close();
    const ledger = open(path);
    const row = pathOf(world.database, 'item', '', [1n]);
    const answer = ledger.readAt(1n, row);
    const proof = answer.kind === 'unavailable' ? undefined : verifyProof(stateRoot, row, answer.proof);
    ledger.close();
    const proven = proof?.kind === 'present' ? proof.rowHash : undefined;
    return answer.kind === 'present' ? { kind: answer.kind, rowHash: answer.stored.rowHash, proven } : { kind: answer.kind, proven };
  }

  it('bit rot is noticed before anything is signed: unavailable', () => {
    expect(damaged((file) => file.exec('UPDATE t3 SET c2 = 6')).kind).to.equal('unavailable');
    expect(damaged((file) => file.exec("UPDATE t3 SET c1 = 'A'")).kind).to.equal('unavailable');
    expect(damaged((file) => file.exec('DELETE FROM t3')).kind).to.equal('unavailable');
    expect(damaged((file) => file.exec("UPDATE entries SET ts = zeroblob(12)")).kind).to.equal('unavailable');
  });

  it('P-6.1-ppoq: a row altered together with its checksum is answered as it stands, and contradicts the root', () => {
    const honest = damaged(() => undefined);
    expect(honest.rowHash).to.equal(honest.proven);
    const lie = damaged((file, world) => {
      const by = world.keys.get(pathOf(world.database, 'item', '', [1n]))?.by as EntryRef;
      const hash = rowHashOf(by, keyHashOf([1n]), contentHashOf([1n, 'a', 6n]));
      file.exec(`UPDATE t3 SET c2 = 6, _checksum = ${BigInt(hash.slice(0, 10))}`);
    });
    expect(lie.kind).to.equal('present');
    expect(lie.rowHash).to.not.equal(lie.proven);
    expect(lie.proven).to.equal(honest.proven);
  });
});
