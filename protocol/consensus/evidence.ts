import { merklePath } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import { itemBytes } from '../rows/index.ts';
import { structHash, type StructValue } from '../codec/index.ts';
import { compareRank, type Item, type ReplicaIndex, type Signature } from '../types/index.ts';
import type { CertifiedCheckpoint } from '../membership/index.ts';
import { hasBit, NO_BITS } from './bitmap.ts';
import type { Qc } from './block.ts';
import type { KnownEntry } from './entry.ts';
import { compatible } from './fast/judge.ts';
import { lockKey } from './keys.ts';
import type { ProposalMessage, ViewChangeMessage } from './message.ts';
import type { Offence, OpenedEntry, OpenedVote } from './offence.ts';
import { batchPath } from './receipt.ts';
import type { Batch, Claim, Replica, Rival } from './state.ts';

/** Reports a contradiction once per culprit and kind and place (§3.2). */
export function found(replica: Replica, place: string, offence: Offence): void {
  const key = `${offence.kind}/${offence.culprit}/${place}`;
  if (offence.culprit === replica.self || replica.seen.reported.has(key) || replica.seen.reported.size > limits.statementsRemembered) return;
  replica.seen.reported.add(key);
  replica.out.push({ kind: 'evidence', offence });
}

/** Remembers a statement under a key, oldest forgotten first; returns what stood there before. */
export function remember<V>(map: Map<string, V>, key: string, value: V): V | undefined {
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
  const peer = replica.peers[culprit];
  if (peer !== undefined && (peer.blockVote === undefined || compareRank(value, peer.blockVote.value) > 0)) peer.blockVote = { kind: 'blockVote', ...second };
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

/** FalseCheckpoint: a signature on another root of a certified height. */
export function noteCheckpointVote(replica: Replica, culprit: ReplicaIndex, value: StructValue<'Checkpoint'>, signature: Signature): void {
  const certified = replica.stable;
  if (certified === undefined || certified.checkpoint.height !== value.height) return;
  if (structHash('Checkpoint', certified.checkpoint) !== structHash('Checkpoint', value)) {
    found(replica, `${value.height}`, { kind: 'FalseCheckpoint', culprit, certified, accused: { value, signature } });
  }
}

/** ForkedCertificates: another certificate of the certified height; whoever signed both is guilty. */
export function noteCertificate(replica: Replica, second: CertifiedCheckpoint): void {
  const first = replica.stable;
  if (first === undefined || first.checkpoint.height !== second.checkpoint.height) return;
  if (structHash('Checkpoint', first.checkpoint) === structHash('Checkpoint', second.checkpoint)) return;
  const both = first.signatures.filter(({ replica: signer }) => second.signatures.some((other) => other.replica === signer));
  const culprit = both.find(({ replica: signer }) => signer !== replica.self)?.replica;
  if (culprit !== undefined) found(replica, `${first.checkpoint.height}`, { kind: 'ForkedCertificates', culprit, first, second });
}

/** The votes in a certificate are statements like those that come one by one. */
export function noteQc(replica: Replica, { view, round, blockHash, votes }: Qc): void {
  const { group, epoch } = replica.config;
  for (const { signer, qcView, qcRound, signature } of votes) noteBlockVote(replica, signer, { group, epoch, view, round, blockHash, qcView, qcRound }, signature);
}

/** VoteConflict: two accepted entries of one view that cannot both be certified. */
export function noteFastVote(replica: Replica, culprit: ReplicaIndex, batch: Batch): void {
  if (batch.entries === undefined) return;
  const first = batch.rivals === undefined;
  batch.rivals ??= rivalsOf(replica, batch, batch.entries);
  const voters = first ? [...batch.votes.keys()] : [culprit];
  for (const rival of batch.rivals) for (const voter of voters) noteConflict(replica, voter, batch, rival);
}

/** Pairs of entries that exclude each other; found once per batch, because honest gateways and clients make none. */
function rivalsOf(replica: Replica, batch: Batch, entries: readonly KnownEntry[]): Rival[] {
  const rivals: Rival[] = [];
  for (const [index, entry] of entries.entries()) {
    for (const item of entry.command.items) {
      const claim: Claim = { entry, item, batch, index };
      for (const other of noteClaim(replica, claim)) {
        rivals.push({ own: claim, other });
        other.batch.rivals?.push({ own: other, other: claim });
      }
    }
  }
  return rivals;
}

/** Remembers who wants a key and returns the earlier ones that exclude it. */
function noteClaim(replica: Replica, claim: Claim): Claim[] {
  const { claims } = replica.current;
  const { entry, item } = claim;
  const others = claims.get(item.path);
  if (others === undefined) {
    if (claims.size < limits.statementsRemembered) claims.set(item.path, [claim]);
    return [];
  }
  const alike = others.filter(({ item: { mode } }) => mode === item.mode).length;
  const rivals = others.filter((other) => other.item.version === item.version && other.entry.id !== entry.id
    && !compatible({ mode: item.mode, ts: entry.ts }, { mode: other.item.mode, ts: other.entry.ts }));
  if (alike < CLAIMS_PER_KEY) others.push(claim);
  return rivals;
}

/** Of each mode. */
const CLAIMS_PER_KEY = 8;

function noteConflict(replica: Replica, culprit: ReplicaIndex, batch: Batch, { own, other }: Rival): void {
  const accepted = (voted: Batch, index: number): boolean => hasBit(voted.votes.get(culprit)?.accept ?? NO_BITS, index);
  if (!accepted(batch, own.index) || !accepted(other.batch, other.index)) return;
  const first = opened(replica, culprit, other.batch, other.index, other.item);
  const second = opened(replica, culprit, batch, own.index, own.item);
  if (first && second) found(replica, `${replica.view}/${lockKey(own.item.path, own.item.version)}`, { kind: 'VoteConflict', culprit, first, second });
}

/** One side of the conflict. */
function opened(replica: Replica, culprit: ReplicaIndex, batch: Batch, index: number, item: Item): OpenedVote | undefined {
  const vote = batch.votes.get(culprit);
  const entry = openEntry(batch, index, item);
  if (vote === undefined || entry === undefined) return undefined;
  const { group, epoch } = replica.config;
  return { value: { group, epoch, view: replica.view, batchRoot: batch.root, accept: vote.accept }, signature: vote.signature, ...entry };
}

/** An entry with its paths: item to footprint root, entry to batch root. */
export function openEntry({ entries }: Batch, index: number, item: Item): OpenedEntry | undefined {
  const entry = entries?.[index];
  if (entries === undefined || entry === undefined) return undefined;
  const { command, ts } = entry;
  return {
    index, entryPath: batchPath(entries.map(({ id }) => id), index), command: command.id, ts, footprintRoot: command.footprintRoot, item,
    itemPath: merklePath(command.items.map(itemBytes), command.items.indexOf(item)),
  };
}
