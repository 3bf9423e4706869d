/**
 * Mutation run: small faults are planted in a contract, one at a time, and its fast tests must notice. Works on a copy, compiles without
 * optimizer where that fits, takes a seeded sample and writes after each fault what is known so far, in the end docs/contracts/testing.md.
 *
 *   node scripts/mutate.ts [--only vault|slasher|channels|court] [--sample 60] [--seed 1] [--json contracts/mutants.json]
 *   node scripts/mutate.ts --more [--sample 120]     goes on after those that were tried
 *   node scripts/mutate.ts --again                   tries the survivors again, with the tests as they are now
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { equivalents } from './mutate/equivalents.ts';
import { labelOf, type Mutant } from './mutate/mutants.ts';
import { targets, type Target } from './mutate/targets.ts';
import { openWorkshop, type Workshop } from './mutate/workshop.ts';
import { mutantsFile, readResults, writePage, type MutationResult, type MutationResults } from './testing-page.ts';

function run(): void {
  const { values } = parseArgs({
    options: {
      sample: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' }, only: { type: 'string' },
      json: { type: 'string', default: mutantsFile }, more: { type: 'boolean' }, again: { type: 'boolean' },
    },
  });
  for (const target of targets.filter(({ name }) => values.only === undefined || values.only === name)) {
    const known = read(values.json)[target.name];
    const keep = (result: MutationResult): void => writeFileSync(values.json, `${JSON.stringify({ ...read(values.json), [target.name]: result }, null, 2)}\n`);
    const workshop = openWorkshop(target);
    const before = (values.more === true || values.again === true ? known : undefined) ?? nothing(workshop, Number(values.seed));
    if (values.again === true) again(target, workshop, before, keep);
    else further(target, workshop, before, Number(values.sample), keep);
  }
  if (values.json === mutantsFile) writePage();
  console.table(read(values.json), ['found', 'tried', 'killed']);
}

const read = (file: string): MutationResults => readResults(file);

const nothing = ({ mutants }: Workshop, seed: number): MutationResult =>
  ({ seed, found: mutants.length, tried: 0, stillborn: 0, firstKilled: 0, killed: 0, equivalent: [], survivors: [] });

/** The next mutants of the sample. */
function further(target: Target, workshop: Workshop, before: MutationResult, sample: number, keep: (result: MutationResult) => void): void {
  let result = before;
  for (const mutant of shuffled(workshop.mutants, result.seed).slice(result.tried + result.stillborn)) {
    if (result.tried >= sample) return;
    const { killed } = result;
    result = withFate(result, mutant, target, workshop);
    result = { ...result, firstKilled: result.firstKilled + result.killed - killed };
    keep(result);
  }
}

/** Those that survived, with the tests and the list of equivalents as they are now. */
function again(target: Target, workshop: Workshop, before: MutationResult, keep: (result: MutationResult) => void): void {
  const open = new Set([...before.survivors, ...before.equivalent]);
  const retried = shuffled(workshop.mutants, before.seed).slice(0, before.tried + before.stillborn).filter((mutant) => open.has(labelOf(mutant)));
  // as if they had not been tried: of faults with one label, one may have been killed before
  const lived = before.survivors.length + before.equivalent.length;
  let result: MutationResult = { ...before, tried: before.tried - retried.length, killed: before.killed - (retried.length - lived), equivalent: [], survivors: [] };
  for (const mutant of retried) result = withFate(result, mutant, target, workshop);
  keep(result);
}

function withFate(result: MutationResult, mutant: Mutant, target: Target, workshop: Workshop): MutationResult {
  const startedMs = Date.now();
  const fate = workshop.fateOf(mutant);
  const label = labelOf(mutant);
  console.log(`${target.name} ${result.tried + 1}: ${fate} ${mutant.file}:${mutant.line} ${label} (${Math.round((Date.now() - startedMs) / 1000)} s)`);
  if (fate === 'stillborn') return { ...result, stillborn: result.stillborn + 1 };
  const tried = { ...result, tried: result.tried + 1 };
  if (fate === 'killed') return { ...tried, killed: tried.killed + 1 };
  return label in equivalents ? { ...tried, equivalent: [...tried.equivalent, label] } : { ...tried, survivors: [...tried.survivors, label] };
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

if (process.argv[1] === fileURLToPath(import.meta.url)) run();
