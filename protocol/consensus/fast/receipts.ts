import type { ReplicaIndex } from '../../types/index.ts';
import { fits, hasBit } from '../bitmap.ts';
import { noteAcked, noteFastAck } from '../evidence-acks.ts';
import { finalInTime } from '../pace.ts';
import type { AckVote, FastAckMessage } from '../message.ts';
import { batchPath, type FastReceipt } from '../receipt.ts';
import type { Batch, PendingCommand, Replica } from '../state.ts';

/** Counts acknowledgements of this gateway's batches; q of them are final (§2.5). */
export function onFastAck(replica: Replica, from: ReplicaIndex, message: FastAckMessage): void {
  const { value, signature } = message;
  noteFastAck(replica, from, message);
  const batch = value.view === replica.view ? replica.current.batches.get(value.batchRoot) : undefined;
  if (batch?.entries === undefined || !fits(value.acked, batch.entries.length)) return;
  if (batch.acks.some((ack) => ack.signer === from && ack.ackSeq === value.ackSeq)) return;
  const ack = { signer: from, acked: value.acked, ackSeq: value.ackSeq, ackHead: value.ackHead, signature };
  batch.acks.push(ack);
  noteAcked(replica, batch, ack);
  replyFinal(replica, batch);
  noteFinal(replica, batch);
}

/** A batch that was final in time: the next ones need a little less patience. */
function noteFinal(replica: Replica, batch: Batch): void {
  if (batch.judged || batch.gateway !== replica.self || acksFor(batch, 0).length < replica.q) return;
  batch.judged = true;
  finalInTime(replica);
}

/** Answers the clients whose entries are final. */
export function replyFinal(replica: Replica, batch: Batch): void {
  for (const [index, entry] of (batch.entries ?? []).entries()) {
    const pending = replica.pending.get(entry.command.id);
    if (pending?.gateway === undefined) continue;
    const acks = acksFor(batch, index);
    if (acks.length >= replica.q) reply(replica, pending, receiptOf(replica, batch, index, acks.slice(0, replica.q)));
  }
}

/** One acknowledgement per replica. */
function acksFor(batch: Batch, index: number): AckVote[] {
  const bySigner = new Map<ReplicaIndex, AckVote>();
  for (const ack of batch.acks) if (hasBit(ack.acked, index) && !bySigner.has(ack.signer)) bySigner.set(ack.signer, ack);
  return [...bySigner.values()].sort((a, b) => a.signer - b.signer);
}

function receiptOf(replica: Replica, batch: Batch, index: number, acks: readonly AckVote[]): FastReceipt {
  const entries = batch.entries ?? [];
  const entry = entries[index] as (typeof entries)[number];
  return {
    kind: 'fast', command: entry.command.id, entry: entry.id, ts: entry.ts, footprintRoot: entry.command.footprintRoot,
    view: replica.view, batchRoot: batch.root, index, path: batchPath(entries.map(({ id }) => id), index), acks,
  };
}

/** The command stays watched until the chain has it. */
function reply(replica: Replica, pending: PendingCommand, receipt: FastReceipt): void {
  pending.gateway = undefined;
  replica.out.push({ kind: 'reply', command: receipt.command, reply: { kind: 'receipt', receipt } });
}
