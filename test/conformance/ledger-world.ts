import { privateKeyOf } from './keys.ts';
import { addressOf, sha256Hex } from '../../protocol/crypto/index.ts';
import type { Domain } from '../../protocol/codec/index.ts';
import { MAX_TIMESTAMP, timestampOf } from '../../protocol/hlc/index.ts';
import {
  buildTransaction, changedSchema, changesOf, changeSchema, createDatabase, databaseIdOf, entryIdOf, footprintOf, indexKeyOf, keyRef,
  leafOf, nonceLeafOf, nonceUntil, put, remove, signTransaction, signTransactions, toCommand, type Before, type Change, type DatabaseMetadata, type EntryRef,
  type KeyRef, type Mutation, type SignedTransaction,
} from '../../protocol/rows/index.ts';
import {
  applyDdl, emptySchema, findTable, keyOf, parseDdl, rowFrom, schemaEffects, trimRow, type Row, type Schema,
} from '../../protocol/schema/index.ts';
import { createTree } from '../../protocol/state-tree/index.ts';
import {
  bytesOf, compareHex, concatBytes, ZERO_HASH, type BlockHash, type Command, type DatabaseId, type EntryId, type GroupId, type Hash32, type Item, type Path,
  type Timestamp,
} from '../../protocol/types/index.ts';
import type { AppliedBlock, AppliedEntry, ChainPosition, StateCommitment } from '../../node/ports/index.ts';

export const group = `0x${'67'.repeat(32)}` as GroupId;
export const domain: Domain = { chainId: 31337n, verifyingContract: `0x${'11'.repeat(20)}` as Domain['verifyingContract'] };
export const genesis: ChainPosition = {
  epoch: 1n, height: 0n, blockHash: ZERO_HASH as BlockHash, closeTs: 0n as Timestamp,
};
export const at = (ms: number): Timestamp => timestampOf(ms, 0, 0);

const compareTs = (a: Timestamp, b: Timestamp): number => (a < b ? -1 : a > b ? 1 : 0);

/** A key as the reference remembers it. */
interface Known { readonly ref: KeyRef; readonly by: EntryRef; readonly content: Row | null; readonly hash: Hash32 }
interface Event {
  readonly by: EntryRef; readonly path: Path; readonly hash: Hash32 | null; readonly notAfter?: Timestamp; readonly change?: Change;
}
export interface Made { readonly tx: SignedTransaction; readonly command: Command; readonly entry: AppliedEntry }

/**
 * Writers, transactions and blocks, and a reference of the state they make: plain maps, folded from the
 * protocol's rules without any storage.
 */
export class World {
  readonly key: Uint8Array;
  readonly metadata: DatabaseMetadata;
  readonly database: DatabaseId;
  schema: Schema = emptySchema;
  height = 0n;
  #nonce = 0n;
  readonly keys = new Map<Path, Known>();
  readonly #events: Event[] = [];
  readonly #applied: EntryRef[] = [];

  constructor(seed = 1, owner = seed) {
    this.key = privateKeyOf(owner);
    this.metadata = {
      description: `db ${seed}`, owner: addressOf(this.key), writers: { kind: 'owner' }, schemaPolicy: 'owner', readerKeys: '', createdMs: 1n, group,
    };
    this.database = databaseIdOf(this.metadata);
  }

  /** Creates the database with these tables. */
  create(ddl: readonly string[], ms: number): Made {
    const schema = applyDdl(emptySchema, ddl.map(parseDdl));
    return this.write([createDatabase(this.metadata), changeSchema(schema)], ms);
  }

  ddl(statements: readonly string[], ms: number): Made {
    return this.write([changeSchema(applyDdl(this.schema, statements.map(parseDdl)))], ms);
  }

  put(table: string, values: Record<string, unknown>, ms: number): Made {
    return this.write([this.putOf(table, values)], ms);
  }

  putOf(table: string, values: Record<string, unknown>): Mutation {
    const definition = findTable(this.schema, table);
    if (definition === undefined) throw new Error(`no table ${table}`);
    const row = trimRow(definition, rowFrom(definition, values));
    return put(table, keyOf(definition, row), row);
  }

  remove(table: string, key: Row, ms: number): Made {
    return this.write([remove(table, key)], ms);
  }

  /** A valid transaction on the reference state, executed there at `ms`. */
  write(mutations: readonly Mutation[], ms: number, notAfter: Timestamp = MAX_TIMESTAMP): Made {
    const made = this.sign(mutations, at(ms), notAfter);
    this.#execute(made, 'applied');
    return { ...made, entry: { ...made.entry, outcome: 'applied' } };
  }

  /** The same, but it lost a conflict: only its nonce is consumed. */
  abort(mutations: readonly Mutation[], ms: number, notAfter: Timestamp = MAX_TIMESTAMP): Made {
    const made = this.sign(mutations, at(ms), notAfter);
    this.#execute(made, 'aborted');
    return { ...made, entry: { ...made.entry, outcome: 'aborted' } };
  }

  /** Signed on the reference state, not executed. */
  sign(mutations: readonly Mutation[], ts: Timestamp, notAfter: Timestamp = MAX_TIMESTAMP, mark: readonly Item[] = []): Made {
    const { database, schema } = this;
    const nonce = this.#nonce++;
    const writer = addressOf(this.key);
    const rows = footprintOf({ schema, database, writer, nonce, mutations, before: this.before() });
    const items = [...rows, ...mark].toSorted((a, b) => compareHex(a.path, b.path));
    const draft = buildTransaction({
      database, writer, nonce, schemaVersion: schema.version, snapshot: 0n as Timestamp, notAfter, mutations, items, backpointers: [],
    });
    // every other one shares its signature: to a ledger both are the same
    const tx = nonce % 2n === 0n ? signTransaction(domain, draft, this.key) : signTransactions(domain, [draft, draft, draft], this.key)[2] as SignedTransaction;
    const command = toCommand(domain, tx);
    const entryId = entryIdOf(command.id, ts, command.footprintRoot);
    return { tx, command, entry: { entryId, ts, command, outcome: 'applied' } };
  }

  before(): Before {
    return {
      versionOf: ({ path }) => this.keys.get(path)?.by.entryId ?? (ZERO_HASH as EntryId),
      contentOf: ({ path }) => this.keys.get(path)?.content ?? undefined,
    };
  }

  block(made: readonly Made[], closeMs: number): AppliedBlock {
    this.height += 1n;
    const encoded = new TextEncoder().encode(`block ${this.height}`);
    const entries = made.map(({ entry }) => entry);
    return { epoch: 1n, height: this.height, blockHash: sha256Hex(encoded) as BlockHash, closeTs: at(closeMs), entries, encoded };
  }

  /** What a checkpoint at the closed timestamp commits to. */
  commitment(closeMs: number): StateCommitment {
    return commitmentOf([this], at(closeMs));
  }

  /** What the state tree and the capsule take in, in the order of execution. */
  get made(): { readonly events: readonly Event[]; readonly applied: readonly EntryRef[] } {
    return { events: this.#events, applied: this.#applied };
  }

  /** Rows of a table as of a moment, full width, by key. */
  rowsAt(table: string, ms: number): Row[] {
    const rows = new Map<Path, Row>();
    for (const { by, path, change } of ordered(this.#events)) {
      if (by.ts > at(ms) || change === undefined || change.ref.table !== table || change.ref.index !== '') continue;
      if (change.content === null) rows.delete(path);
      else rows.set(path, change.content);
    }
    return [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }

  #execute({ tx, entry }: Made, outcome: 'applied' | 'aborted'): void {
    const by = { entryId: entry.entryId, ts: entry.ts };
    if (outcome === 'applied') this.run(tx, by);
    this.consume(tx, by);
  }

  /** The effects of a transaction on rows. */
  run(tx: SignedTransaction, by: EntryRef): void {
    const changes = changesOf(this.schema, tx, this.before());
    const next = changedSchema(tx.body.mutations);
    const dropped = next === undefined ? [] : this.#droppedBy(next);
    for (const change of [...dropped, ...changes]) this.#set(change, by);
    if (next !== undefined) this.#enter(next, by);
    this.#applied.push(by);
  }

  consume(tx: SignedTransaction, by: EntryRef): void {
    const { path, rowHash } = nonceLeafOf(tx.header, by);
    this.note(by, path, rowHash as Hash32, nonceUntil(tx.header.notAfter as Timestamp));
  }

  /** Any other leaf; with `notAfter` one that expires. */
  note(by: EntryRef, path: Path, hash: Hash32, notAfter?: Timestamp): void {
    this.#events.push({ by, path, hash, ...(notAfter === undefined ? {} : { notAfter }) });
  }

  #set(change: Change, by: EntryRef): void {
    const { path, rowHash } = leafOf(change, by);
    this.#events.push({ by, path, hash: rowHash, change });
    if (rowHash === null) this.keys.delete(path);
    else this.keys.set(path, { ref: change.ref, by, content: change.content, hash: rowHash });
  }

  #droppedBy(next: Schema): Change[] {
    const { droppedTables, droppedIndexes } = schemaEffects(this.schema, next);
    const isDropped = ({ ref }: Known): boolean => droppedTables.some(({ name }) => name === ref.table)
      || droppedIndexes.some(({ table, index }) => table.name === ref.table && index.name === ref.index);
    return [...this.keys.values()].filter(isDropped).map(({ ref }) => ({ ref, content: null }));
  }

  #enter(next: Schema, by: EntryRef): void {
    const { createdIndexes } = schemaEffects(this.schema, next);
    this.schema = next;
    for (const { table, index } of createdIndexes) {
      const rows = [...this.keys.values()].filter(({ ref }) => ref.table === table.name && ref.index === '');
      for (const { content } of rows) {
        const ref = keyRef(this.database, table.name, index.name, indexKeyOf(table, index, content as Row).key);
        this.#set({ ref, content: keyOf(table, content as Row) }, by);
      }
    }
  }
}

/** The state of several databases of one group. */
export function commitmentOf(worlds: readonly World[], closeTs: Timestamp): StateCommitment {
  const leaves = new Map<Path, Hash32>();
  for (const { by, path, hash, notAfter } of ordered(worlds.flatMap(({ made }) => made.events))) {
    if (by.ts > closeTs) continue;
    if (hash === null || (notAfter !== undefined && notAfter < closeTs)) leaves.delete(path);
    else leaves.set(path, hash);
  }
  const sorted = [...leaves].map(([path, rowHash]) => ({ path, rowHash })).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const root = createTree().build(sorted);
  let capsuleHead: Hash32 = ZERO_HASH;
  const applied = worlds.flatMap(({ made }) => made.applied).filter(({ ts }) => ts <= closeTs);
  for (const { entryId } of applied.toSorted((a, b) => compareTs(a.ts, b.ts) || (a.entryId < b.entryId ? -1 : 1))) {
    capsuleHead = sha256Hex(concatBytes(bytesOf(capsuleHead), bytesOf(entryId)));
  }
  return { stateRoot: root.hash, rowCount: root.count, capsuleHead };
}

function ordered(events: readonly Event[]): readonly Event[] {
  return events.toSorted((a, b) => compareTs(a.by.ts, b.by.ts)); // stable: events of one entry stay in order
}
