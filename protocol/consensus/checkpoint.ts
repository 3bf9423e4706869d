import { faults, configHash, type Anchor } from './config.ts';
import { structHash } from '../codec/index.ts';
import { checkpointHashOf, detailHashOf, rosterOf, type CertifiedCheckpoint, type CheckpointDetail } from '../membership/index.ts';
import type { BlockHash, Hash32, Height, ReplicaIndex } from '../types/index.ts';
import { blockHashOf, type BlockHeader } from './block.ts';
import { noteCertificate, noteCheckpointVote } from './evidence.ts';
import type { Commitment } from './input.ts';
import type { AnnounceMessage, CertifiedBlock, CheckpointVoteMessage } from './message.ts';
import { persist } from './persist.ts';
import { decodeCertifiedBlock } from './wire.ts';
import { send, type CheckpointState, type Replica } from './state.ts';

/** Checkpoints kept while they wait for signatures; older ones are superseded. */
const OPEN_CHECKPOINTS = 4n;

/** A committed block that carries a checkpoint: ask the ledger for its root (§2.11). */
export function noteCheckpointBlock(replica: Replica, header: BlockHeader, blockHash: BlockHash): void {
  const state = stateAt(replica, header.height);
  Object.assign(state, { blockHash, closeTs: header.closeTs, final: header.kind === 'reconfig' });
  // what the chain holds above the closed timestamp is not in this checkpoint: another one must follow
  replica.changedSinceCheckpoint = header.maxTs > header.closeTs ? 1 : 0;
  replica.checkpointMs = replica.elapsedMs;
  if (header.kind === 'reconfig') {
    replica.sealedHeight = header.height;
    persist(replica, { kind: 'sealed', height: header.height });
    releaseClients(replica);
  }
  replica.out.push({ kind: 'checkpointWanted', height: header.height });
}

/** What the epoch did not decide it never will: clients may try again in the next one. */
function releaseClients(replica: Replica): void {
  for (const [command, { gateway }] of replica.pending) {
    if (gateway !== undefined) replica.out.push({ kind: 'reply', command, reply: { kind: 'refused', command, reason: 'sealed' } });
  }
  replica.pending.clear();
  replica.queue = [];
}

function stateAt(replica: Replica, height: Height): CheckpointState {
  let state = replica.checkpoints.get(height);
  if (state === undefined) {
    state = {
      height, blockHash: undefined, closeTs: replica.tip.closeTs, final: false, value: undefined, detail: undefined,
      announced: new Map(), signed: false, votes: new Map(),
    };
    replica.checkpoints.set(height, state);
  }
  return state;
}

/** After a restart: checkpoint blocks of the ledger whose root was not computed before the crash. */
export function startCheckpoints(replica: Replica): void {
  const open: { header: BlockHeader; hash: BlockHash }[] = [];
  let { header, hash } = replica.tip;
  while (header !== null && header.height > replica.previousHeight) {
    if (header.kind === 'checkpoint' || header.kind === 'reconfig') open.push({ header, hash });
    hash = header.parent;
    const encoded = replica.application.blockAt(header.height - 1n);
    header = encoded === undefined ? null : decodeCertifiedBlock(encoded, replica.read).block.header;
  }
  for (const each of open.reverse()) noteCheckpointBlock(replica, each.header, each.hash);
}

/** Announce (§2.11): first say the root unsigned. */
export function onCommitment(replica: Replica, height: Height, { stateRoot, rowCount, capsuleHead }: Commitment): void {
  const state = replica.checkpoints.get(height);
  if (state === undefined || state.blockHash === undefined || state.value !== undefined) return;
  const { group, epoch } = replica.config;
  const detail: CheckpointDetail = {
    closeTs: state.closeTs, rowCount, capsuleHead, previous: replica.previousCheckpoint, configHash: configHash(replica.config),
  };
  const value = { group, epoch, height, stateRoot, detail: detailHashOf(detail) };
  replica.previousCheckpoint = checkpointHashOf(value);
  persist(replica, { kind: 'checkpointHash', height, hash: replica.previousCheckpoint });
  state.value = value;
  state.detail = detail;
  state.announced.set(replica.self, structHash('Checkpoint', value));
  replica.announceMs = replica.elapsedMs;
  send(replica, 'all', { kind: 'announce', value });
  compare(replica, state);
  finish(replica, state);
}

export function onAnnounce(replica: Replica, from: ReplicaIndex, { value }: AnnounceMessage): void {
  const { stable, tip } = replica;
  if (stable !== undefined && value.height <= stable.checkpoint.height) {
    return send(replica, from, { kind: 'blocks', blocks: [], checkpoint: stable, checkpointBlock: null });
  }
  if (value.height > tip.height + 1024n || replica.checkpoints.size > 64) return;
  const state = stateAt(replica, value.height);
  state.announced.set(from, structHash('Checkpoint', value));
  compare(replica, state);
}

/** Compare, then sign: a replica never signs a root that fewer than q computed (§2.11, §3.3 E7). */
function compare(replica: Replica, state: CheckpointState): void {
  if (state.value === undefined) return;
  const own = structHash('Checkpoint', state.value);
  const counts = new Map<Hash32, number>();
  for (const hash of state.announced.values()) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  for (const [hash, count] of counts) if (hash !== own && count > faults(replica.config)) return halt(replica, state.height);
  if (state.signed || state.detail === undefined) return;
  if ((counts.get(own) ?? 0) < replica.q && replica.rules.compareThenSign) return;
  state.signed = true;
  const { value, detail } = state;
  persist(replica, { kind: 'checkpoint', value }, { message: { kind: 'checkpointVote', value, detail }, to: 'all', notBeforeMs: 0, view: undefined });
}

/** The own state differs from one that an honest replica has: stop before signing anything (§2.11). */
function halt(replica: Replica, height: Height): void {
  replica.halted = true;
  replica.out.push({ kind: 'halt', reason: 'diverged', height });
}

export function onCheckpointVote(replica: Replica, from: ReplicaIndex, { value, signature }: CheckpointVoteMessage): void {
  noteCheckpointVote(replica, from, value, signature);
  if (replica.stable !== undefined && value.height <= replica.stable.checkpoint.height) return;
  if (value.height > replica.tip.height + 1024n || replica.checkpoints.size > 64) return;
  const state = stateAt(replica, value.height);
  state.votes.set(from, { value, signature });
  finish(replica, state);
}

/** q signatures on the own root: stable (§2.11). */
function finish(replica: Replica, state: CheckpointState): void {
  const { value, detail } = state;
  if (value === undefined || detail === undefined) return;
  const own = structHash('Checkpoint', value);
  const signatures = [...state.votes.entries()]
    .filter(([, vote]) => structHash('Checkpoint', vote.value) === own)
    .map(([replicaIndex, vote]) => ({ replica: replicaIndex, signature: vote.signature }))
    .sort((a, b) => a.replica - b.replica);
  if (signatures.length < replica.q) return;
  certify(replica, state, { checkpoint: value, detail, signatures: signatures.slice(0, replica.q) });
}

function certify(replica: Replica, state: CheckpointState, certificate: CertifiedCheckpoint): void {
  if (replica.stable !== undefined && replica.stable.checkpoint.height >= state.height) return;
  noteStable(replica, certificate);
  replica.out.push({ kind: 'certified', certificate });
  tellSealed(replica);
}

/** The epoch is over once its last checkpoint is certified and the registry named the next roster, in either order (§2.13). */
export function tellSealed(replica: Replica): void {
  const { next, stable, sealedHeight, tip } = replica;
  if (next === undefined || stable === undefined || stable.checkpoint.height !== sealedHeight || tip.height !== sealedHeight) return;
  const { closeTs } = stable.detail;
  const anchor: Anchor = { height: tip.height, blockHash: tip.hash, closeTs, maxTs: closeTs, checkpoint: checkpointHashOf(stable.checkpoint) };
  replica.out.push({
    kind: 'sealed', certificate: stable, blockHash: tip.hash, anchor, next: rosterOf(replica.config.group, next.epoch, next.roster),
  });
}

/** Remembers the newest certified checkpoint and forgets those before it. */
function noteStable(replica: Replica, certificate: CertifiedCheckpoint): void {
  replica.stable = certificate;
  for (const height of replica.checkpoints.keys()) if (height <= certificate.checkpoint.height) replica.checkpoints.delete(height);
  for (const height of replica.checkpoints.keys()) if (height + OPEN_CHECKPOINTS * 64n < replica.tip.height) replica.checkpoints.delete(height);
}

/** A certificate from a peer: as good as one collected here, when the own root is the same. */
export function takeCertificate(replica: Replica, certificate: CertifiedCheckpoint): void {
  noteCertificate(replica, certificate);
  const state = replica.checkpoints.get(certificate.checkpoint.height);
  if (state?.value === undefined) return;
  if (structHash('Checkpoint', state.value) !== structHash('Checkpoint', certificate.checkpoint)) return halt(replica, state.height);
  certify(replica, state, certificate);
}

/** Says the newest root again until it is certified: messages get lost. */
export function reannounce(replica: Replica): void {
  if (replica.elapsedMs - replica.announceMs < replica.config.timing.heartbeatMs * 4) return;
  replica.announceMs = replica.elapsedMs;
  for (const { value, detail, votes } of replica.checkpoints.values()) {
    if (value === undefined || detail === undefined) continue;
    send(replica, 'all', { kind: 'announce', value });
    const own = votes.get(replica.self);
    if (own !== undefined) send(replica, 'all', { kind: 'checkpointVote', value: own.value, detail, signature: own.signature });
  }
}

/** Where a snapshot of this checkpoint continues; the block is the one certified at its height. */
export function checkpointAnchor(certificate: CertifiedCheckpoint, { block }: CertifiedBlock): Anchor {
  return {
    height: block.header.height, blockHash: blockHashOf(block.header), closeTs: certificate.detail.closeTs, maxTs: block.header.maxTs,
    checkpoint: checkpointHashOf(certificate.checkpoint),
  };
}
