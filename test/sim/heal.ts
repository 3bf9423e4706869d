import type { SimNode } from './node.ts';
import type { World } from './world.ts';

/** How long a healed group may take to decide everything. */
const SETTLE_MS = 20_000;

/**
 * Faults are over. A core of q honest replicas must decide everything that clients still wait for, meet in one view
 * with an open fast path, agree on the end of the chain, and owe nobody anything.
 */
export function settle(world: World): void {
  const core = healthyCore(world);
  for (const node of world.nodes) {
    if (!node.honest || core.includes(node)) node.restart();
    else {
      node.crash();
      node.gone = true;
    }
  }
  const gateways = core.map(({ index }) => index);
  const ask = (): void => world.workload.askAgain(gateways, (id) => world.checkers.clients.isOpen(id));
  ask();
  const { durationMs } = world.plan;
  for (let askedMs = durationMs; askedMs < durationMs + SETTLE_MS; askedMs += 1_000) {
    world.runUntil(askedMs + 1_000, () => isSettled(world, core));
    if (world.violations.length > 0 || isSettled(world, core)) return;
    ask();
  }
  world.violate('liveness', `after ${SETTLE_MS} ms of calm: ${unsettled(world, core)}`);
}

/** Everybody honest, or just enough of them. Whoever lost its disk counts as a liar. */
function healthyCore(world: World): SimNode[] {
  const able = world.nodes.filter(({ honest, damaged, halted }) => honest && !damaged && !halted);
  return world.plan.smallCore ? able.slice(able.length - world.quorum) : able;
}

function isSettled(world: World, core: readonly SimNode[]): boolean {
  return unsettled(world, core) === undefined;
}

/** What is still missing, in words. */
function unsettled(world: World, core: readonly SimNode[]): string | undefined {
  const states = core.map(({ replica: { view, vcView, tip, current }, config }) =>
    `e${config.epoch} v${view}/${vcView} h${tip.height}${current.fastOpen ? ' fast' : ''}`);
  const open = world.checkers.clients.open();
  if (open.length > 0) return `${open.length} commands undecided, first ${open[0]}; ${states.join(', ')}`;
  const [first] = core;
  if (first === undefined) return undefined;
  if (core.some(({ config }) => config.epoch !== first.config.epoch)) return `epochs differ: ${states.join(', ')}`;
  if (core.some(({ replica: { view } }) => view !== first.replica.view)) return `views differ: ${states.join(', ')}`;
  if (!world.plan.classicOnly && core.some(({ replica: { current } }) => !current.fastOpen)) return `fast path closed: ${states.join(', ')}`;
  const heights = core.map(({ replica }) => Number(replica.tip.height));
  if (Math.max(...heights) - Math.min(...heights) > 3) return `tips apart: ${states.join(', ')}`;
  const owing = core.find(({ replica: { acked, pending } }) => acked.size + pending.size > 0);
  if (owing === undefined) return undefined;
  return `${owing.index} still holds ${owing.replica.acked.size} acknowledged and ${owing.replica.pending.size} waiting; ${states.join(', ')}`;
}
