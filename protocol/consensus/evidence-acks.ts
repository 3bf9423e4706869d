import { merklePath } from '../crypto/index.ts';
import { bytesOf, concatBytes, hexOf, ZERO_HASH, type ReplicaIndex } from '../types/index.ts';
import { hasBit } from './bitmap.ts';
import { headerBytes, type Consumed } from './block.ts';
import { found, openEntry, remember } from './evidence.ts';
import type { AckVote, FastAckMessage, ViewChangeMessage } from './message.ts';
import type { OpenedAck, OtherAck, SignedValue } from './offence.ts';
import type { StructValue } from '../codec/index.ts';
import type { Batch, BlockNode, Claim, Replica } from './state.ts';

type SignedAck = SignedValue<StructValue<'FastAck'>>;
type SignedChange = SignedValue<StructValue<'ViewChange'>>;

/** AckFork: one position of the acknowledgement log with two heads, or a log that a view change has shortened. */
export function noteFastAck(replica: Replica, culprit: ReplicaIndex, { value, signature }: FastAckMessage): void {
  const peer = replica.peers[culprit];
  const ack = { value, signature };
  const first = remember(replica.seen.acks, `${culprit}/${value.ackSeq}`, ack);
  if (first !== undefined && first.value.ackHead !== value.ackHead) fork(replica, culprit, first, { kind: 'ack', ...ack });
  if (peer?.change !== undefined) compare(replica, culprit, ack, peer.change);
  if (peer !== undefined && (peer.fastAck === undefined || peer.fastAck.value.ackSeq < value.ackSeq)) peer.fastAck = { kind: 'fastAck', ...ack };
}

/** The same from the other side: what a view change says of the log against what was acknowledged. */
export function noteAckLog(replica: Replica, culprit: ReplicaIndex, change: ViewChangeMessage): void {
  const newest = replica.peers[culprit]?.fastAck;
  if (newest !== undefined) compare(replica, culprit, newest, change);
  const same = replica.seen.acks.get(`${culprit}/${change.value.ackSeq}`);
  if (same !== undefined) compare(replica, culprit, same, change);
}

function compare(replica: Replica, culprit: ReplicaIndex, ack: SignedAck, { value, signature }: SignedChange): void {
  const { view, ackSeq, ackHead } = ack.value;
  if (view >= value.newView) return;
  if (value.ackSeq < ackSeq || (value.ackSeq === ackSeq && value.ackHead !== ackHead)) fork(replica, culprit, ack, { kind: 'change', value, signature });
}

function fork(replica: Replica, culprit: ReplicaIndex, { value, signature }: SignedAck, second: OtherAck): void {
  found(replica, `${value.ackSeq}`, { kind: 'AckFork', culprit, first: { value, signature }, second });
}

/** AckThenConsume when a block is certified: did it consume a version that acknowledged entries of this view write over? */
export function noteConsumed(replica: Replica, node: BlockNode): void {
  for (const effect of node.execution.consumed) {
    if (effect.from === ZERO_HASH) continue; // an absent key has version zero again each time (0016)
    for (const claim of replica.current.claims.get(effect.path) ?? []) accuse(replica, node, effect, claim, claim.batch.acks);
  }
}

/** AckThenConsume when an acknowledgement arrives: is there a certified block that consumed what it writes over? */
export function noteAcked(replica: Replica, batch: Batch, ack: AckVote): void {
  for (const node of replica.blocks.values()) {
    if (node.qc === null || node.block.header.view !== replica.view || node.execution.consumed.length === 0) continue;
    for (const [index, entry] of (batch.entries ?? []).entries()) {
      if (!hasBit(ack.acked, index)) continue;
      for (const item of entry.command.items) {
        const effect = item.mode === 'W' ? effectOn(node, item.path) : undefined;
        if (effect !== undefined && effect.from !== ZERO_HASH) accuse(replica, node, effect, { entry, item, batch, index }, [ack]);
      }
    }
  }
}

/** Consumed versions are sorted by path; at most one of a path other than zero is looked at. */
function effectOn({ execution: { consumed } }: BlockNode, path: string): Consumed | undefined {
  let [low, high] = [0, consumed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((consumed[middle] as Consumed).path < path) low = middle + 1;
    else high = middle;
  }
  const effect = consumed[low];
  return effect?.path === path ? effect : undefined;
}

/** Everybody who acknowledged the entry and voted for the block in which another one took its version. */
function accuse(replica: Replica, node: BlockNode, effect: Consumed, { entry, item, batch, index }: Claim, acks: readonly AckVote[]): void {
  const { view, round } = node.block.header;
  if (view !== replica.view || item.mode !== 'W' || item.version !== effect.from || entry.id === effect.to) return;
  const { group, epoch } = replica.config;
  for (const { signer, acked, ackSeq, ackHead, signature } of acks) {
    const vote = node.qc?.votes.find((each) => each.signer === signer);
    const opened = hasBit(acked, index) ? openEntry(batch, index, item) : undefined;
    if (vote === undefined || opened === undefined) continue;
    const own: OpenedAck = { value: { group, epoch, view, batchRoot: batch.root, acked, ackSeq, ackHead }, signature, ...opened };
    const { qcView, qcRound } = vote;
    found(replica, `${view}/${ackSeq}/${index}`, {
      kind: 'AckThenConsume', culprit: signer, acked: own,
      vote: { value: { group, epoch, view, round, blockHash: node.hash, qcView, qcRound }, signature: vote.signature }, effect: openEffect(node, effect),
    });
  }
}

function openEffect({ block, execution: { consumed } }: BlockNode, effect: Consumed) {
  const leaves = consumed.map(({ path, from, to }) => concatBytes(bytesOf(path), bytesOf(from), bytesOf(to)));
  return { header: hexOf(headerBytes(block.header)), to: effect.to, path: merklePath(leaves, consumed.indexOf(effect)) };
}
