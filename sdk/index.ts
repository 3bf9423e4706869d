/**
 * The client of Picolo (P-3.2-role-consumer): SQL on databases that no single machine is trusted with. Everything a node says is
 * verified here before it is returned, everything written is signed here before it leaves; the root of trust is
 * the chain. Runs in Node and, with a SQLite build for UPDATE by condition, in browsers.
 *
 * @example
 *   const picolo = await connect('http://127.0.0.1:7400', { wallet, chain: { rpcUrl, deployment } });
 *   const db = await picolo.createDatabase({ name: 'shop', schema: 'CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL)' });
 *   await db.sql`INSERT INTO item (id, name) VALUES (${1}, ${'lamp'})`;
 *   const rows = await db.sql`SELECT name FROM item WHERE id = ${1}`;   // rows.assurance === 'quorum'
 *   const proven = await db.get('item', 1);                             // proven.row, proven.writer, proven.checkpoint
 */
export { connect, type ConnectOptions } from './connect.ts';
export { Picolo, type CreateDatabase } from './picolo.ts';
export { Database, type QueryOptions } from './database.ts';
export { TableHandle, type BulkOptions, type PointRead, type RangeOptions } from './table.ts';
export { checkpointAt } from './checkpoint.ts';
export { groupReport, type GroupReport, type MemberReport } from './group-report.ts';
export { PreparedStatement, type D1Result } from './prepared.ts';
export { Transaction } from './write/transaction.ts';
export type { Assurance, Result } from './result.ts';
export type { Bindable, Row, Value } from './sql/values.ts';
export type { AcrossOptions, AcrossReceipt } from './write/across.ts';
export type { Receipt } from './write/receipt.ts';
export type { LocalDatabase, LocalResult, LocalSql } from './write/local-sql.ts';
export type { AuditReport, AuditVerdict } from './audit.ts';
export type { Challenge, ChallengeReport, NodeVerdict, Verdict } from './challenge.ts';
export type { Standing } from './read/proven.ts';
export type { QueryAssurance } from './read/query.ts';
export type { BrowserWallet, TypedDataSigner, Wallet, WalletInput } from './keys/wallet.ts';
export type { PaymentOptions } from './keys/payment.ts';
export type { ChainOptions, Deployment } from './net/chain.ts';
export type { TrustKind } from './net/trust.ts';
export type { OracleQuestion } from './oracle.ts';
export { runAgain, signedResult, type Finding } from './dispute.ts';
export { openRows, sealRows, type SealedColumns } from './sealed.ts';
export { sdkFaults } from './errors.ts';
export { PicoloError, isPicoloError } from '../protocol/errors/index.ts';
export type { Lie } from '../protocol/query/index.ts';
