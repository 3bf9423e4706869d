import { ZERO_HASH, type BlockHash, type ReplicaIndex, type View } from '../../types/index.ts';
import { learnQc, lockRank } from '../chain.ts';
import { hasBit } from '../bitmap.ts';
import { faults, leaderOf } from '../config.ts';
import { byTime } from '../entry.ts';
import { noteViewChange } from '../evidence.ts';
import { noteAckLog } from '../evidence-acks.ts';
import { mustWait } from '../intents.ts';
import type { BatchCert, ViewChangeMessage } from '../message.ts';
import { commitPatienceMs, orderPatienceMs } from '../pace.ts';
import { persist } from '../persist.ts';
import { send, type Replica } from '../state.ts';
import { maySign } from '../status.ts';
import { ackedRootOf } from './acked-root.ts';
import { leaderIsSilent, silentMembers } from './silence.ts';
import { viewTimeoutMs } from './timeout.ts';

/** Asks for a view: from here on nothing of the old view is signed, and everything acknowledged is reported (§2.8). */
export function startChange(replica: Replica, newView: View, cause: string): void {
  replica.vcView = newView;
  replica.changeMs = replica.elapsedMs;
  replica.changeSentMs = replica.elapsedMs;
  replica.ownChange = undefined;
  replica.held = replica.held.filter(({ send: { view } }) => view === undefined);
  replica.out.push({ kind: 'milestone', milestone: { event: 'viewChangeStarted', view: newView, cause } });
  const entries = [...replica.acked.values()].sort(byTime);
  const acked = entries.map(({ id, view }) => ({ id, certView: view }));
  const certs = [...new Map<string, BatchCert>(entries.map(({ cert, id }) => [coverKey(cert, id), cert])).values()];
  const { group, epoch } = replica.config;
  const { view: qcView, round: qcRound } = lockRank(replica);
  const value = {
    group, epoch, newView, qcView, qcRound, qcBlock: replica.highQc?.blockHash ?? (ZERO_HASH as BlockHash),
    ackSeq: replica.ackSeq, ackHead: replica.ackHead, ackedRoot: ackedRootOf(acked),
  };
  const message = {
    kind: 'viewChange' as const, value, highQc: replica.highQc, acked, certs,
    entries: entries.map(({ command, ts, id }) => ({ command, ts, id })),
  };
  persist(replica, { kind: 'viewChange', newView, highQc: replica.highQc }, { message, to: 'all', notBeforeMs: 0, view: undefined });
}

/** One certificate object may be stored per acknowledgement of a batch; each kept once. */
const coverKey = (cert: BatchCert, id: string): string =>
  `${cert.view}/${cert.batchRoot}/${cert.votes.map(({ signer, accept }) => `${signer}:${accept}`).join()}${cert.votes.length === 0 ? id : ''}`;

export function onViewChange(replica: Replica, from: ReplicaIndex, message: ViewChangeMessage): void {
  noteViewChange(replica, from, message);
  noteAckLog(replica, from, message);
  const peer = replica.peers[from];
  if (peer === undefined) return;
  if (from === replica.self && message.value.newView === replica.vcView) replica.ownChange = message;
  if (peer.change === undefined || message.value.newView > peer.change.value.newView) Object.assign(peer, { change: message, askedMs: replica.elapsedMs });
  learnQc(replica, message.highQc);
}

/** Every reason to ask for another leader (§2.8 triggers). */
export function watchView(replica: Replica): void {
  if (!maySign(replica) || replica.sealedHeight !== undefined) return;
  joinOthers(replica);
  if (replica.resumeChange) return resumeChange(replica);
  if (replica.vcView > replica.view) return watchChange(replica);
  const sinceMs = replica.elapsedMs - replica.current.startedMs;
  if (!replica.current.fastOpen && sinceMs >= viewTimeoutMs(replica)) return fail(replica, 'not opened');
  if (sinceMs >= replica.config.timing.viewDurationMs) return startChange(replica, replica.view + 1n, 'rotation');
  if (leaderIsSilent(replica, replica.view)) return startChange(replica, replica.view + 1n, 'leader silent');
  if (commandOverdue(replica)) return fail(replica, 'command overdue');
  if (standsStill(replica)) return fail(replica, 'chain stands still');
  if (epochOverdue(replica)) fail(replica, 'epoch overdue');
}

/** f+1 ask for a higher view: at least one of them is honest (§1.2). */
function joinOthers(replica: Replica): void {
  const wanted = replica.peers.map(({ change }) => change?.value.newView ?? 0n).sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
  const view = wanted[faults(replica.config)] ?? 0n;
  if (view > replica.view && view > replica.vcView) return startChange(replica, view, 'joined');
  if (replica.vcView === replica.view && lonely(replica)) startChange(replica, replica.view + 1n, 'lonely');
}

/**
 * V-LONELY: a member that asked alone, say for the view after one it asked for before it crashed, signs nothing below that view and would be missing
 * until the planned rotation. The others go to it early, but not soon: a liar can ask too (decision 0190).
 */
function lonely({ rules, peers, view, current, elapsedMs, config }: Replica): boolean {
  const limitMs = config.timing.viewDurationMs / 4;
  return rules.fetchLonely && peers.some(({ change, askedMs }) => (
    change !== undefined && change.value.newView > view && elapsedMs - Math.max(askedMs, current.startedMs) >= limitMs));
}

/** A view change cut short by a restart is not repeated with other contents: ask for the view after it. */
function resumeChange(replica: Replica): void {
  replica.resumeChange = false;
  if (replica.vcView > replica.view) startChange(replica, replica.vcView + 1n, 'restart');
}

/**
 * The clock of a view that was asked for runs only once q replicas have asked for it or a later one
 * (decision 0011): otherwise two groups of replicas can chase each other one view apart for ever.
 */
function watchChange(replica: Replica): void {
  const asked = replica.peers.filter(({ change }) => (change?.value.newView ?? 0n) >= replica.vcView).length;
  if (asked < replica.q) replica.changeMs = replica.elapsedMs;
  else if (leaderIsSilent(replica, replica.vcView)) return fail(replica, 'leader silent');
  if (replica.elapsedMs - replica.changeMs >= viewTimeoutMs(replica)) return fail(replica, 'not opened');
  if (replica.elapsedMs - replica.changeSentMs < repeatChangeMs(replica)) return;
  replica.changeSentMs = replica.elapsedMs;
  if (replica.ownChange !== undefined) send(replica, 'all', replica.ownChange);
}

/** A request holds everything that was acknowledged: members that have not come to it yet are not helped by more of the same. */
function repeatChangeMs({ config, elapsedMs, changeMs }: Replica): number {
  return Math.max(config.timing.heartbeatMs * 2, (elapsedMs - changeMs) / 2);
}

function fail(replica: Replica, cause: string): void {
  replica.failures += 1;
  startChange(replica, (replica.vcView > replica.view ? replica.vcView : replica.view) + 1n, cause);
}

/**
 * V-STILL: a leader closes time several times a second, whether anybody writes or not. One that is heard and does not, say because it
 * restarted in its view, stops fresh reads and what waits for proofs (decision 0195). Whoever is behind the others has only itself to blame.
 */
function standsStill(replica: Replica): boolean {
  const { rules, current, elapsedMs, committedMs, peers, tip } = replica;
  if (!rules.stillTimers || !current.fastOpen || peers.some(({ committed }) => committed > tip.height)) return false;
  const limitMs = viewTimeoutMs(replica) + orderPatienceMs(replica) + commitPatienceMs(replica);
  return elapsedMs - Math.max(committedMs, current.startedMs) >= limitMs && !hasBit(silentMembers(replica), leaderOf(replica.config, replica.view));
}

/** A group in which nobody writes still follows the registry when its leader is gone (§2.13). */
function epochOverdue(replica: Replica): boolean {
  const { next, current, elapsedMs } = replica;
  if (replica.intents.size > 0) return false; // X-SEAL: no leader could end it
  return next !== undefined && elapsedMs - Math.max(next.sinceMs, current.startedMs) >= viewTimeoutMs(replica);
}

/**
 * Whatever else commits: a leader cannot starve one command (§2.18, §2.20 M2). Looked at only when the oldest of them can be
 * overdue: with thousands on their way a look at every step would cost more than they do.
 */
function commandOverdue(replica: Replica): boolean {
  const { current, elapsedMs } = replica;
  if (!replica.rules.commandTimers || elapsedMs < current.overdueMs) return false;
  const limitMs = viewTimeoutMs(replica) + orderPatienceMs(replica);
  const dueMs = (sinceMs: number): number => Math.max(sinceMs, current.startedMs) + limitMs;
  let nextMs = elapsedMs + limitMs;
  for (const { sinceMs, command, classic, gateway } of replica.pending.values()) {
    const at = dueMs(sinceMs);
    const overdue = at <= elapsedMs && (classic || gateway?.phase !== 'queued') && replica.tip.closeTs < command.notAfter;
    if (overdue && !mustWait(replica, replica.tip.hash, command)) return true;
    nextMs = Math.min(nextMs, at);
  }
  for (const { sinceMs } of replica.acked.values()) {
    if (dueMs(sinceMs) <= elapsedMs) return true;
    nextMs = Math.min(nextMs, dueMs(sinceMs));
  }
  current.overdueMs = nextMs;
  return false;
}
