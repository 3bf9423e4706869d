import {
  choice, encode, list, nullable, record, text, u32, verifyStruct, type Domain, type Scalar, type StructValue,
} from '../codec/index.ts';
import { sha256, sha256Hex } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import { bytesOf, concatBytes, hexOf, ZERO_HASH, type Address, type Hash32, type Signature } from '../types/index.ts';
import { outcomes, rowC, type Outcome, type Part, type Receipt } from './messages.ts';

/** Signs `MxSend` as this node; keys are an input of the core. */
export type Attest = (value: StructValue<'MxSend'>) => Signature;

/** What the local database answered, in the words of its own schema. */
export interface Answer {
  readonly entity: string;
  readonly columns: readonly (string | null)[];
  /** In [0, 1]. */
  readonly quality: number;
  readonly rows: readonly (readonly Scalar[])[];
}

const PART_TAG = new TextEncoder().encode('picolo/mx part');
const END_TAG = new TextEncoder().encode('picolo/mx end');
const nameC = text(limits.identifierBytes);
const headC = record({ seq: u32, entity: nameC, columns: list(nullable(nameC), limits.columnsPerTable), quality: u32 });
const accountC = record({ outcome: choice(outcomes), rows: u32 });

/** Signs rows as this node's own. */
export function signPart(
  answer: Answer, seq: number, rows: Part['rows'], transaction: Hash32, self: Address, nowMs: number, attest: Attest,
): Part {
  const sentAtMs = BigInt(nowMs);
  const part = {
    origin: self, seq, entity: answer.entity, columns: answer.columns, quality: Math.round(answer.quality * 1000),
    rows, tail: ZERO_HASH, sentAtMs,
  };
  return { ...part, signature: attest({ transaction, from: self, resultHash: hashOfPart(part), sentAt: sentAtMs }) };
}

/** Signs this node's account of what it did with a request. */
export function signReceipt(outcome: Outcome, rows: number, transaction: Hash32, self: Address, nowMs: number, attest: Attest): Receipt {
  const sentAtMs = BigInt(nowMs);
  const resultHash = hashOfAccount(outcome, rows);
  return { origin: self, outcome, rows, sentAtMs, signature: attest({ transaction, from: self, resultHash, sentAt: sentAtMs }) };
}

/** True when the origin named in the part signed these rows for this transaction (P-6.5-greedy-ganesh). */
export function partIsAuthentic(domain: Domain, transaction: Hash32, part: Part): boolean {
  if (part.rows.some((row) => row.length !== part.columns.length)) return false;
  const value = { transaction, from: part.origin, resultHash: hashOfPart(part), sentAt: part.sentAtMs };
  return verifyStruct(domain, 'MxSend', value, part.signature, part.origin);
}

export function receiptIsAuthentic(domain: Domain, transaction: Hash32, receipt: Receipt): boolean {
  const value = { transaction, from: receipt.origin, resultHash: hashOfAccount(receipt.outcome, receipt.rows), sentAt: receipt.sentAtMs };
  return verifyStruct(domain, 'MxSend', value, receipt.signature, receipt.origin);
}

/** The first `rows` rows of a part, still under its origin's signature. */
export function cutPart(part: Part, rows: number): Part {
  if (rows >= part.rows.length) return part;
  const tail = hexOf(chain(part.rows.slice(rows), part.tail)) as Hash32;
  return { ...part, rows: part.rows.slice(0, rows), tail };
}

/** Splits rows so that each part stays under `limits.mxPartBytes`; a single larger row stands alone. */
export function chunkRows(rows: Part['rows']): { readonly rows: Part['rows']; readonly bytes: number }[] {
  const chunks: { rows: (readonly Scalar[])[]; bytes: number }[] = [];
  for (const row of rows) {
    const bytes = encode(rowC, row).length;
    const last = chunks.at(-1);
    if (last === undefined || last.bytes + bytes > limits.mxPartBytes) chunks.push({ rows: [row], bytes });
    else {
      last.rows.push(row);
      last.bytes += bytes;
    }
  }
  return chunks;
}

export function bytesOfPart(part: Part): number {
  return part.rows.reduce((sum, row) => sum + encode(rowC, row).length, 512);
}

/** Digest of one row's content, the same whoever sends it: two origins with one digest claim one row. */
export function rowDigest(row: readonly Scalar[]): Hash32 {
  return sha256Hex(encode(rowC, row));
}

/** Rows enter as a chain from the last to the first, so that a prefix verifies with one hash. */
function hashOfPart(part: Omit<Part, 'signature'>): Hash32 {
  return sha256Hex(concatBytes(PART_TAG, sha256(encode(headC, part)), chain(part.rows, part.tail)));
}

function chain(rows: Part['rows'], tail: Hash32): Uint8Array {
  let hash = bytesOf(tail);
  for (let i = rows.length - 1; i >= 0; i--) hash = sha256(concatBytes(sha256(encode(rowC, rows[i] as readonly Scalar[])), hash));
  return hash;
}

function hashOfAccount(outcome: Outcome, rows: number): Hash32 {
  return sha256Hex(concatBytes(END_TAG, encode(accountC, { outcome, rows })));
}
