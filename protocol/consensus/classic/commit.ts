import { ZERO_HASH, type Path } from '../../types/index.ts';
import { invariant } from '../../errors/index.ts';
import type { BlockHeader, Outcome } from '../block.ts';
import { noteCheckpointBlock } from '../checkpoint.ts';
import type { CommittedEntry } from '../effect.ts';
import { noteIntents } from '../intents.ts';
import { extendsTip, keyAt, lineage } from '../keys.ts';
import { commitTook, orderTook } from '../pace.ts';
import { receiptOf, type Executed } from '../proof.ts';
import { persist } from '../persist.ts';
import { buryAcked, dropAcked, dropLost } from '../replay.ts';
import { openFast } from '../view/enter.ts';
import type { BlockNode, Replica } from '../state.ts';
import { encodeCertifiedBlock } from '../wire.ts';

/** Certificates kept for blocks that have not arrived. */
const ORPHANS = 64;

/** Commits the parent of a certified block when both have consecutive rounds of one view (§2.6). */
export function tryCommit(replica: Replica, child: BlockNode): void {
  const parent = replica.blocks.get(child.block.header.parent);
  if (parent === undefined || child.qc === null || replica.tip.sealed || !extendsTip(replica, child.hash)) return;
  const a = parent.block.header;
  const b = child.block.header;
  if (a.view !== b.view || (b.round !== a.round + 1 && replica.rules.consecutiveRounds)) return;
  const path = [...lineage(replica, parent.hash)].reverse();
  if (path.some(({ qc }) => qc === null)) {
    replica.missing = true; // a peer left a certificate out: blocks are committed with their own
    return;
  }
  for (const [i, node] of path.entries()) {
    commitOne(replica, node, [...path.slice(i + 1), child]);
    if (replica.tip.sealed) break; // what follows the end of an epoch only proves it
  }
  prune(replica);
  commitTook(replica, replica.elapsedMs - replica.committedMs);
  replica.committedMs = replica.elapsedMs;
  replica.current.ackRetry = true;
}

function commitOne(replica: Replica, node: BlockNode, after: readonly BlockNode[]): void {
  const { header, entries } = node.block;
  const outcomes = node.execution.outcomes;
  const committed: CommittedEntry[] = entries.map((entry, i) => ({ ...entry, outcome: outcomes[i] as Outcome }));
  emitCommit(replica, node, committed);
  for (const [path, version] of node.execution.writes) replica.recent.set(path, version);
  noteIntents(replica, node.execution);
  replica.tip = {
    height: header.height, hash: node.hash, header, closeTs: header.closeTs, maxTs: header.maxTs, sealed: replica.tip.sealed || header.kind === 'reconfig',
  };
  replica.blocks.delete(node.hash);
  replica.current.votedBlocks.delete(node.hash);
  for (const { id, command } of entries) replica.committing.set(id, command);
  for (const [index, entry] of committed.entries()) settleCommand(replica, node, entry, index, after);
  replica.changedSinceCheckpoint += committed.filter(({ outcome }) => outcome !== 'skipped').length;
  forgetAcked(replica, header, committed);
  if (header.kind === 'opening') openFast(replica, header.view);
  if (replica.current.proposal?.value.blockHash === node.hash) replica.current.frozen = new Map<Path, 'R' | 'W'>();
  if (header.kind === 'reconfig') keepProof(replica, node, after);
  if (header.kind === 'checkpoint' || header.kind === 'reconfig') noteCheckpointBlock(replica, header, node.hash);
}

/** Nobody proves the end of an epoch again: a replica that knows it keeps the proof for stragglers (§2.13). */
function keepProof(replica: Replica, node: BlockNode, after: readonly BlockNode[]): void {
  let parentQc = node.qc;
  for (const { block, qc, execution } of after) {
    persist(replica, { kind: 'voted', block, parentQc, highQc: qc, consumed: execution.consumed });
    parentQc = qc;
  }
}

function emitCommit(replica: Replica, node: BlockNode, entries: readonly CommittedEntry[]): void {
  const { header } = node.block;
  invariant(node.qc !== null, 'committed-block-is-certified', { height: header.height });
  replica.out.push({
    kind: 'commit',
    block: {
      epoch: header.epoch, height: header.height, blockHash: node.hash, closeTs: header.closeTs, entries,
      encoded: encodeCertifiedBlock({ block: node.block, qc: node.qc, outcomes: node.execution.outcomes }),
    },
  });
}

/** Acknowledged entries leave when the chain has them, or when the committed chain has made them impossible. */
function forgetAcked(replica: Replica, header: BlockHeader, committed: readonly CommittedEntry[]): void {
  for (const { id, outcome } of committed) {
    if (outcome === 'skipped') continue;
    if (outcome === 'aborted') buryAcked(replica, id);
    else dropAcked(replica, id);
    replica.current.unacked.delete(id);
    replica.current.certified.delete(id);
  }
  // an opening block carried what could still be final; older certificates it left out are dead (§2.8)
  if (header.kind === 'opening') for (const { id, view } of [...replica.acked.values()]) if (view < header.view) dropAcked(replica, id);
  dropLost(replica);
  if (!replica.rules.unsweptStay) for (const { id, sinceMs } of [...replica.acked.values()]) if (replica.elapsedMs - sinceMs > OLD_MS) dropAcked(replica, id);
}

/** Age at which the mutant without `unsweptStay` forgets. */
const OLD_MS = 20;

function settleCommand(replica: Replica, node: BlockNode, entry: CommittedEntry, index: number, after: readonly BlockNode[]): void {
  const pending = replica.pending.get(entry.command.id);
  if (pending === undefined) return;
  if (entry.outcome === 'skipped') {
    if (keyAt(replica, replica.tip.hash, entry.command.noncePath).version === ZERO_HASH) return; // late: still undecided
    if (pending.gateway === undefined) replica.pending.delete(entry.command.id);
    return;
  }
  replica.pending.delete(entry.command.id);
  orderTook(replica, replica.elapsedMs - pending.sinceMs);
  if (pending.gateway === undefined) return;
  const receipt = receiptOf([node, ...after].map(executed), index);
  replica.out.push({ kind: 'reply', command: entry.command.id, reply: { kind: 'receipt', receipt } });
}

const executed = ({ block, qc, execution }: BlockNode): Executed => ({ block, qc, outcomes: execution.outcomes });

/** Blocks that do not extend the committed chain can never be committed. */
function prune(replica: Replica): void {
  for (const hash of [...replica.blocks.keys()]) {
    if (extendsTip(replica, hash)) continue;
    replica.blocks.delete(hash);
    replica.current.votedBlocks.delete(hash);
  }
  for (const [hash, qc] of replica.orphanQcs) if (replica.orphanQcs.size > ORPHANS && qc !== replica.highQc) replica.orphanQcs.delete(hash);
}
