import { expect } from 'chai';
import { limits } from '../../protocol/limits/index.ts';
import { contentHashOf, keyHashOf, nonceRef, pathOf, pathRange, rowHashOf, schemaPath, verifyRowProof } from '../../protocol/rows/index.ts';
import { verifyProof, verifyRange } from '../../protocol/state-tree/index.ts';
import { ZERO_HASH, type Command, type EntryId, type Path } from '../../protocol/types/index.ts';
import type { SqlLedger } from '../../node/storage/index.ts';
import { at, domain, genesis, World, type Made } from './ledger-world.ts';

export interface LedgerBench {
  open(): SqlLedger;
  /** Closes and opens again what outlives the ledger. */
  reopen?(ledger: SqlLedger): SqlLedger;
}

const ddl = [
  'CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE, balance INTEGER NOT NULL DEFAULT 0)',
  'CREATE TABLE note (author TEXT, day INTEGER, body BLOB, account INTEGER REFERENCES account (id), PRIMARY KEY (author, day))',
  'CREATE INDEX by_balance ON account (balance)',
];
const none = (): undefined => undefined;
const certificate = new TextEncoder().encode('certificate');

/** What every adapter of the Ledger port promises. */
export function ledgerConformance(name: string, make: () => LedgerBench): void {
  describe(`ledger port: ${name}`, () => {
    let bench: LedgerBench;
    let ledger: SqlLedger;
    let world: World;
    beforeEach(() => {
      bench = make();
      ledger = bench.open();
      world = new World();
    });
    afterEach(() => ledger.close());

    const started = (): void => {
      ledger.apply(world.block([world.create(ddl, 10)], 10));
      ledger.apply(world.block([1, 2, 3].map((id) => world.put('account', { id, owner: `owner ${id}`, balance: 10 * id }, 20 + id)), 30));
    };
    const pathOfKey = (table: string, ...key: (bigint | string)[]): Path => pathOf(world.database, table, '', key);

    it('starts at genesis and takes blocks in order', () => {
      expect(ledger.position()).to.include(genesis);
      started();
      expect(ledger.position()).to.include({ height: 2n, closeTs: at(30), maxTs: at(23) });
      expect(new TextDecoder().decode(ledger.blockAt(2n))).to.equal('block 2');
      expect(ledger.blockAt(9n)).to.equal(undefined);
      world.height = 7n;
      expect(() => ledger.apply(world.block([], 40))).to.throw(/ledger-blocks-in-order/);
    });

    it('knows the version of every key: rows, unique keys, counters, nonces, the schema', () => {
      started();
      for (const [path, { by }] of world.keys) {
        expect(ledger.versionOf(path), path).to.deep.equal({ version: by.entryId, writtenAt: by.ts, readAt: 0n });
      }
      expect(ledger.versionOf(nonceRef(world.database, world.metadata.owner, 0n).path)?.writtenAt).to.equal(at(10));
      expect(ledger.versionOf(pathOfKey('account', 99n))).to.equal(undefined);
      expect(ledger.schema(world.database)).to.deep.equal(world.schema);
      expect(ledger.metadata(world.database)).to.deep.equal(world.metadata);
    });

    it('remembers reads and removals above the closed timestamp, and forgets them below', () => {
      started();
      const made = [world.put('note', { author: 'ada', day: 1, account: 2 }, 45), world.remove('account', [1n], 46)];
      ledger.apply(world.block(made, 40));
      expect(ledger.versionOf(pathOfKey('account', 2n))?.readAt).to.equal(at(45));
      expect(ledger.versionOf(schemaPath(world.database))?.readAt).to.equal(at(46));
      expect(ledger.versionOf(pathOfKey('account', 1n))).to.deep.equal({ version: ZERO_HASH, writtenAt: at(46), readAt: 0n });
      ledger.apply(world.block([], 46));
      expect(ledger.versionOf(pathOfKey('account', 2n))?.readAt).to.equal(0n);
      expect(ledger.versionOf(pathOfKey('account', 1n))).to.equal(undefined);
    });

    it('an aborted entry consumes its nonce and nothing else', () => {
      started();
      const made = world.abort([world.putOf('account', { id: 1, owner: 'thief' })], 35);
      ledger.apply(world.block([made], 40));
      expect(ledger.versionOf(made.command.noncePath)?.version).to.equal(made.entry.entryId);
      expect(ledger.versionOf(pathOfKey('account', 1n))?.version).to.equal(world.keys.get(pathOfKey('account', 1n))?.by.entryId);
      expect(ledger.commitment(3n)).to.deep.equal(world.commitment(40));
    });

    it('P-6-signed-ops: judges commands by their bytes and the versions they name', () => {
      started();
      const { command } = world.sign([world.putOf('account', { id: 4, owner: 'new' })], at(40));
      expect(ledger.check(command, none)).to.equal('valid');
      expect(ledger.check({ ...command, client: `0x${'00'.repeat(20)}` as Command['client'] }, none)).to.equal('invalid');
      expect(ledger.check({ ...command, items: command.items.slice(1) }, none)).to.equal('invalid');
      const forged = command.bytes.slice();
      forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
      expect(ledger.check({ ...command, bytes: forged }, none)).to.equal('invalid');
      const { database, schema, keys } = world;
      const stranger = Object.assign(new World(2), { database, schema, keys });
      expect(ledger.check(stranger.sign([world.putOf('account', { id: 9, owner: 'x' })], at(40)).command, none)).to.equal('invalid');
    });

    it('resolves what is pending: a database, its schema and a row of it in one block', () => {
      const made = [world.create(ddl, 10), world.put('account', { id: 1, owner: 'a' }, 11), world.put('account', { id: 1, owner: 'b' }, 12)];
      const pending = (id: EntryId): Command | undefined => made.find(({ entry }) => entry.entryId === id)?.command;
      expect(made.map(({ command }) => ledger.check(command, pending))).to.deep.equal(['valid', 'valid', 'valid']);
      expect(made.slice(1).map(({ command }) => ledger.check(command, none))).to.deep.equal(['unresolved', 'unresolved']);
      ledger.apply(world.block(made, 20));
      expect(ledger.commitment(1n)).to.deep.equal(world.commitment(20));
    });

    it('says which keys a command leaves absent', () => {
      started();
      const { command } = world.sign([{ kind: 'remove', table: 'account', key: [2n] }], at(40));
      const owner = pathOf(world.database, 'account', uniqueIndex(world), ['owner 2']);
      expect(ledger.removes(command, none)).to.have.members([pathOfKey('account', 2n), owner]);
      const update = world.sign([world.putOf('account', { id: 2, owner: 'owner 2', balance: 7 })], at(41));
      expect(ledger.removes(update.command, none)).to.deep.equal([]);
    });

    it('a checkpoint is the state at its closed timestamp: later entries are in SQL, not in the root', () => {
      started();
      expect(ledger.commitment(2n)).to.deep.equal(world.commitment(30));
      const made = [
        world.put('account', { id: 1, owner: 'owner 1', balance: 99 }, 45), world.remove('account', [2n], 38),
        world.put('account', { id: 3, owner: 'c' }, 60),
      ];
      ledger.apply(world.block(made, 50));
      ledger.apply(world.block([world.put('account', { id: 2, owner: 'back' }, 70)], 55));
      const expected = world.commitment(50);
      expect(ledger.commitment(3n), 'asked late').to.deep.equal(expected);
      expect(ledger.commitment(3n), 'asked again').to.deep.equal(expected);
      expect(ledger.commitment(4n)).to.deep.equal(world.commitment(55));
      ledger.apply(world.block([], 80));
      expect(ledger.commitment(5n)).to.deep.equal(world.commitment(80));
    });

    it('DATA-26: nonces leave the state some time after their transaction can no longer execute', () => {
      started();
      const made = world.write([world.putOf('account', { id: 4, owner: 'short' })], 40, at(60));
      ledger.apply(world.block([made], 50));
      expect(ledger.commitment(3n)).to.deep.equal(world.commitment(50));
      expect(ledger.versionOf(made.command.noncePath)).to.not.equal(undefined);
      const last = 60 + limits.nonceGraceMs;
      ledger.apply(world.block([], last));
      expect(ledger.versionOf(made.command.noncePath), 'its writer can still ask').to.not.equal(undefined);
      expect(ledger.commitment(4n).rowCount).to.equal(world.commitment(50).rowCount);
      ledger.apply(world.block([], last + 1));
      expect(ledger.versionOf(made.command.noncePath)).to.equal(undefined);
      expect(ledger.commitment(5n).rowCount).to.equal(world.commitment(50).rowCount - 1n);
      expect(ledger.commitment(5n)).to.deep.equal(world.commitment(last + 1));
    });

    it('schema changes move leaves: tables and indexes come and go, columns are added', () => {
      started();
      const steps = [
        ['CREATE INDEX by_day ON note (day)', 'ALTER TABLE account ADD COLUMN flag BOOLEAN NOT NULL DEFAULT TRUE'],
        ['CREATE INDEX by_flag ON account (flag, balance)'], ['DROP INDEX by_balance'], ['DROP TABLE note'],
        ['CREATE TABLE note (id TEXT PRIMARY KEY)', 'DROP INDEX by_flag'],
      ];
      let ms = 40;
      for (const statements of steps) {
        const made: Made[] = [world.ddl(statements, ms), world.put('account', { id: BigInt(ms), owner: `o${ms}`, balance: ms }, ms + 1)];
        if (world.schema.tables.some((table) => table.name === 'note' && table.columns.length === 4)) {
          made.push(world.put('note', { author: 'ada', day: ms, body: new Uint8Array([1, 2]), account: ms }, ms + 2));
        }
        ledger.apply(world.block(made, ms + 5));
        expect(ledger.commitment(world.height), statements.join()).to.deep.equal(world.commitment(ms + 5));
        ms += 10;
      }
      expect(ledger.schema(world.database)).to.deep.equal(world.schema);
    });

    it('P-6.1-row-sig: reads at a checkpoint with proof and provenance', () => {
      started();
      const { stateRoot } = ledger.commitment(2n);
      ledger.certify(2n, certificate);
      ledger.apply(world.block([world.put('account', { id: 1, owner: 'later', balance: 0 }, 40), world.remove('account', [2n], 41)], 50));
      for (const id of [1n, 2n, 3n]) {
        const path = pathOfKey('account', id);
        const answer = ledger.readAt(2n, path);
        if (answer.kind !== 'present') throw new Error(answer.kind);
        const values = [id, `owner ${id}`, 10n * id];
        expect(answer.stored).to.deep.include({ table: 'account', index: '', key: [id], values, writtenAt: at(20 + Number(id)) });
        expect(verifyProof(stateRoot, path, answer.proof)).to.include({ kind: 'present', rowHash: answer.stored.rowHash });
        const proof = ledger.provenance(2n, path);
        if (proof === undefined) throw new Error('no provenance');
        expect(verifyRowProof(domain, path, answer.stored.rowHash, proof)).to.deep.include({ writer: world.metadata.owner, row: values });
      }
      const missing = ledger.readAt(2n, pathOfKey('account', 4n));
      expect(missing.kind === 'absent' && verifyProof(stateRoot, pathOfKey('account', 4n), missing.proof).kind).to.equal('absent');
    });

    it('every leaf can be drawn by rank, and its hash follows from what is stored', () => {
      started();
      const { rowCount, stateRoot } = ledger.commitment(2n);
      ledger.certify(2n, certificate);
      for (let rank = 0n; rank < rowCount; rank++) {
        const path = ledger.pathAt(2n, rank);
        const answer = ledger.readAt(2n, path);
        if (answer.kind !== 'present') throw new Error(answer.kind);
        const { version, writtenAt, key, values, rowHash } = answer.stored;
        const contentHash = values === null ? ZERO_HASH : contentHashOf(values);
        expect(rowHashOf({ entryId: version, ts: writtenAt }, keyHashOf(key), contentHash)).to.equal(rowHash);
        expect(verifyProof(stateRoot, path, answer.proof)).to.include({ kind: 'present', rowHash, rank });
      }
      expect(() => ledger.pathAt(2n, rowCount)).to.throw(/LEDGER_RANK_OUT_OF_RANGE/);
      expect(() => ledger.pathAt(1n, 0n)).to.throw(/LEDGER_UNKNOWN_CHECKPOINT/);
    });

    it('ranges are complete', () => {
      started();
      const { stateRoot } = ledger.commitment(2n);
      ledger.certify(2n, certificate);
      const { first, last } = pathRange(world.database, 'account', 'by_balance', [15n], [30n]);
      const range = ledger.range(2n, first, last, 10);
      if (range === 'unavailable') throw new Error(range);
      expect(range.keys.map(({ key, values }) => [key, values])).to.deep.equal([[[20n, 2n], [2n]], [[30n, 3n], [3n]]]);
      expect(verifyRange(stateRoot, first, last, range.proof, range.keys).complete).to.equal(true);
    });

    it('a state moves to another ledger in verified chunks', () => {
      started();
      ledger.apply(world.block([world.put('note', { author: 'ada', day: 5, body: new Uint8Array(300), account: 3 }, 40)], 50));
      const next = world.block([world.put('account', { id: 1, owner: 'above' }, 70), world.remove('note', ['ada', 5n], 71)], 60);
      ledger.apply(next);
      const commitment = ledger.commitment(3n);
      ledger.commitment(4n);
      ledger.certify(3n, certificate);
      const other = make().open();
      const position = { epoch: 1n, height: 3n, blockHash: ZERO_HASH as typeof genesis.blockHash, closeTs: at(50) };
      let from: Path | null = null;
      let chunks = 0;
      do {
        const chunk = ledger.exportChunk(3n, from, 700);
        const bad = chunk.bytes.slice();
        bad[Math.floor(bad.length / 2)] = (bad[Math.floor(bad.length / 2)] as number) ^ 1;
        const start: Path | null = from;
        expect(() => other.importChunk(3n, commitment.stateRoot, start, { ...chunk, bytes: bad })).to.throw(/LEDGER_BAD_CHUNK/);
        const elsewhere = chunk.next === null ? start ?? (ZERO_HASH as Path) : null;
        expect(() => other.importChunk(3n, commitment.stateRoot, start, { ...chunk, next: elsewhere })).to.throw(/LEDGER_BAD_CHUNK/);
        expect(() => other.installSnapshot(position, commitment, certificate)).to.throw(/LEDGER_INCOMPLETE/);
        expect(other.stagedUpTo(3n)).to.equal(start ?? ZERO_HASH);
        other.importChunk(3n, commitment.stateRoot, from, chunk);
        from = chunk.next;
        chunks += 1;
      } while (from !== null);
      expect(chunks).to.be.above(3);
      other.installSnapshot(position, commitment, certificate);
      expect(other.position()).to.include(position);
      expect(other.certified()).to.deep.equal({ height: 3n, certificate });
      expect(other.commitment(3n)).to.deep.equal(commitment);
      expect(other.schema(world.database)).to.deep.equal(world.schema);
      other.apply(next);
      expect(other.commitment(4n)).to.deep.equal(world.commitment(60));
      other.apply({ ...world.block([], 80), height: 5n });
      expect(other.commitment(5n)).to.deep.equal(world.commitment(80));
      other.close();
    });

    it('what lies above the closed timestamp of a snapshot comes from its blocks', () => {
      started();
      const made = [world.put('account', { id: 1, owner: 'in', balance: 1 }, 40), world.put('account', { id: 2, owner: 'above', balance: 2 }, 70)];
      const third = world.block(made, 50);
      ledger.apply(third);
      const commitment = ledger.commitment(3n);
      ledger.certify(3n, certificate);
      const other = make().open();
      other.importChunk(3n, commitment.stateRoot, null, ledger.exportChunk(3n, null, 1_000_000));
      const position = { epoch: 1n, height: 3n, blockHash: ZERO_HASH as typeof genesis.blockHash, closeTs: at(50) };
      other.installSnapshot(position, commitment, certificate, [third]);
      expect(other.blockAt(3n)).to.deep.equal(third.encoded);
      const next = world.block([world.put('account', { id: 2, owner: 'above', balance: 3 }, 75)], 60);
      for (const replica of [ledger, other]) {
        replica.apply(next);
        expect(replica.commitment(4n)).to.deep.equal(world.commitment(60));
      }
      const last = world.block([], 80);
      other.apply(last);
      expect(other.commitment(5n)).to.deep.equal(world.commitment(80));
      expect(other.position().maxTs).to.equal(at(75));
      other.close();
    });

    it('a root that the chunks do not lead to is refused and the old state stays', () => {
      started();
      const commitment = ledger.commitment(2n);
      ledger.certify(2n, certificate);
      const other = make().open();
      const chunk = ledger.exportChunk(2n, null, 1_000_000);
      expect(chunk.next).to.equal(null);
      expect(() => other.importChunk(2n, ZERO_HASH, null, chunk)).to.throw(/LEDGER_BAD_CHUNK/);
      other.importChunk(2n, commitment.stateRoot, null, chunk);
      const position = { epoch: 1n, height: 2n, blockHash: ZERO_HASH as typeof genesis.blockHash, closeTs: at(30) };
      expect(() => other.installSnapshot(position, { ...commitment, stateRoot: ZERO_HASH }, certificate)).to.throw(/LEDGER_CORRUPT/);
      expect(other.position()).to.include({ height: 0n });
      expect(other.databases()).to.deep.equal([]);
      other.close();
    });

    if (make().reopen !== undefined) it('goes on after a restart where it stood, checkpoints included', () => {
      const again = bench.reopen as (ledger: SqlLedger) => SqlLedger;
      started();
      ledger.commitment(2n);
      ledger.certify(2n, certificate);
      const made = [world.put('account', { id: 1, owner: 'x', balance: 1 }, 45), world.put('account', { id: 7, owner: 'y' }, 70)];
      ledger.apply(world.block(made, 50));
      const third = ledger.commitment(3n);
      ledger.apply(world.block([world.remove('account', [7n], 80)], 60));
      ledger.sync();
      ledger = again(ledger);
      expect(ledger.position()).to.include({ height: 4n, maxTs: at(80) });
      expect(ledger.certified()).to.deep.equal({ height: 2n, certificate });
      expect(ledger.commitment(3n)).to.deep.equal(third);
      expect(ledger.commitment(4n)).to.deep.equal(world.commitment(60));
      expect(ledger.readAt(2n, pathOfKey('account', 1n)).kind).to.equal('present');
      ledger.apply(world.block([], 90));
      expect(ledger.commitment(5n)).to.deep.equal(world.commitment(90));
      ledger.certify(5n, certificate);
      ledger = again(ledger);
      expect(ledger.commitment(5n)).to.deep.equal(world.commitment(90));
    });
  });
}

function uniqueIndex(world: World): string {
  return world.schema.tables[0]?.indexes.find(({ unique }) => unique)?.name ?? '';
}
