import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runChaos } from './run.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' }, json: { type: 'string' } } });
const report = await runChaos({
  seed: BigInt(values.seed), durationMs: 60_000 * Number(values.minutes), onEvent: (line) => console.log(`${new Date().toISOString()} ${line}`),
});
console.log(JSON.stringify(report, null, 1));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 1)}\n`);
process.exitCode = report.broken.length === 0 ? 0 : 1;
