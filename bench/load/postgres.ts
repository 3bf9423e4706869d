/** Load generator for PostgreSQL: N clients, each with its own connection and one prepared INSERT. Takes a `PeerJob`, prints JSON. */
import pg from 'pg';
import { closedLoop } from '../measure.ts';
import { COLUMNS, idsFrom, rowOf } from '../world/row.ts';
import type { PeerJob } from './run.ts';

const job = JSON.parse(process.argv[2] ?? '{}') as PeerJob;
const clients = Array.from({ length: job.load.clients }, () => new pg.Client({ connectionString: job.address }));
await Promise.all(clients.map((client) => client.connect()));
const places = (row: number): string => `(${COLUMNS.map((_, i) => `$${row * COLUMNS.length + i + 1}`).join(', ')})`;
const text = `INSERT INTO item VALUES ${Array.from({ length: job.rowsPerOperation }, (_, row) => places(row)).join(', ')}`;
const nextId = idsFrom(job.ids);
const measured = await closedLoop(job.load, job.serverPids, async (client) => {
  const rows = Array.from({ length: job.rowsPerOperation }, () => rowOf(nextId()));
  await clients[client]?.query({ name: 'insert', text, values: rows.flatMap((row) => COLUMNS.map((column) => row[column])) });
});
await Promise.all(clients.map((client) => client.end()));
process.stdout.write(JSON.stringify(measured));
