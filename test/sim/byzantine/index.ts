import type { ReplicaIndex } from '../../../protocol/types/index.ts';
import type { Behaviour } from './behaviours.ts';
import { SimNode } from '../node.ts';
import type { World } from '../world.ts';
import { Liar } from './liar.ts';

/** A machine that runs the honest core and breaks the rules around it. */
export function byzantineNode(world: World, index: ReplicaIndex, behaviours: readonly Behaviour[]): SimNode {
  return new Liar(world, index, behaviours);
}
