import { decodeReceipt, groupConfig, verifyReceipt, type Outcome } from '../../protocol/consensus/index.ts';
import type { SubmitAnswer } from '../../protocol/query/index.ts';
import { entryIdOf, type SignedTransaction } from '../../protocol/rows/index.ts';
import { bytesOf, type Epoch, type EntryId, type GroupId, type Hex, type Timestamp, type TxId } from '../../protocol/types/index.ts';
import type { Client } from '../client.ts';
import { sdkFaults } from '../errors.ts';

/** What proves that a write is final, as it was verified. */
export interface Receipt {
  readonly txId: TxId;
  /** Version of every row the transaction wrote. */
  readonly entryId: EntryId;
  /** The causal token: reads with this `minTimestamp` see the write. */
  readonly timestamp: Timestamp;
  readonly outcome: 'applied' | 'aborted';
  /** 'checkpoint': no gateway answered in time; the outcome was read from certified state. */
  readonly mode: 'fast' | 'classic' | 'checkpoint';
  /** Canonical CBOR of q signed acknowledgements (fast) or of the committed block (classic); verify it again with protocol/consensus. */
  readonly proof: Hex;
}

/**
 * Checks that q replicas stand behind the outcome a gateway reports: it cannot make a lost write look applied, nor the reverse.
 * Throws SDK_BAD_RECEIPT.
 */
export async function provenReceipt(client: Client, txId: TxId, transaction: SignedTransaction, answer: SubmitAnswer, group: GroupId): Promise<Receipt> {
  const entryId = entryIdOf(txId, answer.timestamp, transaction.header.footprintRoot);
  if (answer.txId !== txId || answer.entryId !== entryId) throw sdkFaults.badReceipt({ txId, reason: 'it is for another transaction' });
  const receipt = decodeReceipt(bytesOf(answer.receipt));
  if (receipt.command !== txId || receipt.entry !== entryId) throw sdkFaults.badReceipt({ txId, reason: 'its proof is for another transaction' });
  const epoch = receipt.kind === 'classic' ? receipt.headers[0]?.epoch : undefined;
  const outcome = await provenOutcome(client, group, epoch, receipt);
  // 'skipped' changed nothing either
  if ((outcome === 'applied') !== (answer.outcome === 'applied')) throw sdkFaults.badReceipt({ txId, reason: `q replicas say ${outcome}`, told: answer.outcome });
  return { txId, entryId, timestamp: answer.timestamp, outcome: answer.outcome, mode: receipt.kind, proof: answer.receipt };
}

/** A fast receipt does not name its epoch: it is of the one that is known, or of one beside it. */
async function provenOutcome(client: Client, group: GroupId, named: Epoch | undefined, receipt: Parameters<typeof verifyReceipt>[1]): Promise<Outcome> {
  const current = await client.trust.roster(group, named);
  const outcome = outcomeUnder(client, group, current, receipt);
  if (outcome !== undefined) return outcome;
  // the registry may have moved on since the roster was read
  for (const epoch of named === undefined ? [current.epoch + 1n, current.epoch - 1n] : []) {
    const near = await client.trust.roster(group, epoch).catch(() => undefined);
    const proven = near === undefined ? undefined : outcomeUnder(client, group, near, receipt);
    if (proven !== undefined) return proven;
  }
  throw sdkFaults.badReceipt({ txId: receipt.command, reason: 'the signatures do not prove it' });
}

function outcomeUnder(
  client: Client, group: GroupId, { epoch, replicas }: { readonly epoch: Epoch; readonly replicas: Parameters<typeof groupConfig>[0]['roster'] },
  receipt: Parameters<typeof verifyReceipt>[1],
): Outcome | undefined {
  return verifyReceipt(groupConfig({ domain: client.trust.domain, group, epoch, roster: replicas }), receipt, client.verifier);
}
