import { merkleTree, type MerkleStep } from '../crypto/index.ts';
import { outcomeLeaf, type Block, type BlockEntry, type Outcome, type Qc } from './block.ts';
import type { CertifiedBlock } from './message.ts';
import type { ClassicReceipt } from './receipt.ts';

export interface Executed {
  readonly block: Block;
  readonly qc: Qc | null;
  readonly outcomes: readonly Outcome[];
}

/** The proof of one entry of the first block, by the blocks that follow it up to the one that commits it (C-COMMIT). */
export function receiptOf(blocks: readonly Executed[], index: number): ClassicReceipt {
  const [first] = blocks as readonly [Executed];
  const { id, command, ts } = first.block.entries[index] as BlockEntry;
  return {
    kind: 'classic', command: command.id, entry: id, ts, footprintRoot: command.footprintRoot, outcome: first.outcomes[index] as Outcome,
    path: outcomePath(first, index), headers: blocks.map(({ block }) => block.header), qc: blocks.at(-1)?.qc as Qc,
  };
}

/** By outcomes, which belong to one execution of one block: every entry of it gets a receipt. */
const trees = new WeakMap<readonly Outcome[], ReturnType<typeof merkleTree>>();

function outcomePath({ block, outcomes }: Executed, index: number): MerkleStep[] {
  let tree = trees.get(outcomes);
  if (tree === undefined) trees.set(outcomes, (tree = merkleTree(block.entries.map(({ id }, i) => outcomeLeaf(id, outcomes[i] as Outcome)))));
  return tree.pathOf(index);
}

/**
 * The same from committed blocks in the order of the chain, for whoever was not the gateway of the command: any replica can
 * prove what its group executed. Undefined while the blocks do not reach the one that commits the first.
 */
export function proofFrom(blocks: readonly CertifiedBlock[], index: number): ClassicReceipt | undefined {
  const end = blocks.findIndex(({ block: { header } }, i) => {
    const before = blocks[i - 1]?.block.header;
    return before !== undefined && header.view === before.view && header.round === before.round + 1;
  });
  return end < 0 ? undefined : receiptOf(blocks.slice(0, end + 1), index);
}
