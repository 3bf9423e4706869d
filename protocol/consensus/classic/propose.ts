import { limits } from '../../limits/index.ts';
import { ZERO_HASH, type BlockHash, type EntryId, type Path, type Timestamp, type TxId } from '../../types/index.ts';
import { msOf } from '../../hlc/index.ts';
import { quorum } from '../config.ts';
import { closing, releaseMs, stamp } from '../clock.ts';
import { byTime, known, type KnownEntry } from '../entry.ts';
import type { BlockEntry, BlockKind, Qc } from '../block.ts';
import { decidedTs, mustWait, oldestIntent } from '../intents.ts';
import { keyAt, lineage } from '../keys.ts';
import type { BatchCert } from '../message.ts';
import { repeatBlockMs } from '../pace.ts';
import { send, type Replica } from '../state.ts';
import { isLeader, participates } from '../status.ts';
import { assemble, offer, parentOf, type ParentFacts } from './assemble.ts';
import { giveUpOutstanding } from './arbitrate.ts';
import { maxTsOf } from './vote.ts';

/** C-PROPOSE: the next block when there is a reason for one, never two for a rank. */
export function propose(replica: Replica): void {
  if (!isLeader(replica) || !participates(replica) || replica.current.leader.silent) return;
  if (replica.view === 0n && replica.highQc === null && replica.current.leader.lastRound === 0) return openFirst(replica);
  giveUpOutstanding(replica);
  const { leader } = replica.current;
  if (leader.outstanding !== undefined || leader.signing) return resend(replica);
  const parentQc = replica.highQc;
  if (parentQc === null || parentQc.view !== replica.view) return undefined;
  const parent = parentOf(replica, parentQc.blockHash);
  const kind = parent === undefined ? undefined : reasonFor(replica, parentQc, parent);
  if (parent === undefined || kind === undefined) return tellQc(replica);
  leader.qcToTell = undefined;
  proposeOn(replica, parentQc, parent, kind);
}

/** The first block of an epoch needs no justification: there is nothing before it. */
function openFirst(replica: Replica): void {
  const block = assemble(replica, {
    view: 0n, round: 1, parent: replica.tip.hash, kind: 'opening', closeTs: replica.tip.closeTs, entries: [], tcRoot: ZERO_HASH, next: ZERO_HASH,
  });
  if (block === undefined) return;
  markProposed(replica, 1);
  offer(replica, block, null, [], []);
}

function reasonFor(replica: Replica, parentQc: Qc, parent: ParentFacts): BlockKind | undefined {
  const { timing } = replica.config;
  if (parent.sealed) return 'normal'; // flushes the end of the epoch
  if (mayReconfigure(replica, parentQc.blockHash)) return 'reconfig';
  const sinceMs = replica.elapsedMs - replica.current.leader.proposedMs;
  const checkpointDue = replica.elapsedMs - replica.checkpointMs >= timing.checkpointIntervalMs && changed(replica, parentQc.blockHash);
  if (checkpointDue) return 'checkpoint';
  if (waitsForFlush(replica, parentQc.blockHash) || hasCommands(replica, parentQc.blockHash)) return 'normal';
  return sinceMs >= timing.closeIntervalMs || replica.ackedBytes >= limits.blockBytes / 2 ? 'normal' : undefined;
}

/** Voters may not have heard of the next epoch yet, and intents come first (X-SEAL): until then the group goes on as before. */
function mayReconfigure(replica: Replica, base: BlockHash): boolean {
  if (oldestIntent(replica, base) !== undefined) return false;
  return replica.next !== undefined && replica.elapsedMs - replica.reconfigMs >= replica.config.timing.commandTimeoutMs / 4;
}

/** An uncommitted block that somebody waits for (§2.6: flush it at once). */
function waitsForFlush(replica: Replica, base: BlockHash): boolean {
  for (const { block } of lineage(replica, base)) if (block.entries.length > 0 || block.header.kind !== 'normal') return true;
  return false;
}

function changed(replica: Replica, base: BlockHash): boolean {
  for (const { block } of lineage(replica, base)) if (block.header.kind === 'checkpoint') return false;
  return replica.changedSinceCheckpoint > 0;
}

function hasCommands(replica: Replica, base: BlockHash): boolean {
  for (const { classic, command } of replica.pending.values()) {
    if (!classic || expired(replica, command.notAfter) || mustWait(replica, base, command)) continue;
    if (keyAt(replica, base, command.noncePath).version === ZERO_HASH) return true;
  }
  return false;
}

const expired = (replica: Replica, notAfter: Timestamp): boolean => msOf(notAfter) <= replica.clockMs;

function proposeOn(replica: Replica, parentQc: Qc, parent: ParentFacts, kind: BlockKind): void {
  const base = parentQc.blockHash;
  const swept = parent.sealed ? [] : sweep(replica, base);
  const closeTs = kind === 'reconfig' ? sealTs(parent, swept) : nextCloseTs(replica, base, parent, swept);
  const room = limits.entriesPerBlock - swept.length;
  const ordered = kind === 'reconfig' || parent.sealed ? [] : order(replica, base, swept, closeTs, room);
  const round = replica.current.leader.lastRound + 1;
  const next = kind === 'reconfig' && replica.next !== undefined ? replica.next.hash : ZERO_HASH;
  const entries = [...swept.map(({ entry }) => entry), ...ordered];
  const block = assemble(replica, { view: replica.view, round, parent: base, kind, closeTs, entries, tcRoot: ZERO_HASH, next });
  if (block === undefined) return;
  if (kind === 'checkpoint') replica.checkpointMs = replica.elapsedMs;
  if (kind === 'reconfig') replica.reconfigMs = replica.elapsedMs;
  markProposed(replica, round);
  replica.current.leader.timed = ordered.length > 0 && releaseMs(replica, maxTsOf(replica, base)) <= replica.clockMs;
  offer(replica, block, parentQc, [...new Set(swept.map(({ cert }) => cert))], []);
}

function markProposed(replica: Replica, round: number): void {
  Object.assign(replica.current.leader, { lastRound: round, proposedMs: replica.elapsedMs, signing: true, firstRejectMs: undefined, timed: false });
  replica.current.leader.rejects.clear();
}

interface Swept {
  readonly entry: BlockEntry;
  readonly cert: BatchCert;
}

/** Certificates of this view that the chain lacks, in the order of time. */
function sweep(replica: Replica, base: BlockHash): Swept[] {
  const found = new Map<EntryId, Swept>();
  const add = (entry: KnownEntry, cert: () => BatchCert): void => {
    if (found.has(entry.id) || keyAt(replica, base, entry.command.noncePath).version !== ZERO_HASH) return;
    const { command, ts, id } = entry;
    found.set(id, { entry: { command, ts, id, certView: replica.view }, cert: cert() });
  };
  for (const entry of replica.acked.values()) if (entry.view === replica.view) add(entry, () => entry.cert);
  for (const { entry, cert } of replica.current.certified.values()) add(entry, cert);
  return withinBytes([...found.values()].sort((a, b) => byTime(a.entry, b.entry)));
}

function withinBytes(swept: readonly Swept[]): Swept[] {
  let bytes = 0;
  return swept.slice(0, limits.entriesPerBlock).filter(({ entry }) => (bytes += entry.command.bytes.length) <= limits.blockBytes);
}

/** Commands that wait for the leader, stamped above everything their keys have seen. */
function order(replica: Replica, base: BlockHash, swept: readonly Swept[], closeTs: Timestamp, room: number): BlockEntry[] {
  const latest = new Map<Path, Timestamp>();
  const taken = new Set<TxId>(swept.map(({ entry }) => entry.command.id));
  for (const { entry } of swept) for (const { path } of entry.command.items) latest.set(path, entry.ts);
  const out: BlockEntry[] = [];
  let bytes = 0;
  for (const { classic, command } of replica.pending.values()) {
    if (!classic || taken.has(command.id) || out.length >= room || expired(replica, command.notAfter)) continue;
    if (keyAt(replica, base, command.noncePath).version !== ZERO_HASH || mustWait(replica, base, command)) continue;
    bytes += command.bytes.length;
    if (bytes > limits.blockBytes) break;
    let after = closeTs;
    for (const { path } of command.items) {
      const at = keyAt(replica, base, path);
      for (const ts of [at.writtenAt, at.readAt, latest.get(path) ?? 0n]) if (ts > after) after = ts as Timestamp;
    }
    const entry = known({ command, ts: decidedTs(command) ?? stamp(replica, after) });
    for (const { path } of command.items) latest.set(path, entry.ts);
    out.push({ ...entry, certView: null });
  }
  return out;
}

/** Largest T that q clocks have left behind by W (§2.10), below every certificate left out and every open intent (X-CLOSE). */
function nextCloseTs(replica: Replica, base: BlockHash, parent: ParentFacts, swept: readonly Swept[]): Timestamp {
  const clocks = replica.peers.map(({ clockMs }, i) => (i === replica.self ? replica.clockMs : clockMs)).sort((a, b) => b - a);
  const agreedMs = (clocks[quorum(replica.config) - 1] ?? 0) - replica.config.timing.clockWindowMs;
  let closeTs = closing(agreedMs);
  const inBlock = new Set(swept.map(({ entry }) => entry.id));
  for (const entry of replica.acked.values()) {
    if (!inBlock.has(entry.id) && entry.view === replica.view && entry.ts <= closeTs) closeTs = (entry.ts - 1n) as Timestamp;
  }
  const intent = replica.rules.intentFloor ? oldestIntent(replica, base) : undefined;
  if (intent !== undefined && intent <= closeTs) closeTs = (intent - 1n) as Timestamp;
  return closeTs > parent.closeTs ? closeTs : parent.closeTs;
}

/** The last block of an epoch closes everything; in numbers, all that is in the chain. */
function sealTs(parent: ParentFacts, swept: readonly Swept[]): Timestamp {
  return swept.reduce((max, { entry }) => (entry.ts > max ? entry.ts : max), parent.maxTs > parent.closeTs ? parent.maxTs : parent.closeTs);
}

/** A certificate that no proposal will carry soon: tell it, so that the others can commit. */
function tellQc(replica: Replica): void {
  const { leader } = replica.current;
  if (leader.qcToTell === undefined) return;
  send(replica, 'all', { kind: 'certified', qc: leader.qcToTell });
  leader.qcToTell = undefined;
}

/** When a leader has to look again, from now; undefined before its first proposal, which waits for messages. */
export function leaderDueMs(replica: Replica): number | undefined {
  const { config: { timing }, current: { leader }, elapsedMs } = replica;
  if (leader.outstanding === undefined) return Number.isFinite(leader.proposedMs) ? leader.proposedMs + timing.closeIntervalMs - elapsedMs : undefined;
  const againMs = leader.sentMs + repeatBlockMs(replica) - elapsedMs;
  const graceMs = leader.firstRejectMs === undefined ? Infinity : leader.firstRejectMs + timing.rejectGraceMs - elapsedMs;
  return Math.min(againMs, graceMs);
}

function resend(replica: Replica): void {
  const { leader } = replica.current;
  if (leader.outstanding === undefined || replica.elapsedMs - leader.sentMs < repeatBlockMs(replica)) return;
  leader.sentMs = replica.elapsedMs;
  send(replica, 'all', leader.outstanding);
}
