import { expectNone, files, read, withoutComments } from './tree.ts';

const text = files(/\.(?:ts|js|cjs|mjs|sol|md|json|sh|toml)$|^\.ci\/run$/).filter(
  (file) => file !== 'package-lock.json' && !file.startsWith('test/tidy/'),
);

/** Words with what to write instead; the repository speaks of the product alone. */
const banned: readonly (readonly [RegExp, string])[] = [
  [/\b(?:TODO|FIXME|XXX|HACK)\b/, 'do it, or name it in docs'],
  [/\b(?:claude|chatgpt|copilot|openai|anthropic)\b/i, 'the product alone'],
  [/\b(?:LLM|AI assistant|coding agent)\b/, 'the product alone'],
  [/(?:^|[\s'"(])\/(?:work|home|root|Users|tmp\/picolo)\//, 'no machine paths'],
  [/\.\.\/shared\//, 'nothing outside the repository'],
  [/registry\.npmjs\.org|deb\.debian\.org/, 'no registry hosts'],
];

describe('tidy: words', () => {
  it('no leftovers, no words about the workplace', () => {
    const wrong: string[] = [];
    for (const file of text) {
      read(file).split('\n').forEach((row, i) => {
        for (const [pattern, instead] of banned) if (pattern.test(row)) wrong.push(`${file}:${i + 1} ${instead}: ${row.trim().slice(0, 100)}`);
      });
    }
    expectNone(wrong);
  });

  it('no bare Error outside tests: every fault has a code', () => {
    const wrong: string[] = [];
    for (const file of files(/^(protocol|node|sdk|cli)\/.*\.ts$/)) {
      withoutComments(read(file)).split('\n').forEach((row, i) => {
        if (/\bnew (?:Error|TypeError|RangeError)\(/.test(row)) wrong.push(`${file}:${i + 1} ${row.trim()}`);
      });
    }
    expectNone(wrong);
  });

  it('no test is switched off or alone', () => {
    const off = /\b(?:describe|it)\.(?:only|skip)\(|\bx(?:it|describe)\(/;
    const wrong = files(/^test\/.*\.test\.ts$/).filter((file) => !file.startsWith('test/tidy/') && off.test(read(file)));
    expectNone(wrong);
  });

  it('every document has one top heading', () => {
    const wrong = files(/^(?:docs\/.*|README|GLOSSARY)\.md$/).filter((file) => {
      const prose = read(file).replace(/```[\s\S]*?```/g, '');
      return (prose.match(/^# /gm) ?? []).length !== 1;
    });
    expectNone(wrong);
  });

  it('every room says what it is at its door', () => {
    const doors = files(/^(?:protocol|node|sdk|contracts)(?:\/[^/]+)?\/index\.ts$/);
    expectNone(doors.filter((file) => !/^(?:\/\/[^\n]*\n)*\/\*\*/.test(read(file))));
  });
});
