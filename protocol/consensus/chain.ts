import { compareRank, type BlockHash, type Rank } from '../types/index.ts';
import { blockHashOf, rankOf, type Block, type Qc } from './block.ts';
import { tryCommit } from './classic/commit.ts';
import { noteQc } from './evidence.ts';
import { noteConsumed } from './evidence-acks.ts';
import { execute } from './execute.ts';
import { extendsTip } from './keys.ts';
import { LOWEST } from './position.ts';
import type { BlockNode, Execution, Replica } from './state.ts';
import { enterView } from './view/enter.ts';

/** Rank of the lock (§2.4 highQC). */
export function lockRank(replica: Replica): Rank {
  return replica.highQc ?? LOWEST;
}

/** Adds a block whose parent is known; undefined while it is not, or when it forks below the tip. */
export function insertBlock(replica: Replica, block: Block): BlockNode | undefined {
  const hash = blockHashOf(block.header);
  const have = replica.blocks.get(hash);
  if (have !== undefined) return have;
  const { parent } = block.header;
  if (parent !== replica.tip.hash && !(replica.blocks.has(parent) && extendsTip(replica, parent))) return undefined;
  const node: BlockNode = { hash, block, execution: executionOf(replica, block), qc: replica.orphanQcs.get(hash) ?? null, voted: false };
  forgetRivals(replica, node);
  replica.orphanQcs.delete(hash);
  replica.blocks.set(hash, node);
  if (node.qc !== null) tryCommits(replica, node);
  return node;
}

/** A leader's own block was executed when it was assembled; the result is the same over the same parent. */
function executionOf(replica: Replica, { header, entries }: Block): Execution {
  const { assembled } = replica;
  return assembled?.header === header ? assembled.execution : execute(replica, header.parent, entries);
}

/** Proposals that got neither a vote here nor a certificate make room for the next one. */
function forgetRivals(replica: Replica, { block }: BlockNode): void {
  for (const node of replica.blocks.values()) {
    const { parent, view, round } = node.block.header;
    const rival = parent === block.header.parent && compareRank({ view, round }, block.header) < 0;
    if (rival && !node.voted && node.qc === null) replica.blocks.delete(node.hash);
  }
}

/**
 * Takes in a certificate from any message (§2.6 rule 2, §2.20 M7): it raises the lock, shows that its
 * view was opened by q replicas, and may commit the parent of its block.
 */
export function learnQc(replica: Replica, qc: Qc | null): void {
  if (qc === null) return;
  const node = replica.blocks.get(qc.blockHash);
  if (node === undefined) {
    if (qc.blockHash !== replica.tip.hash && compareRank(qc, rankAt(replica, replica.tip.hash) ?? LOWEST) > 0) {
      replica.orphanQcs.set(qc.blockHash, qc);
      replica.missing = true;
    }
  } else if (node.qc === null) {
    node.qc = qc;
    noteQc(replica, qc);
    if (qc.view === replica.view) noteConsumed(replica, node);
  }
  if (compareRank(qc, lockRank(replica)) > 0) replica.highQc = qc;
  if (qc.view > replica.view && qc.view >= replica.vcView) enterView(replica, qc.view);
  if (node !== undefined) tryCommits(replica, node);
}

/** A certificate may be what blocks above it waited for. */
function tryCommits(replica: Replica, node: BlockNode): void {
  tryCommit(replica, node);
  for (const child of [...replica.blocks.values()]) {
    if (child.block.header.parent === node.hash && child.qc !== null) tryCommits(replica, child);
  }
}

/** Rank of a block that is the tip or above it; undefined for unknown ones. */
export function rankAt(replica: Replica, hash: BlockHash): Rank | undefined {
  const node = replica.blocks.get(hash);
  if (node !== undefined) return rankOf(node.block.header);
  if (hash !== replica.tip.hash) return undefined;
  return replica.tip.header === null ? LOWEST : rankOf(replica.tip.header);
}
