import type { PicoloError } from '../../protocol/errors/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import type { PeerAddress } from '../ports/index.ts';
import type { Carrier } from './carrier.ts';
import { backoffMs } from './dial.ts';
import { networkFaults } from './faults.ts';
import type { HandshakeOptions } from './handshake.ts';
import { FrameQueue } from './queue.ts';
import type { Wire } from './wire.ts';

export interface PeerContext {
  readonly self: Address;
  readonly handshake: HandshakeOptions;
  readonly dial: Carrier['dial'];
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly random: () => number;
  readonly onFrame: (from: Address, frame: Uint8Array) => void;
  readonly onFault: (fault: PicoloError, peer: Address) => void;
}

/** A link that lived this long was a good one: the next reconnect starts from the shortest delay. */
const STABLE_MS = 1_000;
/** Head start of the lower address, in shortest delays: normally only one side dials at all. */
const GRACE_DELAYS = 10;

/** One wanted peer: its queue, its link, and the dialling while there is none. */
export class Peer {
  private address: PeerAddress;
  private readonly context: PeerContext;
  private readonly queue = new FrameQueue(limits.peerQueueBytes);
  private wire: Wire | undefined;
  private wireIsOurs = false;
  private openedMs = 0;
  private attempt = 0;
  private abortDial: (() => void) | undefined;
  private cancelRetry: (() => void) | undefined;
  private stopped = false;
  droppedFrames = 0;

  constructor(address: PeerAddress, context: PeerContext) {
    this.address = address;
    this.context = context;
    this.retryAfter(this.isLower() ? 0 : this.graceMs());
  }

  get connected(): boolean {
    return this.wire !== undefined;
  }

  get queuedBytes(): number {
    return this.queue.bytes;
  }

  /** A new host or port matters for the next attempt; a working link is kept. */
  update(address: PeerAddress): void {
    const moved = address.host !== this.address.host || address.port !== this.address.port;
    this.address = address;
    if (!moved || this.wire !== undefined) return;
    this.attempt = 0;
    this.abortDial?.();
    this.abortDial = undefined;
    this.retryAfter(0);
  }

  send(frame: Uint8Array): void {
    this.droppedFrames += this.queue.push(frame);
    this.wire?.wake();
  }

  /**
   * Takes an authenticated link. One link per pair: of two links dialled by different sides both
   * ends keep the one that the lower address dialled; of two by the same side the newer, because
   * whoever dials again has lost the older one.
   */
  adopt(wire: Wire, ours: boolean): void {
    const { node } = this.address;
    wire.onFrame = (frame) => this.context.onFrame(node, frame);
    const preferred = ours === this.wireIsOurs || ours === this.isLower();
    if (this.stopped || (this.wire !== undefined && !preferred)) {
      wire.end();
      return;
    }
    const replaced = this.wire;
    this.wire = wire;
    this.wireIsOurs = ours;
    this.openedMs = this.context.handshake.clock.nowMs();
    this.cancelRetry?.();
    wire.onClose = (fault) => this.lost(wire, fault);
    replaced?.end();
    wire.open(this.queue);
  }

  stop(): void {
    this.stopped = true;
    this.cancelRetry?.();
    this.abortDial?.();
    if (this.wire !== undefined) {
      this.wire.onFrame = () => undefined; // nothing more from a peer that is not wanted
      this.wire.end();
    }
    this.wire = undefined;
    this.queue.clear();
  }

  private lost(wire: Wire, fault: PicoloError | undefined): void {
    if (fault !== undefined) this.context.onFault(fault, this.address.node);
    if (this.wire !== wire) return;
    this.wire = undefined;
    if (this.context.handshake.clock.nowMs() - this.openedMs >= STABLE_MS) this.attempt = 0;
    this.retry();
  }

  private retry(): void {
    const { backoffMinMs, backoffMaxMs, random } = this.context;
    const delayMs = backoffMs(this.attempt, backoffMinMs, backoffMaxMs, random);
    this.attempt += 1;
    this.retryAfter(this.isLower() ? delayMs : delayMs + this.graceMs());
  }

  private retryAfter(delayMs: number): void {
    this.cancelRetry?.();
    if (!this.stopped) this.cancelRetry = this.context.handshake.clock.after(delayMs, () => this.dialNow());
  }

  private dialNow(): void {
    if (this.stopped || this.wire !== undefined || this.abortDial !== undefined) return;
    this.abortDial = this.context.dial(this.address, this.context.handshake, (outcome) => {
      this.abortDial = undefined;
      if (outcome.kind === 'open') {
        this.adopt(outcome.wire, true);
      } else {
        this.context.onFault(outcome.fault, this.address.node);
        if (this.wire === undefined) this.retry();
      }
    });
  }

  private isLower(): boolean {
    return this.context.self < this.address.node;
  }

  private graceMs(): number {
    return this.context.backoffMinMs * GRACE_DELAYS;
  }
}

/** Sent frames that no link could ever carry; counted, because `send` must not throw. */
export function unsendable(frame: Uint8Array): PicoloError | undefined {
  if (frame.length > 0 && frame.length <= limits.frameBytes) return undefined;
  return networkFaults.frameTooLarge({ bytes: frame.length, maxBytes: limits.frameBytes });
}
