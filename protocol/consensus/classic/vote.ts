import { compareRank, ZERO_HASH, type BlockHash, type ReplicaIndex, type Timestamp } from '../../types/index.ts';
import { msOf } from '../../hlc/index.ts';
import { fresh, mayClose, notAhead, releaseMs } from '../clock.ts';
import type { Block, Consumed, Qc } from '../block.ts';
import { insertBlock, learnQc, lockRank } from '../chain.ts';
import { leaderOf } from '../config.ts';
import { noteProposal } from '../evidence.ts';
import { closesIntent, decidedTs, isTimely, oldestIntent } from '../intents.ts';
import { effectiveClose, extendsTip, lineage, lockKey } from '../keys.ts';
import type { BatchCert, ProposalMessage, RejectReason } from '../message.ts';
import { persist } from '../persist.ts';
import { disturbedBy, failingOver } from '../replay.ts';
import { send, type AckedEntry, type BlockNode, type Replica } from '../state.ts';
import { participates } from '../status.ts';
import { enterView } from '../view/enter.ts';
import { opensRightly } from '../view/open.ts';
import { onReject } from './arbitrate.ts';
import { parentOf } from './assemble.ts';

/** A leader's block: enter its view if it opens one, freeze its keys, then decide (C-VOTE). */
export function onProposal(replica: Replica, from: ReplicaIndex, message: ProposalMessage): void {
  const { view, round } = message.value;
  if (from !== leaderOf(replica.config, view)) return relayed(replica, message);
  noteProposal(replica, from, message);
  learnQc(replica, message.parentQc);
  if (view > replica.view && view >= replica.vcView && opensRightly(replica, message)) enterView(replica, view);
  if (view !== replica.view) return;
  if (from === replica.self) ownProposal(replica, message);
  const { current } = replica;
  if (current.proposal !== undefined && current.proposal.value.round >= round) return;
  current.proposal = message;
  current.proposalFrom = from;
  current.proposalDone = false;
  current.frozen = new Map();
  for (const { command } of message.block.entries) {
    for (const { path, mode } of command.items) if (current.frozen.get(path) !== 'W') current.frozen.set(path, mode);
  }
}

/** Somebody else's copy of a proposal teaches its certificate, nothing more. */
function relayed(replica: Replica, message: ProposalMessage): void {
  learnQc(replica, message.parentQc);
}

/** The own proposal came back signed: now it waits for votes. */
function ownProposal(replica: Replica, message: ProposalMessage): void {
  const { round } = message.value;
  const { leader } = replica.current;
  leader.signing = false;
  if (leader.outstanding !== undefined && leader.outstanding.value.round >= round) return;
  leader.outstanding = message;
  leader.sentMs = replica.elapsedMs;
  if (round > leader.lastRound) leader.lastRound = round;
}

/** C-VOTE on the newest proposal: vote, reject, or wait for what is missing. */
export function considerProposal(replica: Replica): void {
  const { current } = replica;
  const message = current.proposal;
  if (message === undefined || current.proposalDone || !participates(replica)) return;
  const verdict = judge(replica, message);
  if (verdict === 'wait') return;
  current.proposalDone = true;
  if (verdict === 'vote') return;
  if (verdict !== 'old') reject(replica, message, verdict, []);
}

type Verdict = 'vote' | 'wait' | 'old' | RejectReason;

/** Until the clock shows it. */
function waitFor({ current }: Replica, clockMs: number): Verdict {
  current.proposalDueMs = clockMs;
  return 'wait';
}

function judge(replica: Replica, message: ProposalMessage): Verdict {
  replica.current.proposalDueMs = undefined;
  const { block, parentQc } = message;
  const { header } = block;
  if (compareRank(header, replica.lastVoted) <= 0) return 'old';
  const opening = header.kind === 'opening';
  if (opening ? !opensRightly(replica, message) : parentQc === null || parentQc.view !== header.view || parentQc.blockHash !== header.parent) return 'invalid';
  if (!opening && replica.rules.lock && parentQc !== null && compareRank(parentQc, lockRank(replica)) < 0) return 'behind';
  const parent = parentOf(replica, header.parent);
  if (parent === undefined || !extendsTip(replica, header.parent)) {
    replica.missing = true;
    return 'wait';
  }
  const node = insertBlock(replica, block); // kept whatever the verdict: others may certify it
  if (node === undefined) return 'wait';
  const contents = judgeContents(replica, block);
  if (contents !== undefined) return contents;
  if (!sameRoots(node) || closesIntent(replica, node)) return 'invalid';
  // C-VOTE 5, before the dear check: it is asked again at every step until the clock is there
  const dueMs = releaseMs(replica, maxTsOf(replica, header.parent));
  if (dueMs > replica.clockMs) return waitFor(replica, dueMs);
  const failing = opening || !replica.rules.replayCheck ? [] : failingOver(replica, node.hash, header.view);
  const disturbed = replica.rules.absentMayReturn ? disturbedBy(replica, header, failing) : failing;
  const given = opening ? [] : givenAway(replica, node, failing); // C-VOTE 6
  if (disturbed.length > 0 || given.length > 0) {
    replica.current.proposalDone = true;
    reject(replica, message, 'replay', [...new Set([...disturbed, ...given])]);
    return 'old';
  }
  castBlockVote(replica, node, parentQc);
  return 'vote';
}

/**
 * Entries acknowledged in this view, dead or failing, of which the block gives a version to another one. To vote would do no
 * harm, but acknowledgement and vote together would look like a lie (§3.2 E10). Version zero comes back (decision 0016).
 */
function givenAway({ current, rules }: Replica, { execution }: BlockNode, failing: readonly AckedEntry[]): AckedEntry[] {
  if (!rules.deadAcksBind) return [];
  return [...current.deadAcks, ...failing].filter(({ id, command }) => command.items.some(({ path, version, mode }) => mode === 'W'
    && version !== ZERO_HASH && execution.consumed.some((each) => each.path === path && each.from === version && each.to !== id)));
}

/** C-VOTE 3, without the certificates, which were checked with the message. */
function judgeContents(replica: Replica, { header, entries }: Block): Verdict | undefined {
  const parent = parentOf(replica, header.parent);
  if (parent === undefined) return 'wait';
  if (header.height !== parent.height + 1n || header.closeTs < parent.closeTs) return 'invalid';
  if (header.maxTs !== entries.reduce((max, { ts }) => (ts > max ? ts : max), parent.maxTs)) return 'invalid';
  if (header.kind === 'opening') return header.closeTs === parent.closeTs ? undefined : 'invalid';
  if (parent.sealed && entries.length > 0) return 'invalid';
  if (header.kind === 'reconfig') return sealsRightly(replica, header.closeTs, parent, header) ? undefined : 'behind';
  for (const { certView, ts, command } of entries) {
    if (certView !== null) {
      if (certView !== header.view) return 'invalid';
      continue;
    }
    if (ts <= parent.closeTs) return 'stale';
    const decided = decidedTs(command);
    if (decided !== undefined) { // X-RESOLVE: exempt from T1, because X-CLOSE kept its time open
      if (ts !== decided) return 'invalid';
      continue;
    }
    if (!fresh(replica, ts) || !isTimely(replica, command)) return 'stale';
    if (!notAhead(replica, ts)) return waitFor(replica, msOf(ts) - replica.config.timing.clockAheadMs);
  }
  const closes = replica.rules.closeCheck && !parent.sealed && !mayClose(replica, header.closeTs);
  return closes ? waitFor(replica, msOf(header.closeTs) + replica.config.timing.clockWindowMs) : undefined;
}

/** A reconfig block is right when the registry announced the same to this replica (§2.13). */
function sealsRightly(replica: Replica, closeTs: Timestamp, parent: { closeTs: Timestamp; maxTs: Timestamp }, header: Block['header']): boolean {
  const floor = header.maxTs > parent.closeTs ? header.maxTs : parent.closeTs;
  if (oldestIntent(replica, header.parent) !== undefined) return false; // X-SEAL
  return replica.next !== undefined && replica.next.hash === header.next && closeTs === floor;
}

function sameRoots({ block, execution }: BlockNode): boolean {
  return block.header.effectsRoot === execution.effectsRoot && block.header.outcomeRoot === execution.outcomeRoot;
}

/** Highest timestamp of uncommitted blocks down to `base`: the vote on its child waits for it (T2). */
export function maxTsOf(replica: Replica, base: BlockHash): Timestamp {
  let maxTs = 0n as Timestamp;
  for (const { block } of lineage(replica, base)) {
    for (const { ts } of block.entries) if (ts > maxTs) maxTs = ts;
  }
  return maxTs;
}

function castBlockVote(replica: Replica, node: BlockNode, parentQc: Qc | null): void {
  const { block, hash } = node;
  const { group, epoch } = replica.config;
  const { view, round } = block.header;
  replica.lastVoted = { view, round };
  node.voted = true;
  noteVoted(replica, hash, effectiveClose(block.header), node.execution.consumed);
  const { view: qcView, round: qcRound } = lockRank(replica);
  const value = { group, epoch, view, round, blockHash: hash, qcView, qcRound };
  persist(replica, { kind: 'voted', block, parentQc, highQc: replica.highQc, consumed: node.execution.consumed }, {
    message: { kind: 'blockVote', value }, to: leaderOf(replica.config, view), notBeforeMs: 0, view,
  });
}

/** What a vote binds for the rest of the view (F-VOTE 2, 3, 5). */
export function noteVoted(replica: Replica, hash: BlockHash | undefined, closes: Timestamp, consumed: readonly Consumed[]): void {
  const { current } = replica;
  if (hash !== undefined) current.votedBlocks.add(hash);
  if (closes > current.votedCloseTs) current.votedCloseTs = closes;
  for (const { path, from, to } of consumed) {
    const key = lockKey(path, from);
    const by = current.consumed.get(key) ?? new Set();
    by.add(to);
    current.consumed.set(key, by);
  }
}

function reject(replica: Replica, { value }: ProposalMessage, reason: RejectReason, failing: readonly AckedEntry[]): void {
  const { view, round } = value;
  replica.out.push({ kind: 'milestone', milestone: { event: 'rejected', view, round, reason } });
  const wanted = failing.length === 0 ? [] : withDependencies(replica, failing);
  const certs = [...new Set<BatchCert>(wanted.map(({ cert }) => cert))];
  const entries = wanted.map(({ command, ts, id }) => ({ command, ts, id }));
  const leader = leaderOf(replica.config, view);
  const message = { kind: 'reject' as const, view, round, reason, certs, entries };
  if (leader === replica.self) return onReject(replica, leader, message);
  send(replica, leader, message);
  if (reason === 'behind' && replica.highQc !== null) send(replica, leader, { kind: 'certified', qc: replica.highQc });
}

/** The failing entries and the acknowledged ones whose keys they share. */
function withDependencies(replica: Replica, failing: readonly AckedEntry[]): AckedEntry[] {
  const wanted = new Map(failing.map((entry) => [entry.id, entry]));
  for (const entry of wanted.values()) {
    for (const { version } of entry.command.items) {
      const producer = replica.acked.get(version);
      if (producer !== undefined) wanted.set(producer.id, producer);
    }
  }
  return [...wanted.values()];
}
