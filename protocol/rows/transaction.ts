import {
  address, choice, decode, digestOf, encode, hash32, list, record, timestamp, u32, u64,
  type Codec, type Domain, type StructValue,
} from '../codec/index.ts';
import { merkleRoot, sha256Hex, signDigest } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import {
  bytesOf, concatBytes, uintBytes,
  type Address, type DatabaseId, type Digest, type EntryId, type Hash32, type Item, type Signature, type Timestamp, type TxId,
} from '../types/index.ts';
import { txFaults } from './faults.ts';
import { mutationC, type Mutation } from './mutation.ts';
import { DATABASE_TABLE, SCHEMA_TABLE } from './path.ts';
import { batchOf, isVouchedFor, writerSignatureC, type WriterSignature } from './writer-signature.ts';

export type TransactionHeader = StructValue<'Transaction'>;

export interface TransactionBody {
  readonly mutations: readonly Mutation[];
  /** Ascending by path, each path once. */
  readonly items: readonly Item[];
  /** Earlier records this one builds on: extra leaves that make the history a graph (D-4.1-links-leaf). */
  readonly backpointers: readonly Hash32[];
}

/** A transaction before its writer signed it. */
export interface TransactionDraft {
  readonly header: TransactionHeader;
  readonly body: TransactionBody;
}

export interface SignedTransaction extends TransactionDraft {
  readonly signature: WriterSignature;
}

export interface TransactionInput extends TransactionBody {
  readonly database: DatabaseId;
  readonly writer: Address;
  /** Never used before by this writer in this database; any order, below 2^64. */
  readonly nonce: bigint;
  readonly schemaVersion: number;
  /** Timestamp of the state the transaction was computed from; zero for none. */
  readonly snapshot: Timestamp;
  readonly notAfter: Timestamp;
}

/** A local key, or what asks a wallet for a signature over the EIP-712 digest. */
export type DigestSigner = Uint8Array | ((digest: Digest) => Signature);

export const itemC: Codec<Item> = {
  exact: true,
  toCbor: ({ path, version, mode }) => [bytesOf(path), bytesOf(version), mode === 'W' ? 1 : 0],
  fromCbor(raw) {
    const { path, version, mode } = itemFields.fromCbor(raw);
    return { path: path as Item['path'], version: version as EntryId, mode };
  },
};
const itemFields = record({ path: hash32, version: hash32, mode: choice(['R', 'W']) });

export const headerC: Codec<TransactionHeader> = record({
  database: hash32, writer: address, nonce: u64, schemaVersion: u32, snapshot: timestamp, notAfter: timestamp,
  mutationsRoot: hash32, footprintRoot: hash32, backpointers: hash32,
});

export const bodyC: Codec<TransactionBody> = record({
  mutations: list(mutationC, limits.mutationsPerTransaction),
  items: list(itemC, limits.itemsPerTransaction),
  backpointers: list(hash32, limits.backpointersPerTransaction),
});

export const signedTransactionC: Codec<SignedTransaction> = record({ header: headerC, signature: writerSignatureC, body: bodyC });

export function encodeTransaction(tx: SignedTransaction): Uint8Array {
  return encode(signedTransactionC, tx);
}

/** Throws CODEC_* for anything but the canonical bytes of one transaction within its limits. */
export function decodeTransaction(bytes: Uint8Array): SignedTransaction {
  return decode(signedTransactionC, bytes, limits.transactionBytes);
}

/** Root of the tree of mutations: one signature, each row provable alone (DCS §4; D-4.1-commit). */
export function mutationsRootOf(mutations: readonly Mutation[]): Hash32 {
  return merkleRoot(mutations.map((mutation) => encode(mutationC, mutation)));
}

/** Root over `path ‖ version ‖ mode` (R = 0, W = 1), the bytes a contract sees as evidence. */
export function footprintRootOf(items: readonly Item[]): Hash32 {
  return merkleRoot(items.map(itemBytes));
}

export function itemBytes({ path, version, mode }: Item): Uint8Array {
  return concatBytes(bytesOf(path), bytesOf(version), Uint8Array.of(mode === 'W' ? 1 : 0));
}

/** Zero for a record without backpointers. */
export function backpointersRootOf(backpointers: readonly Hash32[]): Hash32 {
  return merkleRoot(backpointers.map(bytesOf));
}

/** Fills in the roots; the caller derives `items` with `footprintOf`. */
export function buildTransaction(input: TransactionInput): TransactionDraft {
  const { mutations, items, backpointers, ...fields } = input;
  return {
    header: {
      ...fields,
      mutationsRoot: mutationsRootOf(mutations),
      footprintRoot: footprintRootOf(items),
      backpointers: backpointersRootOf(backpointers),
    },
    body: { mutations, items, backpointers },
  };
}

/** The name of a transaction and what its writer signs: the EIP-712 digest of the header. */
export function txIdOf(domain: Domain, header: TransactionHeader): TxId {
  return digestOf(domain, 'Transaction', header);
}

export function signTransaction(domain: Domain, draft: TransactionDraft, signer: DigestSigner): SignedTransaction {
  return { header: draft.header, signature: signWith(signer, txIdOf(domain, draft.header)), body: draft.body };
}

/** The same for several of one writer, at most `transactionsPerSignature`, under one signature. */
export function signTransactions(domain: Domain, drafts: readonly TransactionDraft[], signer: DigestSigner): SignedTransaction[] {
  const [first] = drafts;
  if (first === undefined) return [];
  const batch = batchOf(first.header.writer, drafts.map(({ header }) => ({ id: txIdOf(domain, header), notAfter: header.notAfter })));
  const shares = batch.shares(signWith(signer, digestOf(domain, 'TxBatch', batch.value)));
  return drafts.map(({ header, body }, i) => ({ header, signature: shares[i] as WriterSignature, body }));
}

function signWith(signer: DigestSigner, digest: Digest): Signature {
  return typeof signer === 'function' ? signer(digest) : signDigest(digest, signer);
}

/** The id of a transaction that its writer vouched for. Throws TX_BAD_SIGNATURE, TX_BEYOND_BATCH. */
export function vouchedTxId(domain: Domain, header: TransactionHeader, signature: WriterSignature): TxId {
  const txId = txIdOf(domain, header);
  if (!isVouchedFor(domain, txId, header.writer, signature)) throw txFaults.badSignature({ writer: header.writer });
  if (typeof signature !== 'string' && header.notAfter > signature.notAfter) {
    throw txFaults.beyondBatch({ notAfter: header.notAfter, batch: signature.notAfter });
  }
  return txId;
}

/** A transaction placed in time. The id is also the version of every key the entry writes (consensus §2.2). */
export function entryIdOf(txId: TxId, ts: Timestamp, footprintRoot: Hash32): EntryId {
  return sha256Hex(concatBytes(Uint8Array.of(2), bytesOf(txId), uintBytes(ts, 12), bytesOf(footprintRoot)));
}

/** True when it creates a database or changes its schema; only a leader orders those. */
export function isSchemaChange(mutations: readonly Mutation[]): boolean {
  return mutations.some(({ table }) => table === SCHEMA_TABLE || table === DATABASE_TABLE);
}
