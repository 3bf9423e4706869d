import { compareRank, ZERO_HASH, type Height, type ReplicaIndex } from '../types/index.ts';
import { limits } from '../limits/index.ts';
import { insertBlock, learnQc, lockRank } from './chain.ts';
import type { Anchor } from './config.ts';
import { checkpointAnchor, takeCertificate } from './checkpoint.ts';
import { takeRecent } from './intents.ts';
import { keyAt } from './keys.ts';
import type { BlocksMessage, CertifiedBlock, FetchMessage } from './message.ts';
import { commitPatienceMs } from './pace.ts';
import { persist } from './persist.ts';
import { buryAcked, dropLost } from './replay.ts';
import { readChain } from './restore.ts';
import { send, type Replica } from './state.ts';
import { openFast } from './view/enter.ts';
import { decodeCertifiedBlock } from './wire.ts';

/** So many blocks can be in flight at once. */
const FEW_BLOCKS = 3n;

/** Asks for the chain when a block is missing or somebody is further on (§2.12). */
export function catchUp(replica: Replica): void {
  const { heartbeatMs } = replica.config.timing;
  const sinceMs = replica.elapsedMs - replica.fetchMs;
  if (sinceMs < heartbeatMs / 2 || (!replica.missing && comesAnyway(replica))) return;
  const ahead = replica.peers.flatMap((peer, index) => (index !== replica.self && isAhead(replica, peer) ? [index] : []));
  const asked = replica.missing && ahead.length === 0 ? replica.peers.map((_, i) => i).filter((i) => i !== replica.self) : ahead;
  if (asked.length === 0 || (!replica.missing && sinceMs < heartbeatMs * 2)) return;
  replica.missing = false;
  replica.fetchMs = replica.elapsedMs;
  replica.fetchPeer = asked.find((index) => index > replica.fetchPeer) ?? (asked[0] as ReplicaIndex);
  send(replica, replica.fetchPeer, { kind: 'fetch', from: replica.tip.height + 1n });
}

/** When a block that is missing may be asked for, from now; undefined when none is. */
export function fetchDueMs({ missing, fetchMs, elapsedMs, config }: Replica): number | undefined {
  return missing ? fetchMs + config.timing.heartbeatMs / 2 - elapsedMs : undefined;
}

/** A few blocks behind, and the chain has grown here lately: what the others have is most likely on its way (decision 0188). */
function comesAnyway(replica: Replica): boolean {
  const { peers, tip, elapsedMs, committedMs } = replica;
  return elapsedMs - committedMs < commitPatienceMs(replica) && peers.every(({ committed }) => committed <= tip.height + FEW_BLOCKS);
}

function isAhead(replica: Replica, peer: Replica['peers'][number]): boolean {
  return peer.committed > replica.tip.height || compareRank(peer.highQc, lockRank(replica)) > 0;
}

/** Hands over certified blocks; the stable checkpoint when the history starts later. */
export function onFetch(replica: Replica, from: ReplicaIndex, { from: first }: FetchMessage): void {
  if (first <= replica.config.anchor.height) return; // blocks of another epoch are another replica's business
  const blocks: CertifiedBlock[] = [];
  let bytes = 0;
  for (let height = first; height <= replica.tip.height && blocks.length < limits.blocksPerFetch && bytes < limits.blockBytes; height++) {
    const encoded = replica.application.blockAt(height);
    if (encoded === undefined) return offerCheckpoint(replica, from, first);
    bytes += encoded.length;
    blocks.push(decodeCertifiedBlock(encoded, replica.read));
  }
  if (first + BigInt(blocks.length) > replica.tip.height) blocks.push(...uncommitted(replica).filter(({ block }) => block.header.height >= first));
  if (blocks.length > 0) send(replica, from, { kind: 'blocks', blocks, checkpoint: null, checkpointBlock: null });
}

/** Every certified block above the tip: also those that a later view left behind, for they may be what commits the tip. */
function uncommitted(replica: Replica): CertifiedBlock[] {
  return [...replica.blocks.values()]
    .flatMap(({ block, qc, execution }) => (qc === null ? [] : [{ block, qc, outcomes: execution.outcomes }]))
    .sort((a, b) => Number(a.block.header.height - b.block.header.height))
    .slice(0, limits.blocksPerFetch);
}

/** The stable checkpoint with its block, and the certified blocks above it up to those that commit it. */
function offerCheckpoint(replica: Replica, to: ReplicaIndex, wanted: Height): void {
  const { stable } = replica;
  if (stable === undefined || stable.checkpoint.height < wanted) return;
  const [checkpointBlock, ...blocks] = committing(replica, stable.checkpoint.height);
  if (checkpointBlock === undefined) return;
  send(replica, to, { kind: 'blocks', blocks, checkpoint: stable, checkpointBlock });
}

/** Certified blocks from a height on until two of them commit it; empty when they are not at hand. */
function committing(replica: Replica, height: Height): CertifiedBlock[] {
  const chain: CertifiedBlock[] = [];
  const above = uncommitted(replica);
  let bytes = 0;
  for (let at = height; chain.length <= limits.blocksPerFetch && bytes < limits.blockBytes; at++) {
    const encoded = replica.application.blockAt(at);
    bytes += encoded?.length ?? 0;
    const parent = chain.at(-1);
    const next = encoded === undefined
      ? above.find(({ block: { header } }) => header.height === at && header.parent === parent?.qc.blockHash)
      : decodeCertifiedBlock(encoded, replica.read);
    if (next === undefined) return [];
    chain.push(next);
    if (parent !== undefined && commits(parent, next)) return chain;
  }
  return [];
}

/** C-COMMIT: the child of the same view and the next round. */
function commits({ block: { header }, qc }: CertifiedBlock, { block: { header: child } }: CertifiedBlock): boolean {
  return child.parent === qc.blockHash && child.view === header.view && child.round === header.round + 1;
}

/**
 * A certificate alone does not show that a block is in the chain: another one of its height may have been certified in a
 * view that was left. What commits it does, and only then may a replica stand on it.
 */
function isCommitted(first: CertifiedBlock, above: readonly CertifiedBlock[]): boolean {
  let parent = first;
  for (const child of above) {
    if (child.block.header.parent !== parent.qc.blockHash) return false;
    if (commits(parent, child)) return true;
    parent = child;
  }
  return false;
}

/** Inserts what extends the own chain; certificates in it may commit and open views. */
export function onBlocks(replica: Replica, from: ReplicaIndex, message: BlocksMessage): void {
  for (const { block, qc } of message.blocks) {
    if (block.header.height <= replica.tip.height) {
      learnQc(replica, qc);
      continue;
    }
    if (insertBlock(replica, block) === undefined) break;
    learnQc(replica, qc);
  }
  const { blocks, checkpoint, checkpointBlock } = message;
  if (checkpoint !== null) takeCertificate(replica, checkpoint);
  if (checkpoint === null || checkpointBlock === null || checkpoint.checkpoint.height <= replica.tip.height) return;
  if (checkpointBlock.block.header.closeTs !== checkpoint.detail.closeTs || !isCommitted(checkpointBlock, blocks)) return;
  replica.out.push({ kind: 'snapshotWanted', from, certificate: checkpoint, anchor: checkpointAnchor(checkpoint, checkpointBlock) });
}

/** The ledger jumped to a certified checkpoint: the chain continues from there. */
export function onInstalled(replica: Replica, anchor: Anchor): void {
  if (anchor.height <= replica.tip.height) return;
  const encoded = replica.application.blockAt(anchor.height);
  const header = encoded === undefined ? null : decodeCertifiedBlock(encoded, replica.read).block.header;
  const sealed = header?.kind === 'reconfig';
  replica.tip = { height: anchor.height, hash: anchor.blockHash, header, closeTs: anchor.closeTs, maxTs: anchor.maxTs, sealed };
  replica.changedSinceCheckpoint = anchor.maxTs > anchor.closeTs ? 1 : 0; // another checkpoint must take in the tail
  replica.blocks.clear();
  takeRecent(replica, readChain({ config: replica.config, application: replica.application, position: anchor }, replica.read).recent);
  replica.checkpoints.clear();
  replica.previousCheckpoint = anchor.checkpoint;
  persist(replica, { kind: 'checkpointHash', height: anchor.height, hash: anchor.checkpoint });
  replica.missing = true;
  replica.out.push({ kind: 'milestone', milestone: { event: 'installed', height: anchor.height } });
  for (const { id, command } of [...replica.acked.values()]) {
    if (keyAt(replica, replica.tip.hash, command.noncePath).version !== ZERO_HASH) buryAcked(replica, id);
  }
  dropLost(replica);
  // a committed block of this view means that its opening is committed (V-BARRIER)
  if (header !== null) openFast(replica, header.view);
}
