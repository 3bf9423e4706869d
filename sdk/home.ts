import { isPicoloError } from '../protocol/errors/index.ts';
import { ZERO_TIMESTAMP } from '../protocol/hlc/index.ts';
import { verifyRead, type SchemaAnswer } from '../protocol/query/index.ts';
import { databaseFromRow, databaseIdOf, databasePath, schemaPath, type DatabaseMetadata } from '../protocol/rows/index.ts';
import { emptySchema, findTable, schemaFromRow, type Schema, type Table } from '../protocol/schema/index.ts';
import { ZERO_HASH, type ClusterId, type DatabaseId, type EntryId, type GroupId, type Hash32, type Timestamp } from '../protocol/types/index.ts';
import type { Client } from './client.ts';
import { sdkFaults } from './errors.ts';

/**
 * A name that is not known is looked for again after these pauses before it counts as wrong. A new table is in every
 * node's ledger a moment after its receipt, and `follow` then waits for the checkpoint that proves it; a new database is found
 * by that checkpoint, about a second later.
 */
const TABLE_PAUSES_MS = [50, 150, 400] as const;
const DATABASE_PAUSES_MS = [100, 300, 600, 1_000] as const;
const UNKNOWN_NAMES = new Set(['SDK_UNKNOWN_TABLE', 'SDK_UNKNOWN_COLUMN', 'SCHEMA_UNKNOWN_COLUMN', 'ROW_UNKNOWN_COLUMN']);
const UNKNOWN_DATABASES = new Set(['SDK_UNKNOWN_DATABASE', 'API_UNKNOWN_DATABASE']);

/** A schema and the entry that wrote it. */
export interface SchemaState {
  readonly schema: Schema;
  /** Version of the `_schema` key; zero before the first DDL. */
  readonly version: EntryId;
}

/** Proven facts about one database: what it is (its id is the hash of that), where it lives, its newest known schema. */
export class Home {
  readonly database: DatabaseId;
  readonly metadata: DatabaseMetadata;
  readonly cluster: ClusterId;
  private readonly client: Client;
  private state: SchemaState;

  constructor(client: Client, database: DatabaseId, metadata: DatabaseMetadata, cluster: ClusterId, state: SchemaState) {
    this.client = client;
    this.database = database;
    this.metadata = metadata;
    this.cluster = cluster;
    this.state = state;
  }

  get group(): GroupId {
    return this.metadata.group;
  }

  get current(): SchemaState {
    return this.state;
  }

  /** Exact name as declared. Throws SDK_UNKNOWN_TABLE. */
  table(name: string): Table {
    const table = findTable(this.state.schema, name);
    if (table === undefined) throw sdkFaults.unknownTable({ table: name.slice(0, 80), schemaVersion: this.state.schema.version });
    return table;
  }

  /** Runs `action`, and again with the newest schema while it names a table or column that somebody else may just have made. */
  knowing<T>(action: () => Promise<T>): Promise<T> {
    return knowingAll([this], action);
  }

  /** Takes over the schema that somebody else wrote since, if one did, as soon as a checkpoint proves it. */
  async follow(): Promise<void> {
    const request = { database: this.database, paths: [schemaPath(this.database)], minTimestamp: ZERO_TIMESTAMP };
    const found = await this.client.ask('versions', request, ({ versions }) => versions[0]);
    if (found !== undefined && found.version !== this.state.version) await this.refresh(found.writtenAt);
  }

  /** After a schema change of our own, whose receipt says what it wrote. */
  advance(state: SchemaState): void {
    if (state.schema.version >= this.state.schema.version) this.state = state;
  }

  /** Reads the schema again, at least as new as `minTimestamp`. */
  async refresh(minTimestamp: Timestamp): Promise<void> {
    const { state } = await fetchHome(this.client, this.database, minTimestamp);
    this.advance(state);
  }
}

/** The same over several databases. */
export function knowingAll<T>(homes: readonly Home[], action: () => Promise<T>): Promise<T> {
  return lookAgain(TABLE_PAUSES_MS, UNKNOWN_NAMES, action, async () => void await Promise.all(homes.map((home) => home.follow())));
}

/** Finds a database at any known node and proves metadata and schema. API_UNKNOWN_DATABASE when no node has it. */
export async function openHome(client: Client, database: DatabaseId, minTimestamp: Timestamp = ZERO_TIMESTAMP): Promise<Home> {
  const { metadata, cluster, state } = await lookAgain(DATABASE_PAUSES_MS, UNKNOWN_DATABASES, () => fetchHome(client, database, minTimestamp));
  return new Home(client, database, metadata, cluster, state);
}

interface Fetched {
  readonly metadata: DatabaseMetadata;
  readonly cluster: ClusterId;
  readonly state: SchemaState;
}

async function fetchHome(client: Client, database: DatabaseId, minTimestamp: Timestamp): Promise<Fetched> {
  const question = { database, querier: client.querier, request: client.freshRequest(), minTimestamp };
  return client.ask('schema', question, (answer) => provenHome(client, question, answer));
}

async function provenHome(
  client: Client, question: { database: DatabaseId; request: Hash32; minTimestamp: Timestamp }, answer: SchemaAnswer,
): Promise<Fetched> {
  const { database, request, minTimestamp } = question;
  const asker = await client.asker(answer.group as GroupId, answer.read.checkpoint.checkpoint.epoch);
  const paths = [schemaPath(database), databasePath(database)];
  const [schema, metadata] = verifyRead(asker, { paths, request, minTimestamp, minHeight: 0n }, answer.read);
  if (schema?.kind === 'lie') return client.accuse(schema.lie);
  if (metadata?.kind === 'lie') return client.accuse(metadata.lie);
  if (metadata?.kind !== 'present' || metadata.row.values === null) throw sdkFaults.unknownDatabase({ database });
  const described = databaseFromRow(metadata.row.values);
  // the id is the hash of the metadata and names the group: an answer of another group cannot pass
  if (databaseIdOf(described) !== database || described.group !== answer.group) throw sdkFaults.badReply({ database, reason: 'other metadata' });
  const state = schema?.kind === 'present' && schema.row.values !== null
    ? { schema: schemaFromRow(schema.row.values), version: schema.row.version as EntryId }
    : { schema: emptySchema, version: ZERO_HASH as EntryId };
  return { metadata: described, cluster: answer.cluster as ClusterId, state };
}

async function lookAgain<T>(
  pausesMs: readonly number[], codes: ReadonlySet<string>, action: () => Promise<T>, between: () => Promise<void> = async () => undefined,
): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await action();
    } catch (error) {
      if (!isPicoloError(error) || !codes.has(error.code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await between();
    }
  }
  return action();
}
