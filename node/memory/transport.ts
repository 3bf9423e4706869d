import { limits } from '../../protocol/limits/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import type { Clock, PeerAddress, Transport } from '../ports/index.ts';

/** All links of a test in one place: who may reach whom, and how long it takes. */
export interface MemoryNetwork {
  /** A node at an address; another node may be found there after this one closed. */
  join(self: PeerAddress): Transport;
  /** Cuts the pair (frames in flight are lost) until `heal`. */
  cut(a: Address, b: Address): void;
  heal(a: Address, b: Address): void;
}

export interface MemoryNetworkOptions {
  /** With a clock, frames take `latencyMs`; without one they arrive in the next microtask. */
  readonly clock?: Clock;
  readonly latencyMs?: number;
}

export function createMemoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  const nodes = new Set<MemoryNode>();
  const severed = new Set<string>();
  const later = (action: () => void): void => {
    if (options.clock === undefined) queueMicrotask(action);
    else options.clock.after(options.latencyMs ?? 0, action);
  };
  const world: World = {
    nodes, later,
    severed: (a, b) => severed.has(pairOf(a, b)),
    relink: () => {
      for (const node of nodes) node.relink();
    },
  };
  return {
    join: (self) => new MemoryNode(self, world),
    cut(a, b) {
      severed.add(pairOf(a, b));
      world.relink();
    },
    heal(a, b) {
      severed.delete(pairOf(a, b));
      world.relink();
    },
  };
}

interface World {
  readonly nodes: Set<MemoryNode>;
  readonly later: (action: () => void) => void;
  readonly severed: (a: Address, b: Address) => boolean;
  readonly relink: () => void;
}

interface Outbox {
  readonly frames: Uint8Array[];
  bytes: number;
  draining: boolean;
}

class MemoryNode implements Transport {
  readonly self: Address;
  readonly place: PeerAddress;
  private readonly world: World;
  private readonly peers = new Map<Address, PeerAddress>();
  private readonly outboxes = new Map<Address, Outbox>();
  private readonly links = new Map<Address, MemoryNode>();
  private readonly faults: Record<string, number> = {};
  private handler: (from: Address, frame: Uint8Array) => void = () => undefined;
  private droppedFrames = 0;

  constructor(place: PeerAddress, world: World) {
    this.self = place.node;
    this.place = place;
    this.world = world;
    world.nodes.add(this);
    world.relink();
  }

  setPeers(peers: readonly PeerAddress[]): void {
    const wanted = new Map(peers.filter((peer) => peer.node !== this.self).map((peer) => [peer.node, peer]));
    this.peers.clear();
    for (const [node, peer] of wanted) this.peers.set(node, peer);
    for (const node of this.outboxes.keys()) if (!wanted.has(node)) this.outboxes.delete(node);
    for (const node of wanted.keys()) if (!this.outboxes.has(node)) this.outboxes.set(node, { frames: [], bytes: 0, draining: false });
    this.world.relink();
  }

  send(to: Address, frame: Uint8Array): void {
    const outbox = this.outboxes.get(to);
    const tooLarge = frame.length === 0 || frame.length > limits.frameBytes;
    if (tooLarge) this.count('NETWORK_FRAME_TOO_LARGE');
    if (outbox === undefined || tooLarge) {
      this.droppedFrames += 1;
      return;
    }
    outbox.frames.push(frame.slice());
    outbox.bytes += frame.length;
    while (outbox.bytes > limits.peerQueueBytes) {
      outbox.bytes -= (outbox.frames.shift() as Uint8Array).length;
      this.droppedFrames += 1;
    }
    this.drain(to, outbox);
  }

  onFrame(handler: (from: Address, frame: Uint8Array) => void): void {
    this.handler = handler;
  }

  stats(): ReturnType<Transport['stats']> {
    let queuedBytes = 0;
    for (const outbox of this.outboxes.values()) queuedBytes += outbox.bytes;
    return { connected: [...this.links.keys()].sort(), queuedBytes, droppedFrames: this.droppedFrames, faults: { ...this.faults } };
  }

  async close(): Promise<void> {
    this.handler = () => undefined;
    this.peers.clear();
    this.outboxes.clear();
    this.world.nodes.delete(this);
    this.world.relink();
    this.relink();
  }

  /** Recomputes the links: both list each other, one finds the other at its address, nothing is cut. */
  relink(): void {
    this.links.clear();
    for (const [node, place] of this.peers) {
      const found = this.find(place);
      if (found !== undefined && found.self !== node) this.count('NETWORK_WRONG_IDENTITY');
      const other = this.dials(node) ?? this.dialledBy(node);
      if (other === undefined || this.world.severed(this.self, node)) continue;
      this.links.set(node, other);
      const outbox = this.outboxes.get(node);
      if (outbox !== undefined) this.drain(node, outbox);
    }
  }

  private dials(node: Address): MemoryNode | undefined {
    const place = this.peers.get(node);
    const found = place === undefined || !this.world.nodes.has(this) ? undefined : this.find(place);
    return found?.self === node && found.peers.has(this.self) ? found : undefined;
  }

  private dialledBy(node: Address): MemoryNode | undefined {
    for (const other of this.world.nodes) if (other.self === node && other.dials(this.self) === this) return other;
    return undefined;
  }

  private find(place: PeerAddress): MemoryNode | undefined {
    for (const node of this.world.nodes) if (node.place.host === place.host && node.place.port === place.port) return node;
    return undefined;
  }

  private drain(to: Address, outbox: Outbox): void {
    if (outbox.draining || outbox.frames.length === 0 || !this.links.has(to)) return;
    outbox.draining = true;
    this.world.later(() => {
      outbox.draining = false;
      const link = this.links.get(to);
      if (link === undefined || this.outboxes.get(to) !== outbox) return;
      const frames = outbox.frames.splice(0);
      outbox.bytes = 0;
      for (const frame of frames) link.handler(this.self, frame);
    });
  }

  private count(code: string): void {
    this.faults[code] = (this.faults[code] ?? 0) + 1;
  }
}

function pairOf(a: Address, b: Address): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
