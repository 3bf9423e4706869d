import type { Message } from '../../protocol/consensus/index.ts';
import type { World } from './world.ts';

const FILTERED: readonly Message['kind'][] = [
  'fastBatch', 'fastVote', 'fastAck', 'proposal', 'blockVote', 'viewChange', 'certificate', 'reject', 'certified', 'heartbeat', 'blocks', 'checkpointVote',
];

/** A fault that was scheduled, with its number: what shrinking leaves out one by one. */
export interface ScheduledFault {
  readonly number: number;
  readonly atMs: number;
  readonly what: string;
}

/** Draws when which fault strikes. Every fault has a number, and a muted one does not strike; nothing else moves. */
export class Faults {
  readonly struck: ScheduledFault[] = [];
  private readonly world: World;
  private next = 0;

  constructor(world: World) {
    this.world = world;
  }

  schedule(): void {
    const { disk, clocks, network, calmMs, epochs } = this.world.plan;
    const { events } = this.world;
    this.every(disk.crashEveryMs, () => this.crash());
    this.every(disk.fullEveryMs, () => this.fillDisk());
    this.every(clocks.jumpEveryMs, () => this.jump());
    this.every(clocks.freezeEveryMs, () => this.freeze());
    this.every(network.partitionEveryMs, () => this.partition());
    this.every(network.filterEveryMs, () => this.filter());
    for (let i = 1; i <= epochs; i++) events.after((calmMs * i) / (epochs + 1), () => this.world.announceEpoch());
    if (disk.damage !== 'none') this.scheduleDamage(calmMs);
  }

  /** One machine loses flushed records: it must notice, whatever is left. */
  private scheduleDamage(calmMs: number): void {
    const { events, random } = this.world;
    const victim = random.faults.pick(this.world.nodes.filter(({ honest }) => honest));
    events.after(calmMs * 0.3 * random.faults.unit(), () => victim.takeImage());
    events.after(calmMs * (0.4 + 0.4 * random.faults.unit()), () => {
      const backMs = 5 + 100 * random.faults.unit();
      if (!this.strikes(`${victim.index} crashes and its disk comes back with ${this.world.plan.disk.damage}`)) return;
      victim.crash();
      victim.damage();
      events.after(backMs, () => victim.restart());
    });
  }

  private every(periodMs: number, act: () => void): void {
    if (periodMs === 0) return;
    const again = (): void => this.world.events.after(periodMs * (0.3 + 1.4 * this.world.random.faults.unit()), () => {
      if (this.world.calm) return;
      act();
      again();
    });
    again();
  }

  /** Numbers a fault; false when it is left out of this run. All draws happen before, so that the others stay the same. */
  private strikes(what: string): boolean {
    const number = this.next++;
    if (this.world.plan.muted.has(number)) return false;
    this.struck.push({ number, atMs: this.world.events.now, what });
    this.world.log?.(`${this.world.events.now.toFixed(2)} FAULT ${number} ${what}`);
    return true;
  }

  private crash(): void {
    const { faults } = this.world.random;
    const { nodes, plan, events } = this.world;
    const victims = faults.chance(plan.disk.crashAll) ? nodes : [faults.pick(nodes)];
    const downMs = victims.map(() => 20 + 200 * faults.unit());
    if (!this.strikes(`crash of ${victims.map(({ index }) => index).join()}`)) return;
    victims.forEach((node, i) => {
      if (!node.up) return;
      node.crash();
      events.after(downMs[i] as number, () => node.restart());
    });
  }

  private fillDisk(): void {
    const { faults } = this.world.random;
    const victim = faults.pick(this.world.nodes);
    const forMs = 50 + 300 * faults.unit();
    if (this.strikes(`disk of ${victim.index} full for ${forMs.toFixed(0)} ms`)) victim.fillDisk(forMs);
  }

  private jump(): void {
    const { faults } = this.world.random;
    const victim = faults.pick(this.world.nodes);
    const ms = (faults.unit() * 2 - 1) * this.world.plan.clocks.jumpMs;
    if (this.strikes(`clock of ${victim.index} steps ${ms.toFixed(0)} ms`)) victim.clock.jump(ms);
  }

  private freeze(): void {
    const { faults } = this.world.random;
    const victim = faults.pick(this.world.nodes);
    const forMs = 20 + 200 * faults.unit();
    if (this.strikes(`clock of ${victim.index} stands still for ${forMs.toFixed(0)} ms`)) victim.clock.freeze(forMs);
  }

  private partition(): void {
    const { faults } = this.world.random;
    const oneWay = faults.chance(0.4);
    const left = this.world.nodes.map(() => faults.chance(0.4));
    const forMs = 50 + 600 * faults.unit();
    const names = left.flatMap((inLeft, i) => (inLeft ? [i] : [])).join();
    if (!this.strikes(`${oneWay ? 'one-way ' : ''}partition of ${names} for ${forMs.toFixed(0)} ms`)) return;
    this.world.network.partition(left, oneWay);
    this.world.events.after(forMs, () => this.world.network.heal());
  }

  private filter(): void {
    const { faults } = this.world.random;
    const to = faults.int(this.world.nodes.length);
    const kind = faults.pick(FILTERED);
    const forMs = 30 + 300 * faults.unit();
    if (!this.strikes(`${to} gets no ${kind} for ${forMs.toFixed(0)} ms`)) return;
    this.world.network.setFilter({ kind, to });
    this.world.events.after(forMs, () => this.world.network.setFilter(undefined));
  }
}
