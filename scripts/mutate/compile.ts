import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SolidityOutput {
  readonly sources: Readonly<Record<string, { readonly ast: unknown }>>;
  readonly contracts: Readonly<Record<string, Readonly<Record<string, { readonly evm: { readonly bytecode: { readonly object: string } } }>>>>;
}

interface Compiler {
  compile(input: string, callbacks: object): string;
}

/** Without optimizer: ten times as fast, and the tests do not measure gas. Undefined when it does not compile and need not. */
export function compileAll(solc: Compiler, folder: string, names: readonly string[], optimize: boolean | undefined, must: false): SolidityOutput | undefined;
export function compileAll(solc: Compiler, folder: string, names: readonly string[], optimize?: boolean, must?: true): SolidityOutput;
export function compileAll(solc: Compiler, folder: string, names: readonly string[], optimize = false, must = true): SolidityOutput | undefined {
  const sources = Object.fromEntries(names.map((name) => [`contracts/${name}.sol`, { content: readFileSync(join(folder, `contracts/${name}.sol`), 'utf8') }]));
  const input = {
    language: 'Solidity', sources,
    settings: {
      evmVersion: 'cancun', optimizer: { enabled: optimize, runs: 1 }, outputSelection: { '*': { '': ['ast'], '*': ['evm.bytecode.object'] } },
    },
  };
  const find = (path: string): { contents: string } | { error: string } => {
    const file = path.startsWith('contracts/') ? join(folder, path) : join(folder, 'node_modules', path);
    return existsSync(file) ? { contents: readFileSync(file, 'utf8') } : { error: `no file ${path}` };
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: find })) as SolidityOutput & { errors?: { severity: string; formattedMessage: string }[] };
  const failed = output.errors?.find(({ severity }) => severity === 'error');
  if (failed === undefined) return output;
  if (must) throw new Error(failed.formattedMessage);
  return undefined;
}
