/** Load generator for etcd: N clients, each with its own connection; the rows of one operation are one transaction. Takes a `PeerJob`, prints JSON. */
import { Agent, request } from 'node:http';
import { closedLoop } from '../measure.ts';
import { idsFrom, rowOf } from '../world/row.ts';
import type { PeerJob } from './run.ts';

const job = JSON.parse(process.argv[2] ?? '{}') as PeerJob;
const agents = Array.from({ length: job.load.clients }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
const nextId = idsFrom(job.ids);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function put(): { key: string; value: string } {
  const row = rowOf(nextId());
  return { key: base64(`item/${row.id}`), value: base64(JSON.stringify(row)) };
}

function post(agent: Agent | undefined, path: string, body: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(job.address + path, { method: 'POST', ...(agent === undefined ? {} : { agent }) }, (reply) => {
      reply.resume();
      reply.on('end', () => (reply.statusCode === 200 ? resolve() : reject(new Error(`etcd answered ${reply.statusCode}`))));
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}

const measured = await closedLoop(job.load, job.serverPids, (client) => {
  if (job.rowsPerOperation === 1) return post(agents[client], '/v3/kv/put', put());
  return post(agents[client], '/v3/kv/txn', { success: Array.from({ length: job.rowsPerOperation }, () => ({ request_put: put() })) });
});
for (const agent of agents) agent.destroy();
process.stdout.write(JSON.stringify(measured));
