import type { Plan } from './plan.ts';
import { CALM_CLOCKS, CALM_DISK, CALM_NETWORK, HONEST_CLIENTS } from './plan.ts';
import { runPlan, type RunResult } from './world.ts';

/** A class of faults, and a plan without it. */
const CLASSES: readonly (readonly [name: string, without: (plan: Plan) => Plan])[] = [
  ['liars', (plan) => ({ ...plan, byzantine: new Map() })],
  ['second lies', (plan) => ({ ...plan, byzantine: new Map([...plan.byzantine].map(([index, behaviours]) => [index, behaviours.slice(0, 1)])) })],
  ['epochs', (plan) => ({ ...plan, epochs: 0 })],
  ['short history', (plan) => ({ ...plan, historyBlocks: 1_000_000 })],
  ['clock faults', (plan) => ({ ...plan, clocks: CALM_CLOCKS })],
  ['disk faults', (plan) => ({ ...plan, disk: { ...CALM_DISK, flushMs: plan.disk.flushMs } })],
  ['damage', (plan) => ({ ...plan, disk: { ...plan.disk, damage: 'none' } })],
  ['crashes', (plan) => ({ ...plan, disk: { ...plan.disk, crashEveryMs: 0 } })],
  ['full disks', (plan) => ({ ...plan, disk: { ...plan.disk, fullEveryMs: 0, syncErrors: 0 } })],
  ['network faults', (plan) => ({ ...plan, network: { ...CALM_NETWORK, delayMs: plan.network.delayMs } })],
  ['partitions', (plan) => ({ ...plan, network: { ...plan.network, partitionEveryMs: 0 } })],
  ['filters', (plan) => ({ ...plan, network: { ...plan.network, filterEveryMs: 0 } })],
  ['loss', (plan) => ({ ...plan, network: { ...plan.network, loss: 0 } })],
  ['doubled messages', (plan) => ({ ...plan, network: { ...plan.network, duplicate: 0 } })],
  ['slow links', (plan) => ({ ...plan, network: { ...plan.network, slowLinks: 0 } })],
  ['client faults', (plan) => ({ ...plan, workload: { ...HONEST_CLIENTS, reads: plan.workload.reads } })],
  ['codecs', (plan) => ({ ...plan, wire: false })],
  ['planned rotation', (plan) => ({ ...plan, viewDurationMs: 60_000 })],
];

/** The smallest run found that still breaks the same invariant. */
export interface Shrunk {
  readonly plan: Plan;
  readonly result: RunResult;
  /** Classes of faults that the failure does not need. */
  readonly without: readonly string[];
}

/** Leaves out one class of faults after the other, then single faults and commands, as long as the same invariant breaks. */
export function shrink(plan: Plan, failed: RunResult): Shrunk {
  const invariant = failed.violations[0]?.invariant;
  let best: Shrunk = { plan, result: failed, without: [] };
  const keep = (smaller: Plan, name?: string): boolean => {
    const result = runPlan(smaller);
    if (result.violations[0]?.invariant !== invariant) return false;
    best = { plan: smaller, result, without: name === undefined ? best.without : [...best.without, name] };
    return true;
  };
  for (const [name, without] of CLASSES) {
    const smaller = without(best.plan);
    if (!same(smaller, best.plan)) keep(smaller, name);
  }
  for (const { number } of best.result.faults) keep({ ...best.plan, muted: new Set([...best.plan.muted, number]) });
  for (let commands = best.plan.commands >> 1; commands > 0 && keep({ ...best.plan, commands }); commands >>= 1);
  if (plan.mode === 'safety') keep({ ...best.plan, durationMs: (best.result.violations[0]?.atMs ?? plan.durationMs) + 1 });
  return best;
}

function same(a: Plan, b: Plan): boolean {
  return printed(a) === printed(b);
}

/** Seed, commit and the schedule that is left, to be read by people. */
export function report(commit: string, { plan, result, without }: Shrunk): string {
  const [first] = result.violations;
  return [
    `  minimal: seed ${plan.seed}, commit ${commit}, ${plan.mode}, ${plan.replicas} replicas, ${result.submitted} commands, ${result.events} events`,
    `  liars: ${[...plan.byzantine].map(([index, behaviours]) => `${index} ${behaviours.join('+')}`).join('; ') || 'none'}`,
    `  not needed: ${without.join(', ') || 'nothing could be left out'}`,
    ...result.faults.map(({ number, atMs, what }) => `  fault ${number} at ${atMs.toFixed(1)} ms: ${what}`),
    `  breaks: ${first?.invariant} at ${first?.atMs.toFixed(1)} ms: ${first?.what}`,
    `  plan: ${printed(plan)}`,
  ].join('\n');
}

function printed(plan: Plan): string {
  const { rules: _rules, ...rest } = plan;
  return JSON.stringify(rest, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value instanceof Map || value instanceof Set ? [...value] : value));
}
