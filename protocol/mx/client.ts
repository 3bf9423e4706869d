import type { Domain } from '../codec/index.ts';
import { unreachable } from '../errors/index.ts';
import { limits } from '../limits/index.ts';
import { ZERO_HASH, type Address, type Hash32 } from '../types/index.ts';
import { transactionOf } from './asks.ts';
import { mxFaults as faults } from './faults.ts';
import type { EndReason, ErrorCode, Get, Message, Part, Put, Receipt } from './messages.ts';
import { partIsAuthentic, receiptIsAuthentic, rowDigest } from './provenance.ts';

interface Session {
  readonly request: Get | Put;
  rows: number;
  readonly rowsByOrigin: Map<Address, number>;
  readonly parts: Set<string>;
  readonly firstClaims: Map<Hash32, Address>;
  readonly contested: Map<Hash32, Set<Address>>;
  rejected: number;
}

/** A data consumer's side of MX: believes nothing that its origin did not sign. Changed by its functions only. */
export interface MxClient {
  readonly domain: Domain;
  readonly sessions: Map<Hash32, Session>;
}

/** One row that several origins claim as theirs: copies of one public data set, or one of them copied it (Greedy Ganesh). */
export interface ContestedRow {
  readonly digest: Hash32;
  readonly origins: readonly Address[];
}

export interface Ending {
  readonly reason: EndReason;
  /** Every node that was asked has accounted for itself, and all rows it signed for have arrived. */
  readonly complete: boolean;
  readonly rows: number;
  /** Verified accounts of the nodes that were reached. */
  readonly receipts: readonly Receipt[];
  readonly contested: readonly ContestedRow[];
  /** Parts and receipts thrown away because they were not what their origin signed. */
  readonly rejected: number;
}

export type ClientEvent =
  | { readonly kind: 'accepted'; readonly transaction: Hash32 }
  | { readonly kind: 'rows'; readonly transaction: Hash32; readonly part: Part }
  | { readonly kind: 'rejected'; readonly transaction: Hash32; readonly origin: Address }
  | { readonly kind: 'ended'; readonly transaction: Hash32; readonly ending: Ending }
  | { readonly kind: 'closed'; readonly transaction: Hash32 }
  | { readonly kind: 'refused'; readonly transaction: Hash32; readonly code: ErrorCode; readonly detail: string };

export function createMxClient(domain: Domain): MxClient {
  return { domain, sessions: new Map() };
}

/** Registers a signed request before it is sent. Throws MX_TOO_MANY_OPEN. */
export function openSession(client: MxClient, request: Get | Put): Hash32 {
  if (client.sessions.size >= limits.mxOpenPerPeer) throw faults.tooManyOpen({ open: client.sessions.size });
  const transaction = transactionOf(request);
  client.sessions.set(transaction, {
    request, rows: 0, rowsByOrigin: new Map(), parts: new Set(), firstClaims: new Map(), contested: new Map(), rejected: 0,
  });
  return transaction;
}

/** Forgets a session and returns the CLOSE to send. Throws MX_UNKNOWN_TRANSACTION. */
export function closeSession(client: MxClient, transaction: Hash32): Message {
  if (!client.sessions.delete(transaction)) throw faults.unknownTransaction({ transaction });
  return { kind: 'close', transaction };
}

/** Folds in one message of the server; messages of unknown transactions change nothing (P-7-send). */
export function clientStep(client: MxClient, message: Message): ClientEvent[] {
  const { transaction } = 'transaction' in message ? message : { transaction: ZERO_HASH };
  if (message.kind === 'ok' && message.of === 'close') return [{ kind: 'closed', transaction }];
  const session = client.sessions.get(transaction);
  if (session === undefined) return [];
  switch (message.kind) {
    case 'ok': return [{ kind: 'accepted', transaction }];
    case 'send': return message.parts.flatMap((part) => takePart(client, session, transaction, part));
    case 'end': {
      client.sessions.delete(transaction);
      return [{ kind: 'ended', transaction, ending: endingOf(client, session, transaction, message.reason, message.receipts) }];
    }
    case 'error': {
      client.sessions.delete(transaction);
      return [{ kind: 'refused', transaction, code: message.code, detail: message.detail }];
    }
    case 'get':
    case 'put':
    case 'close': return []; // a client serves nobody
    default: return unreachable(message, 'mx-client-message');
  }
}

function takePart(client: MxClient, session: Session, transaction: Hash32, part: Part): ClientEvent[] {
  const key = `${part.origin}/${part.seq}`;
  const wanted = session.request.kind === 'get' ? session.request.want : 0;
  const fits = !session.parts.has(key) && session.rows + part.rows.length <= wanted && part.rows.length > 0;
  if (!fits || !partIsAuthentic(client.domain, transaction, part)) {
    session.rejected += 1;
    return [{ kind: 'rejected', transaction, origin: part.origin }];
  }
  session.parts.add(key);
  session.rows += part.rows.length;
  session.rowsByOrigin.set(part.origin, (session.rowsByOrigin.get(part.origin) ?? 0) + part.rows.length);
  for (const row of part.rows) claim(session, rowDigest(row), part.origin);
  return [{ kind: 'rows', transaction, part }];
}

function claim(session: Session, digest: Hash32, origin: Address): void {
  const first = session.firstClaims.get(digest);
  if (first === undefined) session.firstClaims.set(digest, origin);
  else if (first !== origin) session.contested.set(digest, (session.contested.get(digest) ?? new Set([first])).add(origin));
}

function endingOf(client: MxClient, session: Session, transaction: Hash32, reason: EndReason, claimed: readonly Receipt[]): Ending {
  const receipts = claimed.filter((receipt) => receiptIsAuthentic(client.domain, transaction, receipt));
  const rejected = session.rejected + claimed.length - receipts.length;
  return {
    reason,
    complete: reason === 'done' && rejected === 0 && allArrived(session, receipts),
    rows: session.rows,
    receipts,
    contested: [...session.contested].map(([digest, origins]) => ({ digest, origins: [...origins] })),
    rejected,
  };
}

function allArrived(session: Session, receipts: readonly Receipt[]): boolean {
  const accounted = new Set(receipts.filter(({ outcome }) => outcome === 'rows').map(({ origin }) => origin));
  for (const origin of session.rowsByOrigin.keys()) if (!accounted.has(origin)) return false;
  if (receipts.some(({ outcome }) => outcome === 'failed')) return false;
  return receipts.every(({ origin, rows, outcome }) => outcome !== 'rows' || session.rowsByOrigin.get(origin) === rows);
}
