import { expectNone, files, read } from './tree.ts';

const ID = /\b(?!P-256)[PTODW]-(?:\d(?:\.\d)*|A|MAC|m|[a-z]+)-?[0-9A-Za-z.]*(?:-[0-9a-z]+)*\b/g;

interface Row {
  readonly id: string;
  readonly status: string;
}

const map: readonly Row[] = [...read('docs/spec/paper-map.md').matchAll(/^\| ([PTODW]-[^ |]+) \|.*\| (\w+) \|$/gm)].map((match) => ({
  id: match[1] as string,
  status: match[2] as string,
}));
const known = new Set(map.map((row) => row.id));

/** Ids in the titles of tests, Solidity ones included (their NatSpec notice is the title). */
function citedInTests(): Set<string> {
  const cited = new Set<string>();
  for (const file of files(/^test\/.*\.(?:test\.ts|t\.sol)$/)) {
    for (const title of read(file).matchAll(/\b(?:it|describe)\(\s*[`'"]([^\n]*)|\/\/\/ @notice ([^\n]*)|^\s*\/\/ ([PTODW]-[^\n]*)/gm)) {
      for (const id of known) if (`${title[1] ?? ''}${title[2] ?? ''}${title[3] ?? ''}`.includes(id)) cited.add(id);
    }
  }
  return cited;
}

describe('tidy: the paper map', () => {
  it('every id that code, tests or documents cite is in the map', () => {
    const wrong: string[] = [];
    for (const file of files(/^(?:protocol|node|sdk|cli|contracts|test|docs)\/.*\.(?:ts|sol|md)$/)) {
      if (file === 'docs/spec/paper-map.md' || file.startsWith('test/tidy/') || file.startsWith('contracts/generated/')) continue;
      for (const match of read(file).matchAll(ID)) {
        const id = match[0];
        const prefix = [...known].some((name) => name === id || name.startsWith(`${id}-`) || name.startsWith(id));
        if (!prefix) wrong.push(`${file}: ${id}`);
      }
    }
    expectNone([...new Set(wrong)]);
  });

  it('what the map calls built is cited by a test title, and what a test cites is called built', () => {
    const cited = citedInTests();
    expectNone(map.filter((row) => row.status === 'built' && !cited.has(row.id)).map((row) => `${row.id}: built, but no test names it`));
  });
});
