import { compareRank, ZERO_HASH, type Height, type ReplicaIndex } from '../types/index.ts';
import { limits } from '../limits/index.ts';
import { insertBlock, learnQc, lockRank } from './chain.ts';
import type { Anchor } from './config.ts';
import { checkpointAnchor, takeCertificate } from './checkpoint.ts';
import { keyAt } from './keys.ts';
import type { BlocksMessage, CertifiedBlock, FetchMessage } from './message.ts';
import { persist } from './persist.ts';
import { dropAcked, failingOver } from './replay.ts';
import { send, type Replica } from './state.ts';
import { decodeCertifiedBlock } from './wire.ts';

/** Asks for the chain when a block is missing or somebody is further on (§2.12). */
export function catchUp(replica: Replica): void {
  const { heartbeatMs } = replica.config.timing;
  const sinceMs = replica.elapsedMs - replica.fetchMs;
  if (sinceMs < heartbeatMs / 2) return;
  const ahead = replica.peers.flatMap((peer, index) => (index !== replica.self && isAhead(replica, peer) ? [index] : []));
  const asked = replica.missing && ahead.length === 0 ? replica.peers.map((_, i) => i).filter((i) => i !== replica.self) : ahead;
  if (asked.length === 0 || (!replica.missing && sinceMs < heartbeatMs * 2)) return;
  replica.missing = false;
  replica.fetchMs = replica.elapsedMs;
  replica.fetchPeer = asked.find((index) => index > replica.fetchPeer) ?? (asked[0] as ReplicaIndex);
  send(replica, replica.fetchPeer, { kind: 'fetch', from: replica.tip.height + 1n });
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

function offerCheckpoint(replica: Replica, to: ReplicaIndex, wanted: Height): void {
  const { stable } = replica;
  if (stable === undefined || stable.checkpoint.height < wanted) return;
  const encoded = replica.application.blockAt(stable.checkpoint.height);
  if (encoded === undefined) return;
  send(replica, to, { kind: 'blocks', blocks: [], checkpoint: stable, checkpointBlock: decodeCertifiedBlock(encoded, replica.read) });
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
  const { checkpoint, checkpointBlock } = message;
  if (checkpoint !== null) takeCertificate(replica, checkpoint);
  if (checkpoint === null || checkpointBlock === null || checkpoint.checkpoint.height <= replica.tip.height) return;
  replica.out.push({ kind: 'snapshotWanted', from, certificate: checkpoint, anchor: checkpointAnchor(checkpoint, checkpointBlock) });
}

/** The ledger jumped to a certified checkpoint: the chain continues from there. */
export function onInstalled(replica: Replica, anchor: Anchor): void {
  if (anchor.height <= replica.tip.height) return;
  replica.tip = { height: anchor.height, hash: anchor.blockHash, header: null, closeTs: anchor.closeTs, maxTs: anchor.maxTs, sealed: false };
  replica.blocks.clear();
  replica.recent.clear();
  replica.checkpoints.clear();
  replica.previousCheckpoint = anchor.checkpoint;
  persist(replica, { kind: 'checkpointHash', height: anchor.height, hash: anchor.checkpoint });
  replica.missing = true;
  replica.out.push({ kind: 'milestone', milestone: { event: 'installed', height: anchor.height } });
  for (const { id, command } of [...replica.acked.values()]) {
    if (keyAt(replica, replica.tip.hash, command.noncePath).version !== ZERO_HASH) dropAcked(replica, id);
  }
  for (const { id, height } of failingOver(replica, replica.tip.hash)) if (height < replica.tip.height) dropAcked(replica, id);
}
