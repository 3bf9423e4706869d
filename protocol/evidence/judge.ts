import { digestOf, type Domain, type StructName, type StructValue } from '../codec/index.ts';
import { keccak256, recoverSigner, rootOfPath, sha256Hex, stepsAt } from '../crypto/index.ts';
import { isPicoloError } from '../errors/index.ts';
import { isVouchedFor, unpackWriterSignature } from '../rows/index.ts';
import { verifyProof } from '../state-tree/index.ts';
import {
  bytesOf, concatBytes, hexOf, maxFaulty, quorumOf, uintBytes, ZERO_HASH, type Address, type Epoch, type GroupId, type Hash32, type Signature,
} from '../types/index.ts';
import type { Flat, FlatCertified, FlatForm, FlatOf, FlatSide } from './flat.ts';
import { flatten } from './flatten.ts';
import type { Evidence, OffenceName } from './types.ts';

/** What the registry knows of an epoch. */
export interface EpochRecord {
  readonly roster: readonly Address[];
  /** Unix seconds, undefined while it lasts. */
  readonly endedAt: bigint | undefined;
  /** Members convicted of a grave offence. */
  readonly convicted: number;
}

/** What the vault knows of whoever signs, or once signed, with a key. */
export interface SignerRecord {
  readonly node: Address;
  readonly status: 'active' | 'tombstoned' | 'void';
  /** Unix seconds of the last lesser fault; zero without one. */
  readonly lastFaultAt: bigint;
}

/** The chain as the contract would see it, with its parameters in seconds. */
export interface JudgeContext {
  readonly domain: Domain;
  readonly now: bigint;
  readonly evidenceWindow: bigint;
  readonly absolution: bigint;
  epochOf(group: GroupId, epoch: Epoch): EpochRecord | undefined;
  signerOf(signer: Address): SignerRecord | undefined;
}

/** Custom errors of SlasherObjective and its libraries, word for word. */
export type RefusalName =
  | 'UnknownRoster' | 'EvidenceExpired' | 'SignerMismatch' | 'AlreadyPunished' | 'Absolved' | 'FutureAnswer' | 'NotConflicting' | 'BadProof'
  | 'BadTreeProof' | 'BadIndex' | 'NotAccepted' | 'NoQuorum' | 'NotSigned';

export type Verdict =
  | { readonly kind: 'guilty'; readonly offence: OffenceName; readonly accused: Address; readonly node: Address; readonly reward: Address }
  | { readonly kind: 'refused'; readonly error: RefusalName };

class Refusal {
  readonly error: RefusalName;

  constructor(error: RefusalName) {
    this.error = error;
  }
}

/** The open case: who is accused under which domain. */
interface Case {
  readonly context: JudgeContext;
  readonly group: GroupId;
  readonly epoch: Epoch;
  readonly roster: readonly Address[];
  readonly accused: Address;
  readonly convicted: number;
}

/**
 * What SlasherObjective will decide, by the same predicate in the same order. Pure: everything the chain
 * knows is in `context`.
 * @throws EVIDENCE_INCONSISTENT when the statements cannot even be put together
 */
export function judge(evidence: Evidence, context: JudgeContext): Verdict {
  return judgeFlat(flatten(evidence), context);
}

/** The same on what a call says (`decodeCall`). */
export function judgeFlat(flat: Flat, context: JudgeContext): Verdict {
  try {
    const open = openCase(flat, context);
    tryFlat(flat, open);
    const node = punish(flat, open);
    const reward = flat.kind === 'FalseAnswer' || flat.kind === 'ForgedRow' ? flat.querier : (flat.beneficiary as Address);
    return { kind: 'guilty', offence: flat.kind, accused: open.accused, node, reward };
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', error: error.error };
    throw error;
  }
}

function openCase({ group, epoch, members }: Flat, context: JudgeContext): Case {
  const record = context.epochOf(group as GroupId, epoch);
  const accused = members.roster[members.index];
  if (record === undefined || accused === undefined || record.roster.join() !== members.roster.join()) throw new Refusal('UnknownRoster');
  if (record.endedAt !== undefined && context.now > record.endedAt + context.evidenceWindow) throw new Refusal('EvidenceExpired');
  return { context, group: group as GroupId, epoch, roster: members.roster, accused, convicted: record.convicted };
}

function tryFlat(flat: Flat, open: Case): void {
  switch (flat.kind) {
    case 'VoteConflict': return tryVotes(flat, open);
    case 'DoubleBlockVote': return tryBlockVotes(flat, open);
    case 'DoubleProposal': return tryProposals(flat, open);
    case 'FalseCheckpoint': return tryCheckpoint(flat, open);
    case 'FalseAnswer': return tryAnswer(flat, open);
    case 'ForgedRow': return tryRow(flat, open);
  }
}

function punish(flat: Flat, { context, accused, convicted, roster }: Case): Address {
  const record = context.signerOf(accused);
  if (record === undefined || record.status === 'void') throw new Refusal('AlreadyPunished');
  if (flat.kind !== 'FalseAnswer' && flat.kind !== 'ForgedRow') {
    if (record.status === 'tombstoned' && convicted <= maxFaulty(roster.length)) throw new Refusal('AlreadyPunished');
    return record.node;
  }
  if (record.status !== 'active') throw new Refusal('AlreadyPunished');
  if (flat.issuedAt > context.now) throw new Refusal('FutureAnswer');
  if (record.lastFaultAt !== 0n && flat.issuedAt <= record.lastFaultAt + context.absolution) throw new Refusal('Absolved');
  return record.node;
}

function tryVotes(flat: FlatOf<'VoteConflict'>, open: Case): void {
  const a = openSide(flat, flat.first, open);
  const b = openSide(flat, flat.second, open);
  if (a.entryId === b.entryId || !incompatible(a, b)) throw new Refusal('NotConflicting');
}

interface Side {
  readonly entryId: Hash32;
  readonly ts: bigint;
  readonly writes: boolean;
}

function openSide({ view, path, version }: FlatOf<'VoteConflict'>, side: FlatSide, open: Case): Side {
  const { batchRoot, accept, mode, ts } = side;
  mustSign(open, 'FastVote', { group: open.group, epoch: open.epoch, view, batchRoot, accept }, side.signature);
  const footprintRoot = climb(concatBytes(bytesOf(path), bytesOf(version), Uint8Array.of(mode)), side.itemIndex, side.itemPath);
  const entryId = sha256Hex(concatBytes(Uint8Array.of(2), bytesOf(side.txId), uintBytes(ts, 12), bytesOf(footprintRoot)));
  if (climb(bytesOf(entryId), side.entryIndex, side.entryPath) !== batchRoot || mode > 1) throw new Refusal('BadProof');
  if (((accept >> BigInt(side.entryIndex)) & 1n) === 0n) throw new Refusal('NotAccepted');
  return { entryId, ts, writes: mode === 1 };
}

/** Two writes, or a read at or after the other's write (consensus §2.2). */
function incompatible(a: Side, b: Side): boolean {
  if (a.writes) return b.writes || b.ts >= a.ts;
  return b.writes && a.ts >= b.ts;
}

function climb(leaf: Uint8Array, index: number, siblings: readonly Hash32[]): Hash32 {
  if (siblings.length > 32 || index >= 2 ** siblings.length) throw new Refusal('BadIndex');
  return rootOfPath(leaf, stepsAt(index, siblings));
}

function tryBlockVotes({ view, round, first, second }: FlatOf<'DoubleBlockVote'>, open: Case): void {
  if (first.blockHash === second.blockHash) throw new Refusal('NotConflicting');
  for (const { blockHash, qcView, qcRound, signature } of [first, second]) {
    mustSign(open, 'BlockVote', { group: open.group, epoch: open.epoch, view, round, blockHash, qcView, qcRound }, signature);
  }
}

function tryProposals({ view, round, first, second }: FlatOf<'DoubleProposal'>, open: Case): void {
  if (first.blockHash === second.blockHash) throw new Refusal('NotConflicting');
  for (const { blockHash, signature } of [first, second]) {
    mustSign(open, 'Proposal', { group: open.group, epoch: open.epoch, view, round, blockHash }, signature);
  }
}

function tryCheckpoint(flat: FlatOf<'FalseCheckpoint'>, open: Case): void {
  const { height, certified, stateRoot, detail, signature } = flat;
  mustBeCertified(open, height, certified);
  if (stateRoot === certified.stateRoot && detail === certified.detail) throw new Refusal('NotConflicting');
  mustSign(open, 'Checkpoint', { group: open.group, epoch: open.epoch, height, stateRoot, detail }, signature);
}

function tryAnswer(flat: FlatOf<'FalseAnswer'>, open: Case): void {
  const { height, minHeight, seq, stateRoot, path, rowHash, request, querier, issuedAt, form } = flat;
  const { group, epoch } = open;
  mustSign(open, 'Answer', { group, epoch, height, minHeight, seq, stateRoot, path, rowHash, request, querier, issuedAt }, flat.signature);
  if (form.kind === 'certificate') {
    if (stateRoot === form.stateRoot) throw new Refusal('NotConflicting');
    return mustBeCertified(open, height, form);
  }
  if (form.kind === 'empty' && (stateRoot !== ZERO_HASH || rowHash === ZERO_HASH)) throw new Refusal('NotConflicting');
  if (rowHash === rowHashInTree(flat, form)) throw new Refusal('NotConflicting');
}

function rowHashInTree({ stateRoot, path }: FlatOf<'FalseAnswer'>, form: Exclude<FlatForm, { kind: 'certificate' }>): Hash32 {
  if (form.kind === 'empty') return ZERO_HASH;
  const at = (form.kind === 'present' ? path : form.path) as Hash32;
  if (form.kind === 'absent' && at === path) throw new Refusal('BadProof');
  try {
    const found = verifyProof(stateRoot, path, { terminal: { path: at, rowHash: form.rowHash }, steps: form.steps });
    return found.kind === 'present' ? found.rowHash : ZERO_HASH;
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    throw new Refusal(['TREE_DEPTH_ORDER', 'TREE_ROW_HASH', 'TREE_BAD_COUNT'].includes(error.code) ? 'BadTreeProof' : 'BadProof');
  }
}

function tryRow(flat: FlatOf<'ForgedRow'>, open: Case): void {
  const { seq, path, rowHash, transaction, writer, querier, issuedAt, writerSignature } = flat;
  const packed = bytesOf(writerSignature);
  const signatureHash = hexOf(keccak256(packed)) as Hash32;
  const { group, epoch } = open;
  mustSign(open, 'RowAnswer', { group, epoch, seq, path, rowHash, transaction, writer, signatureHash, querier, issuedAt }, flat.signature);
  const shown = unpackWriterSignature(packed);
  if (shown !== undefined && isVouchedFor(open.context.domain, transaction, writer, shown)) throw new Refusal('NotConflicting');
}

function mustSign<N extends StructName>(open: Case, name: N, value: StructValue<N>, signature: Signature): void {
  if (recoverSigner(digestOf(open.context.domain, name, value), signature) !== open.accused) throw new Refusal('SignerMismatch');
}

function mustBeCertified(open: Case, height: bigint, { stateRoot, detail, signatures }: FlatCertified): void {
  const digest = digestOf(open.context.domain, 'Checkpoint', { group: open.group, epoch: open.epoch, height, stateRoot, detail });
  for (const { index, signature } of signatures) {
    const member = open.roster[index];
    if (member === undefined || recoverSigner(digest, signature) !== member) throw new Refusal('NotSigned');
  }
  if (signatures.length < quorumOf(open.roster.length)) throw new Refusal('NoQuorum');
}
