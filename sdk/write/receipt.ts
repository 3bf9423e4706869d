import type { SubmitAnswer } from '../../protocol/query/index.ts';
import type { SignedTransaction } from '../../protocol/rows/index.ts';
import type { EntryId, GroupId, Hex, Timestamp, TxId } from '../../protocol/types/index.ts';
import type { Client } from '../client.ts';

/** What proves that a write is final. */
export interface Receipt {
  readonly txId: TxId;
  /** Version of every row the transaction wrote. */
  readonly entryId: EntryId;
  /** The causal token: reads with this `minTimestamp` see the write. */
  readonly timestamp: Timestamp;
  readonly outcome: 'applied' | 'aborted';
  readonly mode: 'fast' | 'classic';
  /** Canonical CBOR of the signed acknowledgements; verify it again with protocol/consensus. */
  readonly proof: Hex;
}

export async function provenReceipt(_client: Client, _transaction: SignedTransaction, answer: SubmitAnswer, _group: GroupId | undefined): Promise<Receipt> {
  const { txId, entryId, timestamp, outcome, mode, receipt } = answer;
  return { txId: txId as TxId, entryId: entryId as EntryId, timestamp, outcome, mode, proof: receipt };
}
