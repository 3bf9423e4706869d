/**
 * Rows: how a key gets its place in the state tree, how a client signs what it writes, and how anyone
 * checks it (Picolo §6, DCS §4, consensus §2.2). A transaction names every key it reads and writes with
 * the version it saw; replicas derive that footprint again and refuse one that is not covered. Every
 * leaf of the tree leads back to the writer's signature (`verifyRowProof`).
 *
 * @example
 *   const items = footprintOf({ schema, database, writer, nonce, mutations, before });
 *   const draft = buildTransaction({ database, writer, nonce, schemaVersion: schema.version, snapshot, notAfter, mutations, items,
 *     backpointers: [] });
 *   const tx = signTransaction(domain, draft, privateKey);
 *   verifyTransaction(domain, tx);   // 'valid', or { fault }
 */
export { compareKeys, orderedKey } from './key.ts';
export {
  DATABASE_TABLE, NONCE_TABLE, SCHEMA_TABLE, databasePath, keyRef, noncePath, nonceRef, nonceUntil, pathOf, pathRange, schemaPath, type KeyRef,
} from './path.ts';
export { keyC, mutationC, put, remove, rowC, type Mutation } from './mutation.ts';
export {
  backpointersRootOf, bodyC, buildTransaction, decodeTransaction, encodeTransaction, entryIdOf, footprintRootOf, headerC, isSchemaChange,
  itemBytes, itemC, mutationsRootOf, signTransaction, signTransactions, signedTransactionC, txIdOf, vouchedTxId, type DigestSigner,
  type SignedTransaction, type TransactionBody, type TransactionDraft, type TransactionHeader, type TransactionInput,
} from './transaction.ts';
export {
  batchOf, isVouchedFor, packWriterSignature, unpackWriterSignature, writerSignatureC, type BatchSignature, type TransactionBatch,
  type WriterSignature,
} from './writer-signature.ts';
export { verifyTransaction, type Refusal } from './verify.ts';
export { toCommand, transactionOf, verifyCommand } from './command.ts';
export {
  contentHashOf, keyHashOf, leafOf, nonceLeafOf, rowHashOf, type Change, type EntryRef, type LeafChange,
} from './leaf.ts';
export type { Before } from './before.ts';
export { indexEntryOf, indexKeyOf, type IndexKey } from './index-key.ts';
export type { Plan, Use } from './plan-builder.ts';
export {
  changesOf, footprintOf, keysNeeded, leafChangesOf, planOf, rowsNeeded, type FootprintInput, type PlanInput,
} from './footprint.ts';
export { checkTransaction, contentWrittenBy, planTransaction, type StateView } from './check.ts';
export {
  databaseFromRow, databaseIdOf, databaseRow, mayChangeSchema, mayWrite, type DatabaseMetadata, type SchemaPolicy, type Writers,
} from './database.ts';
export { changeSchema, changedSchema, createDatabase, createdDatabase, databaseRef, schemaRef } from './reserved.ts';
export { rowProofC, rowProofOf, verifyRowProof, type ProvenRow, type RowProof } from './proof.ts';
export { txFaults } from './faults.ts';
