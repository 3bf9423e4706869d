import {
  digestOf, hash32, list, record, signature as signatureC, timestamp, u32, type Codec, type Domain, type StructValue,
} from '../codec/index.ts';
import { merkleTree, recoverSigner, rootOfPath, stepsAt } from '../crypto/index.ts';
import { invariant } from '../errors/index.ts';
import { limits } from '../limits/index.ts';
import {
  bytesOf, concatBytes, hexOf, Remembered, uintBytes, type Address, type Hash32, type Hex, type Signature, type Timestamp, type TxId,
} from '../types/index.ts';

/** One transaction's share of a signature over many: the signed statement and the way to it from the transaction's id. */
export interface BatchSignature {
  /** Of `TxBatch`, by the writer. */
  readonly signature: Signature;
  /** Transactions under it. */
  readonly count: number;
  /** No transaction of the batch may be executed later. */
  readonly notAfter: Timestamp;
  /** Place of this one. */
  readonly index: number;
  /** From the id to the root, bottom first. */
  readonly siblings: readonly Hash32[];
}

/** How a writer vouches for a transaction: a signature of its own, or one that several transactions share (0130). */
export type WriterSignature = Signature | BatchSignature;

const MOST_SIBLINGS = depthOf(limits.transactionsPerSignature);

const batchSignatureC = record({
  signature: signatureC, count: u32, notAfter: timestamp, index: u32, siblings: list(hash32, MOST_SIBLINGS),
});

/** A byte string, or the array of a batch signature: no value has both forms. */
export const writerSignatureC: Codec<WriterSignature> = {
  exact: true,
  toCbor: (value) => (typeof value === 'string' ? signatureC.toCbor(value) : batchSignatureC.toCbor(value as never)),
  fromCbor: (raw) => (Array.isArray(raw) ? batchSignatureC.fromCbor(raw) as BatchSignature : signatureC.fromCbor(raw)),
};

/** What a writer signs once for several transactions, and each one's share of that signature. */
export interface TransactionBatch {
  readonly value: StructValue<'TxBatch'>;
  shares(signature: Signature): readonly BatchSignature[];
}

/** At most `transactionsPerSignature` transactions of one writer, in any databases of the network. */
export function batchOf(writer: Address, transactions: readonly { readonly id: TxId; readonly notAfter: bigint }[]): TransactionBatch {
  const count = transactions.length;
  invariant(count > 0 && count <= limits.transactionsPerSignature, 'batch-of-transactions-in-bounds', { count });
  const tree = merkleTree(transactions.map(({ id }) => bytesOf(id)));
  const notAfter = transactions.reduce((latest, tx) => (tx.notAfter > latest ? tx.notAfter : latest), 0n) as Timestamp;
  const siblingsOf = (index: number): Hash32[] => tree.pathOf(index).map(({ sibling }) => sibling);
  return {
    value: { writer, root: tree.root, count, notAfter },
    shares: (signature) => transactions.map((_, index) => ({ signature, count, notAfter, index, siblings: siblingsOf(index) })),
  };
}

/** The same predicate as in `WriterSignature.sol`: true when `writer` vouched for the transaction. */
export function isVouchedFor(domain: Domain, transaction: TxId, writer: Address, signature: WriterSignature): boolean {
  if (typeof signature === 'string') return recoverSigner(transaction, signature) === writer;
  const { count, notAfter, index, siblings } = signature;
  if (count === 0 || count > limits.transactionsPerSignature || index >= count || siblings.length !== depthOf(count)) return false;
  const root = rootOfPath(bytesOf(transaction), stepsAt(index, siblings));
  return isSignedOnce(domain, { writer, root, count, notAfter }, signature.signature);
}

const proven = new WeakMap<Domain, Remembered<string, true>>();

/** One recovery for a whole batch: whoever met another transaction of it knows the answer. Only what holds is remembered. */
function isSignedOnce(domain: Domain, value: StructValue<'TxBatch'>, signature: Signature): boolean {
  let known = proven.get(domain);
  if (known === undefined) proven.set(domain, (known = new Remembered(limits.batchSignaturesRemembered)));
  const key = `${value.writer}${value.root}${value.count}/${value.notAfter}${signature}`;
  if (known.get(key) === true) return true;
  if (recoverSigner(digestOf(domain, 'TxBatch', value), signature) !== value.writer) return false;
  known.set(key, true);
  return true;
}

/**
 * The bytes that a `RowAnswer` commits to and evidence shows: the 65 bytes alone, or signature(65) ‖ count(4) ‖ notAfter(12) ‖ index(4) ‖
 * depth(1) ‖ siblings.
 */
export function packWriterSignature(signature: WriterSignature): Uint8Array {
  if (typeof signature === 'string') return bytesOf(signature);
  const { count, notAfter, index, siblings } = signature;
  return concatBytes(
    bytesOf(signature.signature), uintBytes(count, 4), uintBytes(notAfter, 12), uintBytes(index, 4), Uint8Array.of(siblings.length),
    ...siblings.map((sibling) => bytesOf(sibling)),
  );
}

/** Undefined for bytes that have neither form. */
export function unpackWriterSignature(bytes: Uint8Array): WriterSignature | undefined {
  const signature = hexOf(bytes.subarray(0, OWN_BYTES)) as Signature;
  if (bytes.length === OWN_BYTES) return signature;
  const depth = bytes[BATCH_BYTES - 1];
  if (depth === undefined || bytes.length !== BATCH_BYTES + 32 * depth) return undefined;
  const at = (from: number, length: number): Hex => hexOf(bytes.subarray(from, from + length));
  return {
    signature, count: Number(at(65, 4)), notAfter: BigInt(at(69, 12)) as Timestamp, index: Number(at(81, 4)),
    siblings: Array.from({ length: depth }, (_, i) => at(BATCH_BYTES + 32 * i, 32) as Hash32),
  };
}

const OWN_BYTES = 65;
const BATCH_BYTES = 86;

/** Levels of the tree over `count` leaves. */
function depthOf(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1);
}
