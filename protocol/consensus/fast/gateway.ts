import { limits } from '../../limits/index.ts';
import { ZERO_HASH, type Command, type Timestamp, type TxId } from '../../types/index.ts';
import { leaderOf } from '../config.ts';
import { stamp } from '../clock.ts';
import { batchRootOf, known, type KnownEntry } from '../entry.ts';
import { isEarly } from '../intents.ts';
import { keyAt } from '../keys.ts';
import { finalTooLate, leadMs, orderPatienceMs, patienceMs } from '../pace.ts';
import { signOnLastFlush } from '../persist.ts';
import type { Refusal } from '../receipt.ts';
import { send, type Batch, type PendingCommand, type Replica } from '../state.ts';
import { participates } from '../status.ts';
import { batchOf, votesFor } from './batch.ts';
import { backOff, coolDown, isHot } from './hot.ts';
import { watch } from './pending.ts';

/** How often the timers of commands are looked at, and how long one of them may be passed over when no timer of its own is due. */
const SCAN_MS = 5;
const LOOK_MS = 50;
/** With so many commands on their way, blocks are the cheaper place for the next one, and for those that follow soon (decision 0183). */
const MANY_COMMANDS = 16;
const CROWD_MS = 500;

/** A client's command (§2.5): queue it for a batch, or send it to the leader when the fast path is not for it. */
export function onSubmit(replica: Replica, command: Command): void {
  if (replica.sealedHeight !== undefined) return refuse(replica, command.id, 'sealed');
  if (wasDecided(replica, command)) return refuse(replica, command.id, 'superseded');
  const pending = isEarly(replica, command) ? undefined : watch(replica, command);
  if (pending === undefined) return refuse(replica, command.id, 'overloaded');
  if (pending.gateway !== undefined) return;
  pending.gateway = { phase: 'queued', batchRoot: undefined, index: 0, phaseMs: replica.elapsedMs };
  if (pending.classic || !mayGoFast(replica, command)) return goClassic(replica, pending);
  if (replica.queue.length === 0) replica.queueMs = replica.elapsedMs;
  replica.queue.push(command.id);
}

/** Somebody wants this command ordered by the leader (§2.7). */
export function onSubmitMessage(replica: Replica, command: Command): void {
  if (wasDecided(replica, command) || isEarly(replica, command)) return;
  const pending = watch(replica, command);
  if (pending !== undefined) pending.classic = true;
}

/** Sends one batch: the first command at once, what follows when the votes on the batch before are back, it is full, or its delay is over (§2.5, §2.16). */
export function flushQueue(replica: Replica): void {
  while (replica.queue.length > 0) {
    if (queueDueMs(replica) > 0) return;
    const commands = takeQueued(replica);
    if (!fastReady(replica)) {
      for (const pending of commands) goClassic(replica, pending);
      continue;
    }
    sendBatch(replica, commands);
  }
}

/** How long the queue waits still; a silent voter must not hold it up. */
export function queueDueMs(replica: Replica): number {
  if (replica.queue.length >= limits.entriesPerBatch || !voting(replica)) return 0;
  return replica.queueMs + replica.config.timing.batchDelayMs - replica.elapsedMs;
}

/**
 * True while the votes on this gateway's newest batch are out. What arrives meanwhile shares the next batch, as in a
 * group commit: a batch costs every replica its signatures, whatever is in it.
 */
function voting(replica: Replica): boolean {
  const { newest, batches } = replica.current;
  return newest !== undefined && (batches.get(newest)?.votes.size ?? replica.q) < replica.q;
}

function takeQueued(replica: Replica): PendingCommand[] {
  const ids = replica.queue.splice(0, limits.entriesPerBatch);
  return ids.flatMap((id) => {
    const pending = replica.pending.get(id);
    return pending?.gateway?.phase === 'queued' ? [pending] : [];
  });
}

function sendBatch(replica: Replica, commands: readonly PendingCommand[]): void {
  if (commands.length === 0) return;
  const entries: KnownEntry[] = commands.map(({ command }) => known({ command, ts: stamp(replica, hintOf(replica, command)) }));
  const batchRoot = batchRootOf(entries.map(({ id }) => id));
  commands.forEach(({ gateway }, index) => {
    if (gateway === undefined) return;
    Object.assign(gateway, { phase: 'fast', batchRoot, index, phaseMs: replica.elapsedMs });
  });
  const { group, epoch } = replica.config;
  replica.batchSeq += 1n;
  replica.current.newest = batchRoot;
  batchOf(replica, batchRoot).gateway = replica.self; // from here its votes are timed
  const value = { group, epoch, view: replica.view, gateway: replica.self, seq: replica.batchSeq, batchRoot, count: entries.length };
  signOnLastFlush(replica, { message: { kind: 'fastBatch', value, entries }, to: 'all', notBeforeMs: 0, view: replica.view });
}

/** Latest time any of its keys was used, as far as this gateway knows. */
function hintOf(replica: Replica, command: Command): Timestamp {
  let latest = replica.tip.closeTs;
  for (const { path } of command.items) {
    const at = keyAt(replica, replica.tip.hash, path);
    for (const ts of [at.writtenAt, at.readAt]) if (ts > latest) latest = ts;
    const acks = replica.ackedByPath.get(path);
    if (acks !== undefined && acks.toTs > latest) latest = acks.toTs;
  }
  return latest;
}

/** Enough refusals that q votes are impossible: no timer needed (§2.7). */
export function onRefusals(replica: Replica, batch: Batch): void {
  const most = replica.config.roster.length - replica.q;
  for (const [index, entry] of (batch.entries ?? []).entries()) {
    if (batch.votes.size - votesFor(batch, index) <= most) continue;
    const pending = replica.pending.get(entry.command.id);
    if (pending?.gateway?.phase === 'fast' && pending.gateway.batchRoot === batch.root) failFast(replica, pending);
  }
}

export function failFast(replica: Replica, pending: PendingCommand): void {
  backOff(replica, pending.command);
  replica.out.push({ kind: 'milestone', milestone: { event: 'fastFailed', command: pending.command.id } });
  goClassic(replica, pending);
}

export function goClassic(replica: Replica, pending: PendingCommand): void {
  pending.classic = true;
  if (pending.gateway !== undefined) Object.assign(pending.gateway, { phase: 'classic', phaseMs: replica.elapsedMs });
  handOver(replica, pending);
}

/** To the leader first; to everybody when the leader did nothing, so that f+1 timers run (§2.18). */
export function handOver(replica: Replica, pending: PendingCommand): void {
  const first = pending.sentMs === -Infinity;
  pending.sentMs = replica.elapsedMs;
  const leader = leaderOf(replica.config, replica.view);
  if (first && leader === replica.self) return;
  send(replica, first ? leader : 'all', { kind: 'submit', command: pending.command });
}

export function refuse(replica: Replica, command: TxId, reason: Refusal): void {
  replica.out.push({ kind: 'reply', command, reply: { kind: 'refused', command, reason } });
}

function wasDecided(replica: Replica, command: Command): boolean {
  return keyAt(replica, replica.tip.hash, command.noncePath).version !== ZERO_HASH;
}

function mayGoFast(replica: Replica, command: Command): boolean {
  if (replica.pending.size >= MANY_COMMANDS) replica.crowdedMs = replica.elapsedMs;
  return replica.elapsedMs - replica.crowdedMs >= CROWD_MS && !command.classicOnly && !replica.config.classicOnly && fastReady(replica) && !isHot(replica, command);
}

/** The fast path is open here, and nothing this replica is about to sign rests on an unwritten record. */
function fastReady(replica: Replica): boolean {
  return replica.current.fastOpen && participates(replica)
    && replica.flushed !== undefined && replica.flushed.token >= replica.viewToken && replica.clockMs + leadMs(replica) < replica.durableCeilingMs;
}


/** Timers of every command somebody waits for (§2.7, §2.18). */
export function watchPending(replica: Replica): void {
  if (replica.elapsedMs < Math.max(replica.pendingDueMs, replica.pendingScanMs + SCAN_MS)) return;
  replica.pendingScanMs = replica.elapsedMs;
  coolDown(replica);
  let dueMs = Infinity;
  for (const pending of replica.pending.values()) {
    if (replica.elapsedMs >= pending.lookMs) {
      watchOne(replica, pending);
      pending.lookMs = Math.min(replica.elapsedMs + LOOK_MS, deadlineOf(replica, pending));
    }
    dueMs = Math.min(dueMs, pending.lookMs);
  }
  replica.pendingDueMs = dueMs;
}

/** When the next of its timers is due, as things stand. */
function deadlineOf(replica: Replica, { gateway, classic, sinceMs, sentMs }: PendingCommand): number {
  const { fastTimeoutMs, orphanTimeoutMs } = replica.config.timing;
  if (gateway?.phase === 'fast') return gateway.phaseMs + fastTimeoutMs + patienceMs(replica);
  return classic ? sentMs + handOverMs(replica) : sinceMs + orphanTimeoutMs + patienceMs(replica);
}

function watchOne(replica: Replica, pending: PendingCommand): void {
  const { command, gateway } = pending;
  if (wasDecided(replica, command) || replica.tip.closeTs >= command.notAfter) {
    replica.pending.delete(command.id);
    if (gateway !== undefined) refuse(replica, command.id, wasDecided(replica, command) ? 'superseded' : 'expired');
    return;
  }
  const { fastTimeoutMs, orphanTimeoutMs } = replica.config.timing;
  const patience = patienceMs(replica);
  if (gateway?.phase === 'fast' && replica.elapsedMs - gateway.phaseMs >= fastTimeoutMs + patience) return giveUpFast(replica, pending);
  const orphanMs = orphanTimeoutMs + patience + sweepMs(replica, command);
  if (!pending.classic && gateway === undefined && replica.elapsedMs - pending.sinceMs >= orphanMs) return rescue(replica, pending);
  if (pending.classic && replica.elapsedMs - pending.sentMs >= handOverMs(replica)) handOver(replica, pending);
}

/** The timer of the fast path ran out. One conclusion per batch: its commands share their fate. */
function giveUpFast(replica: Replica, pending: PendingCommand): void {
  const batch = pending.gateway?.batchRoot === undefined ? undefined : replica.current.batches.get(pending.gateway.batchRoot);
  if (batch !== undefined && !batch.judged) {
    batch.judged = true;
    finalTooLate(replica);
  }
  failFast(replica, pending);
}

/** An acknowledged command is no orphan: a leader that saw the same votes sweeps it with one of its next blocks. */
function sweepMs(replica: Replica, { noncePath }: Command): number {
  return replica.ackedByPath.has(noncePath) ? Math.max(2 * replica.config.timing.closeIntervalMs, orderPatienceMs(replica)) : 0;
}

/** How long the leader alone has a command; then f+1 others hear of it, so that their timers run too (§2.18). */
function handOverMs(replica: Replica): number {
  const { commandTimeoutMs } = replica.config.timing;
  return Math.min(Math.max(commandTimeoutMs / 4, orderPatienceMs(replica)), commandTimeoutMs);
}

/** Finishing a stranger's command is legitimate: its client signed it (§2.7). */
function rescue(replica: Replica, pending: PendingCommand): void {
  pending.classic = true;
  for (const entry of replica.acked.values()) {
    if (entry.command.id !== pending.command.id) continue;
    pending.sentMs = replica.elapsedMs;
    return send(replica, 'all', { kind: 'certificate', certs: [entry.cert], entries: [entry] });
  }
  handOver(replica, pending);
}
