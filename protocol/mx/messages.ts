import {
  address, bytes, choice, decode, encode, hash32, list, nullable, record, scalar, signature, text, u32, u64, union, type Codec,
  type Decoded, type Scalar,
} from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import type { Address, Hash32, Signature } from '../types/index.ts';

/** `pull`: one SEND, then END. `push`: SENDs as origins answer, then END. `follow`: push that waits for new rows until it expires. */
export const modes = ['pull', 'push', 'follow'] as const;
export type Mode = (typeof modes)[number];

/** What a client asks; its hash is the transaction id, so nobody can change a word of it on the way. */
export interface GetAsk {
  readonly client: Address;
  /** Makes two equal questions two transactions. */
  readonly nonce: bigint;
  /** Opaque here: the dictionary's encoding of a query. */
  readonly query: Uint8Array;
  /** Most hops from the first node on; 0 asks that node alone. */
  readonly hops: number;
  /** Rows wanted, at least 1. */
  readonly results: number;
  readonly mode: Mode;
  /** Milliseconds since the Unix epoch; no node serves the request after it. */
  readonly expiresAtMs: bigint;
}

export interface PutAsk {
  readonly client: Address;
  readonly nonce: bigint;
  /** Opaque here: an encoded signed transaction. */
  readonly write: Uint8Array;
  /** Nodes that shall apply it; empty means every node within `hops`. */
  readonly nodes: readonly Address[];
  /** Required when `nodes` is empty. */
  readonly hops: number | null;
  readonly expiresAtMs: bigint;
}

/** Rows of one origin, signed by it (EIP-712 `MxSend`). Forwarders may cut rows off the end and nothing else. */
export interface Part {
  readonly origin: Address;
  /** Counts the origin's parts of this transaction from 0. */
  readonly seq: number;
  readonly entity: string;
  /** The origin's column names in the order asked; null where its schema has none. */
  readonly columns: readonly (string | null)[];
  /** How well the words matched, in thousandths. */
  readonly quality: number;
  readonly rows: readonly (readonly Scalar[])[];
  /** Chain hash of the rows that a forwarder cut off; zero when none are missing. */
  readonly tail: Hash32;
  readonly sentAtMs: bigint;
  readonly signature: Signature;
}

/**
 * What a node did with a request: `rows` sent, `none` matched, `seen` before by another way, `failed`, `refused` by access level;
 * for PUT `applied`, `skipped` (not listed), `failed`.
 */
export const outcomes = ['rows', 'none', 'seen', 'failed', 'applied', 'skipped', 'refused'] as const;
export type Outcome = (typeof outcomes)[number];

/** One visited node's signed account; END carries all of them, so a client sees who was reached. */
export interface Receipt {
  readonly origin: Address;
  readonly outcome: Outcome;
  /** Rows this node sent of its own. */
  readonly rows: number;
  readonly sentAtMs: bigint;
  readonly signature: Signature;
}

/** `done`: everyone asked has answered in full. `enough`: the number was reached. `partial`: somebody was late, lost or refused. */
export const endReasons = ['done', 'enough', 'partial', 'seen'] as const;
export type EndReason = (typeof endReasons)[number];

export const errorCodes = ['malformed', 'unauthorised', 'overloaded', 'unserved', 'expired', 'unsupported', 'unknown'] as const;
export type ErrorCode = (typeof errorCodes)[number];

const hopsC = u32;
const getAskC: Codec<GetAsk> = record({
  client: address, nonce: u64, query: bytes(limits.mxQueryBytes), hops: hopsC, results: u32, mode: choice(modes), expiresAtMs: u64,
});
const putAskC: Codec<PutAsk> = record({
  client: address, nonce: u64, write: bytes(limits.transactionBytes), nodes: list(address, limits.mxNodesListed),
  hops: nullable(hopsC), expiresAtMs: u64,
});
export const rowC: Codec<readonly Scalar[]> = list(scalar, limits.columnsPerTable);
const nameC = text(limits.identifierBytes);
const partC: Codec<Part> = record({
  origin: address, seq: u32, entity: nameC, columns: list(nullable(nameC), limits.columnsPerTable),
  quality: u32, rows: list(rowC, limits.mxResults), tail: hash32, sentAtMs: u64, signature,
});
const receiptC: Codec<Receipt> = record({ origin: address, outcome: choice(outcomes), rows: u32, sentAtMs: u64, signature });

/** The seven messages of Picolo §7. GET and PUT carry the hops left; the client's own limit is inside the signed request. */
export const messageC = union({
  put: record({ ask: putAskC, signature, hops: hopsC }),
  get: record({ ask: getAskC, signature, hops: hopsC, want: u32 }),
  send: record({ transaction: hash32, parts: list(partC, limits.mxResults) }),
  end: record({ transaction: hash32, reason: choice(endReasons), receipts: list(receiptC, limits.mxReceipts) }),
  close: record({ transaction: hash32 }),
  ok: record({ transaction: hash32, of: choice(['get', 'put', 'close']) }),
  /** The receipt of a node that refused by access level lets the forwarder show that it did forward. */
  error: record({ transaction: hash32, code: choice(errorCodes), detail: text(200), receipt: nullable(receiptC) }),
});

export type Message = Decoded<typeof messageC>;
export type Get = Extract<Message, { kind: 'get' }>;
export type Put = Extract<Message, { kind: 'put' }>;
export type Send = Extract<Message, { kind: 'send' }>;
export type End = Extract<Message, { kind: 'end' }>;

export function encodeMessage(message: Message): Uint8Array {
  return encode(messageC, message);
}

/** Throws CODEC_* for anything that is not the canonical encoding of a message. */
export function decodeMessage(frame: Uint8Array): Message {
  return decode(messageC, frame, limits.frameBytes);
}

/** GET or PUT without what forwarders may change. */
export type Request = { readonly kind: 'get'; readonly ask: GetAsk } | { readonly kind: 'put'; readonly ask: PutAsk };

export function encodeAsk(request: Request): Uint8Array {
  return request.kind === 'get' ? encode(getAskC, request.ask) : encode(putAskC, request.ask);
}
