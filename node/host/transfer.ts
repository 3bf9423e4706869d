import { decode, encode } from '../../protocol/codec/index.ts';
import type { Ledger } from '../ports/index.ts';
import { fetchSnapshot, transferC, type Arrived, type TailParts, type Transfer, type TransferParts } from './snapshot.ts';

/** Where a transfer that was begun is remembered over a crash. */
export interface TransferMemory {
  loadTransfer(): Uint8Array | undefined;
  saveTransfer(transfer: Uint8Array): void;
}

/** What was fetched, with what installs it. */
export interface Fetched extends Arrived {
  readonly transfer: Transfer;
}

/**
 * Goes on with the transfer that was begun before, as long as members still serve it: its chunks are on disk. Else
 * fetches the one that is offered (U-1). Throws HOST_SNAPSHOT_FAILED.
 */
export async function resumeOrFetch(parts: TransferParts, memory: TransferMemory, offered: Transfer, tail: TailParts): Promise<Fetched> {
  const begun = begunTransfer(parts.ledger, memory, offered);
  if (begun !== undefined) {
    try {
      return { transfer: begun, ...await fetchSnapshot(parts, begun, tail) };
    } catch {
      // too old by now: its chunks give way to those of the offered one
    }
  }
  memory.saveTransfer(encode(transferC, offered));
  return { transfer: offered, ...await fetchSnapshot(parts, offered, tail) };
}

function begunTransfer(ledger: Ledger, memory: TransferMemory, offered: Transfer): Transfer | undefined {
  const saved = memory.loadTransfer();
  if (saved === undefined) return undefined;
  const begun = decode(transferC, saved) as Transfer;
  const { epoch, height } = begun.certificate.checkpoint;
  const current = offered.certificate.checkpoint;
  const useful = epoch === current.epoch && height > ledger.position().height && height < current.height;
  return useful && ledger.stagedUpTo(height) !== FIRST_PATH ? begun : undefined;
}

/** Nothing is staged while the first chunk is still wanted. */
const FIRST_PATH = `0x${'00'.repeat(32)}`;
