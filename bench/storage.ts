/**
 * What does a committed row cost in the ledger, a read with its proof, and a query of a stranger? Blocks of
 * one-row and of 100-row transactions; CPU time of this thread and of the SQL child.
 *
 *   npm run bench -- storage
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import DatabaseConstructor from 'better-sqlite3';
import { loadNativeCrypto } from '../node/crypto/index.ts';
import { openLedger, openSqlPool, type SqlLedger } from '../node/storage/index.ts';
import { installCrypto } from '../protocol/crypto/index.ts';
import { pathOf, type Mutation } from '../protocol/rows/index.ts';
import { round } from './measure.ts';
import { ratio, type Figure } from './report.ts';
import { domain, genesis, group, World, type Made } from '../test/conformance/ledger-world.ts';

export interface StorageResult {
  readonly what: string;
  readonly usPerOp: number;
  readonly ops: number;
}

const ROWS = 20_000;
const READS = 5_000;
const QUERIES = 500;
const PAYLOAD = 'x'.repeat(80);

export const question = 'Ledger: microseconds of CPU per row, against the same row in a bare SQLite table';

export async function run({ quick }: { readonly quick: boolean }): Promise<readonly Figure[]> {
  const rows = quick ? ROWS / 4 : ROWS;
  const before = installCrypto(await loadNativeCrypto());
  const folder = mkdtempSync(join(tmpdir(), 'picolo-bench-'));
  try {
    const results = [...measureWrites(join(folder, 'single'), rows / 10, 1), ...measureWrites(join(folder, 'batch'), rows, 100)];
    results.push(...(await measureQueries(join(folder, 'batch'))));
    const bare = bareUs(join(folder, 'bare.sqlite'), rows);
    return results.map(({ what, usPerOp, ops }) => ({ what, us_per_op: round(usPerOp), ops, ratio_to_bare_insert: ratio(usPerOp, bare) }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
    installCrypto(before);
  }
}

/** The same row, fifty to a transaction, in SQLite alone. */
function bareUs(file: string, rows: number): number {
  const db = new DatabaseConstructor(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, body TEXT, n INTEGER)');
  const insert = db.prepare('INSERT INTO item VALUES (?, ?, ?)');
  const some = db.transaction((from: number) => {
    for (let id = from; id < from + 50; id++) insert.run(id, PAYLOAD, 1);
  });
  const { usPerOp } = timed('', rows, () => {
    for (let id = 0; id < rows; id += 50) some(id);
  });
  db.close();
  return usPerOp;
}

function measureWrites(folder: string, rows: number, rowsPerTransaction: number): StorageResult[] {
  const world = new World();
  const ledger = open(folder);
  ledger.apply(world.block([world.create(['CREATE TABLE item (id INTEGER PRIMARY KEY, body TEXT, n INTEGER)'], 1)], 1));
  const kind = `${rowsPerTransaction} rows per transaction`;
  const insert = write(world, ledger, rows, rowsPerTransaction, 1, `insert, ${kind}`);
  const update = write(world, ledger, rows, rowsPerTransaction, 2, `update, ${kind}`);
  const reads = read(world, ledger, Math.min(READS, rows), rows);
  ledger.close();
  const bytes = statSync(join(folder, 'group.sqlite')).size / rows;
  console.log(`${kind}: ${bytes.toFixed(0)} bytes per 100-byte row on disk, one superseded version included`);
  const reopened = timed('open, per leaf', rows, () => open(folder).close());
  return [...insert, ...update, reads, reopened];
}

/** Blocks of up to 250 entries, a checkpoint after each 10. */
function write(world: World, ledger: SqlLedger, rows: number, perTransaction: number, version: number, what: string): StorageResult[] {
  const blocks: Made[][] = [];
  let ms = Number(world.height) * 1000 + 10;
  for (let id = 0; id < rows;) {
    const block: Made[] = [];
    for (; block.length < 50 && id < rows;) {
      const mutations: Mutation[] = [];
      for (; mutations.length < perTransaction && id < rows; id++) mutations.push(world.putOf('item', { id, body: PAYLOAD, n: version }));
      block.push(world.write(mutations, ms++));
    }
    blocks.push(block);
  }
  const commands = blocks.flat().map(({ command }) => command);
  const check = timed(`check, ${what}`, rows, () => commands.forEach((command) => ledger.check(command, () => undefined)));
  const applied = blocks.map((block) => world.block(block, ms));
  const apply = timed(what, rows, () => applied.forEach((block) => ledger.apply(block)));
  const commit = timed(`checkpoint after ${what}`, rows, () => {
    ledger.commitment(world.height);
    ledger.certify(world.height, new Uint8Array(100));
  });
  return [check, apply, commit];
}

function read(world: World, ledger: SqlLedger, count: number, rows: number): StorageResult {
  return timed('read one row with its proof', count, () => {
    for (let i = 0; i < count; i++) ledger.readAt(world.height, pathOf(world.database, 'item', '', [BigInt((i * 7919) % rows)]));
  });
}

async function measureQueries(folder: string): Promise<StorageResult[]> {
  const world = new World();
  const pool = openSqlPool({ path: join(folder, 'group.sqlite'), workers: 1 });
  const out: StorageResult[] = [];
  const queries = { 'point query': 'SELECT * FROM item WHERE id = 777', 'aggregate over the table': 'SELECT count(*), sum(n) FROM item' };
  for (const [what, sql] of Object.entries(queries)) {
    await pool.query({ database: world.database, sql });
    const startMs = performance.now();
    for (let i = 0; i < QUERIES; i++) await pool.query({ database: world.database, sql });
    out.push({ what: `SQL: ${what}, one client`, usPerOp: ((performance.now() - startMs) * 1000) / QUERIES, ops: QUERIES });
  }
  await pool.close();
  return out;
}

function open(folder: string): SqlLedger {
  return openLedger({ path: join(folder, 'group.sqlite'), group, domain, genesis });
}

function timed(what: string, ops: number, action: () => void): StorageResult {
  const start = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(start);
  return { what, usPerOp: (user + system) / ops, ops };
}
