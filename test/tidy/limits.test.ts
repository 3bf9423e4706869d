import { expect } from 'chai';
import { limits } from '../../protocol/limits/index.ts';
import { expectNone, read } from './tree.ts';

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Why it is there, and what happens at it. */
  readonly words: readonly string[];
}

const rows: readonly Row[] = [...read('docs/LIMITS.md').matchAll(/^\| `(\w+)` \| ([\d,]+) \| (\w+) \|(.*)\|$/gm)].map((match) => ({
  name: match[1] as string,
  value: Number((match[2] as string).replaceAll(',', '')),
  unit: match[3] as string,
  words: (match[4] as string).split('|').map((cell) => cell.trim()),
}));

describe('tidy: docs/LIMITS.md', () => {
  it('lists every limit of protocol/limits once, and nothing else', () => {
    expect(rows.map(({ name }) => name)).to.have.members(Object.keys(limits));
  });

  it('gives the value that the code has', () => {
    const values: Readonly<Record<string, number>> = limits;
    expectNone(rows.filter(({ name, value }) => values[name] !== value).map(({ name, value }) => `${name}: page ${value}, code ${values[name]}`));
  });

  it('gives the unit that the name ends with', () => {
    const unitOf = (name: string): string => (name.endsWith('Bytes') ? 'bytes' : name.endsWith('Ms') ? 'ms' : 'count');
    expectNone(rows.filter(({ name, unit }) => unit !== unitOf(name)).map(({ name, unit }) => `${name}: ${unit}`));
  });

  it('says why and what happens at it', () => {
    expectNone(rows.filter(({ words }) => words.length !== 2 || words.includes('')).map(({ name }) => name));
  });
});
