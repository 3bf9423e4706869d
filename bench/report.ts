/** Tables on the screen and figures under version control: `bench/results/<name>.json`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderTable } from '../cli/output.ts';
import { projectRoot } from '../cli/devnet/processes.ts';
import { machine } from './measure.ts';

/** One line of a table: every line of a bench has the same columns. */
export type Figure = Readonly<Record<string, string | number | null>>;

export interface Report {
  readonly name: string;
  readonly question: string;
  readonly figures: readonly Figure[];
}

/** What goes on, on standard error: a bench is silent for minutes otherwise. */
export const progress = (what: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${what}`);

export function print({ question, figures }: Report): void {
  const columns = Object.keys(figures[0] ?? {});
  console.log(`\n${question}\n${renderTable(columns, figures.map((figure) => columns.map((column) => figure[column] ?? '')))}`);
}

/** The commit they belong to, its date and the machine stand beside the figures. */
export function save(report: Report, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const at = { commit: git('rev-parse', '--short', 'HEAD'), date: git('show', '-s', '--format=%cI', 'HEAD') };
  writeFileSync(file, `${JSON.stringify({ ...report, ...at, machine: machine() }, null, 1)}\n`);
}

export const resultFile = (name: string): string => join(projectRoot, 'bench/results', `${name}.json`);

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).trim();
}

/** `ours` as a share of `theirs`, three digits. */
export function ratio(ours: number, theirs: number): number | null {
  return theirs === 0 ? null : Number((ours / theirs).toPrecision(3));
}
