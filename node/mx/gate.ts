import { admit, isNewcomer, noteDeposit, type Access } from '../../protocol/access/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Message } from '../../protocol/mx/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import type { MxOptions } from './options.ts';

/** Decides by access level, after the deposit of a newcomer has been read. */
export interface Gate {
  /** Hands the message on with the outcome of its draw: now, or after the peer's deposit was read; in order per peer. */
  pass(peer: Address, message: Message): void;
}

type GateOptions = Pick<MxOptions, 'clock' | 'random' | 'depositLevel' | 'consumerFloor'> & {
  readonly access: Access;
  readonly isNeighbour: (peer: Address) => boolean;
  readonly handle: (peer: Address, message: Message, admits: () => boolean) => void;
  readonly unreadable: (peer: Address, cause: unknown) => void;
};

export function createGate({ access, clock, random, depositLevel, consumerFloor = 0, isNeighbour, handle, unreadable }: GateOptions): Gate {
  /** Messages of peers whose deposit is being read. */
  const waiting = new Map<Address, Message[]>();

  const admits = (peer: Address): boolean => {
    const draw = random();
    return admit(access, peer, draw, clock.nowMs()) || (!isNeighbour(peer) && draw < consumerFloor);
  };

  /** §6.3.2: the deposit is read when a peer's first GET arrives; what it sends meanwhile waits its turn. */
  const readDeposit = (peer: Address, first: Message): void => {
    waiting.set(peer, [first]);
    const proceed = (level: number | undefined): void => {
      if (level !== undefined) noteDeposit(access, peer, level, clock.nowMs());
      const queue = waiting.get(peer) ?? [];
      waiting.delete(peer);
      for (const message of queue) handle(peer, message, () => admits(peer));
    };
    Promise.resolve().then(() => depositLevel(peer)).then(proceed, (cause: unknown) => {
      unreadable(peer, cause);
      proceed(undefined); // the chain is out of reach: served at the floor, read again with the next GET
    });
  };

  return {
    pass(peer, message) {
      const queue = waiting.get(peer);
      if (queue === undefined && message.kind === 'get' && isNewcomer(access, peer)) readDeposit(peer, message);
      else if (queue === undefined) handle(peer, message, () => admits(peer));
      else if (queue.length < limits.mxOpenPerPeer) queue.push(message);
    },
  };
}
