import { expect } from 'chai';
import { errorCodes, errorPage } from '../../scripts/error-table.ts';
import { expectNone, files, read, withoutComments } from './tree.ts';

const page = read('docs/operate/errors.md');
/** Codes without a definition of their own (see the page), and one of the chain library. */
const FOREIGN = ['HOST_INTERNAL', 'CLI_UNEXPECTED', 'NETWORK_ERROR', 'NODE_COMPILE_CACHE'];

describe('tidy: error codes', () => {
  it('docs/operate/errors.md is what scripts/error-table.ts writes', () => {
    expect(page === errorPage(), 'out of date; run: node scripts/error-table.ts').to.equal(true);
  });

  it('the page lists every code exactly once', () => {
    const listed = [...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((match) => match[1] as string);
    expect(listed).to.have.members(errorCodes().map(({ code }) => code));
    expect(new Set(listed).size).to.equal(listed.length);
  });

  it('no defineFaults call escapes the table', () => {
    const calls = files(/^(?:protocol|node|sdk|cli|contracts|scripts|bench)\/.*\.ts$/).filter((file) => file !== 'scripts/error-table.ts')
      .flatMap((file) => [...withoutComments(read(file)).matchAll(/\bdefineFaults\('([A-Z_]+)'/g)].map((match) => match[1] as string));
    const prefixes = new Set(errorCodes().map(({ prefix }) => prefix));
    expectNone(calls.filter((prefix) => !prefixes.has(prefix)));
    expect(calls.length).to.be.greaterThan(20);
  });

  it('a code that the source speaks of exists', () => {
    const prefixes = new Set(errorCodes().map(({ prefix }) => prefix));
    const known = new Set([...errorCodes().map(({ code }) => code), ...prefixes, ...FOREIGN]);
    const mention = new RegExp(`\\b(?:${[...prefixes].join('|')})_[A-Z][A-Z0-9_]*[A-Z0-9]\\b`, 'g');
    const sources = files(/^(?:protocol|node|sdk|cli|docs)\/.*\.(?:ts|md)$/).filter((file) => file !== 'protocol/errors/index.ts');
    const constants = new Set(sources.flatMap((file) => [...read(file).matchAll(/\bconst ([A-Z][A-Z0-9_]*)\b/g)].map((match) => match[1] as string)));
    const wrong: string[] = [];
    for (const file of sources) {
      for (const [code] of read(file).matchAll(mention)) if (!known.has(code) && !constants.has(code)) wrong.push(`${file}: ${code}`);
    }
    expectNone([...new Set(wrong)]);
  });
});
