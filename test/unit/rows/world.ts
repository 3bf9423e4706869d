import { addressOf } from '../../../protocol/crypto/index.ts';
import {
  buildTransaction, changeSchema, changedSchema, changesOf, checkTransaction, createDatabase, databaseIdOf, entryIdOf, footprintOf,
  signTransaction, txIdOf, type Before, type DatabaseMetadata, type KeyRef, type Mutation, type SignedTransaction, type StateView,
} from '../../../protocol/rows/index.ts';
import { emptySchema, parseDdlScript, applyDdl, type Row, type Schema } from '../../../protocol/schema/index.ts';
import { ZERO_HASH, type Address, type EntryId, type GroupId, type Item, type Path, type Timestamp } from '../../../protocol/types/index.ts';

export const domain = { chainId: 31337n, verifyingContract: `0x${'22'.repeat(20)}` as Address };
export const ownerKey = new Uint8Array(32).fill(7);
export const owner = addressOf(ownerKey);
export const strangerKey = new Uint8Array(32).fill(9);
export const stranger = addressOf(strangerKey);

export const metadata: DatabaseMetadata = {
  description: 'test', owner, writers: { kind: 'owner' }, schemaPolicy: 'owner', readerKeys: '', createdMs: 1_700_000_000_000n,
  group: `0x${'33'.repeat(32)}` as GroupId,
};

interface Leaf { readonly ref: KeyRef; readonly version: EntryId; readonly content: Row }

/** A replica's state without storage or consensus: what each key holds, every version ever written, in order. */
export class World {
  readonly metadata: DatabaseMetadata;
  readonly database;
  readonly leaves = new Map<Path, Leaf>();
  readonly history = new Map<string, Row>();
  readonly schemas = new Map<EntryId, Schema>();
  schema: Schema = emptySchema;
  nonce = 0n;
  clock = 1n;

  constructor(meta: DatabaseMetadata = metadata) {
    this.metadata = meta;
    this.database = databaseIdOf(meta);
  }

  /** A database with the given tables. */
  static with(sql: string, meta: DatabaseMetadata = metadata): World {
    const world = new World(meta);
    world.run([createDatabase(meta), changeSchema(applyDdl(emptySchema, parseDdlScript(sql)))]);
    return world;
  }

  before: Before = {
    versionOf: (ref) => this.leaves.get(ref.path)?.version ?? ZERO_HASH,
    contentOf: (ref) => this.leaves.get(ref.path)?.content,
  };

  view: StateView = {
    metadata: () => this.metadata,
    schemaAt: (version) => this.schemas.get(version),
    contentAt: (ref, version) => this.history.get(`${ref.path}/${version}`),
  };

  items(mutations: readonly Mutation[], nonce = this.nonce + 1n, writer = owner): readonly Item[] {
    return footprintOf({ schema: this.schema, database: this.database, writer, nonce, mutations, before: this.before });
  }

  sign(mutations: readonly Mutation[], more: { readonly items?: readonly Item[]; readonly key?: Uint8Array; readonly nonce?: bigint;
    readonly backpointers?: readonly EntryId[] } = {}): SignedTransaction {
    const key = more.key ?? ownerKey;
    const writer = addressOf(key);
    const nonce = more.nonce ?? (this.nonce += 1n);
    const items = more.items ?? this.items(mutations, nonce, writer);
    const draft = buildTransaction({
      database: this.database, writer, nonce, schemaVersion: this.schema.version, snapshot: 0n as Timestamp, notAfter: (1n << 90n) as Timestamp,
      mutations, items, backpointers: more.backpointers ?? [],
    });
    return signTransaction(domain, draft, key);
  }

  check(tx: SignedTransaction): string {
    const verdict = checkTransaction(tx, this.view);
    return typeof verdict === 'string' ? verdict : verdict.fault.code;
  }

  /** Executes; false = aborted because a version moved. */
  apply(tx: SignedTransaction): boolean {
    const current = ({ path, version }: Item): boolean => (this.leaves.get(path)?.version ?? ZERO_HASH) === version;
    if (!tx.body.items.every(current)) return false;
    const entryId = this.entryOf(tx);
    const changes = changesOf(this.schema, tx, this.before);
    for (const { ref, content } of changes) {
      if (content === null) this.leaves.delete(ref.path);
      else {
        this.leaves.set(ref.path, { ref, version: entryId, content });
        this.history.set(`${ref.path}/${entryId}`, content);
      }
    }
    const schema = changedSchema(tx.body.mutations);
    if (schema !== undefined) {
      this.schema = schema;
      this.schemas.set(entryId, schema);
    }
    return true;
  }

  entryOf(tx: SignedTransaction): EntryId {
    this.clock += 1n;
    return entryIdOf(txIdOf(domain, tx.header), this.clock as Timestamp, tx.header.footprintRoot);
  }

  run(mutations: readonly Mutation[]): SignedTransaction {
    const tx = this.sign(mutations);
    this.apply(tx);
    return tx;
  }

  ddl(sql: string): SignedTransaction {
    return this.run([changeSchema(applyDdl(this.schema, parseDdlScript(sql)))]);
  }
}

