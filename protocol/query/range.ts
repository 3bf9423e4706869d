import { encode, digestOf, hash32 as hash32C, list as listC, record as recordC, u32 as u32C } from '../codec/index.ts';
import { recoverSigner, sha256Hex } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import { verifyRange } from '../state-tree/index.ts';
import type { Address, Hash32, Path } from '../types/index.ts';
import { queryFaults } from './faults.ts';
import { certifiedOrThrow, orBadProof, storedRowHash, type Asker, type Freshness } from './read.ts';
import { rangeRowW, type RangeAnswer, type RangeRow } from './wire/index.ts';

export interface VerifiedRows {
  readonly rows: readonly RangeRow[];
  /** Nothing up to and including this path is missing; equal to `to` when the range is complete. */
  readonly through: Path;
  readonly complete: boolean;
  /** Rank of the first row. */
  readonly rank: bigint;
  readonly node: Address;
}

interface AskedRange {
  readonly database: Hash32;
  readonly from: Path;
  readonly to: Path;
  readonly limit: number;
}

const questionC = recordC({ database: hash32C, from: hash32C, to: hash32C, limit: u32C });
const rowsC = listC(rangeRowW, limits.rangeRows);

/** `Statement.queryHash` of a range. */
export function rangeQueryHash({ database, from, to, limit }: AskedRange): Hash32 {
  return sha256Hex(encode(questionC, { database, from, to, limit }));
}

/** `Statement.resultHash` of a range. */
export function rangeResultHash(rows: readonly RangeRow[]): Hash32 {
  return sha256Hex(encode(rowsC, rows));
}

/**
 * Proves that the rows are all leaves between the two paths (or all up to `through`, when the limit
 * cut the answer), none altered and none left out, against a certified checkpoint (architecture §4).
 * Throws MEMBERSHIP_*, QUERY_*.
 */
export function verifyRangeAnswer(asker: Asker, asked: AskedRange & Freshness, answer: RangeAnswer): VerifiedRows {
  certifiedOrThrow(asker, answer.checkpoint, asked);
  const { rows, proof } = answer;
  const leaves = rows.map(({ path, row }) => ({ path, rowHash: storedRowHash(row) }));
  const { stateRoot } = answer.checkpoint.checkpoint;
  const { complete, through, rank } = orBadProof(() => verifyRange(stateRoot, asked.from, asked.to, proof, leaves), asked.from);
  return { rows, complete, through, rank, node: signerOf(asker, asked, answer) };
}

/** The signature is not needed for the proof; it is what makes a node answer for what it sends. */
function signerOf(asker: Asker, asked: AskedRange, { statement, signature, rows, checkpoint }: RangeAnswer): Address {
  const { group, epoch, height } = checkpoint.checkpoint;
  const expected = { group, epoch, height, querier: asker.querier, queryHash: rangeQueryHash(asked), resultHash: rangeResultHash(rows) };
  for (const [field, value] of Object.entries(expected)) {
    const got = statement[field as keyof typeof statement];
    if (got !== value) throw queryFaults.unbound({ field, got: String(got), expected: String(value) });
  }
  const signer = recoverSigner(digestOf(asker.domain, 'Statement', statement), signature);
  if (signer === undefined || !asker.roster.replicas.includes(signer)) throw queryFaults.notAReplica({ signer: signer ?? 'nobody' });
  return signer;
}
