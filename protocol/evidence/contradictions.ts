import { sha256Hex } from '../crypto/index.ts';
import { bytesOf, concatBytes, uintBytes, ZERO_HASH, type Hash32 } from '../types/index.ts';
import { climb, mustSign, refuseIf, type Case } from './case.ts';
import type { FlatAck, FlatChange, FlatEntry, FlatOf, FlatSide, FlatVote } from './flat.ts';
import { blockOf } from './header.ts';

/*
 * SlasherConsensus: two statements of one replica. Each function refuses what is no contradiction; zero stands for
 * "no date", because these are not answers.
 */
const UNDATED = 0n;

interface Side {
  readonly entryId: Hash32;
  readonly ts: bigint;
  readonly writes: boolean;
}

export function tryVotes(flat: FlatOf<'VoteConflict'>, open: Case): bigint {
  const a = openSide(flat, flat.first, open);
  const b = openSide(flat, flat.second, open);
  refuseIf(a.entryId === b.entryId || !incompatible(a, b), 'NotConflicting');
  return UNDATED;
}

function openSide({ view, path, version }: FlatOf<'VoteConflict'>, side: FlatSide, open: Case): Side {
  const { accept, mode, ts } = side;
  refuseIf(mode > 1, 'BadProof');
  const { entryId, batchRoot } = openEntry({ path, version, mode }, side, accept);
  mustSign(open, 'FastVote', { group: open.group, epoch: open.epoch, view, batchRoot, accept }, side.signature);
  return { entryId, ts, writes: mode === 1 };
}

/** From an item to its entry to the root of a batch, of whose entries `bits` has this one. */
function openEntry(item: { path: Hash32; version: Hash32; mode: number }, entry: FlatEntry, bits: bigint): { entryId: Hash32; batchRoot: Hash32 } {
  const leaf = concatBytes(bytesOf(item.path), bytesOf(item.version), Uint8Array.of(item.mode));
  const footprintRoot = climb(leaf, entry.itemIndex, entry.itemPath);
  const entryId = sha256Hex(concatBytes(Uint8Array.of(2), bytesOf(entry.txId), uintBytes(entry.ts, 12), bytesOf(footprintRoot)));
  refuseIf(((bits >> BigInt(entry.entryIndex)) & 1n) === 0n, 'NotAccepted');
  return { entryId, batchRoot: climb(bytesOf(entryId), entry.entryIndex, entry.entryPath) };
}

/** Two writes, or a read at or after the other's write (consensus §2.2). */
function incompatible(a: Side, b: Side): boolean {
  if (a.writes) return b.writes || b.ts >= a.ts;
  return b.writes && a.ts >= b.ts;
}

export function tryBlockVotes({ view, round, first, second }: FlatOf<'DoubleBlockVote'>, open: Case): bigint {
  refuseIf(first.blockHash === second.blockHash, 'NotConflicting');
  for (const vote of [first, second]) mustVote(open, view, { ...vote, round });
  return UNDATED;
}

function mustVote(open: Case, view: bigint, { round, blockHash, qcView, qcRound, signature }: FlatVote): void {
  mustSign(open, 'BlockVote', { group: open.group, epoch: open.epoch, view, round, blockHash, qcView, qcRound }, signature);
}

export function tryProposals({ view, round, first, second }: FlatOf<'DoubleProposal'>, open: Case): bigint {
  refuseIf(first.blockHash === second.blockHash, 'NotConflicting');
  for (const { blockHash, signature } of [first, second]) {
    mustSign(open, 'Proposal', { group: open.group, epoch: open.epoch, view, round, blockHash }, signature);
  }
  return UNDATED;
}

/** (qcView, qcRound) as one number that orders like the pair. */
const rankOf = ({ qcView, qcRound }: { readonly qcView: bigint; readonly qcRound: number }): bigint => (qcView << 32n) | BigInt(qcRound);

export function tryLock({ view, first, second }: FlatOf<'LockRegress'>, open: Case): bigint {
  refuseIf(first.round >= second.round || rankOf(first) <= rankOf(second), 'NotConflicting');
  for (const vote of [first, second]) mustVote(open, view, vote);
  return UNDATED;
}

export function tryRank({ view, vote, change }: FlatOf<'RankUnderreport'>, open: Case): bigint {
  refuseIf(view >= change.newView || rankOf(vote) <= rankOf(change), 'NotConflicting');
  mustVote(open, view, vote);
  mustChange(open, change);
  return UNDATED;
}

function mustChange(open: Case, { signature, ...change }: FlatChange): void {
  mustSign(open, 'ViewChange', { group: open.group, epoch: open.epoch, ...change }, signature);
}

function mustAck(open: Case, { signature, ...ack }: FlatAck): void {
  mustSign(open, 'FastAck', { group: open.group, epoch: open.epoch, ...ack }, signature);
}

export function tryAckFork({ fork: { common, form } }: FlatOf<'AckFork'>, open: Case): bigint {
  mustAck(open, common);
  const { kind: _kind, ...second } = form;
  if (form.kind === 'ack') mustAck(open, second as FlatAck);
  else mustChange(open, second as FlatChange);
  const behind = form.kind === 'change' && form.ackSeq < common.ackSeq;
  const forked = behind || (form.ackSeq === common.ackSeq && form.ackHead !== common.ackHead);
  refuseIf(!forked || (form.kind === 'change' && common.view >= form.newView), 'NotConflicting');
  return UNDATED;
}

export function tryAckThenConsume({ view, path, version, acked, effect }: FlatOf<'AckThenConsume'>, open: Case): bigint {
  const { group, epoch } = open;
  const { entryId, batchRoot } = openEntry({ path, version, mode: 1 }, acked, acked.acked);
  mustAck(open, { view, batchRoot, acked: acked.acked, ackSeq: acked.ackSeq, ackHead: acked.ackHead, signature: acked.signature });
  const effectsRoot = climb(concatBytes(bytesOf(path), bytesOf(version), bytesOf(effect.to)), effect.index, effect.path);
  const { round, blockHash } = blockOf({ group, epoch, view }, effect, effectsRoot);
  mustVote(open, view, { round, blockHash, qcView: effect.qcView, qcRound: effect.qcRound, signature: effect.signature });
  refuseIf(version === ZERO_HASH || effect.to === entryId, 'NotConflicting');
  return UNDATED;
}
