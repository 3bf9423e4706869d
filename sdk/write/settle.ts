import { isPicoloError } from '../../protocol/errors/index.ts';
import { msOf } from '../../protocol/hlc/index.ts';
import { agreementOf } from '../../protocol/query/index.ts';
import { entryIdOf, noncePath, nonceUntil, pathOf, txIdOf, type SignedTransaction } from '../../protocol/rows/index.ts';
import { ZERO_HASH, type EntryId, type GroupId, type Hex, type Path, type Timestamp } from '../../protocol/types/index.ts';
import type { Client } from '../client.ts';
import { sdkFaults } from '../errors.ts';
import { worthAskingElsewhere } from '../net/nodes.ts';
import { readProven } from '../read/proven.ts';
import type { Receipt } from './receipt.ts';

const POLL_MS = 250;
/** Beyond the expiry, for the group to close timestamps up to it. */
const PATIENCE_MS = 10_000;

/** True for failures after which a transaction may or may not have been executed. */
export function isUncertain(error: unknown): boolean {
  return worthAskingElsewhere(error) || (isPicoloError(error) && ['expired', 'superseded'].includes(String(error.facts.reason)));
}

/**
 * Finds out what became of a transaction whose gateway gave no final answer, so that nothing is ever written twice. Its nonce key says:
 * consumed by this very entry, or still free when the group has closed every timestamp up to the expiry.
 * Throws SDK_NOT_ORDERED when it was never executed and never will be, and the original failure when that cannot be told.
 */
export async function settle(client: Client, transaction: SignedTransaction, group: GroupId, failure: unknown): Promise<Receipt> {
  const { database, writer, nonce, notAfter } = transaction.header;
  const path = noncePath(database as never, writer, nonce);
  const untilMs = msOf(notAfter as Timestamp) + PATIENCE_MS;
  while (Date.now() < untilMs) {
    const told = await nonceState(client, group, database as never, path, notAfter as Timestamp).catch(() => 'unknown' as const);
    if (told === 'free') throw sdkFaults.notOrdered({ notAfterMs: msOf(notAfter as Timestamp), code: isPicoloError(failure) ? failure.code : undefined }, failure);
    if (told !== 'unknown') return executed(client, transaction, group, told).then((receipt) => receipt ?? Promise.reject(failure), () => Promise.reject(failure));
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw failure;
}

interface Consumed {
  readonly entryId: EntryId;
  readonly ts: Timestamp;
}

/** 'free' only when f + 1 nodes say so, nothing at or below the expiry can become final any more, and a nonce that was used would still stand (DATA-26). */
async function nonceState(client: Client, group: GroupId, database: Hex, path: Path, notAfter: Timestamp): Promise<Consumed | 'free' | 'unknown'> {
  const { replicas } = await client.trust.roster(group);
  const needed = Math.min(agreementOf(replicas.length), client.nodes.urls.length);
  const request = { database: database as never, paths: [path], minTimestamp: 0n as Timestamp };
  const answers = await Promise.allSettled(client.nodes.urls.map((url) => client.call(url, 'versions', request)));
  let free = 0;
  for (const answer of answers) {
    const found = answer.status === 'fulfilled' ? answer.value.versions[0] : undefined;
    if (answer.status !== 'fulfilled' || found === undefined) continue;
    if (found.version !== ZERO_HASH) return { entryId: found.version as EntryId, ts: found.writtenAt };
    if (answer.value.closeTs >= notAfter && answer.value.closeTs <= nonceUntil(notAfter)) free += 1;
  }
  return free >= needed ? 'free' : 'unknown';
}

/** The nonce is taken: proven rows show whether the entry was applied; undefined when they cannot. */
async function executed(client: Client, tx: SignedTransaction, group: GroupId, { entryId, ts }: Consumed): Promise<Receipt | undefined> {
  const txId = txIdOf(client.trust.domain, tx.header);
  const written = tx.body.mutations.find(({ kind }) => kind === 'put');
  if (entryIdOf(txId, ts, tx.header.footprintRoot) !== entryId || written === undefined) return undefined;
  const { database } = tx.header;
  const paths = [noncePath(database as never, tx.header.writer, tx.header.nonce), pathOf(database as never, written.table, '', written.key)];
  const { truths: [nonce, row] } = await readProven(client, { database: database as never, group }, paths, { minTimestamp: ts });
  if (nonce?.kind !== 'present' || nonce.row.version !== entryId) return undefined;
  const told = { txId, entryId, timestamp: ts, mode: 'checkpoint', proof: '0x' } as const;
  if (row?.kind === 'present' && row.row.version === entryId) return { ...told, outcome: 'applied' };
  // an older row stands: nothing was applied; a younger one, or none, hides what happened
  return row?.kind === 'present' && row.row.writtenAt < ts ? { ...told, outcome: 'aborted' } : undefined;
}
