import type { Domain } from '../../protocol/codec/index.ts';
import { encodeReceipt, type Receipt, type Reply } from '../../protocol/consensus/index.ts';
import { hexOf, type Command, type DatabaseId, type Timestamp } from '../../protocol/types/index.ts';
import { apiFaults, type SubmitAnswer } from '../../protocol/query/index.ts';
import { encodeTransaction, entryIdOf, noncePath, toCommand, txIdOf, verifyCommand, type SignedTransaction } from '../../protocol/rows/index.ts';
import type { GroupHost } from '../host/index.ts';
import type { Clock, Ledger } from '../ports/index.ts';

const FINAL_TIMEOUT_MS = 20_000;

export interface Gateway {
  readonly host: GroupHost;
  readonly ledger: Ledger;
  readonly domain: Domain;
  readonly clock: Clock;
}

/** Takes a client's transaction to its group and answers with the outcome and its proof (P-5.2.1-reply). */
export async function submitTransaction({ host, ledger, domain, clock }: Gateway, tx: SignedTransaction): Promise<SubmitAnswer> {
  const bytes = encodeTransaction(tx);
  const command = toCommand(domain, tx, bytes);
  const verdict = verifyCommand(domain, command);
  if (verdict !== 'valid') throw apiFaults.badTransaction({ reason: verdict.fault.message });
  if (!host.accepts(command)) throw apiFaults.badTransaction({ reason: 'a part of a transaction over several groups is prepared, not submitted' }); // X-PART
  const receipt = await receiptOf(clock, host, command, () => decided(ledger, domain, tx));
  const outcome = receipt.kind === 'fast' ? 'applied' : receipt.outcome;
  return {
    txId: receipt.command, entryId: receipt.entry, timestamp: receipt.ts as Timestamp,
    outcome: outcome === 'applied' ? 'applied' : 'aborted', mode: receipt.kind, receipt: hexOf(encodeReceipt(receipt)),
  };
}

/** Final, with proof, in bounded time. @param superseded what to say about a command that was decided before */
export async function receiptOf(clock: Clock, host: GroupHost, command: Command, superseded?: () => Error): Promise<Receipt> {
  const reply = await withTimeout(clock, host.submit(command));
  if (reply.kind === 'receipt') return reply.receipt;
  throw reply.reason === 'superseded' && superseded !== undefined ? superseded() : refused(reply);
}

/** The same bytes again, after their outcome: the nonce names the entry that consumed it, provable like any key. */
function decided(ledger: Ledger, domain: Domain, { header }: SignedTransaction): Error {
  const found = ledger.versionOf(noncePath(header.database as DatabaseId, header.writer, header.nonce));
  if (found === undefined) return apiFaults.notFinal({ reason: 'decided by a block that is not committed here yet' });
  const { version: entryId, writtenAt } = found;
  const own = entryIdOf(txIdOf(domain, header), writtenAt, header.footprintRoot) === entryId;
  return own ? apiFaults.decided({ reason: 'superseded', entryId, timestamp: writtenAt }) : apiFaults.badTransaction({ reason: 'its nonce was used before' });
}

function refused(reply: Reply & { kind: 'refused' }): Error {
  const { reason } = reply;
  if (reason === 'overloaded') return apiFaults.overloaded({ command: reply.command });
  if (reason === 'sealed') return apiFaults.unavailable({ reason: 'the group is changing its members' });
  return apiFaults.badTransaction({ reason });
}

function withTimeout(clock: Clock, reply: Promise<Reply>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(FINAL_TIMEOUT_MS, () => reject(apiFaults.notFinal({ waitedMs: FINAL_TIMEOUT_MS })));
    reply.then(resolve, reject).finally(cancel);
  });
}
