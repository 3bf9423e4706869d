/**
 * Measures whole transactions on receipts, rewrites `contracts/gas.json` and prints what changed.
 *
 *   node scripts/gas.ts
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const file = join(root, 'contracts/gas.json');
const bin = join(root, 'node_modules/.bin');
const read = (): Record<string, number> => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});

const before = read();
const { status } = spawnSync(join(bin, 'hardhat'), ['test', 'mocha', './test/contracts/gas.test.ts'], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { ...process.env, PICOLO_GAS_WRITE: '1', PATH: `${bin}:${process.env['PATH'] ?? ''}` },
});
for (const [name, gas] of Object.entries(read())) {
  const old = before[name];
  const change = old === undefined ? 'new' : old === gas ? '' : `${gas > old ? '+' : ''}${gas - old}`;
  console.log(`${name.padEnd(52)} ${String(gas).padStart(8)}  ${change}`);
}
process.exitCode = status ?? 1;
