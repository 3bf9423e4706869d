import { durableAt, type Durable } from './durable.ts';
import { slotOf, statementOf } from './message.ts';
import { signing } from './position.ts';
import type { JournalRecord } from './record.ts';
import type { Outgoing, Replica } from './state.ts';

/**
 * Appends a record; `then` leaves only in the completion of its flush (§2.14). Records of one replica
 * reach the disk in the order they were appended.
 */
export function persist(replica: Replica, record: JournalRecord, ...then: readonly Outgoing[]): number {
  const token = replica.nextToken++;
  replica.out.push({ kind: 'persist', token, record });
  if (then.length > 0) replica.onFlush.set(token, [...then]);
  return token;
}

/** Handler of `flushed`: the only place where a `Durable` comes into being. */
export function onFlushed(replica: Replica, token: number): void {
  const durable = durableAt(token);
  replica.flushed = durable;
  if (replica.ceilingToken !== 0 && token >= replica.ceilingToken) replica.durableCeilingMs = replica.ceilingMs;
  for (const [at, outgoing] of replica.onFlush) {
    if (at > token) break; // tokens ascend, and a map keeps insertion order
    replica.onFlush.delete(at);
    for (const send of outgoing) release(replica, durable, send);
  }
}

/** Sends what waited for the clock (T2). */
export function releaseHeld(replica: Replica): void {
  if (replica.held.length === 0 || replica.flushed === undefined) return;
  const waiting = replica.held;
  replica.held = [];
  for (const { send } of waiting) release(replica, replica.flushed, send);
}

/** Signs something that needs no record of its own: everything it rests on is already on disk. */
export function signOnLastFlush(replica: Replica, send: Outgoing): boolean {
  if (replica.flushed === undefined) return false;
  release(replica, replica.flushed, send);
  return true;
}

function release(replica: Replica, durable: Durable, send: Outgoing): void {
  if (!mayStillSend(replica, send)) return;
  if (send.notBeforeMs > replica.clockMs) {
    replica.held.push({ releaseMs: send.notBeforeMs, view: replica.view, send });
    return;
  }
  replica.signed = signing(replica.signed, send.message);
  const statement = statementOf(send.message);
  replica.out.push({
    kind: 'sign', durable, name: statement.name, slot: slotOf(replica.self, statement), message: send.message, to: send.to,
  });
}

/** A vote or ack of a view that was left meanwhile must never leave: the view change spoke for it (§2.8). */
function mayStillSend(replica: Replica, { view, message }: Outgoing): boolean {
  if (replica.quarantined || replica.halted) return false;
  if (replica.sealedHeight !== undefined && message.kind !== 'checkpointVote') return false;
  return view === undefined || (view === replica.view && replica.vcView <= view);
}
