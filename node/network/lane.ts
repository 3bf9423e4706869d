import type { PicoloError } from '../../protocol/errors/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import type { Clock, PeerAddress, Signer, Transport } from '../ports/index.ts';
import type { Carrier } from './carrier.ts';
import { shakeHands, type HandshakeOptions, type Session } from './handshake.ts';
import { Peer, unsendable, type PeerContext } from './peer.ts';

export interface LaneOptions {
  /** Proves who we are; its domain keeps two networks apart. */
  readonly signer: Signer;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly handshakeMs?: number;
  readonly keepAliveMs?: number;
  readonly backoffMinMs?: number;
  readonly backoffMaxMs?: number;
  /** Spread of the back-off, in [0, 1). */
  readonly random?: () => number;
  /** Told about every refused or broken link; `peer` is known once it was proven or dialled. */
  readonly onFault?: (fault: PicoloError, peer: Address | undefined) => void;
}

export interface Lane extends Transport {
  /** The port that is listened on. */
  readonly port: number;
}

/** Links to wanted peers over one carrier. Throws NETWORK_PORT_IN_USE, NETWORK_LISTEN_FAILED. */
export function openLane(carrier: Carrier, options: LaneOptions): Promise<Lane> {
  return new Links(carrier, options).start(options.host, options.port);
}

class Links {
  private readonly carrier: Carrier;
  private readonly self: Address;
  private readonly peers = new Map<Address, Peer>();
  private readonly faults: Record<string, number> = {};
  private readonly shaking = new Set<Session>();
  private readonly handshake: HandshakeOptions;
  private readonly context: PeerContext;
  private handler: (from: Address, frame: Uint8Array) => void = () => undefined;
  private droppedFrames = 0;
  private closed = false;

  constructor(carrier: Carrier, options: LaneOptions) {
    this.carrier = carrier;
    const { signer, clock, handshakeMs = 5_000, keepAliveMs = 5_000 } = options;
    const { backoffMinMs = 100, backoffMaxMs = 5_000, random = Math.random } = options;
    this.self = signer.address;
    this.handshake = { signer, clock, handshakeMs, keepAliveMs, allowed: (peer) => this.peers.has(peer) };
    const count = (fault: PicoloError, peer: Address | undefined): void => {
      this.faults[fault.code] = (this.faults[fault.code] ?? 0) + 1;
      options.onFault?.(fault, peer);
    };
    this.onFault = count;
    this.context = {
      self: this.self, handshake: this.handshake, dial: carrier.dial, backoffMinMs, backoffMaxMs, random, onFault: count,
      onFrame: (from, frame) => this.handler(from, frame),
    };
  }

  private readonly onFault: (fault: PicoloError, peer: Address | undefined) => void;

  async start(host: string, port: number): Promise<Lane> {
    const listener = await this.carrier.listen(host, port, this.handshake, (session) => this.accept(session));
    return {
      self: this.self,
      port: listener.port,
      setPeers: (peers) => this.setPeers(peers),
      send: (to, frame) => this.send(to, frame),
      onFrame: (handler) => {
        this.handler = handler;
      },
      stats: () => this.stats(),
      close: async () => {
        this.stop();
        await listener.close();
      },
    };
  }

  private accept(session: Session): void {
    if (this.closed) {
      session.channel.destroy();
      return;
    }
    this.shaking.add(session);
    shakeHands(session, undefined, this.handshake, (outcome) => {
      this.shaking.delete(session);
      if (outcome.kind === 'refused') this.onFault(outcome.fault, undefined);
      else this.peers.get(outcome.peer)?.adopt(outcome.wire, false);
    });
  }

  private setPeers(wanted: readonly PeerAddress[]): void {
    if (this.closed) return;
    const others = wanted.filter((peer) => peer.node !== this.self).slice(0, limits.peers);
    const keep = new Set(others.map((peer) => peer.node));
    for (const [node, peer] of this.peers) {
      if (!keep.has(node)) this.remove(node, peer);
    }
    for (const address of others) {
      const known = this.peers.get(address.node);
      if (known === undefined) this.peers.set(address.node, new Peer(address, this.context));
      else known.update(address);
    }
  }

  private remove(node: Address, peer: Peer): void {
    this.peers.delete(node);
    this.droppedFrames += peer.droppedFrames;
    peer.stop();
  }

  private send(to: Address, frame: Uint8Array): void {
    const peer = this.peers.get(to);
    const fault = unsendable(frame);
    if (fault !== undefined) this.onFault(fault, to);
    if (peer === undefined || fault !== undefined) this.droppedFrames += 1;
    else peer.send(frame);
  }

  private stats(): ReturnType<Transport['stats']> {
    const connected: Address[] = [];
    let queuedBytes = 0;
    let { droppedFrames } = this;
    for (const [node, peer] of this.peers) {
      if (peer.connected) connected.push(node);
      queuedBytes += peer.queuedBytes;
      droppedFrames += peer.droppedFrames;
    }
    return { connected: connected.sort(), queuedBytes, droppedFrames, faults: { ...this.faults } };
  }

  private stop(): void {
    this.closed = true;
    this.handler = () => undefined;
    for (const { channel } of this.shaking) channel.destroy();
    for (const [node, peer] of this.peers) this.remove(node, peer);
  }
}
