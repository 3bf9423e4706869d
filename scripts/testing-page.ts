/**
 * Writes docs/contracts/testing.md from `contracts/mutants.json` and `contracts/coverage.json`; the two runs that measure do it too.
 *
 *   node scripts/testing-page.ts
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { equivalents } from './mutate/equivalents.ts';
import { targets } from './mutate/targets.ts';

/** Of one target: what `contracts/mutants.json` holds. */
export interface MutationResult {
  readonly seed: number;
  readonly found: number;
  /** Those that compile. */
  readonly tried: number;
  readonly stillborn: number;
  /** When it was tried the first time, before its survivors got tests. */
  readonly firstKilled: number;
  readonly killed: number;
  /** Survivors that nothing can notice. */
  readonly equivalent: readonly string[];
  readonly survivors: readonly string[];
}
export type MutationResults = Readonly<Record<string, MutationResult>>;

/** Of one source file: lines with code and those of them that ran, percent of its statements, lines that did not run. */
export interface FileCoverage {
  readonly lines: number;
  readonly ran: number;
  readonly statementsPercent: number;
  readonly missed: readonly number[];
}
export type Coverage = Readonly<Record<string, FileCoverage>>;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const mutantsFile = join(root, 'contracts/mutants.json');
export const coverageFile = join(root, 'contracts/coverage.json');
const pageFile = join(root, 'docs/contracts/testing.md');

/** An empty record when the file is not there. */
export const readResults = <T extends object>(file: string): T => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as T;

/** The page of docs/contracts with these numbers. */
export function testingPage(mutants: MutationResults, coverage: Coverage): string {
  const head = readFileSync(join(root, 'scripts/testing-page.md'), 'utf8');
  return head.replace('{mutants}', mutantTable(mutants)).replace('{equivalents}', reasons(mutants)).replace('{survivors}', survivors(mutants))
    .replace('{coverage}', coverageTable(coverage));
}

export function writePage(): void {
  writeFileSync(pageFile, testingPage(readResults(mutantsFile), readResults(coverageFile)));
}

function mutantTable(results: MutationResults): string {
  const rows = targets.filter(({ name }) => name in results).map(({ name, files }) => {
    const { found, tried, firstKilled, killed, equivalent, survivors: alive } = results[name] as MutationResult;
    const score = (100 * killed) / (tried - equivalent.length);
    const sources = Object.keys(files).map((file) => `\`${file.split('/').at(-1)}\``).join(', ');
    return `| ${name} | ${sources} | ${found} | ${tried} | ${firstKilled} | ${killed} | ${equivalent.length} | ${alive.length} | ${score.toFixed(1)} % |`;
  });
  const head = ['target', 'sources', 'found', 'tried', 'killed at first', 'killed now', 'equivalent', 'survived', 'score'];
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows].join('\n');
}

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function reasons(results: MutationResults): string {
  const met = new Set(Object.values(results).flatMap(({ equivalent }) => equivalent));
  return [...met].map((label) => `| ${code(label)} | ${equivalents[label] ?? ''} |`).join('\n');
}

function survivors(results: MutationResults): string {
  return Object.values(results).flatMap((each) => each.survivors).map((label) => `- ${code(label)}`).join('\n') || 'None.';
}

function coverageTable(coverage: Coverage): string {
  const all = Object.entries(coverage);
  const groups = [['libraries', /\/libraries\//], ['samples', /\/samples\//], ['contracts', /^contracts\/[^/]+$/]] as const;
  const sums = groups.map(([name, pattern]) => {
    const files = all.filter(([file]) => pattern.test(file)).map(([, each]) => each);
    const [ran, lines] = [sum(files.map((each) => each.ran)), sum(files.map((each) => each.lines))];
    const whole = files.filter(({ statementsPercent }) => statementsPercent === 100).length;
    return `| ${name} | ${ran} of ${lines} | ${((100 * ran) / lines).toFixed(2)} % | ${whole} of ${files.length} |`;
  });
  const each = all.map(([file, { lines, ran, statementsPercent, missed }]) =>
    `| \`${file.slice('contracts/'.length)}\` | ${ran} of ${lines} | ${statementsPercent.toFixed(2)} % | ${missed.join(', ') || 'none'} |`);
  return [
    '| | lines that ran | | files with every statement |', '|---|---|---|---|', ...sums, '',
    '| file | lines that ran | statements | lines that did not |', '|---|---|---|---|', ...each,
  ].join('\n');
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

if (process.argv[1] === fileURLToPath(import.meta.url)) writePage();
