import type { Message } from '../../protocol/consensus/index.ts';
import type { ReplicaIndex } from '../../protocol/types/index.ts';
import type { SimNode } from './node.ts';
import type { Drop } from './plan.ts';
import type { World } from './world.ts';

/** Decides whether a message reaches a machine at all; used by scripts that cut the group up view by view. */
export type Router = (from: SimNode, to: SimNode, message: Message) => boolean;

/** Links between machines: they delay, lose, double and reorder, and can be cut one way or both. */
export class Network {
  private readonly world: World;
  private readonly cut = new Set<string>();
  private readonly slow = new Map<string, number>();
  private filter: Drop | undefined;
  router: Router | undefined;

  constructor(world: World) {
    this.world = world;
  }

  send(from: SimNode, to: ReplicaIndex, message: Message, epoch = from.config.epoch): void {
    const { random, plan, calm, events } = this.world;
    const { delayMs, loss, duplicate } = plan.network;
    if (plan.drops.some((drop) => matches(drop, to, message))) return;
    if (!calm && (this.cut.has(`${from.index}>${to}`) || (this.filter !== undefined && matches(this.filter, to, message)) || random.network.chance(loss))) return;
    const copies = !calm && random.network.chance(duplicate) ? 2 : 1;
    for (const machine of this.world.machinesOf(to)) {
      if (this.router !== undefined && !this.router(from, machine, message)) continue;
      for (let i = 0; i < copies; i++) {
        events.after(random.network.delay(delayMs) * this.slowness(from.index, to), () => machine.deliver(from.index, message, epoch));
      }
    }
  }

  private slowness(from: number, to: number): number {
    const { slowLinks } = this.world.plan.network;
    if (slowLinks === 0 || this.world.calm) return 1;
    const key = `${from}>${to}`;
    let factor = this.slow.get(key);
    if (factor === undefined) this.slow.set(key, (factor = this.world.random.faults.chance(slowLinks) ? 10 : 1));
    return factor;
  }

  /** Cuts the group in two; one way only when the left side is to be deaf. */
  partition(left: readonly boolean[], oneWay: boolean): void {
    for (const [a, inLeft] of left.entries()) {
      for (const [b, other] of left.entries()) if (inLeft !== other && (!oneWay || inLeft)) this.cut.add(`${a}>${b}`);
    }
  }

  heal(): void {
    this.cut.clear();
  }

  setFilter(filter: Drop | undefined): void {
    this.filter = filter;
  }
}

function matches({ kind, view, to }: Drop, receiver: ReplicaIndex, message: Message): boolean {
  if (message.kind !== kind || (to !== undefined && to !== receiver)) return false;
  return view === undefined || viewOf(message) === view;
}

function viewOf(message: Message): bigint | undefined {
  if (!('value' in message) || !('view' in message.value)) return undefined;
  return message.value.view;
}
