import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { LocalProvider } from '../../../cli/devnet/network.ts';
import { openProvider } from '../../../cli/options.ts';
import { announce } from '../../../sdk/operator/index.ts';

export interface Link {
  readonly from: number;
  readonly to: number;
}

/**
 * A TCP proxy in front of the peer port of every node. A connection belongs to the node that dialled it (its process owns
 * the socket), so single pairs can be cut and slowed down although all nodes dial the same address. Linux only.
 */
export class Links {
  readonly ports: number[] = [];
  private readonly pidOf: (node: number) => number;
  private readonly servers: Server[] = [];
  private readonly open = new Set<Link & { readonly sockets: readonly Socket[] }>();
  private readonly cut = new Set<string>();
  private readonly delaysMs = new Map<string, number>();

  /** @param pidOf the process of a node now */
  constructor(pidOf: (node: number) => number) {
    this.pidOf = pidOf;
  }

  /** A proxy for the node with this place and peer port; nodes in order of their place. */
  async add(to: number, target: number): Promise<void> {
    const server = createServer((inbound) => this.accept(inbound, to, target));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    this.servers.push(server);
    this.ports[to] = (server.address() as { port: number }).port;
  }

  /** Cuts a node from all others, both ways, until `heal`. */
  isolate(node: number): void {
    for (const other of this.ports.keys()) if (other !== node) this.cut.add(pairOf(node, other));
    for (const { from, to, sockets } of this.open) if (this.cut.has(pairOf(from, to))) for (const socket of sockets) socket.destroy();
  }

  /** Every chunk between two nodes takes this much longer, until `heal`. */
  slow(a: number, b: number, delayMs: number): void {
    this.delaysMs.set(pairOf(a, b), delayMs);
  }

  heal(): void {
    this.cut.clear();
    this.delaysMs.clear();
  }

  async close(): Promise<void> {
    for (const { sockets } of this.open) for (const socket of sockets) socket.destroy();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private accept(inbound: Socket, to: number, target: number): void {
    const from = this.ports.findIndex((_, node) => node !== to && owns(this.pidOf(node), inbound.remotePort ?? 0));
    inbound.on('error', () => undefined);
    if (this.cut.has(pairOf(from, to))) return void inbound.destroy();
    const outbound = connect(target, '127.0.0.1').on('error', () => undefined);
    const link = { from, to, sockets: [inbound, outbound] };
    this.open.add(link);
    const close = (): void => {
      this.open.delete(link);
      inbound.destroy();
      outbound.destroy();
    };
    inbound.once('close', close);
    outbound.once('close', close);
    this.pass(inbound, outbound, from, to);
    this.pass(outbound, inbound, from, to);
  }

  /** In order, also when the delay changes: nothing leaves before what came first. */
  private pass(source: Socket, sink: Socket, from: number, to: number): void {
    let freeAtMs = 0;
    source.on('data', (chunk: Buffer) => {
      const dueMs = Math.max(freeAtMs, performance.now() + (this.delaysMs.get(pairOf(from, to)) ?? 0));
      freeAtMs = dueMs;
      const waitMs = dueMs - performance.now();
      if (waitMs <= 0) sink.write(chunk);
      else setTimeout(() => sink.write(chunk), waitMs);
    });
  }
}

/** The others reach this node through its proxy, from their next start on. */
export async function putBehind(links: Links, provider: LocalProvider, index: number): Promise<void> {
  await links.add(index, provider.peerPort);
  const { network } = await openProvider(provider.dir, undefined);
  await announce(network, provider.node, provider.apiUrl, { host: '127.0.0.1', port: links.ports[index] as number });
  network.close();
}

const pairOf = (a: number, b: number): string => `${Math.min(a, b)}-${Math.max(a, b)}`;

/** Whether a process owns the loopback socket with this local port. */
function owns(pid: number, port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const line = readOr('/proc/net/tcp').split('\n').find((text) => text.trim().split(/\s+/)[1]?.endsWith(wanted) === true);
  const inode = line?.trim().split(/\s+/)[9];
  if (inode === undefined || inode === '0') return false;
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`);
  } catch {
    return false; // the process is gone
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
