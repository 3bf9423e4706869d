/** A node whose machine's clock is ten seconds ahead; otherwise the product as it is. */
import { parseArgs } from 'node:util';
import { providerPassword } from '../../cli/options.ts';
import { systemClock } from '../../node/clock/index.ts';
import { startNode } from '../../node/main.ts';

const AHEAD_MS = 10_000;
const { values: { dir = '.' } } = parseArgs({ options: { dir: { type: 'string' } } });
const node = await startNode({
  dir, password: await providerPassword(dir, undefined), clock: { ...systemClock, nowMs: () => systemClock.nowMs() + AHEAD_MS },
});
await node.ended;
