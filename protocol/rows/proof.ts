import {
  bool, bytes, decode, encode, hash32, list, record, timestamp, type Codec, type Domain, type Scalar,
} from '../codec/index.ts';
import { merklePath, rootOfPath, type MerkleStep } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import type { Row } from '../schema/index.ts';
import type { Address, DatabaseId, EntryId, Hash32, Path, Timestamp, TxId } from '../types/index.ts';
import { txFaults } from './faults.ts';
import { contentHashOf, keyHashOf, rowHashOf } from './leaf.ts';
import { mutationC, type Mutation } from './mutation.ts';
import { pathOf } from './path.ts';
import { entryIdOf, headerC, vouchedTxId, type SignedTransaction, type TransactionHeader } from './transaction.ts';
import { writerSignatureC, type WriterSignature } from './writer-signature.ts';

/**
 * Who wrote a row: the signed header (alone, or with its place in a signed batch), the timestamp it was executed at and the row's place among the
 * mutations (DCS §4; P-6.1-row-sig). An update makes a new signature for the new row.
 */
export interface RowProof {
  readonly header: TransactionHeader;
  readonly signature: WriterSignature;
  readonly ts: Timestamp;
  /** Canonical bytes of the mutation. */
  readonly mutation: Uint8Array;
  /** From the mutation to `header.mutationsRoot`, bottom first. */
  readonly steps: readonly MerkleStep[];
}

/** What a checked proof says. */
export interface ProvenRow {
  readonly database: DatabaseId;
  readonly table: string;
  readonly key: readonly Scalar[];
  readonly row: Row;
  readonly writer: Address;
  readonly txId: TxId;
  /** Version of the leaf. */
  readonly entryId: EntryId;
  readonly ts: Timestamp;
}

export const rowProofC: Codec<RowProof> = record({
  header: headerC,
  signature: writerSignatureC,
  ts: timestamp,
  mutation: bytes(limits.transactionBytes),
  steps: list<MerkleStep>(record({ sibling: hash32, left: bool }), limits.proofSteps),
});

/** Proof of the row at `path`; undefined when the transaction does not put it. */
export function rowProofOf({ header, signature, body }: SignedTransaction, ts: Timestamp, path: Path): RowProof | undefined {
  const index = body.mutations.findIndex((mutation) => mutation.kind === 'put' && pathOfMutation(header, mutation) === path);
  if (index < 0) return undefined;
  const leaves = body.mutations.map((mutation) => encode(mutationC, mutation));
  return { header, signature, ts, mutation: leaves[index] as Uint8Array, steps: merklePath(leaves, index) };
}

/**
 * Checks that the leaf (path, rowHash) holds exactly the row that `writer` signed. Needs no schema. With
 * an inclusion proof of the leaf under a certified root, the row is proven end to end; a row of an index
 * is proven by the row it points to. Throws TX_BAD_PROOF, TX_BAD_SIGNATURE, TX_BEYOND_BATCH, CODEC_*.
 */
export function verifyRowProof(domain: Domain, path: Path, rowHash: Hash32, proof: RowProof): ProvenRow {
  const { header, ts } = proof;
  const txId = vouchedTxId(domain, header, proof.signature);
  if (rootOfPath(proof.mutation, proof.steps) !== header.mutationsRoot) throw txFaults.badProof({ part: 'mutations', path });
  const mutation = decode(mutationC, proof.mutation, limits.transactionBytes);
  if (mutation.kind !== 'put' || pathOfMutation(header, mutation) !== path) throw txFaults.badProof({ part: 'path', path });
  const entryId = entryIdOf(txId, ts, header.footprintRoot);
  const claimed = rowHashOf({ entryId, ts }, keyHashOf(mutation.key), contentHashOf(mutation.row));
  if (claimed !== rowHash) throw txFaults.badProof({ part: 'row', path });
  const { table, key, row } = mutation;
  return { database: header.database, table, key, row, writer: header.writer, txId, entryId, ts };
}

function pathOfMutation({ database }: TransactionHeader, { table, key }: Mutation): Path {
  return pathOf(database, table, '', key);
}
