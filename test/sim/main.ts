/**
 * Runs seeds and prints one line of totals, or replays one with a line per event.
 *
 *   node test/sim/main.ts --seeds 200 --from 1 --mode safety
 *   node test/sim/main.ts --from 17 --seeds 1 --trace
 */
import { parseArgs } from 'node:util';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { simulate } from './world.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' }, from: { type: 'string', default: '1' }, mode: { type: 'string', default: 'both' },
    json: { type: 'boolean', default: false }, trace: { type: 'boolean', default: false },
  },
});

await installNativeCrypto();
const totals = { seeds: 0, events: 0, submitted: 0, fast: 0, classic: 0, blocks: 0, checkpoints: 0, views: 0, failed: 0 };
const startedMs = performance.now();
for (let seed = BigInt(values.from); seed < BigInt(values.from) + BigInt(values.seeds); seed++) {
  for (const mode of values.mode === 'both' ? (['safety', 'liveness'] as const) : [values.mode as 'safety' | 'liveness']) {
    const result = simulate(seed, mode, {}, values.trace ? (line) => console.log(line) : undefined);
    totals.seeds += 1;
    totals.events += result.events;
    totals.submitted += result.submitted;
    totals.fast += result.fast;
    totals.classic += result.classic;
    totals.blocks += Number(result.height);
    totals.checkpoints += result.checkpoints;
    totals.views += Number(result.views);
    const [first] = result.violations;
    if (first === undefined) continue;
    totals.failed += 1;
    console.log(`seed ${seed} ${mode}: ${first.invariant} at ${first.atMs.toFixed(1)} ms: ${first.what}`);
  }
}
const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
console.log(values.json ? JSON.stringify({ ...totals, seconds }) : Object.entries({ ...totals, seconds }).map(([k, v]) => `${k} ${v}`).join(', '));
process.exitCode = totals.failed > 0 ? 1 : 0;
