import { encode, type Scalar } from '../protocol/codec/index.ts';
import { isPicoloError } from '../protocol/errors/index.ts';
import { limits } from '../protocol/limits/index.ts';
import { compareKeys, mutationC, pathOf, pathRange, put } from '../protocol/rows/index.ts';
import { findIndex, keyOf, recordOf, rowFrom, type Column, type Row as StoredValues, type Table } from '../protocol/schema/index.ts';
import type { Address } from '../protocol/types/index.ts';
import { sdkFaults } from './errors.ts';
import { provenanceOf, rangeProven, readProven, type Standing, type Truth } from './read/proven.ts';
import { provenResult, type Result } from './result.ts';
import { valueOf, type Row } from './sql/values.ts';
import { commit, type Writing } from './write/commit.ts';
import { Draft } from './write/draft.ts';
import { withId } from './write/insert.ts';
import { keyFrom, prefixFrom } from './write/keys.ts';
import type { Receipt } from './write/receipt.ts';

/** A row proven by key: found, or proven to be absent, at a certified checkpoint. */
export interface PointRead {
  readonly row: Row | null;
  readonly assurance: 'proof';
  readonly checkpoint: Standing;
  /** Tree proof, signed answer and position, as verified. */
  readonly proof: Truth;
  /** Whose signature the row carries; null for an absent row, or when the nodes no longer keep it. */
  readonly writer: Address | null;
}

export interface RangeOptions {
  /** Most rows to return; `complete` of the result says whether there are more. */
  readonly limit?: number;
  /** Range over an index: rows then hold the indexed columns and the primary key. */
  readonly index?: string;
}

export interface BulkOptions {
  /** Rows per signed transaction. */
  readonly batchRows?: number;
  /** Transactions on their way at once. */
  readonly concurrency?: number;
  /** Called after every acknowledged transaction. */
  readonly onProgress?: (done: { readonly rows: number; readonly transactions: number }) => void;
  /** 'replace' overwrites rows that exist; 'fail' is SDK_ALREADY_EXISTS. */
  readonly onConflict?: 'fail' | 'replace';
}

const DEFAULT_BATCH_ROWS = 200;
const DEFAULT_CONCURRENCY = 4;
/** Room for header, footprint and encoding beside the rows of a transaction. */
const MUTATION_SHARE = 0.4;

type Values = Readonly<Record<string, unknown>>;

/** One table: rows by key, proven on the way out and signed on the way in. */
export class TableHandle {
  private readonly writing: Writing;
  private readonly name: string;

  constructor(writing: Writing, name: string) {
    this.writing = writing;
    this.name = name;
  }

  /** Proven present or absent (T-3.2-inclusion, T-3.2-absence). */
  async get(key: unknown): Promise<PointRead> {
    const { client, home, own } = this.writing;
    const table = await this.table();
    const path = pathOf(home.database, table.name, '', keyFrom(table, key));
    const { truths, at } = await readProven(client, home, [path], { minTimestamp: own.bookmark, provenance: true });
    const [proof] = truths;
    if (proof === undefined || at === undefined) throw sdkFaults.badReply({ reason: 'no answer for the key' });
    const row = proof.kind === 'present' && proof.row.values !== null ? this.record(table, proof.row.values) : null;
    return { row, assurance: 'proof', checkpoint: at, proof, writer: this.writerOf(proof) };
  }

  /**
   * All rows whose key lies between two bounds (inclusive; prefixes of composite keys count), proven complete: none altered, none
   * left out. In key order.
   */
  async range(from?: unknown, to?: unknown, options: RangeOptions = {}): Promise<Result & { readonly complete: boolean }> {
    const { client, home, own } = this.writing;
    const table = await this.table();
    const { columns, index } = this.keyColumns(table, options.index);
    const [low, high] = [prefixFrom(table, columns, from), prefixFrom(table, columns, to)];
    const bounds = pathRange(home.database, table.name, index, low, high);
    const asked = { minTimestamp: own.bookmark, limit: options.limit ?? Number.MAX_SAFE_INTEGER };
    const found = await rangeProven(client, home, bounds.first, bounds.last, asked);
    const inside = found.rows.filter(({ path, row }) =>
      path === pathOf(home.database, table.name, index, row.key) && isWithin(row.key, low, high));
    const rows = inside.toSorted((a, b) => compareKeys(a.row.key, b.row.key))
      .map(({ row }) => (index === '' ? this.record(table, row.values ?? []) : this.entry(table, columns, row.key, row.values ?? [])));
    const names = index === '' ? table.columns.map(({ name }) => name) : Object.keys(rows[0] ?? {});
    return Object.defineProperty(provenResult(rows, names, found.at), 'complete', { value: found.complete }) as Result & { readonly complete: boolean };
  }

  /** Number of rows, proven by the counts in the state tree without reading any (architecture §3). */
  async count(): Promise<{ readonly rows: bigint; readonly assurance: 'proof'; readonly checkpoint: Standing }> {
    const { client, home, own } = this.writing;
    const { first, last } = pathRange(home.database, (await this.table()).name, '');
    const { truths, at } = await readProven(client, home, [first, last], { minTimestamp: own.bookmark });
    const [low, high] = truths;
    if (low === undefined || high === undefined || at === undefined) throw sdkFaults.badReply({ reason: 'no answer for the bounds' });
    return { rows: high.rank + (high.kind === 'present' ? 1n : 0n) - low.rank, assurance: 'proof', checkpoint: at };
  }

  /** The primary key of a row, as the scalars that are stored and signed. */
  async keyIn(row: Values): Promise<readonly Scalar[]> {
    const table = await this.table();
    return keyFrom(table, Object.fromEntries(table.primaryKey.map((at) => [table.columns[at]?.name ?? '', row[table.columns[at]?.name ?? '']])));
  }

  /** Adds one row; an INTEGER key that is left out is chosen at random. Returns the row as stored. */
  async insert(values: Values): Promise<{ readonly row: Row; readonly receipt: Receipt | undefined }> {
    const table = await this.table();
    const row = rowFrom(table, withId(table, values));
    const receipt = await this.write((draft) => draft.insert(table, row));
    return { row: this.record(table, row), receipt };
  }

  /** The row is this afterwards, whether it existed or not. */
  async put(values: Values): Promise<Receipt | undefined> {
    const table = await this.table();
    const row = rowFrom(table, values);
    return this.write((draft) => draft.put(table, row));
  }

  /** Removes a row; false when there was none. */
  async remove(key: unknown): Promise<boolean> {
    const table = await this.table();
    const scalars = keyFrom(table, key);
    const { value } = await commit(this.writing, async (known) => {
      const draft = new Draft(this.writing.home.database);
      const path = draft.path(table, scalars);
      await known.fetch([path], [path]);
      const exists = known.contentAt(path) !== undefined;
      if (exists) draft.remove(table, scalars);
      return { draft, value: exists };
    });
    return value;
  }

  /**
   * Loads many rows, a few hundred per signed transaction and several transactions at once (users of peers ask for automatic
   * batching: statement limits, minutes for small imports). Stops at the first failure.
   */
  async insertMany(rows: Iterable<Values> | AsyncIterable<Values>, options: BulkOptions = {}): Promise<{ rows: number; transactions: number }> {
    const table = await this.table();
    const done = { rows: 0, transactions: 0 };
    const batches = batchesOf(table, rows, Math.min(options.batchRows ?? DEFAULT_BATCH_ROWS, limits.mutationsPerTransaction));
    const workers = Array.from({ length: Math.max(1, options.concurrency ?? DEFAULT_CONCURRENCY) }, async () => {
      for (let next = await batches.next(); next.done !== true; next = await batches.next()) {
        const batch: readonly StoredValues[] = next.value;
        await this.load(table, batch, options, done);
      }
    });
    await Promise.all(workers);
    return done;
  }

  /** One batch as one transaction; one that is too heavy for the group right now goes in halves. */
  private async load(table: Table, batch: readonly StoredValues[], options: BulkOptions, done: { rows: number; transactions: number }): Promise<void> {
    try {
      await this.write((draft) => batch.forEach((row) => (options.onConflict === 'replace' ? draft.put(table, row) : draft.insert(table, row))));
    } catch (error) {
      if (!isPicoloError(error) || error.code !== 'SDK_NOT_ORDERED' || batch.length === 1) throw error;
      const half = Math.ceil(batch.length / 2);
      await this.load(table, batch.slice(0, half), options, done);
      return this.load(table, batch.slice(half), options, done);
    }
    done.rows += batch.length;
    done.transactions += 1;
    options.onProgress?.({ ...done });
  }

  /** A certified row that its writer did not sign: the whole group colludes, so the row is refused. */
  private writerOf(proof: Truth): Address | null {
    const { client } = this.writing;
    const provenance = proof.kind === 'present' ? provenanceOf(client, proof.certified, proof) : null;
    if (provenance === null) return null;
    return 'lie' in provenance ? client.accuse(provenance.lie) : provenance.row.writer;
  }

  private async write(fill: (draft: Draft) => void): Promise<Receipt | undefined> {
    const { receipt } = await commit(this.writing, async () => {
      const draft = new Draft(this.writing.home.database);
      fill(draft);
      return { draft, value: undefined };
    });
    return receipt;
  }

  private table(): Promise<Table> {
    const { home } = this.writing;
    return home.knowing(async () => home.table(this.name));
  }

  private record(table: Table, row: StoredValues): Row {
    const { integers } = this.writing.client;
    return Object.fromEntries(Object.entries(recordOf(table, row)).map(([name, value]) => [name, valueOf(value, integers)]));
  }

  private keyColumns(table: Table, name: string | undefined): { columns: readonly Column[]; index: string } {
    const at = (positions: readonly number[]): Column[] => positions.map((position) => table.columns[position] as Column);
    if (name === undefined) return { columns: at(table.primaryKey), index: '' };
    const found = findIndex(this.writing.home.current.schema, name);
    if (found === undefined || found.table.name !== table.name) throw sdkFaults.unknownColumn({ table: table.name, index: name.slice(0, 80) });
    return { columns: at(found.index.columns), index: found.index.name };
  }

  /** What an index entry knows of its row: the indexed values and the primary key. */
  private entry(table: Table, columns: readonly Column[], key: readonly Scalar[], primary: readonly Scalar[]): Row {
    const { integers } = this.writing.client;
    const pairs = [
      ...columns.map(({ name }, i): [string, Scalar] => [name, key[i] ?? null]),
      ...table.primaryKey.map((position, i): [string, Scalar] => [table.columns[position]?.name ?? '', primary[i] ?? null]),
    ];
    return Object.fromEntries(pairs.map(([name, value]) => [name, valueOf(value, integers)]));
  }
}

function isWithin(key: readonly Scalar[], low: readonly Scalar[], high: readonly Scalar[]): boolean {
  return compareKeys(key.slice(0, low.length), low) >= 0 && compareKeys(key.slice(0, high.length), high) <= 0;
}

/** Rows in groups that fit a transaction, by number and by bytes. Shared by all workers. */
async function* batchesOf(table: Table, rows: Iterable<Values> | AsyncIterable<Values>, most: number): AsyncGenerator<readonly StoredValues[]> {
  let batch: StoredValues[] = [];
  let bytes = 0;
  for await (const values of rows) {
    const row = rowFrom(table, withId(table, values));
    const size = encode(mutationC, put(table.name, keyOf(table, row), row)).length;
    if (batch.length > 0 && (batch.length >= most || bytes + size > limits.transactionBytes * MUTATION_SHARE)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

