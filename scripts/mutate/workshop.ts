/** A copy of the repository in which one fault at a time is planted. Its tests deploy what `contracts/generated/bytecode.json` there holds. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourcesHash, type Bytecode } from '../compiled.ts';
import { copyOfRepository } from '../copy.ts';
import { compileAll, type SolidityOutput } from './compile.ts';
import { mutantsOf, type Mutant } from './mutants.ts';
import type { Target } from './targets.ts';

/** Killed: a test failed. Stillborn: it does not compile. */
export type Fate = 'killed' | 'survived' | 'stillborn';

export interface Workshop {
  readonly mutants: readonly Mutant[];
  fateOf(mutant: Mutant): Fate;
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** @throws Error when the tests fail without any fault, or their own contracts are not compiled */
export function openWorkshop(target: Target): Workshop {
  if (!existsSync(join(root, 'artifacts'))) throw new Error('the tests need compiled contracts of their own: run npx hardhat build');
  const folder = copyOfRepository('mutants', 'artifacts');
  const all = [...new Set(Object.values(target.files).flat())];
  const before = compileAll(folder, all, { optimize: target.optimize, trees: true });
  if (typeof before === 'string') throw new Error(before);
  write(folder, all, before);
  if (!passes(folder, target.tests)) throw new Error(`the tests of ${target.name} fail without any mutant`);
  const mutants = Object.keys(target.files)
    .flatMap((file) => mutantsOf(`contracts/${file}.sol`, readFileSync(join(folder, `contracts/${file}.sol`), 'utf8'), before));
  return { mutants, fateOf: (mutant) => fateOf(folder, target, mutant) };
}

function fateOf(folder: string, target: Target, mutant: Mutant): Fate {
  const path = join(folder, mutant.file);
  const original = readFileSync(path);
  writeFileSync(path, Buffer.concat([original.subarray(0, mutant.start), Buffer.from(mutant.to), original.subarray(mutant.start + mutant.length)]));
  try {
    const contracts = target.files[mutant.file.slice('contracts/'.length, -'.sol'.length)] ?? [];
    const output = compileAll(folder, contracts, { optimize: target.optimize });
    if (typeof output === 'string') return 'stillborn';
    write(folder, contracts, output);
    return passes(folder, target.tests) ? 'survived' : 'killed';
  } finally {
    writeFileSync(path, original);
  }
}

/** Beside what was compiled now, the contracts of the repository; under the hash of the sources as they stand, so that nothing compiles again. */
function write(folder: string, contracts: readonly string[], output: SolidityOutput): void {
  const file = 'contracts/generated/bytecode.json';
  const kept = JSON.parse(readFileSync(join(root, file), 'utf8')) as Bytecode;
  const made = contracts.map((name) => {
    const code = output.contracts[`contracts/${name}.sol`]?.[name]?.evm.bytecode.object;
    return [name, { ...kept.contracts[name], bytecode: `0x${code ?? ''}` }] as const;
  });
  writeFileSync(join(folder, file), JSON.stringify({ sources: sourcesHash(folder), contracts: { ...kept.contracts, ...Object.fromEntries(made) } }));
}

function passes(folder: string, tests: readonly string[]): boolean {
  const bin = join(root, 'node_modules/.bin');
  const files = tests.map((name) => `test/contracts/${name}.test.ts`);
  // no limit of time: a machine may stand still, and what loops on chain runs out of gas
  const args = ['--exit', '--bail', '--timeout', '0', ...files];
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  return spawnSync(join(bin, 'mocha'), args, { cwd: folder, stdio: 'ignore', env }).status === 0;
}
