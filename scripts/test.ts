/**
 * `npm test`: every suite, each in its own process and the contracts beside the others, then one line with the real totals. A suite that
 * dies without totals counts as one failure, so a crash can never look like success.
 *
 *   npm test                    everything
 *   npm test -- unit sim        named suites only
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readHardhatTotals } from './test-hardhat-totals.ts';

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
  /** Passed tests by file, and the files in which something failed. */
  perFile?: Readonly<Record<string, number>>;
  failedFiles?: readonly string[];
}

interface Suite {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Reads totals of a runner that does not write the totals file. */
  readonly totals?: (output: string) => Totals | undefined;
  /** Compiles and runs on one core for minutes: goes on beside the others, its output held back, until only process tests are left. */
  readonly beside?: boolean;
  /** Files that may fail before the suite has failed: they are tried a second time, from a new beginning. */
  readonly secondTries?: number;
  /** Runs when everything else is over. */
  readonly alone?: boolean;
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
const mocha = (name: string, glob: string, ...extra: string[]): Suite => ({
  name,
  command: bin('mocha'),
  // --exit: a test that failed may leave a socket open, and must not keep the run from ending
  args: ['--reporter', 'scripts/test-reporter.cjs', '--exit', '--timeout', '60000', ...extra, glob],
});

const suites: readonly Suite[] = [
  { name: 'lint', command: bin('oxlint'), args: [], totals: () => ({ passed: 1, failed: 0, skipped: 0 }) },
  { name: 'types', command: bin('tsc'), args: ['-p', '.'], totals: () => ({ passed: 1, failed: 0, skipped: 0 }) },
  mocha('tidy', 'test/tidy/**/*.test.ts'),
  mocha('unit', 'test/{unit,conformance}/**/*.test.ts', '--parallel', '--jobs', '2'),
  mocha('sim', 'test/sim/**/*.test.ts', '--parallel', '--jobs', '2', '--timeout', '600000'),
  { name: 'contracts', command: bin('hardhat'), args: ['test'], totals: readHardhatTotals, beside: true },
  // real processes share the machine with whatever else it does
  { ...mocha('e2e', 'test/{e2e,browser,byzantine}/**/*.test.ts', '--timeout', '300000'), secondTries: 2, alone: true },
];

/** The suite; of a few failed files what a second try shows, with both in the output. */
async function runWithSecondTry(suite: Suite): Promise<Totals> {
  const first = await run(suite);
  const files = first.failedFiles ?? [];
  if (files.length === 0 || files.length > (suite.secondTries ?? 0)) return first;
  console.log(`\n== ${suite.name}: a second try of ${files.join(', ')}`);
  const second = await run({ ...suite, args: [...suite.args.slice(0, -1), ...files] });
  const before = files.reduce((sum, file) => sum + (first.perFile?.[file] ?? 0), 0);
  return { passed: first.passed - before + second.passed, failed: second.failed, skipped: first.skipped };
}

function run(suite: Suite): Promise<Totals> {
  const scratch = mkdtempSync(join(tmpdir(), 'picolo-test-'));
  const totalsFile = join(scratch, 'totals.json');
  const heading = `\n== ${suite.name}`;
  if (suite.beside !== true) console.log(heading);
  const startedMs = Date.now();
  const child = spawn(suite.command, suite.args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PICOLO_TOTALS: totalsFile, FORCE_COLOR: '0', PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH']}` },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (suite.beside !== true) process.stdout.write(chunk);
  });
  return new Promise((resolve) => {
    child.on('error', (error) => (output += String(error)));
    child.on('close', (code) => {
      const totals = readTotals(suite, totalsFile, output) ?? { passed: 0, failed: 1, skipped: 0 };
      if (code !== 0 && totals.failed === 0) totals.failed = 1;
      rmSync(scratch, { recursive: true, force: true });
      if (suite.beside === true) console.log(`${heading}\n${output}`);
      console.log(`== ${suite.name}: ${line(totals)} in ${Math.round((Date.now() - startedMs) / 1000)} s`);
      resolve(totals);
    });
  });
}

function readTotals(suite: Suite, file: string, output: string): Totals | undefined {
  if (suite.totals) return suite.totals(output);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Totals;
  } catch {
    return undefined;
  }
}

function line(totals: Totals): string {
  return `${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`;
}

async function inTurn(few: readonly Suite[]): Promise<void> {
  for (const suite of few) {
    const totals = await runWithSecondTry(suite);
    sum.passed += totals.passed;
    sum.failed += totals.failed;
    sum.skipped += totals.skipped;
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`TEST_UNKNOWN_SUITE: no suite named ${unknown.join(', ')}; choose from ${suites.map((s) => s.name).join(', ')}`);
  process.exit(2);
}
const sum: Totals = { passed: 0, failed: 0, skipped: 0 };
const chosen = suites.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
await Promise.all([
  inTurn(chosen.filter(({ beside, alone }) => beside !== true && alone !== true)),
  inTurn(chosen.filter(({ beside }) => beside === true)),
]);
await inTurn(chosen.filter(({ alone }) => alone === true));
console.log(`\n${line(sum)}`);
process.exitCode = sum.failed === 0 ? 0 : 1;
