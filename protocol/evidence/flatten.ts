import type { MerkleStep } from '../crypto/index.ts';
import type { CertifiedCheckpoint } from '../membership/index.ts';
import { packWriterSignature } from '../rows/index.ts';
import type { TreeProof } from '../state-tree/index.ts';
import { hexOf } from '../types/index.ts';
import { evidenceFaults } from './faults.ts';
import type { Flat, FlatCertified, FlatForm, FlatOf, FlatSide } from './flat.ts';
import type { Charge, Evidence, OpenedVote } from './types.ts';

type Of<K extends Evidence['kind']> = Extract<Evidence, { readonly kind: K }>;
type Place = { readonly group: string; readonly epoch: bigint };

/**
 * Drops what the statements share and checks that they do share it.
 * @throws EVIDENCE_INCONSISTENT
 */
export function flatten(evidence: Evidence): Flat {
  switch (evidence.kind) {
    case 'VoteConflict': return voteConflict(evidence);
    case 'DoubleBlockVote': return doubleBlockVote(evidence);
    case 'DoubleProposal': return doubleProposal(evidence);
    case 'FalseCheckpoint': return falseCheckpoint(evidence);
    case 'FalseAnswer': return falseAnswer(evidence);
    case 'ForgedRow': return forgedRow(evidence);
  }
}

function headOf({ roster, culprit }: Charge, ...places: readonly Place[]): Pick<Flat, 'group' | 'epoch' | 'members'> {
  for (const place of places) same('group and epoch', [place.group, place.epoch], [roster.group, roster.epoch]);
  return { group: roster.group, epoch: roster.epoch, members: { index: culprit, roster: roster.replicas } };
}

function voteConflict(e: Of<'VoteConflict'>): FlatOf<'VoteConflict'> {
  const { first, second } = e;
  same('view', [first.value.view], [second.value.view]);
  same('key version', [first.item.path, first.item.version], [second.item.path, second.item.version]);
  return {
    kind: e.kind, beneficiary: e.beneficiary, ...headOf(e, first.value, second.value), view: first.value.view, path: first.item.path,
    version: first.item.version, first: sideOf(first), second: sideOf(second),
  };
}

function sideOf(vote: OpenedVote): FlatSide {
  same('place in the batch', [vote.index], [indexOf(vote.entryPath)]);
  return {
    batchRoot: vote.value.batchRoot, accept: vote.value.accept, signature: vote.signature, txId: vote.command, ts: vote.ts,
    mode: vote.item.mode === 'W' ? 1 : 0, itemIndex: indexOf(vote.itemPath), itemPath: vote.itemPath.map((step) => step.sibling),
    entryIndex: vote.index, entryPath: vote.entryPath.map((step) => step.sibling),
  };
}

function doubleBlockVote(e: Of<'DoubleBlockVote'>): FlatOf<'DoubleBlockVote'> {
  const [a, b] = [e.first.value, e.second.value];
  same('round', [a.view, a.round], [b.view, b.round]);
  const part = ({ value, signature }: Of<'DoubleBlockVote'>['first']): FlatOf<'DoubleBlockVote'>['first'] => ({
    blockHash: value.blockHash, qcView: value.qcView, qcRound: value.qcRound, signature,
  });
  return {
    kind: e.kind, beneficiary: e.beneficiary, ...headOf(e, a, b), view: a.view, round: a.round, first: part(e.first), second: part(e.second),
  };
}

function doubleProposal(e: Of<'DoubleProposal'>): FlatOf<'DoubleProposal'> {
  const [a, b] = [e.first.value, e.second.value];
  same('round', [a.view, a.round], [b.view, b.round]);
  const part = ({ value, signature }: Of<'DoubleProposal'>['first']): FlatOf<'DoubleProposal'>['first'] => ({
    blockHash: value.blockHash, signature,
  });
  return {
    kind: e.kind, beneficiary: e.beneficiary, ...headOf(e, a, b), view: a.view, round: a.round, first: part(e.first), second: part(e.second),
  };
}

function falseCheckpoint(e: Of<'FalseCheckpoint'>): FlatOf<'FalseCheckpoint'> {
  const { value, signature } = e.accused;
  same('height', [value.height], [e.certified.checkpoint.height]);
  return {
    kind: e.kind, beneficiary: e.beneficiary, ...headOf(e, value, e.certified.checkpoint), height: value.height,
    certified: certifiedOf(e.certified), stateRoot: value.stateRoot, detail: value.detail, signature,
  };
}

function falseAnswer(e: Of<'FalseAnswer'>): FlatOf<'FalseAnswer'> {
  const { group: _group, epoch: _epoch, ...answer } = e.answer.value;
  const common = { kind: e.kind, beneficiary: null, ...headOf(e, e.answer.value), ...answer, signature: e.answer.signature };
  if (e.against.kind === 'ownRoot') return { ...common, form: formOf(e.against.proof, answer.path) };
  const { checkpoint } = e.against.certified;
  headOf(e, checkpoint);
  same('height', [answer.height], [checkpoint.height]);
  return { ...common, form: { kind: 'certificate', ...certifiedOf(e.against.certified) } };
}

function forgedRow(e: Of<'ForgedRow'>): FlatOf<'ForgedRow'> {
  const { group: _group, epoch: _epoch, signatureHash: _hash, ...row } = e.row.value;
  return {
    kind: e.kind, beneficiary: null, ...headOf(e, e.row.value), ...row, signature: e.row.signature,
    writerSignature: hexOf(packWriterSignature(e.writerSignature)),
  };
}

function formOf({ terminal, steps }: TreeProof, path: string): FlatForm {
  if (terminal === null) return { kind: 'empty' };
  if (terminal.path === path) return { kind: 'present', rowHash: terminal.rowHash, steps };
  return { kind: 'absent', path: terminal.path, rowHash: terminal.rowHash, steps };
}

function certifiedOf({ checkpoint, signatures }: CertifiedCheckpoint): FlatCertified {
  return {
    stateRoot: checkpoint.stateRoot, detail: checkpoint.detail,
    signatures: signatures.map(({ replica, signature }) => ({ index: replica, signature })),
  };
}

/** Position of a leaf from the sides of its path. */
function indexOf(steps: readonly MerkleStep[]): number {
  return steps.reduce((index, { left }, depth) => (left ? index + 2 ** depth : index), 0);
}

function same(what: string, a: readonly unknown[], b: readonly unknown[]): void {
  if (a.some((value, i) => value !== b[i])) throw evidenceFaults.inconsistent({ what, first: a.join(' '), second: b.join(' ') });
}
