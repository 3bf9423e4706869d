/**
 * Measures whole transactions on receipts, rewrites `contracts/gas.json` and docs/contracts/gas.md, and prints what changed.
 *
 *   npm run gas [-- --json FILE]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const file = join(root, 'contracts/gas.json');
const bin = join(root, 'node_modules/.bin');
const read = (): Record<string, number> => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});


/** The page of docs/contracts with these numbers. */
export function gasPage(gas: Readonly<Record<string, number>>): string {
  const rows = Object.entries(gas).map(([name, used]) => `| ${name} | ${used.toLocaleString('en-US')} |`);
  return `${readFileSync(join(root, 'scripts/gas-page.md'), 'utf8')}\n| operation | gas |\n|---|---|\n${rows.join('\n')}\n`;
}
export const pageFile = join(root, 'docs/contracts/gas.md');

function measure(): void {
  const before = read();
  const { status } = spawnSync(join(bin, 'hardhat'), ['test', 'mocha', './test/contracts/gas.test.ts'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PICOLO_GAS_WRITE: '1', PATH: `${bin}:${process.env['PATH'] ?? ''}` },
  });
  const after = read();
  writeFileSync(pageFile, gasPage(after));
  for (const [name, gas] of Object.entries(after)) {
    const old = before[name];
    const change = old === undefined ? 'new' : old === gas ? '' : `${gas > old ? '+' : ''}${gas - old}`;
    console.log(`${name.padEnd(52)} ${String(gas).padStart(8)}  ${change}`);
  }
  const { values } = parseArgs({ options: { json: { type: 'string' } } });
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(after, null, 2)}\n`);
  process.exitCode = status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) measure();
