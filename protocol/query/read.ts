import { askedByPath, askedByRank, digestOf, type Domain, type StructValue } from '../codec/index.ts';
import { recoverSigner } from '../crypto/index.ts';
import { isPicoloError } from '../errors/index.ts';
import { verifyCertificate, type CertifiedCheckpoint, type Roster } from '../membership/index.ts';
import { contentHashOf, keyHashOf, rowHashOf } from '../rows/index.ts';
import { rankOfLeaf, verifyProof, type Membership, type TreeProof } from '../state-tree/index.ts';
import { ZERO_HASH, type Address, type Hash32, type Path, type Timestamp } from '../types/index.ts';
import { queryFaults } from './faults.ts';
import type { Lie } from './lies.ts';
import type { ReadAnswer, ReadEntry, StoredRow } from './wire/index.ts';

/** Who asks, and whom they believe. Domain and roster come from the chain. */
export interface Asker {
  readonly domain: Domain;
  readonly roster: Roster;
  readonly querier: Address;
  /** Checks a certificate; callers that see the same one often pass a remembering version of `verifyCertificate`. */
  readonly certify?: (certified: CertifiedCheckpoint) => void;
}

export interface Freshness {
  readonly minHeight: bigint;
  readonly minTimestamp: Timestamp;
}

interface Place {
  /** Order of the leaf in the tree, or the order it would have. */
  readonly rank: bigint;
  /** Leaves in the tree. */
  readonly count: bigint;
  /** Who answered. */
  readonly node: Address;
  readonly path: Path;
}

/** What a verified answer says: the row, its absence, or that the node lied (with the evidence). */
export type Finding =
  | (Place & { readonly kind: 'present'; readonly row: StoredRow; readonly rowHash: Hash32; readonly entry: ReadEntry })
  | (Place & { readonly kind: 'absent' })
  | { readonly kind: 'lie'; readonly path: Path; readonly lie: Lie };

export function certifiedOrThrow(asker: Asker, certified: CertifiedCheckpoint, fresh: Freshness): void {
  (asker.certify ?? ((certificate): void => verifyCertificate(asker.domain, asker.roster, certificate)))(certified);
  const { height } = certified.checkpoint;
  const { closeTs } = certified.detail;
  if (height < fresh.minHeight || closeTs < fresh.minTimestamp) {
    throw queryFaults.stale({ height, minHeight: fresh.minHeight, closeTs, minTimestamp: fresh.minTimestamp });
  }
}

/**
 * Checks an answer to a read of `paths`, in their order: certificate, freshness, then each key.
 * Throws MEMBERSHIP_* and QUERY_* for an answer that is no use; a lie is a finding.
 */
export function verifyRead(
  asker: Asker, asked: Freshness & { readonly paths: readonly Path[]; readonly request: Hash32 }, { checkpoint, entries }: ReadAnswer,
): Finding[] {
  certifiedOrThrow(asker, checkpoint, asked);
  if (entries.length !== asked.paths.length) throw queryFaults.unbound({ field: 'entries', got: entries.length, expected: asked.paths.length });
  const by = askedByPath(asked.request);
  return entries.map((entry, i) => verifyEntry(asker, { minHeight: asked.minHeight, path: asked.paths[i] as Path, by }, checkpoint, entry));
}

/** Checks a challenge by ranks (P-6.1-random-index): each entry must be about the leaf of that rank. */
export function verifySample(
  asker: Asker, asked: Freshness & { readonly ranks: readonly bigint[]; readonly request: Hash32 }, { checkpoint, entries }: ReadAnswer,
): Finding[] {
  certifiedOrThrow(asker, checkpoint, asked);
  return asked.ranks.map((rank, i) => verifySampleEntry(asker, { ...asked, rank }, checkpoint, entries[i]));
}

/** One rank of a challenge whose certificate was checked; `entry` undefined = the node left it out. */
export function verifySampleEntry(
  asker: Asker, asked: { readonly rank: bigint; readonly request: Hash32; readonly minHeight: bigint }, certified: CertifiedCheckpoint, entry: ReadEntry | undefined,
): Finding {
  if (entry === undefined) throw queryFaults.unbound({ field: 'entries', got: 'missing', expected: asked.rank });
  const { answer, signature, proof } = entry;
  const path = answer.path as Path;
  const bound = bind(asker, { ...asked, path, by: askedByRank(asked.request, asked.rank) }, certified, entry);
  if (typeof bound !== 'string') return bound;
  const { rank, leaf } = orBadProof(() => rankOfLeaf(answer.stateRoot, proof), path);
  // one leaf of both the rank and the path: then only its row hash can be a lie
  if ((rank === asked.rank) !== (leaf.path === path)) {
    return { kind: 'lie', path, lie: { kind: 'rank', node: bound, answer, signature, proof, request: asked.request, rank: asked.rank } };
  }
  if (rank !== asked.rank) throw queryFaults.unbound({ field: 'rank', got: rank, expected: asked.rank });
  return compare(bound, path, entry);
}

interface AskedEntry {
  readonly path: Path;
  /** The request that the answer must name. */
  readonly by: Hash32;
  readonly minHeight: bigint;
}

/** One key of an answer whose certificate was checked. */
function verifyEntry(asker: Asker, asked: AskedEntry, certified: CertifiedCheckpoint, entry: ReadEntry): Finding {
  const bound = bind(asker, asked, certified, entry);
  return typeof bound === 'string' ? compare(bound, asked.path, entry) : bound;
}

/** Who answered this question under the certified root; a lie when it names another root. */
function bind(asker: Asker, asked: AskedEntry, certified: CertifiedCheckpoint, entry: ReadEntry): Address | Extract<Finding, { kind: 'lie' }> {
  const { answer, signature } = entry;
  const node = signerIn(asker, answer, entry);
  checkBinding(asker, asked, certified, answer);
  if (answer.stateRoot === certified.checkpoint.stateRoot) return node;
  return { kind: 'lie', path: asked.path, lie: { kind: 'certificate', node, answer, signature, certified } };
}

/** What the node says of the path against the tree under the root that it names. */
function compare(node: Address, path: Path, entry: ReadEntry): Finding {
  const { answer, proof } = entry;
  const membership = orBadProof(() => verifyProof(answer.stateRoot, path, proof), path);
  if (contradicts(answer.rowHash, membership)) return { kind: 'lie', path, lie: ownRootLie(node, entry, proof) };
  const place = { node, path, rank: membership.rank, count: membership.count };
  if (membership.kind === 'absent') return { ...place, kind: 'absent' };
  return { ...place, kind: 'present', row: rowOf(entry, path), rowHash: membership.rowHash, entry };
}

function ownRootLie(node: Address, { answer, signature, provenance }: ReadEntry, proof: TreeProof): Lie {
  return { kind: 'own-root', node, answer, signature, proof, provenance };
}

function contradicts(rowHash: Hash32, membership: Membership): boolean {
  return membership.kind === 'present' ? rowHash !== membership.rowHash : rowHash !== ZERO_HASH;
}

/** The answering node: a signature by nobody of the roster proves nothing against anybody. */
function signerIn(asker: Asker, answer: StructValue<'Answer'>, { signature }: ReadEntry): Address {
  const signer = recoverSigner(digestOf(asker.domain, 'Answer', answer), signature);
  if (signer === undefined || !asker.roster.replicas.includes(signer)) throw queryFaults.notAReplica({ signer: signer ?? 'nobody' });
  return signer;
}

/** An answer to another question is no lie, but no answer either. */
function checkBinding(
  asker: Asker, asked: AskedEntry, { checkpoint }: CertifiedCheckpoint, answer: StructValue<'Answer'>,
): void {
  const expected: Partial<StructValue<'Answer'>> = {
    group: checkpoint.group, epoch: checkpoint.epoch, height: checkpoint.height, minHeight: asked.minHeight, path: asked.path,
    request: asked.by, querier: asker.querier,
  };
  for (const [field, value] of Object.entries(expected)) {
    const got = answer[field as keyof typeof answer];
    if (got !== value) throw queryFaults.unbound({ field, got: String(got), expected: String(value) });
  }
}

/** The row that came along must be the one whose hash was proven; it is not signed itself, so a mismatch accuses nobody. */
function rowOf({ row, answer }: ReadEntry, path: Path): StoredRow {
  if (row === null || storedRowHash(row) !== answer.rowHash) throw queryFaults.rowMismatch({ path });
  return row;
}

/** The leaf's row hash of a stored row (DOORS: version, timestamp, key and content). */
export function storedRowHash(row: StoredRow): Hash32 {
  const content = row.values === null ? ZERO_HASH : contentHashOf(row.values);
  return rowHashOf({ entryId: row.version, ts: row.writtenAt }, keyHashOf(row.key), content);
}

export function orBadProof<T>(check: () => T, path: Path): T {
  try {
    return check();
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    throw queryFaults.badProof({ path, reason: error.code }, error);
  }
}
