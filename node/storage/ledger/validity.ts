import { LRUCache } from 'lru-cache';
import type { Domain } from '../../../protocol/codec/index.ts';
import { isIntentPath, partOf } from '../../../protocol/cross-group/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import {
  changedSchema, contentWrittenBy, createdDatabase, databaseFromRow, databasePath, planOf, planTransaction, schemaPath, transactionOf,
  type Change, type DatabaseMetadata, type KeyRef, type Plan, type SignedTransaction, type StateView,
} from '../../../protocol/rows/index.ts';
import { emptySchema, type Row, type Schema } from '../../../protocol/schema/index.ts';
import { ZERO_HASH, type Command, type DatabaseId, type EntryId, type Path } from '../../../protocol/types/index.ts';
import type { Entries } from './entries.ts';
import type { Leaves } from './leaves.ts';
import type { Spaces } from './spaces.ts';

type Pending = (id: EntryId) => Command | undefined;

export interface ValidityParts {
  readonly domain: Domain;
  readonly spaces: Spaces;
  readonly leaves: Leaves;
  readonly entries: Entries;
}

/** Whether a command may execute: a property of its bytes and the versions it names (consensus §2.2, DOORS 7). */
export class Validity {
  readonly #parts: ValidityParts;
  // by object: the same command is asked about in every phase of consensus
  #removes = new WeakMap<Command, readonly Path[]>();
  // what a valid command uses and changes: found when it is checked, used again when it is applied
  #plans = new WeakMap<Command, Plan>();
  // a verdict is a property of the command alone (consensus §2.2): found once, when it rests on what is committed
  #verdicts = new WeakMap<Command, 'valid' | 'invalid'>();
  readonly #metadata = new Map<DatabaseId, DatabaseMetadata>();
  readonly #contents = new LRUCache<string, Row>({ max: limits.pendingCommands });

  constructor(parts: ValidityParts) {
    this.#parts = parts;
  }

  /** Databases that a failed transaction or a snapshot made up are forgotten. */
  forget(): void {
    this.#metadata.clear();
    this.#contents.clear();
    this.#removes = new WeakMap();
    this.#plans = new WeakMap();
    this.#verdicts = new WeakMap();
  }

  /** The signed transaction in a command: for a stage of a transaction over several groups, the part. 'invalid' when there is none. */
  transactionOf(command: Command): SignedTransaction | 'invalid' {
    const body = command.stage === undefined ? command : partOf(command);
    return body === undefined ? 'invalid' : transactionOf(this.#parts.domain, body);
  }

  check(command: Command, pending: Pending): 'valid' | 'invalid' | 'unresolved' {
    // what decides or resolves is judged by its proofs, before it is voted for; its part was examined when it was prepared
    if (command.stage !== undefined && command.stage.kind !== 'prepare') return 'valid';
    const known = this.#verdicts.get(command);
    if (known !== undefined) return known;
    const tx = this.transactionOf(command);
    if (tx === 'invalid') return 'invalid';
    let asked = false;
    const watched: Pending = (id) => {
      asked = true;
      return pending(id);
    };
    const mark = command.stage === undefined ? undefined : command.items.find(({ path }) => isIntentPath(path))?.path;
    const planned = planTransaction(tx, this.#viewFor(tx, watched), mark);
    if (planned === 'unresolved') return planned;
    const final = 'fault' in planned ? 'invalid' : 'valid';
    if (!('fault' in planned)) this.#plans.set(command, planned);
    if (!asked) this.#verdicts.set(command, final);
    return final;
  }

  /** All that a command changes, if it was found valid before. */
  changes(command: Command): readonly Change[] | undefined {
    return this.#plans.get(command)?.changes;
  }

  /** W items whose key is absent afterwards. */
  removes(command: Command, pending: Pending): readonly Path[] {
    if (command.stage !== undefined && !isCommit(command)) return [];
    const known = this.#removes.get(command);
    if (known !== undefined) return known;
    const tx = this.transactionOf(command);
    if (tx === 'invalid') return [];
    const changes = this.changes(command) ?? this.#planned(tx, pending).changes;
    const written = new Set(tx.body.items.filter(({ mode }) => mode === 'W').map(({ path }) => path));
    const removed = changes.filter(({ ref, content }) => content === null && written.has(ref.path)).map(({ ref }) => ref.path);
    this.#removes.set(command, removed);
    return removed;
  }

  #planned(tx: SignedTransaction, pending: Pending): Plan {
    const view = this.#viewFor(tx, pending);
    const versions = new Map(tx.body.items.map(({ path, version }) => [path, version]));
    const versionOf = ({ path }: KeyRef): EntryId => versions.get(path) ?? (ZERO_HASH as EntryId);
    const { database, writer, nonce } = tx.header;
    const schemaVersion = versions.get(schemaPath(database)) ?? (ZERO_HASH as EntryId);
    const schema = schemaVersion === ZERO_HASH ? emptySchema : view.schemaAt(schemaVersion) ?? emptySchema;
    const before = { versionOf, contentOf: (ref: KeyRef) => view.contentAt(ref, versionOf(ref)) };
    return planOf({ schema, database, writer, nonce, mutations: tx.body.mutations, before });
  }

  metadata(database: DatabaseId): DatabaseMetadata | undefined {
    let metadata = this.#metadata.get(database);
    if (metadata === undefined) {
      const leaf = this.#parts.leaves.current(databasePath(database));
      if (leaf?.content == null) return undefined;
      metadata = databaseFromRow(leaf.content);
      this.#metadata.set(database, metadata);
    }
    return metadata;
  }

  #viewFor(tx: SignedTransaction, pending: Pending): StateView {
    const { database } = tx.header;
    const find = (id: EntryId): SignedTransaction | undefined => {
      const command = pending(id);
      const found = command === undefined ? 'invalid' : this.transactionOf(command);
      return found === 'invalid' ? undefined : found;
    };
    return {
      metadata: () => this.metadata(database) ?? createdBehind(tx, find),
      schemaAt: (version) => this.#parts.spaces.schemaBy(database, version) ?? schemaIn(find(version)),
      contentAt: (ref, version) => this.#contentAt(ref, version, find, pending),
    };
  }

  #contentAt(ref: KeyRef, version: EntryId, find: (id: EntryId) => SignedTransaction | undefined, pending: Pending): Row | undefined {
    const { leaves, entries } = this.#parts;
    const leaf = leaves.current(ref.path);
    if (leaf !== undefined && entries.ref(leaf.entry).entryId === version) return leaves.contentOf(leaf) ?? undefined;
    const key = `${ref.path}${version}`;
    const known = this.#contents.get(key);
    if (known !== undefined) return known;
    const writer = find(version);
    if (writer === undefined) return undefined;
    const content = contentWrittenBy(writer, ref.path, this.#viewFor(writer, pending));
    if (content !== undefined) this.#contents.set(key, content);
    return content;
  }
}

/** Of the stages only this one writes what its part says. */
function isCommit({ stage }: Command): boolean {
  return stage?.kind === 'resolve' && stage.ts !== undefined;
}

function schemaIn(tx: SignedTransaction | undefined): Schema | undefined {
  return tx === undefined ? undefined : changedSchema(tx.body.mutations);
}

/** Metadata of a database that is created in the same block: found through the schema version that the transaction builds on. */
function createdBehind(tx: SignedTransaction, find: (id: EntryId) => SignedTransaction | undefined): DatabaseMetadata | undefined {
  const { database } = tx.header;
  const reserved = [databasePath(database), schemaPath(database)];
  let at: SignedTransaction | undefined = tx;
  while (at !== undefined) {
    const created = createdDatabase(at.body.mutations);
    if (created !== undefined) return created;
    const named = at.body.items.filter(({ path, version }) => reserved.includes(path) && version !== ZERO_HASH);
    const versions: EntryId[] = named.map(({ version }) => version);
    at = versions.map(find).find((found) => found !== undefined);
  }
  return undefined;
}
