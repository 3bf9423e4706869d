import { expect } from 'chai';
import { expectNone, read } from './tree.ts';

/** Rows of docs/contracts/attacks.md: the attack (empty when it is the one above), its file and test. */
const rows = [...read('docs/contracts/attacks.md').matchAll(/^\|([^|]*)\|[^|]*\|[^|]*\| `(\w+)` \| `([^`]+)` \|$/gm)]
  .map((match) => ({ attack: (match[1] as string).trim(), file: `test/contracts/${match[2]}.test.ts`, title: match[3] as string }));

describe('tidy: docs/contracts/attacks.md', () => {
  it('every attack has a test, and every title is one of a test that exists', () => {
    expect(rows.filter(({ attack }) => attack !== '').length).to.be.at.least(27);
    expectNone(rows.filter(({ file, title }) => !titlesOf(file).has(title)).map(({ file, title }) => `${file}: ${title}`));
  });

  it('no row is written in another form', () => {
    const lines = read('docs/contracts/attacks.md').split('\n').filter((line) => line.startsWith('|'));
    expect(lines.length - 2).to.equal(rows.length);
  });
});

function titlesOf(file: string): Set<string> {
  return new Set([...read(file).matchAll(/\bit\('((?:[^'\\]|\\.)*)'/g)].map((match) => (match[1] as string).replaceAll('\\\'', '\'')));
}
