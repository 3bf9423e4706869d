import type { ReplicaIndex } from '../../../protocol/types/index.ts';
import type { Behaviour } from '../plan.ts';
import { SimNode } from '../node.ts';
import type { World } from '../world.ts';
import { ByzantineNode } from './node.ts';

/** A machine that runs the honest core and breaks the rules around it. */
export function byzantineNode(world: World, index: ReplicaIndex, behaviours: readonly Behaviour[]): SimNode {
  return new ByzantineNode(world, index, behaviours);
}
