/**
 * Load generator: N clients, each with its own connection and key, in a process of its own. Takes a `ClientsJob` as
 * its argument, prints what it measured as JSON.
 */
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { connect, type Database } from '../../sdk/index.ts';
import { closedLoop, type Load } from '../measure.ts';
import { idsFrom, rowOf } from '../world/row.ts';

export interface ClientsJob {
  readonly operation: 'insert' | 'read' | 'query';
  readonly load: Load;
  readonly apis: readonly string[];
  readonly serverPids: readonly number[];
  readonly database: string;
  /** One key per client, or fewer: clients that share one are one program, which signs what it commits at the same time together (decision 0130). */
  readonly keys: readonly string[];
  readonly rowsPerOperation: number;
  /** First fresh id for inserts; number of rows that exist for reads. */
  readonly ids: number;
}

type Operation = (client: number) => Promise<void>;

async function operationOf(job: ClientsJob): Promise<Operation> {
  const databases = await Promise.all(job.keys.map((_key, i) => open(job, i)));
  const at = (client: number): Database => databases[client % databases.length] as Database;
  const nextId = idsFrom(job.ids);
  const pick = (): number => Math.floor(Math.random() * job.ids);
  switch (job.operation) {
    case 'insert': return async (client) => {
      const rows = Array.from({ length: job.rowsPerOperation }, () => rowOf(nextId()));
      await at(client).table('item').insertMany(rows, { batchRows: rows.length, concurrency: 1 });
    };
    case 'read': return async (client) => expectRow((await at(client).get('item', pick())).row);
    case 'query': return async (client) => expectRow((await at(client).sql`SELECT * FROM item WHERE id = ${pick()}`)[0]);
  }
}

/** Clients are spread over the gateways; each knows all of them. */
async function open({ apis, keys, database }: ClientsJob, client: number): Promise<Database> {
  const first = client % apis.length;
  const picolo = await connect([...apis.slice(first), ...apis.slice(0, first)], { key: keys[client] as string });
  return picolo.database(database);
}

function expectRow(row: unknown): void {
  if (row === undefined || row === null) throw new Error('a row that exists was not found');
}

await installNativeCrypto();
const job = JSON.parse(process.argv[2] ?? '{}') as ClientsJob;
const operation = await operationOf(job);
let told = false;
const measured = await closedLoop(job.load, job.serverPids, (client) => operation(client).catch((error: unknown) => {
  if (!told) process.stderr.write(`${String(error)}\n`);
  told = true;
  throw error;
}));
process.stdout.write(JSON.stringify(measured));
