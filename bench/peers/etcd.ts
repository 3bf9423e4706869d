/**
 * Three members of etcd, flushing as they do by default: the usual replicated store of keys. Debian's package etcd-server.
 * Clients use the JSON gateway of the leader, which spares the project a gRPC stack and costs the leader some CPU.
 */
import { spawnSync } from 'node:child_process';
import { freePort } from '../../cli/devnet/processes.ts';
import { listening, peerFolder, startPeer, type RunningPeer } from './system.ts';

const MEMBERS = 3;

/** Undefined when it is not installed. */
export async function startEtcd(): Promise<RunningPeer | undefined> {
  if (spawnSync('etcd', ['--version']).status !== 0) return undefined;
  const folder = peerFolder('etcd');
  const members = [];
  for (let i = 0; i < MEMBERS; i++) members.push({ name: `m${i}`, client: await freePort(), peer: await freePort() });
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const cluster = members.map(({ name, peer }) => `${name}=${url(peer)}`).join(',');
  const processes = members.map(({ name, client, peer }) => startPeer(`etcd-${name}`, 'etcd', [
    '--name', name, '--data-dir', `${folder}/${name}`, '--listen-client-urls', url(client), '--advertise-client-urls', url(client),
    '--listen-peer-urls', url(peer), '--initial-advertise-peer-urls', url(peer), '--initial-cluster', cluster, '--initial-cluster-state', 'new',
    '--log-level', 'error',
  ]));
  for (const { client } of members) await listening(client);
  return {
    address: await leaderOf(members.map(({ client }) => url(client))),
    pids: processes.map(({ pid }) => pid),
    stop: async () => void await Promise.all(processes.map((child) => child.stop())),
  };
}

interface Status {
  readonly leader?: string;
  readonly header: { readonly member_id: string };
}

/** Clients talk to the leader: every other member would only pass on what they say. */
async function leaderOf(urls: readonly string[]): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    for (const url of urls) {
      const status = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' }).then((reply) => reply.json() as Promise<Status>, () => undefined);
      if (status?.leader !== undefined && status.leader !== '0' && status.leader === status.header.member_id) return url;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('etcd elects no leader; see .picolo/bench-peers');
}
