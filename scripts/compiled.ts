/**
 * Compiled contracts for whoever deploys. The compiler needs minutes, so its output is kept in
 * `contracts/generated/bytecode.json` under a hash of everything it was made from; with other sources than those the
 * compiler runs first (decision 0182).
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keccak256 } from 'ethers';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const bytecodeFile = join(root, 'contracts/generated/bytecode.json');
/** What decides over the output besides the sources: settings of the compiler, and the versions of what they import. */
const MADE_WITH = ['hardhat.config.ts', 'node_modules/solc/package.json', 'node_modules/@openzeppelin/contracts/package.json'];

/** Bytes that differ from deployment to deployment: start and length in the deployed code. */
export type Immutables = readonly (readonly [start: number, length: number])[];

export interface CompiledContract {
  /** Creation code, without constructor arguments. */
  readonly bytecode: string;
  /** Keccak-256 of the code as it stands on chain, immutables zero. */
  readonly codeHash: string;
  readonly immutables: Immutables;
  /** Of samples; those of the contracts themselves are in `contracts/generated/abis.ts`. */
  readonly abi?: readonly unknown[];
}

export interface Bytecode {
  /** `sourcesHash()` of what it was compiled from. */
  readonly sources: string;
  readonly contracts: Readonly<Record<string, CompiledContract>>;
}

/** SHA-256 over everything that a compiled contract is made from, here or in a copy of the repository. */
export function sourcesHash(of = root): string {
  const sources = readdirSync(join(of, 'contracts'), { recursive: true, encoding: 'utf8' })
    .map((file) => join('contracts', file)).filter((file) => file.endsWith('.sol'));
  const hash = createHash('sha256');
  for (const file of [...sources.toSorted(), ...MADE_WITH]) {
    const text = readFileSync(join(of, file));
    hash.update(`${file}\0${text.length}\0`).update(text);
  }
  return hash.digest('hex');
}

/** An empty one when somebody deleted it. */
export const readBytecode = (): Bytecode =>
  (existsSync(bytecodeFile) ? JSON.parse(readFileSync(bytecodeFile, 'utf8')) as Bytecode : { sources: '', contracts: {} });

let kept: Bytecode | undefined;
let fresh: boolean | undefined;
let compiled = false;

/** A contract of `contracts/`, from the kept output or, after a change of sources, from the compiler. */
export function compiledContract(name: string): CompiledContract {
  kept ??= readBytecode();
  fresh ??= kept.sources === sourcesHash();
  const contract = fresh ? kept.contracts[name] : undefined;
  return contract ?? artifactOf(name);
}

interface Artifact {
  readonly abi: readonly unknown[];
  readonly bytecode: string;
  readonly deployedBytecode: string;
  readonly immutableReferences?: Readonly<Record<string, readonly { readonly start: number; readonly length: number }[]>>;
}

/** What the compiler wrote; it runs first when the sources are newer. */
export function artifactOf(name: string): CompiledContract {
  const folder = join(root, 'artifacts/contracts');
  const file = join(folder, `${name}.sol`, `${name.split('/').at(-1)}.json`);
  if (!compiled && (!existsSync(file) || newestMs(folder, '.json') < newestMs(join(root, 'contracts'), '.sol'))) compile();
  compiled = true;
  const { abi, bytecode, deployedBytecode, immutableReferences = {} } = JSON.parse(readFileSync(file, 'utf8')) as Artifact;
  const immutables = Object.values(immutableReferences).flat().map(({ start, length }) => [start, length] as const);
  return { bytecode, codeHash: keccak256(deployedBytecode), immutables, ...(name.startsWith('samples/') ? { abi } : {}) };
}

/** Time of the latest change among a folder's files with this ending. */
function newestMs(folder: string, ending: string): number {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ending));
  return Math.max(...found.map((file) => statSync(join(folder, file)).mtimeMs));
}

function compile(): void {
  const bin = join(root, 'node_modules/.bin');
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  const { status } = spawnSync(join(bin, 'hardhat'), ['build', '--no-tests', '--quiet'], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('DEPLOY_NOT_COMPILED: the contracts could not be compiled; run "hardhat build" and read its output');
}
