import { limits } from '../limits/index.ts';
import type { Address, Hash32 } from '../types/index.ts';
import { askIsAuthentic, envelopeFits, lifeMs, transactionOf } from './asks.ts';
import { finishIfDone, takePart, takeReceipt } from './finish.ts';
import type { ErrorCode, Get, Outcome, Put, Receipt } from './messages.ts';
import { chunkRows, signPart, signReceipt, type Answer } from './provenance.ts';
import { hopsAllowed, type Mx, type MxEffect, type MxInput, type Open } from './state.ts';

const DETAIL: Readonly<Record<ErrorCode, string>> = {
  malformed: 'the message is not well formed or exceeds a limit',
  unauthorised: 'the request is not signed by the client it names',
  overloaded: 'too much work here; ask with fewer hops or later',
  unserved: 'your access level did not pass this time; answer and forward for others, or deposit',
  expired: 'the request is past its expiry or asks to stay open too long',
  unsupported: 'this message is not served here',
  unknown: 'no such transaction',
};

export function errorTo(to: Address, transaction: Hash32, code: ErrorCode, receipt: Receipt | null = null): MxEffect {
  return { kind: 'send', to, message: { kind: 'error', transaction, code, detail: DETAIL[code], receipt } };
}

/** GET or PUT arrives. Cheap refusals come first, the signature check last. */
export function onRequest(mx: Mx, from: Address, message: Get | Put, admitted: boolean, nowMs: number): MxEffect[] {
  const transaction = transactionOf(message);
  if (!envelopeFits(message)) return [errorTo(from, transaction, 'malformed')];
  const expiresAtMs = Number(message.ask.expiresAtMs);
  if (expiresAtMs <= nowMs || expiresAtMs > nowMs + lifeMs(message) + limits.clockOffsetMs) return [errorTo(from, transaction, 'expired')];
  if (mx.seen.has(transaction)) return [seenBefore(mx, from, transaction, nowMs)];
  if (!hasRoom(mx, from, message)) return [errorTo(from, transaction, 'overloaded')];
  if (message.kind === 'get' && !admitted) return [errorTo(from, transaction, 'unserved', briefReceipt(mx, 'refused', transaction, nowMs))];
  if (!askIsAuthentic(mx.config.domain, message, transaction)) return [errorTo(from, transaction, 'unauthorised')];
  mx.seen.set(transaction, expiresAtMs);
  mx.open.set(transaction, opened(mx, from, message, transaction, nowMs));
  mx.openByPeer.set(from, (mx.openByPeer.get(from) ?? 0) + 1);
  return [
    { kind: 'send', to: from, message: { kind: 'ok', transaction, of: message.kind } },
    { kind: 'evaluate', transaction, request: message, from, listed: isListed(mx, message), want: message.kind === 'get' ? message.want : 0 },
  ];
}

/** The local side answered; the first answer lets the request go on (P-5.4.1-local-first). */
export function onAnswered(mx: Mx, input: Extract<MxInput, { kind: 'answered' }>): MxEffect[] {
  const open = mx.open.get(input.transaction);
  if (open === undefined || open.local === 'done') return [];
  const first = open.local === 'first';
  const effects = input.answer === null ? [] : takeAnswer(mx, open, input.answer, input.nowMs);
  open.local = input.more ? 'following' : 'done';
  if (!input.more) takeReceipt(open, localReceipt(mx, open, input.outcome, input.nowMs));
  if (first && wantsMore(open)) effects.push(...forward(open, mx.config.self, input.neighbours));
  effects.push(...finishIfDone(mx, open));
  return effects;
}

/** This node's signed account of an open request. */
export function localReceipt(mx: Mx, open: Open, outcome: Outcome, nowMs: number): Receipt {
  const { self, attest } = mx.config;
  const honest = outcome === 'rows' && open.localRows === 0 ? 'none' : outcome;
  return signReceipt(honest, open.localRows, open.transaction, self, nowMs, attest);
}

function opened(mx: Mx, from: Address, request: Get | Put, transaction: Hash32, nowMs: number): Open {
  const expiresAtMs = Number(request.ask.expiresAtMs);
  const waitMs = (request.hops + 1) * mx.config.hopWaitMs;
  const follows = request.kind === 'get' && request.ask.mode === 'follow';
  return {
    transaction, request, from, deadlineMs: follows ? expiresAtMs : Math.min(expiresAtMs, nowMs + waitMs),
    local: 'first', localRows: 0, seq: 0, children: new Map(), rows: 0, bytes: 0, held: [], seen: new Set(), receipts: [], partial: false,
  };
}

/** A second way to the same node: the sender learns that it was reached, nothing runs twice (P-7-hops). */
function seenBefore(mx: Mx, from: Address, transaction: Hash32, nowMs: number): MxEffect {
  const receipts = [briefReceipt(mx, 'seen', transaction, nowMs)];
  return { kind: 'send', to: from, message: { kind: 'end', transaction, reason: 'seen', receipts } };
}

function briefReceipt(mx: Mx, outcome: 'seen' | 'refused', transaction: Hash32, nowMs: number): Receipt {
  return signReceipt(outcome, 0, transaction, mx.config.self, nowMs, mx.config.attest);
}

function hasRoom(mx: Mx, from: Address, message: Get | Put): boolean {
  const { openMax, openPerPeerMax, self } = mx.config;
  if (mx.open.size >= openMax || mx.seen.size >= limits.mxSeen) return false;
  if (from !== self && (mx.openByPeer.get(from) ?? 0) >= openPerPeerMax) return false;
  return message.kind === 'put' || message.hops <= hopsAllowed(mx);
}

function isListed(mx: Mx, message: Get | Put): boolean {
  return message.kind === 'get' || message.ask.nodes.length === 0 || message.ask.nodes.includes(mx.config.self);
}

function takeAnswer(mx: Mx, open: Open, answer: Answer, nowMs: number): MxEffect[] {
  const { self, attest } = mx.config;
  const left = open.request.kind === 'get' ? open.request.want - open.rows : 0;
  const effects: MxEffect[] = [];
  for (const { rows } of chunkRows(answer.rows.slice(0, left))) {
    open.localRows += rows.length;
    effects.push(...takePart(mx, open, signPart(answer, open.seq++, rows, open.transaction, self, nowMs, attest)));
  }
  return effects;
}

function wantsMore(open: Open): boolean {
  return open.request.hops > 0 && (open.request.kind === 'put' || open.rows < open.request.want);
}

/** Rule 6.2: pass the request on with one hop less, never back and never to the client itself. */
function forward(open: Open, self: Address, neighbours: readonly Address[]): MxEffect[] {
  const { request, from } = open;
  const hops = request.hops - 1;
  const effects: MxEffect[] = [];
  for (const to of neighbours.slice(0, limits.mxNeighbours)) {
    if (to === from || to === self || to === request.ask.client || open.children.has(to)) continue;
    if (request.kind === 'put' && hops === 0 && request.ask.nodes.length > 0 && !request.ask.nodes.includes(to)) continue;
    open.children.set(to, { hops, ended: false, ownRows: 0, heardOfOthers: false, ownOutcome: undefined, goodRows: 0, badRows: 0 });
    const message = request.kind === 'get' ? { ...request, hops, want: request.want - open.rows } : { ...request, hops };
    effects.push({ kind: 'send', to, message });
  }
  return effects;
}
