import { merklePath } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import { itemBytes } from '../rows/index.ts';
import { structHash, type StructValue } from '../codec/index.ts';
import { compareRank, type Item, type ReplicaIndex, type Signature } from '../types/index.ts';
import { hasBit } from './bitmap.ts';
import type { KnownEntry } from './entry.ts';
import { compatible } from './fast/judge.ts';
import { lockKey } from './keys.ts';
import type { FastAckMessage, ProposalMessage, ViewChangeMessage } from './message.ts';
import type { Offence, OpenedVote } from './offence.ts';
import { batchPath } from './receipt.ts';
import type { Batch, Replica } from './state.ts';

/** Reports a contradiction once per culprit and kind and place (§3.2). */
function found(replica: Replica, place: string, offence: Offence): void {
  const key = `${offence.kind}/${offence.culprit}/${place}`;
  if (offence.culprit === replica.self || replica.seen.reported.has(key) || replica.seen.reported.size > limits.statementsRemembered) return;
  replica.seen.reported.add(key);
  replica.out.push({ kind: 'evidence', offence });
}

/** Remembers a statement under a key, oldest forgotten first; returns what stood there before. */
function remember<V>(map: Map<string, V>, key: string, value: V): V | undefined {
  const before = map.get(key);
  if (before !== undefined) return before;
  map.set(key, value);
  if (map.size > limits.statementsRemembered) for (const oldest of map.keys()) return void map.delete(oldest);
  return undefined;
}

/** DoubleBlockVote and LockRegress. */
export function noteBlockVote(replica: Replica, culprit: ReplicaIndex, value: StructValue<'BlockVote'>, signature: Signature): void {
  const second = { value, signature };
  const slot = `${value.view}/${value.round}`;
  const first = remember(replica.seen.blockVotes, `${culprit}/${slot}`, second);
  if (first !== undefined && first.value.blockHash !== value.blockHash) found(replica, slot, { kind: 'DoubleBlockVote', culprit, first, second });
  noteLock(replica, culprit, second, `${culprit}/${value.view}/high`);
}

/** A later round of one view with a lower reported lock. */
function noteLock(
  replica: Replica, culprit: ReplicaIndex, second: { value: StructValue<'BlockVote'>; signature: Signature }, key: string,
): void {
  const first = replica.seen.blockVotes.get(key);
  if (first === undefined || compareRank(qcRank(second.value), qcRank(first.value)) >= 0) {
    replica.seen.blockVotes.set(key, second);
    return;
  }
  if (second.value.round > first.value.round) found(replica, key, { kind: 'LockRegress', culprit, first, second });
}

const qcRank = (value: { readonly qcView: bigint; readonly qcRound: number }): { view: bigint; round: number } => ({
  view: value.qcView, round: value.qcRound,
});

/** DoubleProposal. */
export function noteProposal(replica: Replica, culprit: ReplicaIndex, { value, signature }: ProposalMessage): void {
  const slot = `${value.view}/${value.round}`;
  const first = remember(replica.seen.proposals, slot, { value, signature });
  if (first !== undefined && first.value.blockHash !== value.blockHash) {
    found(replica, slot, { kind: 'DoubleProposal', culprit, first, second: { value, signature } });
  }
}

/** RankUnderreport: a view change below the lock that a vote of an earlier view stated. */
export function noteViewChange(replica: Replica, culprit: ReplicaIndex, { value, signature }: ViewChangeMessage): void {
  for (const [key, vote] of replica.seen.blockVotes) {
    if (!key.startsWith(`${culprit}/`) || !key.endsWith('/high') || vote.value.view >= value.newView) continue;
    if (compareRank(qcRank(value), qcRank(vote.value)) < 0) found(replica, `${value.newView}`, { kind: 'RankUnderreport', culprit, vote, change: { value, signature } });
  }
}

/** AckFork: one position of the acknowledgement log with two heads. */
export function noteFastAck(replica: Replica, culprit: ReplicaIndex, message: FastAckMessage): void {
  const peer = replica.peers[culprit];
  if (peer !== undefined && (peer.fastAck === undefined || peer.fastAck.value.ackSeq < message.value.ackSeq)) peer.fastAck = message;
  const second = { value: message.value, signature: message.signature };
  const first = remember(replica.seen.acks, `${culprit}/${message.value.ackSeq}`, second);
  if (first !== undefined && first.value.ackHead !== second.value.ackHead) {
    found(replica, `${message.value.ackSeq}`, { kind: 'AckFork', culprit, first, second });
  }
}

/** FalseCheckpoint: a signature on another root of a certified height. */
export function noteCheckpointVote(replica: Replica, culprit: ReplicaIndex, value: StructValue<'Checkpoint'>, signature: Signature): void {
  const certified = replica.stable;
  if (certified === undefined || certified.checkpoint.height !== value.height) return;
  if (structHash('Checkpoint', certified.checkpoint) !== structHash('Checkpoint', value)) {
    found(replica, `${value.height}`, { kind: 'FalseCheckpoint', culprit, certified, accused: { value, signature } });
  }
}

/** VoteConflict: two accepted entries of one view that cannot both be certified. */
export function noteFastVote(replica: Replica, culprit: ReplicaIndex, batch: Batch): void {
  const vote = batch.votes.get(culprit);
  if (vote === undefined || batch.entries === undefined) return;
  for (const [index, entry] of batch.entries.entries()) {
    if (!hasBit(vote.accept, index)) continue;
    for (const item of entry.command.items) noteClaim(replica, culprit, batch, index, entry, item);
  }
}

function noteClaim(replica: Replica, culprit: ReplicaIndex, batch: Batch, index: number, entry: KnownEntry, item: Item): void {
  const { claims } = replica.seen;
  const key = `${replica.view}/${culprit}/${lockKey(item.path, item.version)}`;
  const others = claims.get(key) ?? [];
  for (const other of others) {
    const theirs = other.entry.command.items.find(({ path }) => path === item.path);
    if (theirs === undefined || other.entry.id === entry.id) continue;
    if (compatible({ mode: item.mode, ts: entry.ts }, { mode: theirs.mode, ts: other.entry.ts })) continue;
    const otherBatch = replica.current.batches.get(other.batch);
    const first = otherBatch && opened(replica, culprit, otherBatch, other.index, theirs);
    const second = opened(replica, culprit, batch, index, item);
    if (first && second) found(replica, key, { kind: 'VoteConflict', culprit, first, second });
  }
  if (others.length < 8 && !others.some((other) => other.entry.id === entry.id)) claims.set(key, [...others, { entry, batch: batch.root, index }]);
  if (claims.size > limits.statementsRemembered) for (const oldest of claims.keys()) return void claims.delete(oldest);
}

/** One side of the conflict with its paths: item to footprint root, entry to batch root. */
function opened(replica: Replica, culprit: ReplicaIndex, batch: Batch, index: number, item: Item): OpenedVote | undefined {
  const vote = batch.votes.get(culprit);
  const entry = batch.entries?.[index];
  if (vote === undefined || entry === undefined || batch.entries === undefined) return undefined;
  const { group, epoch } = replica.config;
  const { command, ts } = entry;
  return {
    value: { group, epoch, view: replica.view, batchRoot: batch.root, accept: vote.accept }, signature: vote.signature, index,
    entryPath: batchPath(batch.entries.map(({ id }) => id), index), command: command.id, ts, footprintRoot: command.footprintRoot, item,
    itemPath: merklePath(command.items.map(itemBytes), command.items.indexOf(item)),
  };
}

