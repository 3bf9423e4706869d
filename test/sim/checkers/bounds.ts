import type { SimNode } from '../node.ts';
import type { Violate } from './index.ts';

/** Invariant 15: whatever peers send, what a replica keeps stays in proportion to the work it was given. */
export function checkBounds(violate: Violate, node: SimNode, commands: number): void {
  const { replica, disk } = node;
  const { current } = replica;
  const perCommand = 20 * commands + 200;
  const sizes: readonly (readonly [string, number, number])[] = [
    ['pending', replica.pending.size, perCommand], ['acked', replica.acked.size, perCommand], ['queue', replica.queue.length, perCommand],
    ['batches', current.batches.size, perCommand], ['certified', current.certified.size, perCommand], ['held', replica.held.length, perCommand],
    ['onFlush', replica.onFlush.size, perCommand], ['blocks', replica.blocks.size, 400], ['orphanQcs', replica.orphanQcs.size, 400],
    ['checkpoints', replica.checkpoints.size, 70], ['recent', replica.recent.size, 10 * perCommand], ['journal', disk.length, 40_000],
  ];
  for (const [name, size, most] of sizes) if (size > most) violate('bounds', `${name} of ${node.index} holds ${size}, at most ${most} are explained`);
}
