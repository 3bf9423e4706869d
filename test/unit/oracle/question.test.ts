import { expect } from 'chai';
import {
  decodeQuestion, encodeArgs, encodeQuestion, encodeResult, packRangeAnswer, rangeQuestion, rowQuestion, statementIdOf, type Question,
} from '../../../protocol/oracle/index.ts';
import { pathOf } from '../../../protocol/rows/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import type { DatabaseId, GroupId, Hash32, Hex, Path } from '../../../protocol/types/index.ts';

const word = (digit: string): Hex => `0x${digit.repeat(64)}`;
const place = { group: word('1') as GroupId, database: word('2') as DatabaseId, table: 'scores' };

describe('oracle: questions', () => {
  it('what is encoded is read back', () => {
    for (const question of [rowQuestion(place, [7n]), rangeQuestion('count', place), rangeQuestion('range', place, [1n], [9n])]) {
      expect(decodeQuestion(encodeQuestion(question))).to.deep.equal(question);
    }
    const { from, to } = rowQuestion(place, ['a', 1n]);
    expect([from, to]).to.deep.equal(Array(2).fill(pathOf(place.database, 'scores', '', ['a', 1n])));
  });

  it('other bytes are refused', () => {
    const good = encodeQuestion(rangeQuestion('range', place, [1n], [9n]));
    const question = decodeQuestion(good);
    const reversed: Question = { ...question, from: question.to, to: question.from };
    const wide: Question = { ...question, kind: 'row' };
    const bad: Hex[] = ['0x', `${good}00`, good.slice(0, -2) as Hex, `0x03${good.slice(4)}`, encodeQuestion(reversed), encodeQuestion(wide)];
    for (const data of bad) expect(() => decodeQuestion(data)).to.throw('ORACLE_MALFORMED');
  });

  it('statements are named by database and exact text; results are bounded', () => {
    const sql = 'SELECT 1';
    const ids = [statementIdOf(place.database, sql), statementIdOf(place.group as unknown as Hash32, sql), statementIdOf(place.database, `${sql} `)];
    expect(new Set(ids).size).to.equal(3);
    expect(encodeArgs([])).to.deep.equal(Uint8Array.of(0x80));
    expect(() => encodeResult(['a'], Array.from({ length: 200 }, () => ['a long enough text to be too much']))).to.throw('ORACLE_TOO_LONG');
  });

  it('a range that a limit cut, or of too many rows, is no answer', () => {
    const state = { kind: 'anchored', height: 1n } as const;
    const step = { depth: 3, sibling: word('5') as Hash32, siblingCount: 1n };
    const row = { path: word('3') as Path, version: word('4') as Hash32, writtenAt: 1n as never, key: [1n], values: [1n] };
    expect(() => packRangeAnswer(state, { before: null, after: null, left: [], right: [step] }, [row])).to.throw('ORACLE_TOO_MANY_ROWS');
    const many = Array.from({ length: limits.oracleRows + 1 }, () => row);
    expect(() => packRangeAnswer(state, { before: null, after: null, left: [], right: [] }, many)).to.throw('ORACLE_TOO_MANY_ROWS');
    const huge = { ...row, values: ['x'.repeat(70_000)] };
    expect(() => packRangeAnswer(state, { before: null, after: null, left: [], right: [] }, [huge])).to.throw('ORACLE_TOO_LONG');
  });
});
