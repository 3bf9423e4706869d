import type { StructValue } from '../codec/index.ts';
import type { MerkleStep } from '../crypto/index.ts';
import type { CertifiedCheckpoint } from '../membership/index.ts';
import { packWriterSignature } from '../rows/index.ts';
import type { TreeProof } from '../state-tree/index.ts';
import { hexOf, ZERO_HASH, type Address } from '../types/index.ts';
import { evidenceFaults } from './faults.ts';
import type { Flat, FlatAck, FlatAnswer, FlatAnswerForm, FlatCertified, FlatChange, FlatEntry, FlatHistory, FlatList, FlatOf, FlatSide, FlatVote } from './flat.ts';
import { flattenEffect } from './header.ts';
import type { Charge, Evidence, EvidenceOf, OpenedEntry, OpenedRoot, OpenedVote, Refutation, Signed } from './types.ts';

type Place = { readonly group: string; readonly epoch: bigint };
type Head = Pick<Flat, 'group' | 'epoch' | 'members'>;

/**
 * Drops what the statements share and checks that they do share it.
 * @throws EVIDENCE_INCONSISTENT
 */
export function flatten(evidence: Evidence): Flat {
  switch (evidence.kind) {
    case 'VoteConflict': return voteConflict(evidence);
    case 'DoubleBlockVote': return doubleBlockVote(evidence);
    case 'DoubleProposal': return doubleProposal(evidence);
    case 'LockRegress': return lockRegress(evidence);
    case 'RankUnderreport': return rankUnderreport(evidence);
    case 'AckFork': return ackFork(evidence);
    case 'AckThenConsume': return ackThenConsume(evidence);
    case 'FalseCheckpoint': return falseCheckpoint(evidence);
    case 'ForkedCertificates': return forkedCertificates(evidence);
    case 'FalseAnswer': return falseAnswer(evidence);
    case 'ForgedRow': return forgedRow(evidence);
    case 'FalseHistory': return falseHistory(evidence);
  }
}

function headOf({ roster, culprit }: Charge, ...places: readonly Place[]): Head {
  for (const place of places) same('group and epoch', [place.group, place.epoch], [roster.group, roster.epoch]);
  return { group: roster.group, epoch: roster.epoch, members: { index: culprit, roster: roster.replicas } };
}

/** Head and beneficiary of evidence about two statements. */
function reported<K extends Evidence['kind']>(e: { kind: K; beneficiary: Address } & Charge, ...places: readonly Place[]) {
  return { kind: e.kind, beneficiary: e.beneficiary, ...headOf(e, ...places) };
}

function voteConflict(e: EvidenceOf<'VoteConflict'>): FlatOf<'VoteConflict'> {
  const { first, second } = e;
  same('view', [first.value.view], [second.value.view]);
  same('key version', [first.item.path, first.item.version], [second.item.path, second.item.version]);
  return {
    ...reported(e, first.value, second.value), view: first.value.view, path: first.item.path, version: first.item.version,
    first: sideOf(first), second: sideOf(second),
  };
}

function sideOf(vote: OpenedVote): FlatSide {
  return { accept: vote.value.accept, signature: vote.signature, mode: vote.item.mode === 'W' ? 1 : 0, ...entryOf(vote) };
}

function entryOf({ index, entryPath, command, ts, itemPath }: OpenedEntry): FlatEntry {
  same('place in the batch', [index], [indexOf(entryPath)]);
  return {
    txId: command, ts, itemIndex: indexOf(itemPath), itemPath: siblings(itemPath), entryIndex: index, entryPath: siblings(entryPath),
  };
}

function doubleBlockVote(e: EvidenceOf<'DoubleBlockVote'>): FlatOf<'DoubleBlockVote'> {
  const [a, b] = [e.first.value, e.second.value];
  same('round', [a.view, a.round], [b.view, b.round]);
  const { view, round } = a;
  return { ...reported(e, a, b), view, round, first: voteOf(e.first), second: voteOf(e.second) };
}

function voteOf({ value, signature }: Signed<StructValue<'BlockVote'>>): FlatVote {
  return { round: value.round, blockHash: value.blockHash, qcView: value.qcView, qcRound: value.qcRound, signature };
}

function doubleProposal(e: EvidenceOf<'DoubleProposal'>): FlatOf<'DoubleProposal'> {
  const [a, b] = [e.first.value, e.second.value];
  same('round', [a.view, a.round], [b.view, b.round]);
  const part = ({ value, signature }: Signed<StructValue<'Proposal'>>): FlatOf<'DoubleProposal'>['first'] => ({ blockHash: value.blockHash, signature });
  return { ...reported(e, a, b), view: a.view, round: a.round, first: part(e.first), second: part(e.second) };
}

function lockRegress(e: EvidenceOf<'LockRegress'>): FlatOf<'LockRegress'> {
  const [a, b] = [e.first.value, e.second.value];
  same('view', [a.view], [b.view]);
  return { ...reported(e, a, b), view: a.view, first: voteOf(e.first), second: voteOf(e.second) };
}

function rankUnderreport(e: EvidenceOf<'RankUnderreport'>): FlatOf<'RankUnderreport'> {
  return { ...reported(e, e.vote.value, e.change.value), view: e.vote.value.view, vote: voteOf(e.vote), change: changeOf(e.change) };
}

function changeOf({ value: { group: _group, epoch: _epoch, ...change }, signature }: Signed<StructValue<'ViewChange'>>): FlatChange {
  return { ...change, signature };
}

function ackFork(e: EvidenceOf<'AckFork'>): FlatOf<'AckFork'> {
  const { first, second } = e;
  const form = second.kind === 'ack' ? { kind: 'ack' as const, ...ackOf(second) } : { kind: 'change' as const, ...changeOf(second) };
  return { ...reported(e, first.value, second.value), fork: { common: ackOf(first), form } };
}

function ackOf({ value: { group: _group, epoch: _epoch, ...ack }, signature }: Signed<StructValue<'FastAck'>>): FlatAck {
  return { ...ack, signature };
}

function ackThenConsume(e: EvidenceOf<'AckThenConsume'>): FlatOf<'AckThenConsume'> {
  const { acked, vote, effect } = e;
  const { view, acked: bits, ackSeq, ackHead } = acked.value;
  same('view', [view], [vote.value.view]);
  same('written item', [acked.item.mode], ['W']);
  return {
    ...reported(e, acked.value, vote.value), view, path: acked.item.path, version: acked.item.version,
    acked: { acked: bits, ackSeq, ackHead, signature: acked.signature, ...entryOf(acked) },
    effect: { to: effect.to, index: indexOf(effect.path), path: siblings(effect.path), ...flattenEffect(effect.header, vote.value), ...lockOf(vote) },
  };
}

function lockOf({ value, signature }: Signed<StructValue<'BlockVote'>>): Pick<FlatVote, 'qcView' | 'qcRound' | 'signature'> {
  return { qcView: value.qcView, qcRound: value.qcRound, signature };
}

function falseCheckpoint(e: EvidenceOf<'FalseCheckpoint'>): FlatOf<'FalseCheckpoint'> {
  const { value, signature } = e.accused;
  same('height', [value.height], [e.certified.checkpoint.height]);
  return {
    ...reported(e, value, e.certified.checkpoint), height: value.height, certified: certifiedOf(e.certified), stateRoot: value.stateRoot,
    detail: value.detail, signature,
  };
}

function forkedCertificates(e: EvidenceOf<'ForkedCertificates'>): FlatOf<'ForkedCertificates'> {
  const [a, b] = [e.first.checkpoint, e.second.checkpoint];
  same('height', [a.height], [b.height]);
  return { ...reported(e, a, b), height: a.height, first: certifiedOf(e.first), second: certifiedOf(e.second) };
}

function falseAnswer(e: EvidenceOf<'FalseAnswer'>): FlatOf<'FalseAnswer'> {
  const { value } = e.answer;
  if (e.against.kind === 'certificate') {
    const { checkpoint } = e.against.certified;
    headOf(e, checkpoint);
    same('height', [value.height], [checkpoint.height]);
  }
  return { kind: e.kind, beneficiary: null, ...headOf(e, value), answer: { common: answerOf(e.answer), form: formOf(e.against, value) } };
}

function answerOf({ value, signature }: Signed<StructValue<'Answer'>>): FlatAnswer {
  const { group: _group, epoch: _epoch, stateRoot: _root, ...answer } = value;
  return { ...answer, signature };
}

function formOf(against: Refutation, { path, stateRoot }: StructValue<'Answer'>): FlatAnswerForm {
  if (against.kind === 'stale') return { kind: 'stale', claimed: stateRoot };
  if (against.kind === 'certificate') return { kind: 'certificate', claimed: stateRoot, ...certifiedOf(against.certified) };
  if (against.kind === 'rank') return rankOf(against);
  return walkOf(against.proof, path, stateRoot);
}

function rankOf({ request, rank, proof: { terminal, steps } }: Extract<Refutation, { kind: 'rank' }>): FlatAnswerForm {
  if (terminal === null) throw evidenceFaults.inconsistent({ what: 'leaf of the rank', first: rank, second: 'an empty tree' });
  return { kind: 'rank', request, rank, path: terminal.path, rowHash: terminal.rowHash, steps };
}

function walkOf({ terminal, steps }: TreeProof, path: string, stateRoot: string): FlatAnswerForm {
  if (terminal === null) {
    same('root of the empty tree', [stateRoot], [ZERO_HASH]);
    return { kind: 'empty' };
  }
  if (terminal.path === path) return { kind: 'present', rowHash: terminal.rowHash, steps };
  return { kind: 'absent', path: terminal.path, rowHash: terminal.rowHash, steps };
}

function forgedRow(e: EvidenceOf<'ForgedRow'>): FlatOf<'ForgedRow'> {
  const { group: _group, epoch: _epoch, signatureHash: _hash, ...row } = e.row.value;
  const writerSignature = hexOf(packWriterSignature(e.writerSignature));
  return { kind: e.kind, beneficiary: null, ...headOf(e, e.row.value), ...row, signature: e.row.signature, writerSignature };
}

function falseHistory(e: EvidenceOf<'FalseHistory'>): FlatOf<'FalseHistory'> {
  const { list, against } = e;
  const { height, stateRoot } = list;
  const place = against.kind === 'certificate' ? against.certified.checkpoint : { height, ...against.value };
  const head = { kind: e.kind, beneficiary: null, ...headOf(e, list.value, place) };
  const otherHeight = against.kind === 'list' ? against.height : against.kind === 'answer' ? against.value.height : place.height;
  same('height', [height], [otherHeight]);
  return { ...head, history: { common: { height, stateRoot, list: listOf(list) }, form: otherOf(against) } };
}

function otherOf(against: EvidenceOf<'FalseHistory'>['against']): FlatHistory['form'] {
  switch (against.kind) {
    case 'list': return { kind: 'list', stateRoot: against.stateRoot, list: listOf(against) };
    case 'answer': return { kind: 'answer', stateRoot: against.value.stateRoot, answer: answerOf(against) };
    case 'certificate': return { kind: 'certificate', ...certifiedOf(against.certified) };
  }
}

function listOf({ value, path, signature }: OpenedRoot): FlatList {
  const { count, request, querier, issuedAt } = value;
  return { count, request, querier, issuedAt, index: indexOf(path), path: siblings(path), signature };
}

function certifiedOf({ checkpoint, signatures }: CertifiedCheckpoint): FlatCertified {
  return {
    stateRoot: checkpoint.stateRoot, detail: checkpoint.detail,
    signatures: signatures.map(({ replica, signature }) => ({ index: replica, signature })),
  };
}

const siblings = (steps: readonly MerkleStep[]): MerkleStep['sibling'][] => steps.map(({ sibling }) => sibling);

/** Position of a leaf from the sides of its path. */
function indexOf(steps: readonly MerkleStep[]): number {
  return steps.reduce((index, { left }, depth) => (left ? index + 2 ** depth : index), 0);
}

function same(what: string, a: readonly unknown[], b: readonly unknown[]): void {
  if (a.some((value, i) => value !== b[i])) throw evidenceFaults.inconsistent({ what, first: a.join(' '), second: b.join(' ') });
}
