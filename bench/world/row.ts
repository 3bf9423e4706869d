/** The row of every comparison: id, owner, time, 16 characters of name, 64 of payload; about 100 bytes. */
export const TABLE_SQL = 'CREATE TABLE item (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, ts INTEGER NOT NULL, name TEXT NOT NULL, payload TEXT NOT NULL)';
export const COLUMNS = ['id', 'owner', 'ts', 'name', 'payload'] as const;

export type BenchRow = {
  readonly id: number;
  readonly owner: number;
  readonly ts: number;
  readonly name: string;
  readonly payload: string;
};

const PAYLOAD = 'picolo benchmark payload '.repeat(3).slice(0, 64);

export function rowOf(id: number): BenchRow {
  return { id, owner: id % 1000, ts: 1_700_000_000_000 + id, name: `item ${String(id).padStart(11, '0')}`, payload: PAYLOAD };
}

/** Ids that no other process of the same bench uses. */
export function idsFrom(start: number): () => number {
  let next = start;
  return () => next++;
}
