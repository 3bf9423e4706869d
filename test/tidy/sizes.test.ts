import { expect } from 'chai';
import { expectNone, files, read } from './tree.ts';

/** Numbers of docs/STYLE.md. */
const FILE_HARD_LINES = 400;
const FILE_P90_LINES = 310;
const WIDTH = 170;
const ENTRY_CONTRACT_LINES = 400;

const lines = (file: string): number => read(file).split('\n').length;
const sources = files(/^(protocol|node|sdk|cli|scripts|bench|test)\/.*\.(?:ts|js|cjs)$/);

describe('tidy: sizes', () => {
  it('no file over the hard stop, nine in ten under the comfortable length', () => {
    const long = sources.filter((file) => lines(file) > FILE_HARD_LINES).map((file) => `${file}: ${lines(file)}`);
    expectNone(long);
    const sorted = sources.map(lines).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length * 0.9)]).to.be.at.most(FILE_P90_LINES);
  });

  it('entry contracts and libraries stay small', () => {
    const long = files(/^contracts\/.*\.sol$/).filter((file) => lines(file) > ENTRY_CONTRACT_LINES).map((file) => `${file}: ${lines(file)}`);
    expectNone(long);
  });

  it('no line is wider than the page', () => {
    const wide: string[] = [];
    for (const file of [...sources, ...files(/^contracts\/(?!generated\/).*\.(?:sol|ts)$/)]) {
      read(file).split('\n').forEach((text, i) => {
        if (text.length > WIDTH && !/https?:\/\//.test(text)) wide.push(`${file}:${i + 1} ${text.length}`);
      });
    }
    expectNone(wide);
  });

  it('lines end with a newline and without trailing blanks', () => {
    const wrong = sources.filter((file) => !read(file).endsWith('\n') || /[ \t]+$/m.test(read(file)));
    expectNone(wrong);
  });
});
