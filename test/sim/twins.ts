import { ALL_RULES, type Rules } from '../../protocol/consensus/rules.ts';
import { sealed } from './guard.ts';
import { SimNode } from './node.ts';
import { CALM_CLOCKS, CALM_DISK, CALM_NETWORK, HONEST_CLIENTS, planOf } from './plan.ts';
import { World, type RunResult } from './world.ts';

/** Machines of a run: four replicas, and a second one with the key of one of them. */
const MACHINES = 5;
const SCRIPTED_VIEWS = 3;
/** Ways to cut five machines in two: the side of each machine but the first, as bits. */
const CUTS = 1 << (MACHINES - 1);

/** Who has a twin, and how the machines are cut in two in each of the first views. */
export interface TwinScript {
  readonly twin: number;
  readonly cuts: readonly number[];
}

/**
 * Twins (Bano et al., 2021): two honest cores with one key behind a router. They equivocate, vote twice and forget
 * without a line of attack code. Every leader of the scripted views and every cut of the five machines is a script;
 * scripts that differ only in which of the two twins is which are one.
 */
export function* twinScripts(): Iterable<TwinScript> {
  for (let twin = 0; twin < MACHINES - 1; twin++) {
    for (let code = 0; code < CUTS ** SCRIPTED_VIEWS; code++) {
      const cuts = Array.from({ length: SCRIPTED_VIEWS }, (_, view) => Math.floor(code / CUTS ** view) % CUTS);
      const mirrored = cuts.map((cut) => swapped(cut, twin));
      if (encode(cuts) <= encode(mirrored)) yield { twin, cuts };
    }
  }
}

/** Every n-th script, so that a share of them still covers the whole space. */
export function sampleScripts(count: number): TwinScript[] {
  const all = [...twinScripts()];
  return Array.from({ length: Math.min(count, all.length) }, (_, i) => all[Math.floor((i * all.length) / count)] as TwinScript);
}

const sideOf = (cut: number, machine: number): number => (machine === 0 ? 0 : (cut >> (machine - 1)) & 1);

/** The cut with the two twins exchanged, machine 0 still on side 0. */
function swapped(cut: number, twin: number): number {
  const sides = Array.from({ length: MACHINES }, (_, machine) => sideOf(cut, machine));
  [sides[twin], sides[MACHINES - 1]] = [sides[MACHINES - 1] as number, sides[twin] as number];
  return sides.slice(1).reduce((code, side, i) => code | ((side ^ (sides[0] as number)) << i), 0);
}

function encode(cuts: readonly number[]): number {
  return cuts.reduce((code, cut) => code * CUTS + cut, 0);
}

const CUT_MS = 420;

/** Plays a script: three scripted views, then everything arrives, and everything must be decided. */
export function playTwins({ twin, cuts }: TwinScript, seed: bigint, rules: Rules = ALL_RULES, log?: (line: string) => void): RunResult {
  const plan = planOf(seed, 'liveness', {
    replicas: 4, byzantine: new Map(), rules, durationMs: CUT_MS, calmMs: CUT_MS, commands: 10, keys: 1, classicOnly: false,
    network: CALM_NETWORK, disk: CALM_DISK, clocks: CALM_CLOCKS, workload: { ...HONEST_CLIENTS, equivocation: 0.3, reads: 0.2 }, smallCore: false, wire: false,
    viewDurationMs: 120, windowMs: 25, checkpointMs: 80, epochs: 0, historyBlocks: 1_000_000,
  });
  return sealed(() => {
    const world = new World(plan, log);
    world.addTwin(twin);
    const places = new Map<SimNode, number>(world.machines.map((machine, place) => [machine, place]));
    world.network.router = (from, to) => {
      const view = Number(from.replica.vcView > from.replica.view ? from.replica.vcView : from.replica.view);
      const cut = world.calm ? undefined : cuts[view];
      return cut === undefined || sideOf(cut, places.get(from) ?? 0) === sideOf(cut, places.get(to) ?? 0);
    };
    return world.run();
  });
}
