/**
 * `npm run demo`: the main job, start to finish, on real processes, sockets, files and contracts.
 *
 *   npm run demo
 *   npm run demo -- --json facts.json       also writes what was measured
 *   npm run demo -- --cities 500            a smaller world
 */
import { parseArgs } from 'node:util';
import { installNativeCrypto } from '../node/crypto/index.ts';
import { chainStep, clusterStep, providersStep } from './demo/steps-network.ts';
import { loadStep, readStep } from './demo/steps-data.ts';
import { alterStep, equivocateStep } from './demo/steps-lies.ts';
import { crashStep, replaceStep } from './demo/steps-members.ts';
import { strangersStep } from './demo/steps-mx.ts';
import { disputeStep } from './demo/steps-dispute.ts';
import { drainStep, failureStep } from './demo/steps-silence.ts';
import { closingStep, payStep } from './demo/steps-money.ts';
import { tell, writeFacts } from './demo/story.ts';
import { World } from './demo/world.ts';

const { values } = parseArgs({ options: { json: { type: 'string' }, cities: { type: 'string', default: '10000' } } });
await installNativeCrypto();
const world = new World(Math.max(100, Number(values.cities) || 10_000));
const interrupted = async (): Promise<void> => {
  console.error('\nInterrupted: stopping every process …');
  await world.close();
  process.exit(130);
};
process.once('SIGINT', () => void interrupted());
process.once('SIGTERM', () => void interrupted());

const steps = [
  chainStep, providersStep, clusterStep, loadStep, readStep, alterStep, equivocateStep, replaceStep, crashStep, strangersStep, payStep,
  disputeStep, drainStep, failureStep, closingStep,
];
const startedMs = Date.now();
const facts = await tell(world, steps);
await world.close();
const ok = facts.length === steps.length && facts.every((fact) => fact.ok);
console.log(`\n${ok ? 'Everything above was proven' : 'The demo stopped at a step that failed'}, ${Math.round((Date.now() - startedMs) / 1000)} s.`);
if (values.json !== undefined) writeFacts(values.json, { ok, seconds: (Date.now() - startedMs) / 1000, steps: facts });
process.exit(ok ? 0 : 1);
