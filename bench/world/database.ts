import { join } from 'node:path';
import { Wallet } from 'ethers';
import { projectRoot } from '../../cli/devnet/processes.ts';
import { connect } from '../../sdk/index.ts';
import { progress } from '../report.ts';
import type { BenchNetwork } from './network.ts';
import { rowOf, TABLE_SQL } from './row.ts';

/** A database anybody may write to, with rows 0 … `rows` - 1 in its one table. */
export async function benchDatabase({ apis, key, group }: BenchNetwork, name: string, rows = 0): Promise<string> {
  const picolo = await connect(apis[0] as string, { key });
  const db = await picolo.createDatabase({ group, name, writers: 'any', schema: TABLE_SQL });
  if (rows > 0) progress(`${rows} rows are stored`);
  if (rows > 0) await db.table('item').insertMany(Array.from({ length: rows }, (_, id) => rowOf(id)), { batchRows: 200 });
  return db.id;
}

export const clientKeys = (count: number): string[] => Array.from({ length: count }, () => Wallet.createRandom().privateKey);

/** Rows of a database are certified within a second; reads begin after that. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3_000));

/** On the same disk as the replicas. */
export const sqliteFile = join(projectRoot, '.picolo/bench-sqlite/floor.sqlite');
