import { expect } from 'chai';
import { errorCodes } from '../../scripts/error-table.ts';
import { expectNone, files, read } from './tree.ts';

const rows = [...read('docs/operate/bad-input.md').matchAll(/^\| (?!input |-)([^|]+) \| ([^|]+) \| `([^`]+)` \|$/gm)].map((match) => ({
  input: match[1] as string,
  codes: [...(match[2] as string).matchAll(/`(\w+)`/g)].map((code) => code[1] as string),
  test: match[3] as string,
}));

describe('tidy: docs/operate/bad-input.md', () => {
  it('names a test for every row, and that test names the code', () => {
    expect(rows.length).to.be.greaterThan(60);
    const known = new Set(files(/^test\//));
    expectNone(rows.flatMap(({ input, codes, test }) => {
      if (!known.has(test)) return [`${input}: no file ${test}`];
      return codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(read(test))).map((code) => `${input}: ${test} does not name ${code}`);
    }));
  });

  it('uses codes that exist', () => {
    const known = new Set(errorCodes().map(({ code }) => code));
    expectNone(rows.flatMap(({ codes }) => codes).filter((code) => /^[A-Z]+_[A-Z_]+$/.test(code) && !known.has(code)));
  });
});
