/**
 * Four real node processes under a load of writes while machines, links and disks fail; then what must hold is checked.
 *
 *   npm run chaos -- --minutes 10 --seed 1 --json report.json
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// it lives with the tests: no product code may depend on it
const main = join(dirname(fileURLToPath(import.meta.url)), '../test/e2e/chaos/main.ts');
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
