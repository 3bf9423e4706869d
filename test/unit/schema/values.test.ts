import { expect } from 'chai';
import {
  applyDdl, expandRow, findTable, keyOf, parseDdl, recordOf, rowFrom, schemaOf, trimRow, validateKey, validateRow, type Row, type Table,
} from '../../../protocol/schema/index.ts';

const schema = schemaOf([
  'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL, ok BOOLEAN DEFAULT TRUE, at TIMESTAMP, rate REAL, raw BLOB)',
]);
const table = findTable(schema, 't') as Table;
const altered = ['note TEXT NOT NULL DEFAULT \'none\'', 'n INTEGER'].map((column) => parseDdl(`ALTER TABLE t ADD COLUMN ${column}`));
const wider = findTable(applyDdl(schema, altered), 't') as Table;
const good: Row = [1n, 'a', 1n, 5n, 0.5, Uint8Array.of(1)];
const fault = (row: Row, on = table): string => {
  try {
    validateRow(on, row);
    return 'valid';
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const change = (column: number, value: Row[number]): Row => good.map((old, i) => (i === column ? value : old));

describe('schema: rows', () => {
  it('P-1-typed: every column holds values of its type only', () => {
    expect(fault(good)).to.equal('valid');
    expect(fault([1n, 'a', null, null, null, null])).to.equal('valid');
    const wrong: readonly (readonly [number, Row[number], string])[] = [
      [0, 1, 'ROW_WRONG_TYPE'], [0, '1', 'ROW_WRONG_TYPE'], [0, null, 'ROW_MISSING'], [0, 1n << 63n, 'ROW_OUT_OF_RANGE'], [1, 5n, 'ROW_WRONG_TYPE'],
      [1, null, 'ROW_MISSING'], [1, '\ud800', 'ROW_BAD_TEXT'], [1, 'x'.repeat(131_073), 'ROW_TOO_LONG'], [2, 2n, 'ROW_OUT_OF_RANGE'],
      [3, 1.5, 'ROW_WRONG_TYPE'], [4, 1n, 'ROW_WRONG_TYPE'], [4, Number.NaN, 'ROW_OUT_OF_RANGE'], [4, Infinity, 'ROW_OUT_OF_RANGE'],
      [5, 'x', 'ROW_WRONG_TYPE'],
      [5, new Uint8Array(300_000), 'ROW_TOO_LONG'],
    ];
    for (const [column, value, code] of wrong) expect(fault(change(column, value)), String(value).slice(0, 20)).to.equal(code);
    expect(fault(good.slice(0, 5))).to.equal('ROW_WRONG_WIDTH');
    expect(fault([...good, null])).to.equal('ROW_WRONG_WIDTH');
    expect(() => validateRow(table, change(1, null))).to.throw(/table: t, column: name/);
  });

  it('one content has one form: defaults of added columns are left off at the end', () => {
    expect(fault(good, wider)).to.equal('valid');
    expect(fault([...good, 'none', null], wider)).to.equal('ROW_NOT_CANONICAL');
    expect(fault([...good, 'none'], wider)).to.equal('ROW_NOT_CANONICAL');
    expect(fault([...good, 'none', 3n], wider)).to.equal('valid');
    expect(fault([...good, 'other'], wider)).to.equal('valid');
    expect(fault([...good, null], wider)).to.equal('ROW_MISSING');
    expect(trimRow(wider, [...good, 'none', null])).to.deep.equal(good);
    expect(expandRow(wider, good)).to.deep.equal([...good, 'none', null]);
    expect(trimRow(table, [1n, 'a', null, null, null, null]), 'columns from the start stay').to.have.length(6);
  });

  it('keys have the types of the primary key', () => {
    expect(keyOf(table, good)).to.deep.equal([1n]);
    validateKey(table, [1n]);
    expect(() => validateKey(table, ['1'])).to.throw().with.property('code', 'ROW_WRONG_TYPE');
    expect(() => validateKey(table, [1n, 2n])).to.throw().with.property('code', 'ROW_WRONG_WIDTH');
    expect(() => validateKey(table, [null])).to.throw().with.property('code', 'ROW_MISSING');
  });

  it('plain values become scalars without guessing', () => {
    expect(rowFrom(table, { ID: 7, name: 'ada', ok: false, at: 1000, rate: 2 })).to.deep.equal([7n, 'ada', 0n, 1000n, 2, null]);
    expect(rowFrom(wider, { id: 7n, name: 'ada', rate: 3n })).to.deep.equal([7n, 'ada', 1n, null, 3, null]);
    expect(recordOf(wider, rowFrom(wider, { id: 7n, name: 'ada' }))).to.include({ id: 7n, note: 'none', n: null });
    const wrong: readonly (readonly [Record<string, unknown>, string])[] = [
      [{ id: 7.5, name: 'a' }, 'ROW_WRONG_TYPE'], [{ id: '7', name: 'a' }, 'ROW_WRONG_TYPE'], [{ id: 2 ** 60, name: 'a' }, 'ROW_WRONG_TYPE'],
      [{ id: true, name: 'a' }, 'ROW_WRONG_TYPE'], [{ id: 7, name: {} }, 'ROW_WRONG_TYPE'], [{ id: 7 }, 'ROW_MISSING'],
      [{ id: 7, name: 'a', ghost: 1 }, 'ROW_UNKNOWN_COLUMN'], [{ id: 7, name: undefined }, 'ROW_MISSING'],
    ];
    for (const [values, code] of wrong) expect(() => rowFrom(table, values), JSON.stringify(values)).to.throw().with.property('code', code);
  });
});
