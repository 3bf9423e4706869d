/**
 * Mutation run: small faults are planted in a contract, one at a time, and its fast tests must notice. Works on a copy,
 * compiles without optimizer where that fits, takes a seeded sample and writes the score.
 *
 *   node scripts/mutate.ts [--sample 60] [--seed 1] [--only vault|slasher|channels|court] [--json FILE]
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compileAll, type SolidityOutput } from './mutate/compile.ts';
import { mutantsOf, type Mutant } from './mutate/mutants.ts';

interface Target {
  readonly name: string;
  /** Mutated files. */
  readonly files: readonly string[];
  /** Contracts that are compiled again. */
  readonly contracts: readonly string[];
  /** Their fast tests. */
  readonly tests: readonly string[];
  /** Too large for the chain without the optimizer. */
  readonly optimize?: boolean;
}

const targets: readonly Target[] = [
  {
    name: 'vault', files: ['StakeVault', 'VaultStakes', 'VaultRewards', 'VaultModules'], contracts: ['StakeVault'],
    tests: ['vault', 'evidence', 'registry'],
  },
  {
    name: 'slasher', files: ['SlasherBase', 'SlasherConsensus', 'SlasherCertificates', 'SlasherAnswers'],
    contracts: ['SlasherConsensus', 'SlasherCertificates', 'SlasherAnswers'], tests: ['evidence'],
  },
  { name: 'channels', files: ['PaymentChannels'], contracts: ['PaymentChannels'], tests: ['payments'] },
  {
    name: 'court', files: ['DisputeCourt', 'DisputeCommittees', 'JurorSeats', 'libraries/DisputeMath', 'libraries/SeatOrder'],
    contracts: ['DisputeCourt', 'JurorSeats'], tests: ['jurors', 'dispute', 'appeals'], optimize: true,
  },
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const solc = createRequire(join(root, 'package.json'))('solc') as { compile(input: string, callbacks: object): string };

type Fate = 'killed' | 'survived' | 'stillborn';

function run(): void {
  const { values } = parseArgs({
    options: { sample: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' }, only: { type: 'string' }, json: { type: 'string' } },
  });
  const results = targets
    .filter(({ name }) => values.only === undefined || values.only === name)
    .map((target) => runTarget(target, Number(values.sample), Number(values.seed)));
  console.table(results.map(({ name, found, tried, killed }) => ({ name, found, tried, killed, score: `${((100 * killed) / tried).toFixed(1)} %` })));
  for (const { survivors } of results) for (const survivor of survivors) console.log(`survived: ${survivor}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}

function runTarget(target: Target, sample: number, seed: number) {
  const folder = copyOf();
  try {
    const before = compileAll(solc, folder, target.contracts, target.optimize);
    const all = target.files.flatMap((file) => mutantsOf(`contracts/${file}.sol`, readFileSync(join(folder, `contracts/${file}.sol`), 'utf8'), before));
    writeArtifacts(folder, target.contracts, before);
    if (!passes(folder, target.tests)) throw new Error(`the tests of ${target.name} fail without any mutant`);
    const tried: { readonly mutant: Mutant; readonly fate: Fate }[] = [];
    for (const mutant of shuffled(all, seed)) {
      if (tried.filter(({ fate }) => fate !== 'stillborn').length >= sample) break;
      const fate = fateOf(folder, target, mutant);
      tried.push({ mutant, fate });
      console.log(`${target.name} ${tried.length}: ${fate} ${label(mutant)}`);
    }
    const lived = tried.filter(({ fate }) => fate !== 'stillborn');
    const survivors = lived.filter(({ fate }) => fate === 'survived').map(({ mutant }) => label(mutant));
    return { name: target.name, found: all.length, tried: lived.length, killed: lived.length - survivors.length, survivors };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const label = ({ file, line, kind, from, to }: Mutant): string => `${file}:${line} ${kind}: ${from.slice(0, 60)} -> ${to.slice(0, 60)}`;

function copyOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'picolo-mutants-'));
  for (const part of ['contracts', 'protocol', 'sdk', 'test', 'scripts', 'artifacts', 'docs', 'cache', 'hardhat.config.ts', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function fateOf(folder: string, target: Target, mutant: Mutant): Fate {
  const path = join(folder, mutant.file);
  const original = readFileSync(path, 'utf8');
  const bytes = Buffer.from(original);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, mutant.start), Buffer.from(mutant.to), bytes.subarray(mutant.start + mutant.length)]));
  try {
    const output = compileAll(solc, folder, target.contracts, target.optimize, false);
    if (output === undefined) return 'stillborn';
    writeArtifacts(folder, target.contracts, output);
    return passes(folder, target.tests) ? 'survived' : 'killed';
  } finally {
    writeFileSync(path, original);
  }
}

function writeArtifacts(folder: string, contracts: readonly string[], output: SolidityOutput): void {
  for (const name of contracts) {
    const file = join(folder, `artifacts/contracts/${name}.sol/${name}.json`);
    const artifact = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const made = output.contracts[`contracts/${name}.sol`]?.[name];
    writeFileSync(file, JSON.stringify({ ...artifact, bytecode: `0x${made?.evm.bytecode.object ?? ''}` }));
  }
}

/** A test that hangs on a mutant has noticed it. */
function passes(folder: string, tests: readonly string[]): boolean {
  const bin = join(root, 'node_modules/.bin');
  const files = tests.map((name) => `test/contracts/${name}.test.ts`);
  const { status } = spawnSync(join(bin, 'hardhat'), ['test', 'mocha', '--no-compile', '--bail', ...files], {
    cwd: folder, stdio: 'ignore', timeout: 300_000, env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
  });
  return status === 0;
}

/** Fisher and Yates with a linear congruential generator: a seed gives the same sample everywhere. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const list = [...items];
  let state = BigInt(seed);
  for (let i = list.length - 1; i > 0; i--) {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % (1n << 64n);
    const j = Number((state >> 33n) % BigInt(i + 1));
    [list[i], list[j]] = [list[j] as T, list[i] as T];
  }
  return list;
}

run();
