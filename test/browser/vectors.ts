import { addressOf } from '../../protocol/crypto/index.ts';
import { queryRequestW, rangeAnswerW, readAnswerW, statementAnswerW } from '../../protocol/query/index.ts';
import {
  buildTransaction, changeSchema, createDatabase, databaseIdOf, footprintOf, pathOf, pathRange, put, signTransaction, signTransactions,
  type DatabaseMetadata, type Mutation, type SignedTransaction,
} from '../../protocol/rows/index.ts';
import { emptySchema, schemaOf, type Schema } from '../../protocol/schema/index.ts';
import { ZERO_HASH, type Address, type DatabaseId, type EntryId, type Hash32, type Timestamp } from '../../protocol/types/index.ts';
import { servicesOf } from '../unit/sdk/nodes.ts';
import { World } from '../unit/sdk/world.ts';
import type { Vectors } from './verifier.ts';

const WRITER = new Uint8Array(32).fill(0x61);
const REQUEST = `0x${'5a'.repeat(32)}` as Hash32;

/** A group with one table of twenty rows, ten of them from a transaction that was signed in a batch, and what its nodes answer to one client. */
export async function makeVectors(): Promise<Vectors> {
  const world = new World();
  const writer = addressOf(WRITER);
  const metadata: DatabaseMetadata = {
    description: 'vectors', owner: writer, writers: { kind: 'owner' }, schemaPolicy: 'owner', readerKeys: '', createdMs: 1n, group: world.group,
  };
  const database = databaseIdOf(metadata);
  const schema = schemaOf(['CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL)']);
  write(world, database, emptySchema, 1n, [createDatabase(metadata), changeSchema(schema)]);
  const rows = Array.from({ length: 20 }, (_, i) => put('item', [BigInt(i)], [BigInt(i), `item ${i}`, i / 4]));
  write(world, database, schema, 2n, rows.slice(0, 10));
  write(world, database, schema, 3n, rows.slice(10), true);
  const paths = [3n, 19n, 20n].map((id) => pathOf(database, 'item', '', [id]));
  const querier = `0x${'0d'.repeat(20)}` as Address;
  const asked = { database, querier, request: REQUEST, minTimestamp: 0n as Timestamp, minHeight: 0n };
  const node = servicesOf(world, 0);
  const liar = servicesOf(world, 1, { alter: (row) => ({ ...row, values: [3n, 'forged', null] }) });
  const { first: from, last: to } = pathRange(database, 'item', '', [5n], [9n]);
  const query = { database, sql: 'SELECT count(*) AS n FROM item', params: [], asOf: 0n as Timestamp, minTimestamp: 0n as Timestamp, querier };
  const readAsked = { ...asked, paths, keys: [], provenance: true };
  return {
    chainId: world.domain.chainId.toString(), verifyingContract: world.domain.verifyingContract, group: world.group, replicas: world.roster.replicas,
    querier, request: REQUEST, database, paths,
    read: readAnswerW.toJson(await node.read(readAsked)),
    lying: readAnswerW.toJson(await liar.read(readAsked)),
    range: { from, to, limit: 100, answer: rangeAnswerW.toJson(await node.range({ ...asked, from, to, limit: 100, atHeight: 0n })) },
    query: queryRequestW.toJson(query),
    statements: await Promise.all([0, 1, 2].map(async (i) => statementAnswerW.toJson(await servicesOf(world, i).query(query)))),
  };
}

function write(world: World, database: DatabaseId, schema: Schema, nonce: bigint, mutations: readonly Mutation[], batched = false): void {
  const writer = addressOf(WRITER);
  const before = { versionOf: ({ path }: { path: Hash32 }) => world.leaves.get(path as never)?.version ?? ZERO_HASH as EntryId, contentOf: () => undefined };
  const items = footprintOf({ schema, database, writer, nonce, mutations, before });
  const draft = buildTransaction({
    database, writer, nonce, schemaVersion: schema.version, snapshot: 0n as Timestamp, notAfter: ((1n << 96n) - 1n) as Timestamp, mutations, items, backpointers: [],
  });
  world.submit(batched ? signTransactions(world.domain, [draft, draft, draft], WRITER)[1] as SignedTransaction : signTransaction(world.domain, draft, WRITER));
}
