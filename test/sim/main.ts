/**
 * Runs seeds and prints totals, or replays one with a line per event. `--help` says how.
 */
import { execFileSync } from 'node:child_process';
import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { MUTANTS } from './mutants.ts';
import { shortened, type Overrides, type Plan } from './plan.ts';
import { report, shrink } from './shrink.ts';
import { playTwins, sampleScripts, type TwinScript } from './twins.ts';
import { merged, simulate, type RunResult } from './world.ts';

const HELP = `npm run sim -- [options]
  --seeds N       how many seeds (100)
  --from S        the first of them (1)
  --mode M        safety, liveness or both (both)
  --short         safety only, seven runs in eight cut short as in CI
  --real          real secp256k1 signatures, slow
  --twins         scripts of two machines with one key instead of seeds; --seeds 10000 plays all
  --mutant NAME   with one rule switched off (NAME is a part of its name)
  --trace         prints every event on a line; for one seed
  --no-shrink     only names failing seeds
  --json          totals as JSON
Ctrl-C ends after the running seed, with the totals so far.`;

const PROGRESS_MS = 10_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' }, from: { type: 'string', default: '1' }, mode: { type: 'string', default: 'both' },
    real: { type: 'boolean', default: false }, short: { type: 'boolean', default: false },
    twins: { type: 'boolean', default: false }, mutant: { type: 'string' }, trace: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const totals = { runs: 0, events: 0, commands: 0, fast: 0, classic: 0, blocks: 0, checkpoints: 0, views: 0, epochs: 0, faults: 0, repeated: 0, failed: 0 };
const failedSeeds: string[] = [];
const modes: readonly Plan['mode'][] = values.short ? ['safety'] : values.mode === 'both' ? ['safety', 'liveness'] : [values.mode as Plan['mode']];
const mutant = MUTANTS.find(({ name }) => values.mutant !== undefined && name.includes(values.mutant));
const base: Overrides = { ...(mutant === undefined ? {} : merged(mutant.overrides, mutant.host, mutant.rules)), ...(values.real ? { real: true } : {}) };
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();

await installNativeCrypto();
const startedMs = performance.now();
const from = BigInt(values.from);
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));
const jobs = values.twins ? scriptJobs(sampleScripts(Number(values.seeds))) : seedJobs(from, BigInt(values.seeds));
let seeds = 0;
let toldMs = startedMs;
for (const job of jobs) {
  job();
  seeds += 1;
  await turn(); // signals come in between seeds
  if (stopped) break;
  if (performance.now() - toldMs < PROGRESS_MS) continue;
  toldMs = performance.now();
  process.stderr.write(`${seeds} of ${values.seeds}, ${totals.failed} failed\n`);
}
const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
const told = { commit, seeds, from: values.from, ...totals, seconds };
console.log(values.json ? JSON.stringify({ ...told, failedSeeds }) : Object.entries(told).map(([k, v]) => `${k} ${v}`).join(', '));
process.exitCode = totals.failed > 0 ? 1 : 0;

function runOne(seed: bigint, mode: Plan['mode']): void {
  const overrides = values.short ? { ...base, ...shortened(seed) } : base;
  const result = simulate(seed, mode, overrides, values.trace ? (line) => console.log(line) : undefined);
  add(result);
  // one seed in a hundred runs twice: the same seed must be the same run
  if (seed % 100n === 0n) repeat(seed, mode, overrides, result);
  const [first] = result.violations;
  if (first === undefined) return;
  totals.failed += 1;
  failedSeeds.push(`${seed}/${mode}`);
  const what = `seed ${seed} ${mode}: ${first.invariant} at ${first.atMs.toFixed(1)} ms: ${first.what}`;
  if (values.json) return console.error(what); // a long run tells at once
  console.log(what);
  if (!values['no-shrink']) console.log(report(commit, shrink(result.plan, result)));
}

function* seedJobs(first: bigint, count: bigint): Iterable<() => void> {
  for (let seed = first; seed < first + count; seed++) yield () => modes.forEach((mode) => runOne(seed, mode));
}

function* scriptJobs(scripts: readonly TwinScript[]): Iterable<() => void> {
  for (const [i, script] of scripts.entries()) yield () => playScript(script, i);
}

function playScript(script: TwinScript, i: number): void {
  const result = playTwins(script, BigInt(i));
  add(result);
  const [first] = result.violations;
  if (first === undefined) return;
  totals.failed += 1;
  failedSeeds.push(`twin ${script.twin} cuts ${script.cuts.join('/')}`);
  if (!values.json) console.log(`twin ${script.twin}, cuts ${script.cuts.join()}, seed ${i}: ${first.invariant}: ${first.what}`);
}

function add(result: RunResult): void {
  totals.runs += 1;
  totals.events += result.events;
  totals.commands += result.submitted;
  totals.fast += result.fast;
  totals.classic += result.classic;
  totals.blocks += Number(result.height);
  totals.checkpoints += result.checkpoints;
  totals.views += Number(result.views);
  totals.epochs += Number(result.epochs) - 1;
  totals.faults += result.faults.length;
}

function repeat(seed: bigint, mode: Plan['mode'], overrides: Overrides, result: RunResult): void {
  totals.repeated += 1;
  if (simulate(seed, mode, overrides).hash === result.hash) return;
  totals.failed += 1;
  failedSeeds.push(`${seed}/${mode} not deterministic`);
}
