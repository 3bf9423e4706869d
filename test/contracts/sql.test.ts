import { expect } from 'chai';
import fc from 'fast-check';
import type { Contract } from 'ethers';
import type { Scalar } from '../../protocol/codec/index.ts';
import { encodeQuestion, encodeResult, rangeQuestion, rowQuestion, type AnswerState, type TablePlace } from '../../protocol/oracle/index.ts';
import { orderedKey, pathOf, pathRange } from '../../protocol/rows/index.ts';
import { bytesOf, hexOf, uintBytes, type DatabaseId, type Hex } from '../../protocol/types/index.ts';
import { h } from './cases.ts';
import { anchor, checkpointOf, cborOf, FLIPS, packed, read, refused, rosterAt, stage, Tables, type Stage } from './oracle-cases.ts';
import { ethers } from './world.ts';

const scalarA: fc.Arbitrary<Scalar> = fc.oneof(
  fc.constant(null), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), fc.integer({ min: -300, max: 300 }).map(BigInt),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)), fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.uint8Array({ maxLength: 300 }),
);

describe('PicoloSql', () => {
  const database = h('a database') as DatabaseId;
  const table = 'scores';

  interface Sql extends Stage {
    readonly sql: Contract;
    readonly tables: Tables;
    readonly at: TablePlace;
    /** A call on the table of `at`. */
    ask(method: string, ...args: readonly unknown[]): Promise<any>;
    state(closedMs?: number): AnswerState;
  }

  async function openSql(): Promise<Sql> {
    const s = await stage();
    const sql = (await ethers.deployContract('SqlHarness', [await s.anchors.getAddress()])) as unknown as Contract;
    const tables = new Tables();
    const at = { group: s.place.group.group, database, table };
    const ask = (method: string, ...args: readonly unknown[]): Promise<any> => read(sql, method, at.group, database, table, ...args);
    const state = (closedMs?: number): AnswerState => ({
      kind: 'certified', roster: rosterAt(s.place), certified: checkpointOf(s.place, tables.stateRoot, closedMs === undefined ? {} : { closedMs }),
    });
    return { ...s, sql, tables, at, ask, state };
  }

  const everything: readonly [Hex, Hex] = [cborOf([]), cborOf([])];
  const between = (from: Scalar[], to: Scalar[] = from): readonly [Hex, Hex] => [cborOf(from), cborOf(to)];
  const person = (i: number): Scalar[] => [BigInt(i), BigInt(10 * i - 200), `name ${i}`, i % 3 === 0 ? null : BigInt(i)];

  /** 40 rows, among other tables and another database in the same group. */
  async function filled(): Promise<Sql> {
    const s = await openSql();
    for (let i = 1; i <= 40; i++) s.tables.put(database, table, [BigInt(i)], person(i));
    for (let i = 0; i < 30; i++) s.tables.put(database, `other ${i % 4}`, [BigInt(i)], [BigInt(i)]);
    for (let i = 0; i < 30; i++) s.tables.put(h('another database') as DatabaseId, table, [BigInt(i)], [BigInt(i)]);
    return s;
  }

  it('keys, paths and row hashes are those of protocol/rows', async function () {
    this.timeout(240_000);
    const s = await openSql();
    await fc.assert(fc.asyncProperty(fc.array(scalarA, { maxLength: 4 }), fc.string({ maxLength: 20 }), async (key, name) => {
      const cbor = cborOf(key);
      expect(await read(s.sql, 'pathOf', database, name, cbor)).to.equal(pathOf(database, name, '', key));
      const { first, last } = pathRange(database, name, '', key);
      expect([...await read(s.sql, 'bounds', database, name, cbor, cbor)]).to.deep.equal([first, last]);
    }), { numRuns: 120, seed: 3 });
    const parts = [fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), fc.string({ unit: 'grapheme', maxLength: 40 }), fc.uint8Array({ maxLength: 300 })] as const;
    await fc.assert(fc.asyncProperty(...parts, async (number, text, blob) => {
      const key: Scalar[] = [number, text, blob];
      expect([...await read(s.sql, 'composed', number, text, hexOf(blob))]).to.deep.equal([cborOf(key), hexOf(orderedKey(key))]);
    }), { numRuns: 60, seed: 4 });
    const stored = s.tables.put(database, table, [7n], person(7));
    expect(await read(s.sql, 'rowHash', stored.version, stored.writtenAt, cborOf([7n]), cborOf(person(7)))).to.equal(stored.rowHash);
  });

  it('projection: every type of column, at every place; wrong types and columns are refused', async function () {
    this.timeout(240_000);
    const s = await openSql();
    await fc.assert(fc.asyncProperty(fc.array(scalarA, { minLength: 1, maxLength: 5 }), fc.nat(4), async (row, n) => {
      const column = n % row.length;
      const value = row[column] as Scalar;
      const cbor = cborOf(row);
      const method = value === null ? 'isNull' : typeof value === 'bigint' ? 'integer' : typeof value === 'number' ? 'real' : typeof value === 'string' ? 'text' : 'blob';
      const got = await read(s.sql, method, cbor, column);
      if (value === null) expect(got).to.equal(true);
      else if (typeof value === 'number') expect(new DataView(bytesOf(got).buffer).getFloat64(0)).to.equal(value);
      else expect(got).to.equal(value instanceof Uint8Array ? hexOf(value) : value);
      const other = method === 'text' ? 'integer' : 'text';
      await refused(s.sql, read(s.sql, other, cbor, column), value === null ? 'NotARow' : 'WrongType');
      await refused(s.sql, read(s.sql, method, cbor, row.length), 'NoColumn');
    }), { numRuns: 120, seed: 5 });
    await refused(s.sql, read(s.sql, 'integer', '0x', 0), 'NotARow');
    await refused(s.sql, read(s.sql, 'integer', '0x01', 0), 'NotARow');
    await refused(s.sql, read(s.sql, 'text', '0x8165', 0), 'NotARow');
    expect(await read(s.sql, 'cell', hexOf(encodeResult(['a', 'b'], [[1n, 2n], [3n, -4n]])), 1, 1)).to.equal(-4n);
  });

  it('P-A-sql-in-contract: select by key, present and absent, certified and anchored', async () => {
    const s = await filled();
    const rows = s.tables;
    const [row, closedAt] = await s.ask('selectRow', cborOf([7n]), rows.row(s.state(), s.at, [7n]));
    expect([row.present, row.content, row.key, closedAt]).to.deep.equal([true, cborOf(person(7)), cborOf([7n]), 1_800_000_000n]);
    const [none] = await s.ask('selectRow', cborOf([70n]), rows.row(s.state(), s.at, [70n]));
    expect(none.present).to.equal(false);
    await anchor(s, packed(s.place, checkpointOf(s.place, rows.stateRoot)));
    const anchored: AnswerState = { kind: 'anchored', height: 40n };
    const [again] = await s.ask('selectRow', cborOf([8n]), rows.row(anchored, s.at, [8n]));
    expect(again.content).to.equal(cborOf(person(8)));
    await refused(s.anchors, s.ask('selectRow', cborOf([8n]), rows.row({ kind: 'anchored', height: 41n }, s.at, [8n])), 'NotAnchored');
  });

  it('an answer to another key, table, state or of another form is refused', async () => {
    const s = await filled();
    const rows = s.tables;
    await refused(s.sql, s.ask('selectRow', cborOf([7n]), rows.row(s.state(), s.at, [8n])), 'BadProof');
    await refused(s.sql, s.ask('selectRow', cborOf([7n]), rows.row(s.state(), { ...s.at, table: 'other 3' }, [7n])), 'BadProof');
    await refused(s.sql, s.ask('selectRow', cborOf([7n]), `${rows.row(s.state(), s.at, [7n])}00`), 'WrongLength');
    await refused(s.sql, s.ask('selectRow', cborOf([7n]), '0x02'), 'BadAnswer');
    await refused(s.sql, s.ask('selectRow', cborOf([7n]), '0x01ffff'), 'BadAnswer');
    const lie = { ...(rows.rows.get(pathOf(database, table, '', [7n])) as object), values: person(9) };
    const honest = rows.rows.get(pathOf(database, table, '', [7n]))!;
    rows.rows.set(honest.path, lie as never);
    const bent = { ...s.state(), certified: checkpointOf(s.place, rows.stateRoot) } as AnswerState;
    await refused(s.sql, s.ask('selectRow', cborOf([7n]), rows.row(bent, s.at, [7n])), 'BadAnswer');
  });

  it('COUNT by ranks, over ranges and the whole table', async () => {
    const s = await filled();
    const count = (from: Scalar[], to?: Scalar[]): Promise<bigint> => s.ask('countRows', between(from, to), s.tables.count(s.state(), s.at, from, to));
    expect(await s.ask('countRows', everything, s.tables.count(s.state(), s.at))).to.equal(40n);
    expect(await count([5n], [11n])).to.equal(7n);
    expect(await count([-5n], [3n])).to.equal(3n);
    expect(await count([41n], [99n])).to.equal(0n);
    await refused(s.sql, s.ask('countRows', between([11n], [5n]), s.tables.count(s.state(), s.at, [5n], [11n])), 'BadProof');
  });

  it('ranges are complete: rows in order, SUM, MIN and MAX with nulls left out', async () => {
    const s = await filled();
    const range = (from: Scalar[], to: Scalar[]): Promise<any[]> => s.ask('selectRange', between(from, to), s.tables.range(s.state(), s.at, from, to));
    for (const [from, to] of [[1n, 40n], [5n, 11n], [0n, 1n], [40n, 99n], [50n, 60n], [-9n, -1n]] as const) {
      const wanted = Array.from({ length: 40 }, (_, i) => i + 1).filter((i) => i >= from && i <= to);
      expect((await range([from], [to])).map((row) => row.content)).to.deep.equal(wanted.map((i) => cborOf(person(i))));
    }
    const answer = s.tables.range(s.state(), s.at, [5n], [11n]);
    expect([...await s.ask('aggregates', between([5n], [11n]), answer, 1)]).to.deep.equal([-840n, -150n, -90n]);
    expect([...await s.ask('aggregates', between([5n], [11n]), answer, 3)]).to.deep.equal([5n + 7n + 8n + 10n + 11n, 5n, 11n]);
    await refused(s.sql, s.ask('aggregates', between([50n], [60n]), s.tables.range(s.state(), s.at, [50n], [60n]), 1), 'NoRows');
    await refused(s.sql, s.ask('aggregates', between([5n], [11n]), answer, 2), 'WrongType');
  });

  it('a range that leaves out, adds, swaps or moves anything is refused', async () => {
    const s = await filled();
    const { tables } = s;
    const ask = (answer: Hex): Promise<any> => s.ask('selectRange', between([5n], [11n]), answer);
    await refused(s.sql, ask(tables.range(s.state(), s.at, [6n], [11n])), 'BadAnswer');
    await refused(s.sql, ask(tables.range(s.state(), s.at, [5n], [12n])), 'BadAnswer');
    expect(() => tables.range(s.state(), s.at, [5n], [11n], 4)).to.throw('ORACLE_TOO_MANY_ROWS');
    const without = new Tables();
    for (const row of tables.rows.values()) if (row.path !== pathOf(database, table, '', [8n])) without.rows.set(row.path, row);
    await refused(s.sql, ask(without.range(s.state(), s.at, [5n], [11n])), 'BadAnswer');
    const big = new Tables();
    for (let i = 0; i < 70; i++) big.put(database, table, [BigInt(i)], person(i));
    expect(() => big.range(s.state(), s.at)).to.throw('ORACLE_TOO_MANY_ROWS');
  });

  it('ranges of random tables: contract and model agree', async function () {
    this.timeout(240_000);
    const s = await openSql();
    const keyA = fc.oneof(fc.bigInt({ min: -50n, max: 50n }), fc.string({ maxLength: 16 }), fc.uint8Array({ maxLength: 6 }));
    await fc.assert(fc.asyncProperty(fc.uniqueArray(keyA, { maxLength: 20, selector: String }), keyA, keyA, async (keys, a, b) => {
      const tables = new Tables();
      for (const key of keys) tables.put(database, table, [key], [key]);
      for (const key of keys) tables.put(database, 'neighbour', [key], [key]);
      const state: AnswerState = { kind: 'certified', roster: rosterAt(s.place), certified: checkpointOf(s.place, tables.stateRoot) };
      const order = (key: Scalar): string => pathRange(database, table, '', [key]).first;
      const [from, to] = order(a) <= order(b) ? [a, b] : [b, a];
      const { first, last } = pathRange(database, table, '', [from], [to]);
      const wanted = [...tables.rows.values()].map(({ path, key }) => ({ path, key: cborOf(key) }))
        .filter(({ path }) => path >= first && path <= last).sort((x, y) => (x.path < y.path ? -1 : 1));
      const rows = await s.ask('selectRange', between([from], [to]), tables.range(state, s.at, [from], [to]));
      expect(rows.map((row: { key: string }) => row.key)).to.deep.equal(wanted.map(({ key }) => key));
      expect(await s.ask('countRows', between([from], [to]), tables.count(state, s.at, [from], [to]))).to.equal(BigInt(wanted.length));
      const key = keys[0] ?? a;
      const [row] = await s.ask('selectRow', cborOf([key]), tables.row(state, s.at, [key]));
      expect(row.present).to.equal(keys.length > 0);
    }), { numRuns: 60, seed: 9 });
  });

  it('negative proof fuzz: a bent byte of an answer gives no other rows', async function () {
    this.timeout(240_000);
    const s = await filled();
    const answers = [
      { method: 'selectRow', args: [cborOf([7n])], bytes: bytesOf(s.tables.row(s.state(), s.at, [7n])) },
      { method: 'selectRow', args: [cborOf([70n])], bytes: bytesOf(s.tables.row(s.state(), s.at, [70n])) },
      { method: 'countRows', args: [between([5n], [11n])], bytes: bytesOf(s.tables.count(s.state(), s.at, [5n], [11n])) },
      { method: 'selectRange', args: [between([5n], [11n])], bytes: bytesOf(s.tables.range(s.state(), s.at, [5n], [11n])) },
    ];
    await fc.assert(fc.asyncProperty(fc.nat(3), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, at, mask) => {
      const { method, args, bytes } = answers[which]!;
      const bent = bytes.map((byte, i) => (i === at % bytes.length ? byte ^ mask : byte));
      const outcome = await s.ask(method, ...args, hexOf(bent)).then(String, () => 'refused');
      expect(outcome).to.equal('refused');
    }), { numRuns: FLIPS, seed: 21 });
  });

  it('a question travels as ERC-3668 call data that the node reads back', async () => {
    const s = await openSql();
    const urls = ['http://127.0.0.1:1/v1/lookup'];
    const board = (await ethers.deployContract('ScoreBoard', [
      await s.anchors.getAddress(), await s.world.c.QueryOracle.getAddress(), s.at.group, database, urls,
    ])) as unknown as Contract;
    const questions = {
      scoreOf: encodeQuestion(rowQuestion(s.at, [bytesOf(hexOf(uintBytes(5n, 20)))])),
      players: encodeQuestion(rangeQuestion('count', s.at)),
      totals: encodeQuestion(rangeQuestion('range', s.at)),
    };
    for (const [method, wanted] of Object.entries(questions)) {
      const args = method === 'scoreOf' ? [`0x${'00'.repeat(19)}05`] : [];
      const error = await board.getFunction(method).staticCall(...args, { enableCcipRead: false }).then(() => undefined, (e: any) => e);
      const lookup = board.interface.parseError(error.data ?? error.info?.error?.data ?? error.revert?.data);
      expect(lookup?.name).to.equal('OffchainLookup');
      expect([lookup?.args[0], [...lookup!.args[1]], lookup?.args[2]]).to.deep.equal([await board.getAddress(), urls, wanted]);
    }
  });
});
