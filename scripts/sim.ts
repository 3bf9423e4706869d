/**
 * The simulator of a replica group from the command line.
 *
 *   npm run sim -- --seeds 1000 --from 1               totals, and the smallest schedule of every seed that broke an invariant
 *   npm run sim -- --seeds 1 --from 4711 --trace       replays one seed, a line per event
 *   npm run sim -- --seeds 100000 --short --json         many: safety only, most runs cut short as in CI; totals for machines
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// the simulator lives with the tests: no product code may depend on it
const main = join(dirname(fileURLToPath(import.meta.url)), '../test/sim/main.ts');
process.on('SIGINT', () => undefined); // it reaches the simulator too, which ends with its totals
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
