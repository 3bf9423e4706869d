/**
 * Writes `contracts/generated/bytecode.json` from the compiled artifacts, so that a deployment needs no compiler. A test
 * of the contracts compares the file with what was compiled.
 *
 *   hardhat build && node scripts/generate-bytecode.ts
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { contractNames } from '../contracts/deployment.ts';
import { artifactOf, bytecodeFile, sourcesHash } from './compiled.ts';

/** What is deployed by somebody, samples included. */
const kept = [...contractNames, 'samples/ScoreBoard'];

/** The whole file, a line per contract. */
export function bytecodeSource(): string {
  const lines = kept.map((name) => `    ${JSON.stringify(name)}: ${JSON.stringify(artifactOf(name))}`);
  return `{\n  "sources": "${sourcesHash()}",\n  "contracts": {\n${lines.join(',\n')}\n  }\n}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(bytecodeFile, bytecodeSource());
