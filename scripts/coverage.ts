/**
 * Which lines and statements of the contracts the tests run: hardhat's own coverage on a copy of the repository, with few runs of what is
 * drawn at random. Writes `contracts/coverage.json` and docs/contracts/testing.md.
 *
 *   node scripts/coverage.ts [--json contracts/coverage.json] [test/contracts/….test.ts …]     other files than all: prints alone
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { copyOfRepository } from './copy.ts';
import { coverageFile, writePage, type Coverage, type FileCoverage } from './testing-page.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** They look at the compiled code itself, which is another one here: gas, trees of the compiler. */
const OTHER_CODE = ['gas.test.ts', 'rules.test.ts'];
const RUNS = { PICOLO_FUZZ_RUNS: '16', PICOLO_INVARIANT_RUNS: '2', PICOLO_INVARIANT_DEPTH: '30' };
/** Cannot hold where the code is instrumented and not optimized. */
const NOT_HERE = 'fits the size limit|is what the compiler says|pays the gas of an answer';

function run(): void {
  const { values, positionals } = parseArgs({ options: { json: { type: 'string', default: coverageFile } }, allowPositionals: true });
  const folder = copyOfRepository('coverage');
  // the kept output is of other settings; without it deployments take what is compiled here
  rmSync(join(folder, 'contracts/generated/bytecode.json'));
  const table = measure(folder, positionals.length > 0 ? positionals : testFiles());
  const coverage = parse(readFileSync(join(folder, 'coverage/lcov.info'), 'utf8'), table);
  console.table(coverage, ['lines', 'ran', 'statementsPercent']);
  if (positionals.length > 0) return;
  writeFileSync(values.json, `${JSON.stringify(coverage, null, 2)}\n`);
  if (values.json === coverageFile) writePage();
}

function testFiles(): string[] {
  return readdirSync(join(root, 'test/contracts'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:test\.ts|t\.sol)$/.test(file) && !OTHER_CODE.includes(file)).toSorted().map((file) => `test/contracts/${file}`);
}

/**
 * Runs these tests in the copy.
 * @returns what hardhat printed
 * @throws Error when a test failed: numbers of a broken run say nothing
 */
function measure(folder: string, files: readonly string[]): string {
  const bin = join(root, 'node_modules/.bin');
  const config = join(folder, 'scripts/hardhat-coverage.config.ts');
  const args = ['--config', config, '--coverage', 'test', '--grep-exclude', NOT_HERE, ...files];
  const env = { ...process.env, ...RUNS, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  const { status, stdout } = spawnSync(join(bin, 'hardhat'), args, { cwd: folder, env, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${stdout}\nthe tests fail under coverage`);
  return stripVTControlCharacters(stdout);
}

/** Lines from the lcov file, the share of statements from the printed table: neither has both. */
function parse(lcov: string, table: string): Coverage {
  const percents = new Map([...table.matchAll(/^║ (\S+\.sol) +│ +[\d.]+ +│ +([\d.]+) +│/gm)].map(([, file, percent]) => [file, Number(percent)]));
  return Object.fromEntries(lcov.split('end_of_record').filter((record) => record.includes('SF:')).map((record): [string, FileCoverage] => {
    const file = /SF:(.+)/.exec(record)?.[1] ?? '';
    const lines = [...record.matchAll(/DA:(\d+),(\d+)/g)].map(([, line, count]) => ({ line: Number(line), ran: Number(count) > 0 }));
    const missed = lines.filter(({ ran }) => !ran).map(({ line }) => line).toSorted((a, b) => a - b);
    return [file, { lines: lines.length, ran: lines.length - missed.length, statementsPercent: percents.get(file) ?? 0, missed }];
  }).toSorted(([a], [b]) => a.localeCompare(b)));
}

run();
