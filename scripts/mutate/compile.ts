import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SolidityOutput {
  readonly sources: Readonly<Record<string, { readonly ast: unknown }>>;
  readonly contracts: Readonly<Record<string, Readonly<Record<string, { readonly evm: { readonly bytecode: { readonly object: string } } }>>>>;
}

export interface CompileOptions {
  /** Default off: ten times as fast, and the tests do not measure gas. */
  readonly optimize?: boolean | undefined;
  /** Syntax trees too; default code alone. */
  readonly trees?: boolean;
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const solc = createRequire(join(root, 'package.json'))('solc') as { compile(input: string, callbacks: object): string };

/**
 * Compiles contracts of a folder that holds `contracts/` and `node_modules/`.
 * @returns the compiler's message where it refuses
 */
export function compileAll(folder: string, names: readonly string[], { optimize = false, trees = false }: CompileOptions = {}): SolidityOutput | string {
  const sources = Object.fromEntries(names.map((name) => [`contracts/${name}.sol`, { content: readFileSync(join(folder, `contracts/${name}.sol`), 'utf8') }]));
  const outputSelection = { '*': { '*': ['evm.bytecode.object'], ...(trees ? { '': ['ast'] } : {}) } };
  const settings = { evmVersion: 'cancun', optimizer: { enabled: optimize, runs: 1 }, outputSelection };
  const find = (path: string): { contents: string } | { error: string } => {
    const file = path.startsWith('contracts/') ? join(folder, path) : join(folder, 'node_modules', path);
    return existsSync(file) ? { contents: readFileSync(file, 'utf8') } : { error: `no file ${path}` };
  };
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings }), { import: find })) as
    SolidityOutput & { errors?: { severity: string; formattedMessage: string }[] };
  return output.errors?.find(({ severity }) => severity === 'error')?.formattedMessage ?? output;
}
