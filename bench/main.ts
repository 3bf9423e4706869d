/**
 * `npm run bench`: answers questions about speed, each by a file of this folder, and keeps the answers in `bench/results`.
 *
 *   npm run bench                              all of them, medians of three rounds
 *   npm run bench -- commit read               named ones
 *   npm run bench -- commit --quick            one short round, nothing kept
 *   npm run bench -- commit --json FILE        the figures to FILE as well
 *   npm run bench -- commit --clients 64 --wallets 1                  all clients in one program, whose wallet signs together
 *   npm run bench -- commit --clients 64 --rows 1 --profile DIR     CPU profiles; read them with bench/profile.ts
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as catchUp from './catch-up.ts';
import * as commit from './commit.ts';
import * as group from './group.ts';
import type { BenchOptions } from './options.ts';
import * as read from './read.ts';
import { print, resultFile, save, type Figure, type Report } from './report.ts';
import * as stateTree from './state-tree.ts';
import * as storage from './storage.ts';
import * as viewChange from './view-change.ts';

interface Bench {
  readonly question: string;
  run(options: BenchOptions): Promise<readonly Figure[]>;
}

const benches: Readonly<Record<string, Bench>> = { 'catch-up': catchUp, commit, group, read, 'state-tree': stateTree, storage, 'view-change': viewChange };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false }, json: { type: 'string' }, profile: { type: 'string' }, clients: { type: 'string' }, rows: { type: 'string' },
    window: { type: 'string' }, wallets: { type: 'string' }, classic: { type: 'boolean', default: false },
  },
});
const numbers = (text: string | undefined): number[] | undefined => text?.split(',').map(Number);
const options: BenchOptions = {
  quick: values.quick, profileDir: values.profile === undefined ? undefined : resolve(values.profile),
  clients: numbers(values.clients), rows: numbers(values.rows), windowMs: numbers(values.window)?.[0],
  wallets: numbers(values.wallets)?.[0], classicOnly: values.classic,
};
const whole = !options.quick && options.profileDir === undefined && options.clients === undefined && options.rows === undefined
  && options.windowMs === undefined && options.wallets === undefined;
const names = positionals.length === 0 ? Object.keys(benches) : positionals;
for (const name of names) {
  const bench = benches[name];
  if (bench === undefined) {
    console.error(`There is no bench "${name}"; there are: ${Object.keys(benches).join(', ')}.`);
    process.exitCode = 1;
    continue;
  }
  const report: Report = { name, question: bench.question, figures: await bench.run(options) };
  print(report);
  if (whole) save(report, resultFile(values.classic ? `${name}-classic` : name));
  if (values.json !== undefined) save(report, resolve(values.json));
}
