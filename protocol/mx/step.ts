import { unreachable } from '../errors/index.ts';
import { ZERO_HASH, type Address, type Hash32 } from '../types/index.ts';
import { abandon, finish, takeReceipt } from './finish.ts';
import type { Message } from './messages.ts';
import { dropChild, onEnd, onRefusal, onSend } from './replies.ts';
import { errorTo, localReceipt, onAnswered, onRequest } from './requests.ts';
import type { Mx, MxEffect, MxInput } from './state.ts';

const PURGE_EVERY_MS = 5_000;

/** The node's side of MX: one input in, effects out; no clock, no keys, no transport of its own. */
export function step(mx: Mx, input: MxInput): MxEffect[] {
  switch (input.kind) {
    case 'message': return onMessage(mx, input.from, input.message, input.admitted, input.nowMs);
    case 'malformed': return [errorTo(input.from, input.transaction ?? ZERO_HASH, 'malformed')];
    case 'answered': return onAnswered(mx, input);
    case 'peerLost': return onPeerLost(mx, input.peer);
    case 'load': {
      mx.load = Math.min(Math.max(input.load, 0), 1);
      return [];
    }
    case 'tick': return onTick(mx, input.nowMs);
    default: return unreachable(input, 'mx-input');
  }
}

function onMessage(mx: Mx, from: Address, message: Message, admitted: boolean, nowMs: number): MxEffect[] {
  switch (message.kind) {
    case 'get':
    case 'put': return onRequest(mx, from, message, admitted, nowMs);
    case 'send': return onSend(mx, from, message);
    case 'end': return onEnd(mx, from, message);
    case 'close': return onClose(mx, from, message.transaction);
    case 'ok': return []; // an acknowledgement needs none
    case 'error': return onRefusal(mx, from, message);
    default: return unreachable(message, 'mx-message');
  }
}

/** The client lost interest: everything behind this node stops (P-7-close). Closing what has ended is no error. */
function onClose(mx: Mx, from: Address, transaction: Hash32): MxEffect[] {
  const open = mx.open.get(transaction);
  if (open !== undefined && open.from !== from) return [errorTo(from, transaction, 'unauthorised')];
  const stopped = open === undefined ? [] : abandon(mx, open, false);
  return [{ kind: 'send', to: from, message: { kind: 'ok', transaction, of: 'close' } }, ...stopped];
}

function onPeerLost(mx: Mx, peer: Address): MxEffect[] {
  const effects: MxEffect[] = [];
  for (const open of mx.open.values()) {
    if (open.from === peer) {
      effects.push(...abandon(mx, open, false));
      continue;
    }
    const child = open.children.get(peer);
    if (child !== undefined && !child.ended) effects.push(...dropChild(mx, open, peer, child, 'late'));
  }
  return effects;
}

function onTick(mx: Mx, nowMs: number): MxEffect[] {
  const effects: MxEffect[] = [];
  for (const open of mx.open.values()) {
    if (open.deadlineMs > nowMs) continue;
    const follows = open.local === 'following';
    if (open.local !== 'done') takeReceipt(open, localReceipt(mx, open, follows ? 'rows' : 'failed', nowMs));
    effects.push(...finish(mx, open, 'partial'));
  }
  if (nowMs >= mx.purgeAtMs) {
    for (const [transaction, expiresAtMs] of mx.seen) if (expiresAtMs <= nowMs && !mx.open.has(transaction)) mx.seen.delete(transaction);
    mx.purgeAtMs = nowMs + PURGE_EVERY_MS;
  }
  return effects;
}
