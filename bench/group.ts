/**
 * What does a commit cost a replica in CPU time, when links, disks and waiting cost nothing? Four replicas in this process, time
 * by hand, so the figures hardly depend on what else the machine does.
 *
 *   npm run bench -- group
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadNativeCrypto } from '../node/crypto/index.ts';
import { addressOf, installCrypto, recoverSigner, signDigest } from '../protocol/crypto/index.ts';
import { timestampOf } from '../protocol/hlc/index.ts';
import { limits } from '../protocol/limits/index.ts';
import {
  buildTransaction, changeSchema, createDatabase, databaseIdOf, decodeTransaction, footprintOf, put, schemaPath, signTransaction, signTransactions, toCommand,
  verifyTransaction, type Mutation, type TransactionDraft,
} from '../protocol/rows/index.ts';
import { emptySchema, keyOf, rowFrom, schemaOf, type Table } from '../protocol/schema/index.ts';
import { ZERO_HASH, type Address, type Command, type DatabaseId, type Digest, type EntryId, type Timestamp } from '../protocol/types/index.ts';
import { round } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { ratio, type Figure } from './report.ts';
import { domain, group, LocalGroup, secretOf } from './world/group.ts';
import { idsFrom, rowOf, TABLE_SQL } from './world/row.ts';

export const question = 'Replica CPU per commit: four replicas in one process, time by hand';

const CLIENTS = [1, 16, 64, 256];
const ROWS = [1, 100];
/** 'each': every client signs with a key of its own. 'batch': all are one process that signs what it commits at once together. */
const SIGNATURES = ['each', 'batch'] as const;
type Signatures = (typeof SIGNATURES)[number];
const REPLICAS = 4;
const MOST = limits.transactionsPerSignature;
const SWEEP_MS = 500;
const schema = schemaOf([TABLE_SQL]);
const table = schema.tables[0] as Table;
const nextId = idsFrom(1);
const nextNonce = idsFrom(1);

export async function run(options: BenchOptions): Promise<readonly Figure[]> {
  const before = installCrypto(await loadNativeCrypto());
  const folder = mkdtempSync(join(tmpdir(), 'picolo-group-'));
  const world = new LocalGroup(folder);
  try {
    await world.pass(600);
    const home = await createHome(world);
    await world.pass(1_500);
    const verifyUs = oneVerificationUs();
    const figures: Figure[] = [{ ...await idle(world), ...noCommits }];
    for (const rows of options.rows ?? ROWS) {
      for (const clients of options.clients ?? CLIENTS) {
        for (const signatures of SIGNATURES) {
          if (signatures === 'batch' && clients === 1) continue; // one transaction at a time has nothing to share
          figures.push(await measure(world, home, { rows, clients, signatures, quick: options.quick, verifyUs }));
        }
      }
    }
    return figures;
  } finally {
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
    installCrypto(before);
  }
}

interface Home {
  readonly database: DatabaseId;
  readonly schemaVersion: EntryId;
}

const noCommits = {
  signatures: null, check_us: null, rows: 0, commits: 0, fast_share: null, us_per_commit: null, us_per_row: null, in_verifications: null, rounds_ms: null,
};

/** CPU of all replicas per second in which nobody asks for anything. */
async function idle(world: LocalGroup): Promise<Figure> {
  const used = await cpuUs(() => world.pass(3_000));
  return { clients: 0, idle_cores: round(used / 3_000_000) };
}

async function measure(
  world: LocalGroup, home: Home,
  { rows, clients, signatures, quick, verifyUs }: { rows: number; clients: number; signatures: Signatures; quick: boolean; verifyUs: number },
): Promise<Figure> {
  const turns = Math.min(200, Math.max(4, Math.ceil((quick ? 1_000 : 4_000) / clients / (rows === 1 ? 1 : 10))));
  const waves = Array.from({ length: turns }, () => waveOf(home, { rows, clients, signatures, nowMs: world.clock.nowMs() }));
  const checkUs = checkOf(waves[0] ?? []);
  await world.decide(waves.shift() ?? []);
  let fast = 0;
  const startedMs = world.clock.nowMs() + SWEEP_MS;
  const used = await cpuUs(async () => {
    for (const wave of waves) for (const reply of await world.decide(wave)) if (reply.kind === 'receipt' && reply.receipt.kind === 'fast') fast += 1;
    await world.pass(SWEEP_MS); // the last ones are in the ledgers too
  });
  const commits = waves.length * clients;
  const perCommit = used / commits / REPLICAS;
  return {
    clients, idle_cores: null, signatures, check_us: checkUs, rows, commits, fast_share: ratio(fast, commits), us_per_commit: round(perCommit),
    us_per_row: round(perCommit / rows),
    in_verifications: ratio(perCommit, verifyUs), rounds_ms: round((world.clock.nowMs() - startedMs) / waves.length),
  };
}

async function createHome(world: LocalGroup): Promise<Home> {
  const key = secretOf(0);
  const writer = addressOf(key);
  const metadata = { description: 'group bench', owner: writer, writers: { kind: 'any' }, schemaPolicy: 'owner', readerKeys: '', createdMs: 1n, group } as const;
  const database = databaseIdOf(metadata);
  const mutations = [createDatabase(metadata), changeSchema(schema)];
  const draft = draftOf({ database, key, schemaVersion: ZERO_HASH as EntryId, mutations, nowMs: world.clock.nowMs() });
  const [reply] = await world.decide([toCommand(domain, signTransaction(domain, draft, key))]);
  if (reply?.kind !== 'receipt') throw new Error(`the database was not made: ${JSON.stringify(reply)}`);
  return { database, schemaVersion: reply.receipt.entry };
}

/** One transaction of each client. */
function waveOf(home: Home, { rows, clients, signatures, nowMs }: { rows: number; clients: number; signatures: Signatures; nowMs: number }): Command[] {
  const writerOf = (client: number): Uint8Array => secretOf(signatures === 'batch' ? 0 : client);
  const drafts = Array.from({ length: clients }, (_, i) => insertOf(home, rows, writerOf(i), nowMs));
  const signed = signatures === 'each'
    ? drafts.map((draft, i) => signTransaction(domain, draft, writerOf(i)))
    : Array.from({ length: Math.ceil(clients / MOST) }, (_, i) => signTransactions(domain, drafts.slice(i * MOST, (i + 1) * MOST), writerOf(0))).flat();
  return signed.map((tx) => toCommand(domain, tx));
}

function insertOf({ database, schemaVersion }: Home, rows: number, key: Uint8Array, nowMs: number): TransactionDraft {
  const mutations = Array.from({ length: rows }, () => {
    const row = rowFrom(table, rowOf(nextId()));
    return put(table.name, keyOf(table, row), row);
  });
  return draftOf({ database, key, schemaVersion, mutations, nowMs });
}

function draftOf({ database, key, schemaVersion, mutations, nowMs }: {
  database: DatabaseId; key: Uint8Array; schemaVersion: EntryId; mutations: readonly Mutation[]; nowMs: number;
}): TransactionDraft {
  const made = schemaVersion === ZERO_HASH ? emptySchema : schema;
  const before = { versionOf: ({ path }: { path: string }) => (path === schemaPath(database) ? schemaVersion : ZERO_HASH) as EntryId, contentOf: () => undefined };
  const input = { schema: made, database, writer: addressOf(key) as Address, nonce: BigInt(nextNonce()), mutations };
  return buildTransaction({
    database, writer: input.writer, nonce: input.nonce, mutations, schemaVersion: made.version, snapshot: 0n as Timestamp,
    notAfter: timestampOf(nowMs + 25_000, 0, 0), items: footprintOf({ ...input, before }), backpointers: [],
  });
}

/** What one replica spends on a transaction's roots and signature when it meets them: all that the way of signing changes. The best of several. */
function checkOf(wave: readonly Command[]): number {
  const transactions = wave.map(({ bytes }) => ({ tx: decodeTransaction(bytes), size: bytes.length }));
  const times = Math.ceil(2_000 / wave.length);
  const samples = Array.from({ length: 7 }, () => {
    const start = process.cpuUsage();
    for (let i = 0; i < times; i++) {
      const own = { ...domain }; // nothing is remembered under it
      for (const { tx, size } of transactions) verifyTransaction(own, tx, size);
    }
    const { user, system } = process.cpuUsage(start);
    return (user + system) / times / wave.length;
  });
  return round(Math.min(...samples));
}

/** The unit that two machines share: one secp256k1 recovery. */
function oneVerificationUs(): number {
  const digest = `0x${'11'.repeat(32)}` as Digest;
  const signature = signDigest(digest, secretOf(0));
  const times = 2_000;
  const start = process.cpuUsage();
  for (let i = 0; i < times; i++) recoverSigner(digest, signature);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / times;
}

async function cpuUs(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}
