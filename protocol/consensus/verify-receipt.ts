import { rootOfPath } from '../crypto/index.ts';
import { entryIdOf } from '../rows/index.ts';
import { bytesOf } from '../types/index.ts';
import { fits, hasBit } from './bitmap.ts';
import { blockHashOf, outcomeLeaf, type Outcome } from './block.ts';
import { quorum, type GroupConfig } from './config.ts';
import { ackValue, type ClassicReceipt, type FastReceipt, type Receipt } from './receipt.ts';
import { verifierOf, type Verifier } from './verifier.ts';

/**
 * What a receipt proves to a client that trusts no node: the outcome of its command, or undefined
 * when the receipt is not proof. The client compares `receipt.command` with its own transaction id.
 */
export function verifyReceipt(config: GroupConfig, receipt: Receipt, verifier: Verifier = verifierOf(config.domain)): Outcome | undefined {
  const { command, ts, footprintRoot, entry } = receipt;
  if (entryIdOf(command, ts, footprintRoot) !== entry) return undefined;
  return receipt.kind === 'fast' ? checkFast(config, receipt, verifier) : checkClassic(config, receipt, verifier);
}

/** q different members acknowledged the entry's place in the batch. */
function checkFast(config: GroupConfig, receipt: FastReceipt, verifier: Verifier): Outcome | undefined {
  const { group, epoch } = config;
  const { view, batchRoot, index, path, acks } = receipt;
  if (rootOfPath(bytesOf(receipt.entry), path) !== batchRoot || path.length > 8 || placeOf(path) !== index) return undefined;
  const signers = new Set(acks.map(({ signer }) => signer));
  const genuine = acks.every((ack) => {
    const address = config.roster[ack.signer];
    const value = ackValue({ group, epoch, view, batchRoot }, ack);
    return address !== undefined && hasBit(ack.acked, index) && fits(ack.acked, 256)
      && verifier.signature('FastAck', value, ack.signature, address);
  });
  return genuine && signers.size === acks.length && signers.size >= quorum(config) ? 'applied' : undefined;
}

/** The path says where the leaf stands: sibling on the left means a set bit. */
function placeOf(path: readonly { readonly left: boolean }[]): number {
  return path.reduce((place, { left }, level) => place | (left ? 1 << level : 0), 0);
}

/** The outcome is in a block, and a chain of headers leads from it to a commit (§2.6). */
function checkClassic(config: GroupConfig, receipt: ClassicReceipt, verifier: Verifier): Outcome | undefined {
  const { headers, qc, outcome, entry, path } = receipt;
  const [first] = headers;
  const last = headers.at(-1);
  const beforeLast = headers.at(-2);
  if (first === undefined || last === undefined || beforeLast === undefined) return undefined;
  if (headers.some(({ group, epoch }) => group !== config.group || epoch !== config.epoch)) return undefined;
  if (headers.some((header, i) => i > 0 && header.parent !== blockHashOf(headers[i - 1] as typeof header))) return undefined;
  if (last.view !== beforeLast.view || last.round !== beforeLast.round + 1) return undefined;
  if (rootOfPath(outcomeLeaf(entry, outcome), path) !== first.outcomeRoot) return undefined;
  return isCertified(config, last, qc, verifier) ? outcome : undefined;
}

function isCertified(config: GroupConfig, header: ClassicReceipt['headers'][number], qc: ClassicReceipt['qc'], verifier: Verifier): boolean {
  const { group, epoch } = config;
  const { view, round } = header;
  const blockHash = blockHashOf(header);
  if (qc.blockHash !== blockHash || qc.view !== view || qc.round !== round) return false;
  const signers = new Set(qc.votes.map(({ signer }) => signer));
  return signers.size === qc.votes.length && signers.size >= quorum(config) && qc.votes.every(({ signer, qcView, qcRound, signature }) => {
    const address = config.roster[signer];
    return address !== undefined && verifier.signature('BlockVote', { group, epoch, view, round, blockHash, qcView, qcRound }, signature, address);
  });
}
