import type { Domain } from '../codec/index.ts';
import { isPicoloError, type PicoloError } from '../errors/index.ts';
import { limits } from '../limits/index.ts';
import { ZERO_HASH, type Hash32, type Item } from '../types/index.ts';
import { txFaults } from './faults.ts';
import { noncePath } from './path.ts';
import {
  backpointersRootOf, encodeTransaction, footprintRootOf, mutationsRootOf, vouchedTxId, type SignedTransaction,
} from './transaction.ts';

/** Why a transaction is refused; every honest replica names the same fault. */
export interface Refusal {
  readonly fault: PicoloError;
}

/**
 * Everything that can be said about a transaction without any state: limits, roots, order of the
 * items, nonce item, expiry and the writer's signature, its own or a batch's (P-6-signed-ops). Never throws for bad input.
 * @param encodedBytes length of its encoding when known, to spare encoding it again
 */
export function verifyTransaction(domain: Domain, tx: SignedTransaction, encodedBytes?: number): 'valid' | Refusal {
  return refusalOf(() => {
    checkSizes(tx, encodedBytes ?? encodeTransaction(tx).length);
    checkTimes(tx);
    checkItems(tx);
    checkRoots(tx);
    vouchedTxId(domain, tx.header, tx.signature);
  });
}

/** Runs checks that throw; a fault becomes a refusal, a broken invariant goes on up. */
export function refusalOf(checks: () => void): 'valid' | Refusal {
  try {
    checks();
    return 'valid';
  } catch (error) {
    if (isPicoloError(error)) return { fault: error };
    throw error;
  }
}

function checkSizes({ body }: SignedTransaction, encodedBytes: number): void {
  if (body.mutations.length === 0) throw txFaults.empty();
  atMost('transactionBytes', encodedBytes);
  atMost('mutationsPerTransaction', body.mutations.length);
  atMost('itemsPerTransaction', body.items.length);
  atMost('backpointersPerTransaction', body.backpointers.length);
}

function atMost(limit: keyof typeof limits, count: number): void {
  if (count > limits[limit]) throw txFaults.tooLarge({ limit, count, most: limits[limit] });
}

function checkTimes({ header }: SignedTransaction): void {
  if (header.notAfter <= header.snapshot) throw txFaults.badExpiry({ snapshot: header.snapshot, notAfter: header.notAfter });
}

function checkItems({ header, body }: SignedTransaction): void {
  let previous: Item | undefined;
  for (const item of body.items) {
    if (previous !== undefined && item.path <= previous.path) throw txFaults.itemsUnordered({ path: item.path });
    previous = item;
  }
  const nonce = noncePath(header.database, header.writer, header.nonce);
  const consumed = body.items.some(({ path, version, mode }) => path === nonce && version === ZERO_HASH && mode === 'W');
  if (!consumed) throw txFaults.badNonceItem({ nonce: header.nonce });
}

function checkRoots({ header, body }: SignedTransaction): void {
  const equal = (signed: Hash32, computed: Hash32, fault: keyof typeof txFaults): void => {
    if (signed !== computed) throw txFaults[fault]({ signed, computed });
  };
  equal(header.mutationsRoot, mutationsRootOf(body.mutations), 'badMutationsRoot');
  equal(header.footprintRoot, footprintRootOf(body.items), 'badFootprintRoot');
  equal(header.backpointers, backpointersRootOf(body.backpointers), 'badBackpointers');
}
