import { insertBlock, learnQc } from './chain.ts';
import { blockHashOf } from './block.ts';
import { noteVoted } from './classic/vote.ts';
import { effectiveClose } from './keys.ts';
import type { Replica } from './state.ts';

/**
 * Puts the blocks this replica voted for back above the ledger's tip, in the order of the votes. What
 * was committed but not yet synced commits again. A vote of this view whose block cannot be placed
 * could be disturbed without anybody noticing, so the replica abstains for the rest of the view.
 */
export function putBackVotes(replica: Replica): void {
  for (const { block, parentQc, highQc, consumed } of replica.restoredVotes) {
    learnQc(replica, parentQc);
    learnQc(replica, highQc);
    const node = block.header.height > replica.tip.height ? insertBlock(replica, block) : undefined;
    if (node !== undefined) node.voted = true;
    if (block.header.view !== replica.view) continue;
    noteVoted(replica, blockHashOf(block.header), effectiveClose(block.header), consumed);
    if (node === undefined && block.header.height > replica.tip.height) replica.abstainUntil = replica.view;
  }
  replica.restoredVotes = [];
}
