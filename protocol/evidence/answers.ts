import { askedByRank } from '../codec/index.ts';
import { keccak256 } from '../crypto/index.ts';
import { isPicoloError } from '../errors/index.ts';
import { isVouchedFor, unpackWriterSignature } from '../rows/index.ts';
import { rootOfProof } from '../state-tree/index.ts';
import { bytesOf, concatBytes, hexOf, uintBytes, ZERO_HASH, type Hash32 } from '../types/index.ts';
import { climb, mustBeCertified, mustSign, Refusal, refuseIf, type Case } from './case.ts';
import type { FlatAnswer, FlatAnswerForm, FlatList, FlatOf } from './flat.ts';

/* SlasherAnswers: lies in signed answers. Each function returns when the answer was issued, in unix seconds. */

export function tryAnswer({ answer: { common, form } }: FlatOf<'FalseAnswer'>, open: Case): bigint {
  const stateRoot = rootOfLie(common, form, open);
  mustAnswer(open, common, stateRoot);
  return common.issuedAt;
}

function mustAnswer(open: Case, { signature, ...answer }: FlatAnswer, stateRoot: Hash32): void {
  mustSign(open, 'Answer', { group: open.group, epoch: open.epoch, stateRoot, ...answer }, signature);
}

/** The root under which the answer is wrong; that it is the answer's own is what the signature says. */
function rootOfLie(answer: FlatAnswer, form: FlatAnswerForm, open: Case): Hash32 {
  const { height, minHeight, path, rowHash } = answer;
  switch (form.kind) {
    case 'stale':
      refuseIf(height >= minHeight, 'NotConflicting');
      return form.claimed;
    case 'certificate':
      refuseIf(form.claimed === form.stateRoot, 'NotConflicting');
      mustBeCertified(open, height, form);
      return form.claimed;
    case 'rank':
      return rootOfRank(answer, form);
    case 'empty':
      refuseIf(rowHash === ZERO_HASH, 'NotConflicting');
      return ZERO_HASH;
    default: {
      const found = walk(path, form);
      refuseIf(rowHash === found.rowHash, 'NotConflicting');
      return found.root;
    }
  }
}

/** The leaf shown has the rank that the request repeats and another path than the answer, or the answer's path and another rank. */
function rootOfRank({ path, request }: FlatAnswer, form: Extract<FlatAnswerForm, { kind: 'rank' }>): Hash32 {
  refuseIf(askedByRank(form.request, form.rank) !== request, 'BadProof');
  const { root, rank } = treeOf(path, form.path, form);
  refuseIf((form.path === path) === (rank === form.rank), 'NotConflicting');
  return root;
}

function walk(path: Hash32, form: Extract<FlatAnswerForm, { kind: 'present' | 'absent' }>): { root: Hash32; rowHash: Hash32 } {
  const { root, excludes } = treeOf(path, form.kind === 'present' ? path : form.path, form);
  refuseIf(form.kind === 'absent' && !excludes, 'BadProof');
  return { root, rowHash: form.kind === 'present' ? form.rowHash : ZERO_HASH };
}

/** What the walk from the leaf at `from` shows of `path`. */
function treeOf(path: Hash32, from: Hash32, { rowHash, steps }: Pick<Extract<FlatAnswerForm, { kind: 'present' }>, 'rowHash' | 'steps'>): ReturnType<typeof rootOfProof> {
  try {
    return rootOfProof(path as never, { terminal: { path: from as never, rowHash }, steps });
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    throw new Refusal('BadTreeProof');
  }
}

export function tryRow(flat: FlatOf<'ForgedRow'>, open: Case): bigint {
  const { seq, path, rowHash, transaction, writer, querier, issuedAt, writerSignature } = flat;
  const packed = bytesOf(writerSignature);
  const signatureHash = hexOf(keccak256(packed)) as Hash32;
  const { group, epoch } = open;
  mustSign(open, 'RowAnswer', { group, epoch, seq, path, rowHash, transaction, writer, signatureHash, querier, issuedAt }, flat.signature);
  const shown = unpackWriterSignature(packed);
  refuseIf(shown !== undefined && isVouchedFor(open.context.domain, transaction, writer, shown), 'NotConflicting');
  return issuedAt;
}

export function tryHistory({ history: { common, form } }: FlatOf<'FalseHistory'>, open: Case): bigint {
  const { height, stateRoot, list } = common;
  mustList(open, height, stateRoot, list);
  let otherAt = list.issuedAt;
  if (form.kind === 'list') {
    mustList(open, height, form.stateRoot, form.list);
    otherAt = form.list.issuedAt;
  } else if (form.kind === 'answer') {
    refuseIf(form.answer.height !== height, 'NotConflicting');
    mustAnswer(open, form.answer, form.stateRoot);
    otherAt = form.answer.issuedAt;
  } else {
    refuseIf(stateRoot === form.stateRoot, 'NotConflicting');
    mustBeCertified(open, height, form);
  }
  refuseIf(stateRoot === form.stateRoot, 'NotConflicting');
  const [older, newer] = list.issuedAt < otherAt ? [list.issuedAt, otherAt] : [otherAt, list.issuedAt];
  refuseIf(newer > open.context.now, 'FutureAnswer');
  return older;
}

/** The signed list has `stateRoot` for `height`. */
function mustList(open: Case, height: bigint, stateRoot: Hash32, { count, request, querier, issuedAt, index, path, signature }: FlatList): void {
  const listRoot = climb(concatBytes(uintBytes(height, 8), bytesOf(stateRoot)), index, path);
  mustSign(open, 'RootList', { group: open.group, epoch: open.epoch, count, listRoot, request, querier, issuedAt }, signature);
}
