import type { Domain } from '../codec/index.ts';
import { isPicoloError } from '../errors/index.ts';
import type { Command, Timestamp } from '../types/index.ts';
import { txFaults } from './faults.ts';
import { noncePath } from './path.ts';
import { decodeTransaction, encodeTransaction, isSchemaChange, txIdOf, type SignedTransaction } from './transaction.ts';
import { verifyTransaction, type Refusal } from './verify.ts';

interface Origin {
  readonly domain: Domain;
  readonly tx: SignedTransaction;
  verdict: 'valid' | Refusal | undefined;
}

/**
 * What commands were made of. Every phase of agreement asks about the same command; decoding it and checking its
 * signature is most of what a commit costs, so both happen once per object.
 */
const origins = new WeakMap<Command, Origin>();

/** What consensus orders. Pass `bytes` when the encoded transaction is at hand. */
export function toCommand(domain: Domain, tx: SignedTransaction, bytes: Uint8Array = encodeTransaction(tx)): Command {
  const command: Command = {
    id: txIdOf(domain, tx.header),
    client: tx.header.writer,
    notAfter: tx.header.notAfter as Timestamp,
    footprintRoot: tx.header.footprintRoot,
    items: tx.body.items,
    noncePath: noncePath(tx.header.database, tx.header.writer, tx.header.nonce),
    classicOnly: isSchemaChange(tx.body.mutations),
    bytes,
  };
  origins.set(command, { domain, tx, verdict: undefined });
  return command;
}

/** `verifyTransaction` of what a command carries. Throws CODEC_* when a command that was not made here carries no transaction. */
export function verifyCommand(domain: Domain, command: Command): 'valid' | Refusal {
  const origin = originOf(domain, command);
  return (origin.verdict ??= verifyTransaction(domain, origin.tx, command.bytes.length));
}

/** The transaction, or 'invalid' when its bytes, roots or signature are wrong or say other things than the command. */
export function transactionOf(domain: Domain, command: Command): SignedTransaction | 'invalid' {
  try {
    if (verifyCommand(domain, command) !== 'valid') return 'invalid';
    return originOf(domain, command).tx;
  } catch (error) {
    if (isPicoloError(error)) return 'invalid';
    throw error;
  }
}

/** A command that was made elsewhere, or for another network, must say what its bytes say. */
function originOf(domain: Domain, command: Command): Origin {
  const known = origins.get(command);
  if (known !== undefined && known.domain.chainId === domain.chainId && known.domain.verifyingContract === domain.verifyingContract) return known;
  const actual = toCommand(domain, decodeTransaction(command.bytes), command.bytes);
  const origin = origins.get(actual) as Origin;
  if (!sameCommand(command, actual)) return { ...origin, verdict: { fault: txFaults.badCommand({ command: command.id }) } };
  origins.set(command, origin);
  return origin;
}

function sameCommand(told: Command, actual: Command): boolean {
  const fields = ['id', 'client', 'notAfter', 'footprintRoot', 'noncePath', 'classicOnly'] as const;
  const items = told.items.length === actual.items.length && told.items.every((item, i) => {
    const other = actual.items[i];
    return item.path === other?.path && item.version === other.version && item.mode === other.mode;
  });
  return items && fields.every((field) => told[field] === actual[field]);
}
