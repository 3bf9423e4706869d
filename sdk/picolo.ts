import type { EncodedEvidence } from '../protocol/evidence/index.ts';
import { ZERO_TIMESTAMP } from '../protocol/hlc/index.ts';
import type { Lie, NodeStatus } from '../protocol/query/index.ts';
import {
  createDatabase, changeSchema, databaseIdOf, footprintOf, type DatabaseMetadata, type SchemaPolicy, type Writers,
} from '../protocol/rows/index.ts';
import type { Fulfilment } from '../protocol/oracle/index.ts';
import { emptySchema, schemaOf } from '../protocol/schema/index.ts';
import { addressFrom, hash32From, ZERO_HASH, type Address, type ClusterId, type DatabaseId, type EntryId, type GroupId } from '../protocol/types/index.ts';
import type { Client } from './client.ts';
import { Database } from './database.ts';
import { sdkFaults } from './errors.ts';
import { evidenceOf } from './evidence.ts';
import { Home, openHome } from './home.ts';
import type { TrustKind } from './net/trust.ts';
import { askForResult, certifiedCheckpoint, type OracleQuestion } from './oracle.ts';
import { transactAcross, type AcrossOptions, type AcrossReceipt } from './write/across.ts';
import { freshNonce, sign, submit } from './write/commit.ts';
import { OwnWrites } from './write/own-writes.ts';
import type { Transaction } from './write/transaction.ts';

export interface CreateDatabase {
  /** Replica group to live in; or a cluster, whose first group that a known node serves is taken; or neither when there is only one. */
  readonly group?: string;
  readonly cluster?: string;
  /** Any text; part of what the id hashes. */
  readonly name: string;
  /** Who may write rows: 'owner' (default), 'any', or a list of addresses beside the owner. */
  readonly writers?: 'owner' | 'any' | readonly string[];
  readonly schemaPolicy?: SchemaPolicy;
  /** First schema, made in the same transaction. */
  readonly schema?: string | readonly string[];
}

/** A connection to the network: what `connect` returns. Holds no sockets that keep a process alive. */
export class Picolo {
  private readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  /** 'chain': rosters and the signing contract were read from the chain. 'node': a node was believed. */
  get trust(): TrustKind {
    return this.client.trust.kind;
  }

  /** The account that signs; undefined for a reader. */
  get address(): Address | undefined {
    return this.client.wallet?.address;
  }

  /** API addresses known so far, best first. */
  get nodes(): readonly string[] {
    return this.client.nodes.urls;
  }

  /** Proven lies met so far, with the evidence for a contract. */
  get lies(): readonly Lie[] {
    return this.client.lies;
  }

  /** The lies as calls to the slashing contract, ready to be sent by anybody; the reward goes to this client's account. */
  async evidence(): Promise<readonly EncodedEvidence[]> {
    const calls = await Promise.all(this.client.lies.map((lie) => evidenceOf(this.client, lie)));
    return calls.filter((call) => call !== undefined);
  }

  /** Promised by vouchers so far; zero without payment. */
  get promisedWei(): bigint {
    return this.client.payer?.promisedWei ?? 0n;
  }

  status(): Promise<NodeStatus> {
    return this.client.ask('status', {}, (answer) => answer);
  }

  /** Makes a database: a signed transaction whose metadata hashes to the id, ready when this returns (P-3.2-role-consumer). */
  async createDatabase(options: CreateDatabase): Promise<Database> {
    const { client } = this;
    const owner = client.signer().address;
    const place = await this.placeFor(options);
    const metadata: DatabaseMetadata = {
      description: options.name, owner, writers: writersOf(options.writers), schemaPolicy: options.schemaPolicy ?? 'owner', readerKeys: '',
      createdMs: BigInt(Date.now()), group: place.group,
    };
    const database = databaseIdOf(metadata);
    const ddl = typeof options.schema === 'string' ? [options.schema] : options.schema ?? [];
    const schema = ddl.length === 0 ? emptySchema : schemaOf(ddl);
    const mutations = [createDatabase(metadata), ...(schema === emptySchema ? [] : [changeSchema(schema)])];
    const input = { schema: emptySchema, database, writer: owner, nonce: freshNonce(), mutations };
    const items = footprintOf({ ...input, before: { versionOf: () => ZERO_HASH as EntryId, contentOf: () => undefined } });
    const receipt = await submit(client, await sign(client, { ...input, items }, ZERO_TIMESTAMP), place.group);
    if (receipt.outcome !== 'applied') throw sdkFaults.conflict({ database, reason: 'the database exists' });
    const version = schema === emptySchema ? ZERO_HASH as EntryId : receipt.entryId;
    return new Database(client, new Home(client, database, metadata, place.cluster, { schema, version }), new OwnWrites(receipt.timestamp));
  }

  /** Opens a database by id: its metadata and schema are proven first. */
  async database(id: string, options: { readonly bookmark?: string } = {}): Promise<Database> {
    const home = await openHome(this.client, hash32From(id) as DatabaseId);
    return new Database(this.client, home, new OwnWrites()).session(options.bookmark);
  }

  /**
   * One transaction over databases of two groups or more: it takes effect in all of them at one timestamp, or in none (Picolo
   * §5.3.1). `work` gets one handle per database, in their order; it runs again on fresh rows when somebody else changed one meanwhile, so it should have no
   * other effects. Every database has to be written. Returns when the decision is proven; reads of the sessions see it. If this program
   * dies in between, the groups bring it to an end by themselves, at the latest when `decideWithinMs` has passed.
   * Throws SDK_CONFLICT, SDK_NOT_ORDERED, SDK_UNDECIDED, CROSS_GROUP_BAD_PLAN.
   *
   * @example
   *   await picolo.transaction([shop, bank], async ([orders, accounts]) => {
   *     orders.insert('purchase', { id: 7, item: 'lamp' });
   *     await accounts.sql`UPDATE account SET cents = cents - 900 WHERE id = ${1}`;
   *   });
   */
  transaction<const D extends readonly Database[], T>(
    databases: D, work: (parts: { readonly [K in keyof D]: Transaction }) => Promise<T>, options: AcrossOptions = {},
  ): Promise<{ readonly value: T; readonly receipt: AcrossReceipt | undefined }> {
    return transactAcross(databases.map(Database.writingOf), work as unknown as (parts: readonly Transaction[]) => Promise<T>, options);
  }

  /** The newest certified checkpoint of a group, verified, as `CheckpointAnchor.anchor` takes it. */
  checkpoint(group: string): ReturnType<typeof certifiedCheckpoint> {
    return certifiedCheckpoint(this.client, hash32From(group) as GroupId);
  }

  /** The result of a statement for a contract's request, signed by a quorum: what `QueryOracle.fulfil` takes (Picolo Appendix A). */
  oracleResult(question: OracleQuestion): Promise<Fulfilment> {
    return askForResult(this.client, question);
  }

  private async placeFor(options: CreateDatabase): Promise<{ group: GroupId; cluster: ClusterId }> {
    const { groups } = await this.status();
    const wanted = groups.filter(({ group, cluster, replica }) =>
      replica !== null && (options.group === undefined || group === hash32From(options.group))
      && (options.cluster === undefined || cluster === hash32From(options.cluster)));
    const [first, second] = wanted;
    if (first !== undefined && (second === undefined || options.group !== undefined || options.cluster !== undefined)) {
      return { group: first.group as GroupId, cluster: first.cluster as ClusterId };
    }
    // another node may serve the group that was named
    if (options.group !== undefined) return { group: hash32From(options.group) as GroupId, cluster: (options.cluster ?? ZERO_HASH) as ClusterId };
    throw sdkFaults.whichGroup({ groups: wanted.length });
  }
}

function writersOf(writers: CreateDatabase['writers']): Writers {
  if (writers === undefined || writers === 'owner') return { kind: 'owner' };
  return writers === 'any' ? { kind: 'any' } : { kind: 'list', addresses: writers.map(addressFrom) };
}

