import type { Address } from '../types/index.ts';
import { unreachable } from '../errors/index.ts';
import { limits } from '../limits/index.ts';
import type { EndReason, Part, Receipt } from './messages.ts';
import { bytesOfPart, cutPart } from './provenance.ts';
import type { Child, Mx, MxEffect, Open } from './state.ts';

/** Takes verified rows into the answer: relayed at once in push, held back in pull, cut at the number asked. */
export function takePart(mx: Mx, open: Open, part: Part): MxEffect[] {
  if (open.request.kind !== 'get') return [];
  const cut = cutPart(part, open.request.want - open.rows);
  if (cut.rows.length === 0) return [];
  const bytes = bytesOfPart(cut);
  if (open.request.ask.mode !== 'pull') {
    if (bytes > limits.mxSendBytes) return tooLarge(open);
    open.rows += cut.rows.length;
    return [{ kind: 'send', to: open.from, message: { kind: 'send', transaction: open.transaction, parts: [cut] } }];
  }
  if (open.bytes + bytes > limits.mxSendBytes || mx.heldBytes + bytes > limits.mxHeldBytes) return tooLarge(open);
  open.rows += cut.rows.length;
  open.bytes += bytes;
  mx.heldBytes += bytes;
  open.held.push(cut);
  return [];
}

/** One SEND is one frame, and memory is bounded: what does not fit is not sent, and END says so. */
function tooLarge(open: Open): MxEffect[] {
  open.partial = true;
  return [];
}

export function takeReceipt(open: Open, receipt: Receipt): void {
  if (open.receipts.some(({ signature }) => signature === receipt.signature)) return;
  if (open.receipts.length < limits.mxReceipts) open.receipts.push(receipt);
  else open.partial = true;
}

/** Ends the transaction when nothing more can come: everyone answered, the number is reached, or all listed nodes applied. */
export function finishIfDone(mx: Mx, open: Open): MxEffect[] {
  if (open.request.kind === 'get' && open.rows >= open.request.want) return finish(mx, open, 'enough');
  if (open.local !== 'done') return [];
  if (open.request.kind === 'put' && allListedApplied(open, open.request.ask.nodes)) return finish(mx, open, 'done');
  for (const child of open.children.values()) if (!child.ended) return [];
  return finish(mx, open, open.partial ? 'partial' : 'done');
}

/** Sends what is held and END, tells those still working to stop, and judges them. */
export function finish(mx: Mx, open: Open, reason: EndReason): MxEffect[] {
  const { transaction, from, request } = open;
  const effects: MxEffect[] = [];
  if (request.kind === 'get' && request.ask.mode === 'pull') {
    effects.push({ kind: 'send', to: from, message: { kind: 'send', transaction, parts: open.held } });
  }
  effects.push({ kind: 'send', to: from, message: { kind: 'end', transaction, reason, receipts: open.receipts } });
  const follows = request.kind === 'get' && request.ask.mode === 'follow'; // ends for everybody at its expiry
  effects.push(...abandon(mx, open, reason === 'partial' && !follows));
  return effects;
}

/** Forgets an open transaction; everything behind it stops (P-7-close). `late`: those still silent are blamed for it. */
export function abandon(mx: Mx, open: Open, late: boolean): MxEffect[] {
  const effects: MxEffect[] = [];
  if (open.local !== 'done') effects.push({ kind: 'cancel', transaction: open.transaction });
  for (const [peer, child] of open.children) {
    if (child.ended) continue;
    effects.push({ kind: 'send', to: peer, message: { kind: 'close', transaction: open.transaction } });
    effects.push(...judge(open, peer, child, late ? 'late' : 'stopped'));
  }
  mx.open.delete(open.transaction);
  mx.heldBytes -= open.bytes;
  const left = (mx.openByPeer.get(open.from) ?? 1) - 1;
  if (left <= 0) mx.openByPeer.delete(open.from);
  else mx.openByPeer.set(open.from, left);
  return effects;
}

/**
 * Rules 6.1 and 6.2 for one request and one peer. Rows of its own are a reply; a node heard of through it
 * is a forward. A peer that says it has no rows cannot be caught by this, and gains nothing from it.
 */
export function judge(open: Open, peer: Address, child: Child, how: 'ended' | 'late' | 'stopped' | 'refused'): MxEffect[] {
  if (open.request.kind === 'put') return [];
  const { ownRows, heardOfOthers, goodRows, badRows, ownOutcome } = child;
  const replied = ownRows > 0 ? true : null;
  const forwarded = heardOfOthers ? true : null;
  const seen = (missedReply: boolean, missedForward: boolean): MxEffect[] => [{
    kind: 'observed',
    peer,
    seen: { replied: replied ?? (missedReply ? false : null), forwarded: forwarded ?? (missedForward ? false : null), goodRows, badRows },
  }];
  switch (how) {
    case 'stopped':
    case 'refused': return seen(false, false);
    case 'late': return seen(true, child.hops > 0);
    case 'ended': {
      const excused = child.hops === 0 || ownOutcome === 'seen' || ownRows >= open.request.want;
      return seen(ownOutcome === undefined || ownOutcome === 'failed', !excused);
    }
    default: return unreachable(how, 'mx-judge');
  }
}

function allListedApplied(open: Open, nodes: readonly Address[]): boolean {
  return nodes.length > 0 && nodes.every((node) => open.receipts.some(({ origin, outcome }) => origin === node && outcome !== 'skipped'));
}
