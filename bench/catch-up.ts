/**
 * How fast does an empty replica take over a certified state? A ledger serves chunks, another one verifies, stages and installs them, both in
 * this process: microseconds of CPU per row and the rows per second that one core would make of them.
 *
 *   npm run bench -- catch-up
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadNativeCrypto } from '../node/crypto/index.ts';
import type { SnapshotChunk } from '../node/ports/index.ts';
import { openLedger, type SqlLedger } from '../node/storage/index.ts';
import { installCrypto } from '../protocol/crypto/index.ts';
import { limits } from '../protocol/limits/index.ts';
import type { Mutation } from '../protocol/rows/index.ts';
import type { Path } from '../protocol/types/index.ts';
import { at, domain, genesis, group, World } from '../test/conformance/ledger-world.ts';
import { round } from './measure.ts';
import type { BenchOptions } from './options.ts';
import type { Figure } from './report.ts';
import { rowOf, TABLE_SQL } from './world/row.ts';

export const question = 'Catch-up of an empty replica from a snapshot: CPU per row of about 100 bytes';

const ROWS = 100_000;
const PER_BLOCK = 20;

export async function run({ quick, rows: perTransaction = [1, 100] }: BenchOptions): Promise<readonly Figure[]> {
  const before = installCrypto(await loadNativeCrypto());
  try {
    // one signature for each row is the dearest there is: fewer rows say as much
    return perTransaction.map((each) => measure(each, (quick ? ROWS / 10 : ROWS) / (each === 1 ? 10 : 1)));
  } finally {
    installCrypto(before);
  }
}

function measure(perTransaction: number, rows: number): Figure {
  const folder = mkdtempSync(join(tmpdir(), 'picolo-catch-up-'));
  const source = open(join(folder, 'source.sqlite'));
  const target = open(join(folder, 'target.sqlite'));
  try {
    fill(source, rows, perTransaction);
    const { height, closeTs, blockHash, epoch } = source.position();
    const commitment = source.commitment(height);
    const certificate = new Uint8Array(500);
    source.certify(height, certificate);
    const chunks: { readonly from: Path | null; readonly chunk: SnapshotChunk }[] = [];
    const serve = cpuUs(() => {
      for (let from: Path | null = null, more = true; more;) {
        const chunk = source.exportChunk(height, from, limits.snapshotChunkBytes);
        chunks.push({ from, chunk });
        from = chunk.next;
        more = chunk.next !== null;
      }
    });
    const verify = cpuUs(() => {
      for (const { from, chunk } of chunks) target.importChunk(height, commitment.stateRoot, from, chunk);
    });
    const install = cpuUs(() => target.installSnapshot({ epoch, height, blockHash, closeTs }, commitment, certificate));
    const bytes = chunks.reduce((sum, { chunk }) => sum + chunk.bytes.length, 0);
    return {
      rows_per_transaction: perTransaction, rows, leaves: Number(commitment.rowCount), chunks: chunks.length, bytes_per_row: round(bytes / rows),
      serve_us_per_row: round(serve / rows), verify_us_per_row: round(verify / rows), install_us_per_row: round(install / rows),
      rows_per_core_second: Math.round(1_000_000 / ((verify + install) / rows)),
    };
  } finally {
    source.close();
    target.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function open(path: string): SqlLedger {
  return openLedger({ path, group, domain, genesis });
}

function fill(ledger: SqlLedger, rows: number, perTransaction: number): void {
  const world = new World();
  ledger.apply(world.block([world.create([TABLE_SQL], 1)], 1));
  let ms = 10;
  for (let id = 0; id < rows;) {
    const made = Array.from({ length: PER_BLOCK }, () => {
      const mutations: Mutation[] = [];
      for (; mutations.length < perTransaction && id < rows; id++) mutations.push(world.putOf('item', { ...rowOf(id) }));
      return mutations;
    }).filter((mutations) => mutations.length > 0).map((mutations) => world.write(mutations, ms++, at(10_000_000)));
    ledger.apply(world.block(made, ms));
  }
}

function cpuUs(action: () => void): number {
  const start = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}
