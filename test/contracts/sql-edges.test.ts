/** SQL for contracts at its bounds: every field of a range's frame, heads of every width, and the sample that uses all of it. */
import { expect } from 'chai';
import type { Contract, Signer } from 'ethers';
import { encodeArgs, encodeResult, type AnswerState, type TablePlace } from '../../protocol/oracle/index.ts';
import { orderedKey } from '../../protocol/rows/index.ts';
import type { Scalar } from '../../protocol/codec/index.ts';
import { bytesOf, hexOf, type DatabaseId, type Hex } from '../../protocol/types/index.ts';
import { h } from './cases.ts';
import { impersonate } from './governance.ts';
import { checkpointOf, cborOf, read, refused, rosterAt, stage, Tables, type Stage } from './oracle-cases.ts';
import { ethers, now, send } from './world.ts';

const database = h('a database') as DatabaseId;
const STEP = 38;

interface Sql extends Stage {
  readonly sql: Contract;
  readonly tables: Tables;
  readonly at: TablePlace;
}

/** 40 rows among those of another table. */
async function filled(): Promise<Sql> {
  const s = await stage();
  const sql = (await ethers.deployContract('SqlHarness', [await s.anchors.getAddress()])) as unknown as Contract;
  const tables = new Tables();
  for (let i = 1; i <= 40; i++) tables.put(database, 'scores', [BigInt(i)], [BigInt(i)]);
  for (let i = 0; i < 30; i++) tables.put(database, `other ${i % 4}`, [BigInt(i)], [BigInt(i)]);
  return { ...s, sql, tables, at: { group: s.place.group.group, database, table: 'scores' } };
}

const certified = (s: Stage, tables: Tables, closedMs?: number): AnswerState =>
  ({ kind: 'certified', roster: rosterAt(s.place), certified: checkpointOf(s.place, tables.stateRoot, closedMs === undefined ? {} : { closedMs }) });

/** Where the parts of a range's answer begin, in bytes. */
interface Frame {
  readonly flags: number;
  readonly left: number;
  readonly leftSteps: number;
  readonly rows: number;
  /** Of every row, and the end of the last. */
  readonly starts: readonly number[];
  readonly right: number;
}

function frameOf(answer: Uint8Array): Frame {
  const u16 = (at: number): number => (answer[at]! << 8) | answer[at + 1]!;
  const flags = 3 + u16(1);
  const leftSteps = flags + 1 + 64;
  const rows = leftSteps + 1 + STEP * answer[leftSteps]!;
  const starts = [rows + 1];
  for (let i = 0; i < answer[rows]!; i++) {
    const content = starts[i]! + 32 + 2 + u16(starts[i]! + 32) + 44;
    starts.push(content + 2 + u16(content));
  }
  return { flags, left: flags + 1, leftSteps, rows, starts, right: starts.at(-1)! };
}

describe('PicoloSql at its bounds', () => {
  it('every field of a range\'s frame is looked at', async () => {
    const s = await filled();
    const honest = bytesOf(s.tables.range(certified(s, s.tables), s.at, [15n], [21n]));
    const frame = frameOf(honest);
    const rightSteps = frame.right + 64;
    expect([honest[frame.flags], honest[frame.leftSteps]! > 1, honest[frame.rows], honest[rightSteps]! > 1]).to.deep.equal([3, true, 7, true]);
    const ends = [cborOf([15n]), cborOf([21n])];
    const ask = (bytes: Uint8Array): Promise<unknown> => read(s.sql, 'selectRange', s.at.group, database, 'scores', ends, hexOf(bytes));
    expect(await ask(honest)).to.have.length(7);
    const bent = (change: (bytes: Uint8Array) => void): Uint8Array => {
      const copy = honest.slice();
      change(copy);
      return copy;
    };
    const [first, second] = [honest.slice(frame.starts[0], frame.starts[1]), honest.slice(frame.starts[1], frame.starts[2])];
    const changes: readonly (readonly [error: string, change: (bytes: Uint8Array) => void])[] = [
      ['BadAnswer', (bytes) => { bytes[frame.flags] = 7; }], // a flag that is none
      ['BadAnswer', (bytes) => { bytes[frame.flags] = 2; bytes[frame.left] = 1; }], // steps without a leaf on the left
      ['BadAnswer', (bytes) => { bytes[frame.flags] = 1; bytes[frame.right] = 1; }], // steps without a leaf on the right
      ['BadAnswer', (bytes) => bytes.fill(0xff, frame.left, frame.left + 32)], // the leaf before comes after
      ['BadTreeProof', (bytes) => bytes.fill(0, frame.left + 42, frame.left + 64)], // a node poses as the leaf before
      ['BadAnswer', (bytes) => { bytes[frame.leftSteps + 1 + STEP] = bytes[frame.leftSteps + 1]!; }], // two branchings at one bit
      ['BadAnswer', (bytes) => bytes.fill(0, frame.leftSteps + 2, frame.leftSteps + 7)], // an empty sibling
      ['TooManyRows', (bytes) => { bytes[frame.rows] = 65; }],
      ['BadAnswer', (bytes) => { bytes.set(second, frame.starts[0]); bytes.set(first, frame.starts[0]! + second.length); }], // rows out of order
      ['BadAnswer', (bytes) => bytes.fill(0, frame.starts[0], frame.starts[0]! + 32)], // a row from elsewhere
      ['BadAnswer', (bytes) => bytes.fill(0, frame.right, frame.right + 32)], // the leaf after comes before
      ['BadAnswer', (bytes) => { bytes[rightSteps + 1 + STEP] = bytes[rightSteps + 1]!; }], // branchings do not rise
      ['BadAnswer', (bytes) => { bytes[rightSteps + 1] = bytes[rightSteps + 1]! - 1; }], // a sibling on the wrong side, or at another bit
    ];
    for (const [error, change] of changes) await refused(s.sql, ask(bent(change)), error);
  });

  it('a count from a later key to an earlier one is none', async () => {
    const s = await filled();
    const answer = s.tables.count(certified(s, s.tables), s.at, [21n], [5n]);
    await refused(s.sql, read(s.sql, 'countRows', s.at.group, database, 'scores', [cborOf([21n]), cborOf([5n])], answer), 'BadAnswer');
  });

  it('heads of every width are written and read; what is cut off is no row', async () => {
    const { sql } = await filled();
    for (const number of [23n, 24n, 255n, 256n, 65_535n, 65_536n, -65_537n, (1n << 32n) - 1n, 1n << 32n, (1n << 63n) - 1n, -(1n << 63n)]) {
      const key: Scalar[] = [number, 't'.repeat(300), new Uint8Array(2)];
      expect([...await read(sql, 'composed', number, key[1], '0x0000')]).to.deep.equal([cborOf(key), hexOf(orderedKey(key))]);
      expect(await read(sql, 'integer', cborOf([number]), 0)).to.equal(number);
    }
    for (const cut of ['0x8118', '0x811900', '0x811a000000', '0x811b00000000000000', '0x816261', '0x814200']) {
      await refused(sql, read(sql, cut.startsWith('0x811') ? 'integer' : cut.startsWith('0x816') ? 'text' : 'blob', cut, 0), 'NotARow');
    }
    const others = [cborOf([5n]), cborOf(['text']), cborOf([new Uint8Array(8)]), '0x8181616601' as Hex];
    for (const other of others) await refused(sql, read(sql, 'real', other, 0), 'WrongType');
  });
});

describe('ScoreBoard', () => {
  async function opened() {
    const s = await stage();
    const players = s.world.others.slice(0, 3);
    const board = (await ethers.deployContract('ScoreBoard', [
      await s.anchors.getAddress(), await s.world.c.QueryOracle.getAddress(), s.place.group.group, database, ['http://127.0.0.1:1/v1/lookup'],
    ])) as unknown as Contract;
    const tables = new Tables();
    const keyOf = async (player: Signer): Promise<Scalar[]> => [bytesOf((await player.getAddress()).toLowerCase() as Hex)];
    for (const [i, points] of [150n, 99n].entries()) {
      const key = await keyOf(players[i]!);
      tables.put(database, 'scores', key, [key[0]!, points, `player ${i}`]);
    }
    const at: TablePlace = { group: s.place.group.group, database, table: 'scores' };
    const proof = async (player: Signer, closedMs?: number): Promise<Hex> => tables.row(certified(s, tables, closedMs), at, await keyOf(player));
    return { ...s, board, players, tables, at, proof };
  }

  it('reads what clients bring: one score, how many, and over all', async () => {
    const { board, players, tables, at, proof, ...s } = await opened();
    const from = async (method: string, answer: Hex, extra = '0x'): Promise<unknown[]> => [await board.getFunction(method)(answer, extra)].flat();
    const named = async (player: Signer): Promise<string> => ethers.AbiCoder.defaultAbiCoder().encode(['address'], [await player.getAddress()]);
    expect(await from('scoreFrom', await proof(players[0]!), await named(players[0]!))).to.deep.equal([150n, 'player 0']);
    expect(await from('scoreFrom', await proof(players[2]!), await named(players[2]!))).to.deep.equal([0n, '']);
    expect(await from('playersFrom', tables.count(certified(s, tables), at))).to.deep.equal([2n]);
    expect(await from('totalsFrom', tables.range(certified(s, tables), at))).to.deep.equal([249n, 99n, 150n]);
    await expect(send(board, players[0]!, 'play', 7n, 'me')).to.emit(board, 'Scored').withArgs(await players[0]!.getAddress(), 7n, 'me');
  });

  it('a prize for a proven score that is enough and not older than a day, once', async () => {
    const { board, players, proof } = await opened();
    const winner = await players[0]!.getAddress();
    const fresh = Number(await now()) * 1_000;
    const claim = async (player: Signer, closedMs = fresh) => send(board, player, 'claim', await proof(player, closedMs));
    await refused(board, claim(players[0]!, fresh - 86_400_000), 'TooOld');
    await expect(claim(players[1]!)).to.be.revertedWithCustomError(board, 'NotEnough').withArgs(99n, 100n);
    await expect(claim(players[2]!)).to.be.revertedWithCustomError(board, 'NotEnough').withArgs(0n, 100n);
    await expect(claim(players[0]!)).to.emit(board, 'PrizeClaimed').withArgs(winner, 150n);
    await expect(claim(players[0]!)).to.be.revertedWithCustomError(board, 'ClaimedBefore').withArgs(winner);
    expect(await board.getFunction('claimed')(winner)).to.equal(true);
  });

  it('asks the oracle, and takes an average from nobody else and for nothing else', async () => {
    const { board, world, place } = await opened();
    const statement = h('average');
    await send(world.c.QueryOracle, world.admin, 'register', place.group.group, statement);
    await send(board, world.consumer, 'askAverage', statement, hexOf(encodeArgs([10n])), { value: 5_000n });
    const id = await board.getFunction('averageRequest')();
    const result = hexOf(encodeResult(['avg'], [[42n]]));
    const oracle = await impersonate(world.c.QueryOracle);
    await expect(send(board, world.consumer, 'onPicoloResult', id, 0n, result)).to.be.revertedWithCustomError(board, 'NotTheOracle');
    await expect(send(board, oracle, 'onPicoloResult', h('another'), 0n, result)).to.be.revertedWithCustomError(board, 'NotTheOracle');
    await send(board, oracle, 'onPicoloResult', id, 0n, result);
    expect(await board.getFunction('average')()).to.equal(42n);
  });
});
