import { askedByRank, verifyStruct, type Domain, type StructValue } from '../codec/index.ts';
import { keccak256 } from '../crypto/index.ts';
import { isPicoloError } from '../errors/index.ts';
import { verifyCertificate, type CertifiedCheckpoint, type Roster } from '../membership/index.ts';
import { isVouchedFor, packWriterSignature, type WriterSignature } from '../rows/index.ts';
import { rankOfLeaf, type Leaf, type TreeProof } from '../state-tree/index.ts';
import { hexOf, type Address, type Hash32, type Path, type Signature } from '../types/index.ts';

/** What was asked, of whom, by whom. */
export interface Expectation {
  readonly domain: Domain;
  readonly roster: Roster;
  readonly target: Address;
  /** The challenger's address; gets the reporter's reward when the answer is false. */
  readonly querier: Address;
  readonly request: Hash32;
  readonly rank: bigint;
  /** The checkpoint that the challenge is about; verified by whoever supplies it. */
  readonly certified: CertifiedCheckpoint;
  /** The challenger's own proof of the rank under that checkpoint, when it holds the tree: a liar need not help to convict itself. */
  readonly local: TreeProof | null;
}

/** A signed answer, the proof and the certificate that came with it. */
export interface PoqAnswer {
  readonly answer: StructValue<'Answer'>;
  readonly signature: Signature;
  readonly proof: TreeProof;
  /** The certified checkpoint that the target answered from: the one asked about or a newer one. */
  readonly checkpoint: CertifiedCheckpoint;
}

/** What a contract needs besides the roster to see that the answer is false: exactly one form of `against`. */
export interface FalseAnswer {
  readonly kind: 'falseAnswer';
  readonly answer: StructValue<'Answer'>;
  readonly signature: Signature;
  /**
   * 'ownRoot': the tree under the root it names has another row hash there. 'certificate': q replicas certified another root.
   * 'stale': it is older than the bound that it repeats. 'rank': it is about another row than the one at the rank that its request repeats.
   */
  readonly against:
    | { readonly kind: 'ownRoot'; readonly proof: TreeProof }
    | { readonly kind: 'certificate'; readonly certified: CertifiedCheckpoint }
    | { readonly kind: 'stale' }
    | { readonly kind: 'rank'; readonly request: Hash32; readonly rank: bigint; readonly proof: TreeProof };
}

export type MalformedReason = 'signature' | 'identity' | 'request' | 'height' | 'certificate' | 'proof' | 'path' | 'shrunk';

export type Verdict =
  | { readonly kind: 'agrees'; readonly leaf: Leaf }
  | FalseAnswer
  /** No answer: out of reach, or the node says that it cannot read the row. Never evidence by itself. */
  | { readonly kind: 'unavailable'; readonly reason: 'timeout' | 'refused' }
  /** Not an answer to this challenge; proves nothing to others, but counts as none. */
  | { readonly kind: 'malformed'; readonly reason: MalformedReason };

/**
 * Judges one answer to a challenge (Picolo §6.1, P-6.1-ppoq). Only statements that the target signed
 * can turn into 'falseAnswer', and an honest target never signs one: its row hash is what its root has, and it waits for the height that was asked for.
 */
export function examine(reply: PoqAnswer, expected: Expectation): Verdict {
  const identity = misfit(reply, expected);
  if (identity !== undefined) return { kind: 'malformed', reason: identity };
  const { answer } = reply;
  if (answer.height < answer.minHeight) return { kind: 'falseAnswer', answer, signature: reply.signature, against: { kind: 'stale' } };
  const certified = certificateFor(reply, expected);
  if (certified === undefined) return { kind: 'malformed', reason: 'certificate' };
  if (answer.stateRoot !== certified.checkpoint.stateRoot) {
    return { kind: 'falseAnswer', answer, signature: reply.signature, against: { kind: 'certificate', certified } };
  }
  return compare(reply, expected, certified);
}

/** What makes the statement one about something else, or by somebody else. */
function misfit({ answer, signature }: PoqAnswer, expected: Expectation): MalformedReason | undefined {
  const { group, epoch, height } = expected.certified.checkpoint;
  if (!verifyStruct(expected.domain, 'Answer', answer, signature, expected.target)) return 'signature';
  if (answer.group !== group || answer.epoch !== epoch) return 'identity';
  if (answer.querier !== expected.querier || answer.request !== askedByRank(expected.request, expected.rank)) return 'request';
  return answer.minHeight === height ? undefined : 'height';
}

/** The certificate of the height that was answered: the one asked about needs no checking again. */
function certificateFor({ answer, checkpoint }: PoqAnswer, expected: Expectation): CertifiedCheckpoint | undefined {
  if (answer.height === expected.certified.checkpoint.height) return expected.certified;
  if (answer.height !== checkpoint.checkpoint.height) return undefined;
  try {
    verifyCertificate(expected.domain, expected.roster, checkpoint);
    return checkpoint;
  } catch (error) {
    if (isPicoloError(error)) return undefined;
    throw error;
  }
}

function compare(reply: PoqAnswer, expected: Expectation, certified: CertifiedCheckpoint): Verdict {
  const { answer, signature } = reply;
  const mine = certified === expected.certified ? expected.local : null;
  const proof = mine ?? reply.proof;
  const { request, rank } = expected;
  // a newer tree may have fewer rows than the rank that was asked for
  if (rank >= certified.detail.rowCount) return { kind: 'malformed', reason: 'shrunk' };
  const shown = leafIn(certified, proof);
  if (shown === undefined) return { kind: 'malformed', reason: 'proof' };
  const { leaf } = shown;
  const [atRank, atPath] = [shown.rank === rank, leaf.path === answer.path];
  // the leaf of that rank is not the row answered about, or that row has another rank
  if (atRank !== atPath) return { kind: 'falseAnswer', answer, signature, against: { kind: 'rank', request, rank, proof } };
  if (!atRank) return { kind: 'malformed', reason: 'proof' };
  if (answer.rowHash === leaf.rowHash) return { kind: 'agrees', leaf };
  return { kind: 'falseAnswer', answer, signature, against: { kind: 'ownRoot', proof } };
}

function leafIn({ checkpoint }: CertifiedCheckpoint, proof: TreeProof): { readonly leaf: Leaf; readonly rank: bigint } | undefined {
  try {
    return rankOfLeaf(checkpoint.stateRoot, proof);
  } catch (error) {
    if (isPicoloError(error)) return undefined;
    throw error;
  }
}

/** The whole row with its writer's signature, signed by the replica: what escalation fetches. */
export interface RowReply {
  readonly row: StructValue<'RowAnswer'>;
  readonly signature: Signature;
  readonly writerSignature: WriterSignature;
}

export type RowVerdict =
  | { readonly kind: 'agrees' }
  /** A row that its writer never signed; the three values are the evidence. */
  | ({ readonly kind: 'forgedRow' } & RowReply)
  /** Signed by its writer, but not the row that the checkpoint has: an old or foreign one. */
  | { readonly kind: 'otherRow'; readonly rowHash: Hash32 }
  | { readonly kind: 'malformed'; readonly reason: MalformedReason };

/** Judges the row that a target handed over with signature and signer (P-6.1-ppoq-escalate). @param leaf what the checkpoint has */
export function examineRow(reply: RowReply, leaf: { readonly path: Path; readonly rowHash: Hash32 }, expected: Expectation): RowVerdict {
  const { row, writerSignature } = reply;
  const { group, epoch } = expected.certified.checkpoint;
  const malformed = (reason: MalformedReason): RowVerdict => ({ kind: 'malformed', reason });
  if (!verifyStruct(expected.domain, 'RowAnswer', row, reply.signature, expected.target)) return malformed('signature');
  if (row.group !== group || row.epoch !== epoch || row.querier !== expected.querier) return malformed('identity');
  if (row.path !== leaf.path) return malformed('path');
  if (row.signatureHash !== hexOf(keccak256(packWriterSignature(writerSignature)))) return malformed('proof');
  if (!isVouchedFor(expected.domain, row.transaction, row.writer, writerSignature)) return { kind: 'forgedRow', ...reply };
  return row.rowHash === leaf.rowHash ? { kind: 'agrees' } : { kind: 'otherRow', rowHash: row.rowHash };
}
