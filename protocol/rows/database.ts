import { isHex, bytesOf, hexOf, type Address, type DatabaseId, type GroupId } from '../types/index.ts';
import type { Scalar } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import type { Row } from '../schema/index.ts';
import { txFaults } from './faults.ts';
import { contentHashOf } from './leaf.ts';

/** Who may write rows: the owner alone, the owner and a list, or anyone who signs. */
export type Writers =
  | { readonly kind: 'owner' }
  | { readonly kind: 'list'; readonly addresses: readonly Address[] }
  | { readonly kind: 'any' };

/** Who may change the schema: the owner, every writer, or nobody after creation. */
export type SchemaPolicy = 'owner' | 'writers' | 'fixed';

/**
 * What a database is, fixed for ever: its hash is its name, so a server cannot exchange the writers
 * under readers' feet (DCS §2.2; D-2.2-name, D-2.2-metadata, D-2.1-writers).
 */
export interface DatabaseMetadata {
  readonly description: string;
  readonly owner: Address;
  readonly writers: Writers;
  readonly schemaPolicy: SchemaPolicy;
  /** How readers get keys: empty when rows are in clear. */
  readonly readerKeys: string;
  readonly createdMs: bigint;
  readonly group: GroupId;
}

const FORMAT = 1n;
const WRITERS = ['owner', 'list', 'any'] as const;
const POLICIES = ['owner', 'writers', 'fixed'] as const;

/** SHA-256 of the canonical encoding of the metadata; equals the content hash of the `_database` leaf. */
export function databaseIdOf(metadata: DatabaseMetadata): DatabaseId {
  return contentHashOf(databaseRow(metadata));
}

/** The row of `_database`. Writers are sorted, so a set has one name. */
export function databaseRow(metadata: DatabaseMetadata): Row {
  const { description, owner, writers, schemaPolicy, readerKeys, createdMs, group } = metadata;
  const listed = writers.kind === 'list' ? [...new Set(writers.addresses)].toSorted() : [];
  return [
    FORMAT, description, bytesOf(owner), readerKeys, createdMs, bytesOf(group), schemaPolicy, writers.kind, ...listed.map(bytesOf),
  ];
}

/** Throws TX_BAD_RESERVED for anything but the canonical row of a database. */
export function databaseFromRow(row: Row): DatabaseMetadata {
  const [format, description, owner, readerKeys, createdMs, group, policy, kind, ...listed] = row;
  const schemaPolicy = POLICIES.find((known) => known === policy);
  const writersKind = WRITERS.find((known) => known === kind);
  if (format !== FORMAT || typeof createdMs !== 'bigint' || createdMs < 0n) throw bad('format or time');
  if (schemaPolicy === undefined || writersKind === undefined) throw bad('policy');
  if (!isShort(description) || !isShort(readerKeys)) throw bad('description');
  const addresses = listed.map((entry) => hexIn(entry, 20) as Address);
  const sorted = addresses.every((entry, i) => i === 0 || (addresses[i - 1] as Address) < entry);
  if (!sorted || addresses.length > limits.writersPerDatabase || (writersKind !== 'list' && addresses.length > 0)) throw bad('writers');
  return {
    description, owner: hexIn(owner, 20) as Address, readerKeys, createdMs, group: hexIn(group, 32) as GroupId, schemaPolicy,
    writers: writersKind === 'list' ? { kind: 'list', addresses } : { kind: writersKind },
  };
}

/** True when the address may sign transactions that change rows. */
export function mayWrite({ owner, writers }: DatabaseMetadata, address: Address): boolean {
  return address === owner || writers.kind === 'any' || (writers.kind === 'list' && writers.addresses.includes(address));
}

/** @param creating the transaction also creates the database, so even a fixed schema may be set */
export function mayChangeSchema(metadata: DatabaseMetadata, address: Address, creating: boolean): boolean {
  if (metadata.schemaPolicy === 'writers') return mayWrite(metadata, address);
  return address === metadata.owner && (creating || metadata.schemaPolicy === 'owner');
}

function isShort(value: Scalar | undefined): value is string {
  return typeof value === 'string' && value.length <= limits.descriptionBytes && value.isWellFormed();
}

function hexIn(value: Scalar | undefined, length: number): string {
  const hex = value instanceof Uint8Array ? hexOf(value) : undefined;
  if (!isHex(hex, length)) throw bad('address or group');
  return hex;
}

function bad(part: string): Error {
  return txFaults.badReserved({ table: '_database', part });
}
