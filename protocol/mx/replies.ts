import type { Address } from '../types/index.ts';
import { finishIfDone, judge, takePart, takeReceipt } from './finish.ts';
import type { End, Message, Part, Receipt, Send } from './messages.ts';
import { partIsAuthentic, receiptIsAuthentic } from './provenance.ts';
import type { Child, Mx, MxEffect, Open } from './state.ts';

/** Rows from a peer this node asked. What its origin did not sign goes no further. */
export function onSend(mx: Mx, from: Address, message: Send): MxEffect[] {
  const place = childOf(mx, from, message);
  if (place === undefined || place.open.request.kind !== 'get') return [];
  const { open, child } = place;
  const effects: MxEffect[] = [];
  for (const part of message.parts) {
    const key = `${part.origin}/${part.seq}`;
    if (open.seen.has(key) || !partFits(mx, open, part)) {
      child.badRows += Math.max(1, part.rows.length);
      continue;
    }
    open.seen.add(key);
    credit(mx, open, child, from, part.origin);
    child.goodRows += part.rows.length;
    if (part.origin === from) child.ownRows += part.rows.length;
    effects.push(...takePart(mx, open, part));
  }
  effects.push(...finishIfDone(mx, open));
  return effects;
}

/** A peer has nothing more; its receipts say whom it reached. */
export function onEnd(mx: Mx, from: Address, message: End): MxEffect[] {
  const place = childOf(mx, from, message);
  if (place === undefined) return [];
  const { open, child } = place;
  for (const receipt of message.receipts) {
    if (!receiptIsAuthentic(mx.config.domain, open.transaction, receipt)) child.badRows += 1;
    else takeAccount(mx, open, child, from, receipt);
  }
  if (message.reason === 'partial') open.partial = true;
  child.ended = true;
  return [...judge(open, from, child, 'ended'), ...finishIfDone(mx, open)];
}

/** A peer refused (ERROR) or is gone: the answer will not be whole, and nobody is to blame for using their right. */
export function onRefusal(mx: Mx, from: Address, message: Extract<Message, { kind: 'error' }>): MxEffect[] {
  const place = childOf(mx, from, message);
  if (place === undefined) return [];
  const { receipt } = message;
  const genuine = receipt !== null && receipt.origin === from && receiptIsAuthentic(mx.config.domain, message.transaction, receipt);
  if (genuine) takeReceipt(place.open, receipt);
  return dropChild(mx, place.open, from, place.child, 'refused');
}

export function dropChild(mx: Mx, open: Open, peer: Address, child: Child, how: 'refused' | 'late'): MxEffect[] {
  child.ended = true;
  open.partial = true;
  return [...judge(open, peer, child, how), ...finishIfDone(mx, open)];
}

function childOf(mx: Mx, from: Address, message: { readonly transaction: Open['transaction'] }): { open: Open; child: Child } | undefined {
  const open = mx.open.get(message.transaction);
  const child = open?.children.get(from);
  return open === undefined || child === undefined || child.ended ? undefined : { open, child };
}

function partFits(mx: Mx, open: Open, part: Part): boolean {
  return part.origin !== mx.config.self && part.rows.length > 0 && partIsAuthentic(mx.config.domain, open.transaction, part);
}

function takeAccount(mx: Mx, open: Open, child: Child, from: Address, receipt: Receipt): void {
  if (receipt.origin === from) child.ownOutcome = receipt.outcome;
  else credit(mx, open, child, from, receipt.origin);
  takeReceipt(open, receipt);
}

/** Somebody behind the peer spoke: it must have forwarded. Nodes the registry does not know prove nothing. */
function credit(mx: Mx, open: Open, child: Child, from: Address, origin: Address): void {
  const known = origin !== from && origin !== mx.config.self && origin !== open.request.ask.client;
  if (known && mx.config.isNode(origin)) child.heardOfOthers = true;
}
