import { merklePath, rootOfPath, type MerkleStep } from '../crypto/index.ts';
import type { StructValue } from '../codec/index.ts';
import { bytesOf, type EntryId, type Hash32, type Timestamp, type TxId, type View } from '../types/index.ts';
import type { BlockHeader, Outcome, Qc } from './block.ts';
import type { AckVote } from './message.ts';

/** q acknowledgements: final, and always applied (consensus §2.5). */
export interface FastReceipt {
  readonly kind: 'fast';
  readonly command: TxId;
  readonly entry: EntryId;
  readonly ts: Timestamp;
  readonly footprintRoot: Hash32;
  readonly view: View;
  readonly batchRoot: Hash32;
  readonly index: number;
  readonly path: readonly MerkleStep[];
  readonly acks: readonly AckVote[];
}

/** The block that holds the outcome, the headers up to its commit, and q votes for the last of them (consensus §2.6). */
export interface ClassicReceipt {
  readonly kind: 'classic';
  readonly command: TxId;
  readonly entry: EntryId;
  readonly ts: Timestamp;
  readonly footprintRoot: Hash32;
  readonly outcome: Outcome;
  readonly path: readonly MerkleStep[];
  /** First the block, then its descendants; the last two have consecutive rounds of one view. */
  readonly headers: readonly BlockHeader[];
  readonly qc: Qc;
}

export type Receipt = FastReceipt | ClassicReceipt;

/** Why a gateway gave up without an outcome; the command may still be tried again. */
export type Refusal = 'expired' | 'invalid' | 'overloaded' | 'sealed' | 'superseded';

export type Reply =
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  /** `superseded`: the same transaction was decided under another entry. */
  | { readonly kind: 'refused'; readonly command: TxId; readonly reason: Refusal };

export function batchPath(ids: readonly EntryId[], index: number): MerkleStep[] {
  return merklePath(ids.map(bytesOf), index);
}

export function leadsTo(leaf: Uint8Array, path: readonly MerkleStep[], root: Hash32): boolean {
  return rootOfPath(leaf, path) === root;
}

/** The acknowledgement as it was signed. */
export function ackValue(
  place: { readonly group: Hash32; readonly epoch: bigint; readonly view: View; readonly batchRoot: Hash32 }, ack: AckVote,
): StructValue<'FastAck'> {
  return {
    group: place.group, epoch: place.epoch, view: place.view, batchRoot: place.batchRoot,
    acked: ack.acked, ackSeq: ack.ackSeq, ackHead: ack.ackHead,
  } as StructValue<'FastAck'>;
}

