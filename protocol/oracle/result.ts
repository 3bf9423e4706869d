import { digestOf, encode, hash32, list, record, scalar, text, type Domain, type Scalar, type StructValue } from '../codec/index.ts';
import { recoverSigner, sha256Hex } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import { packSigners, quorumOfRoster, type Roster } from '../membership/index.ts';
import { concatBytes, hexOf, uintBytes, type Hash32, type Hex, type Signature } from '../types/index.ts';
import { oracleFaults } from './faults.ts';

/** A result for one request of a contract, signed by one replica. */
export interface SignedResult {
  readonly result: StructValue<'OracleResult'>;
  readonly signature: Signature;
  /** What `result.resultHash` is the hash of. */
  readonly bytes: Uint8Array;
}

/** What `QueryOracle.fulfil` takes beside the request. */
export interface Fulfilment {
  readonly result: StructValue<'OracleResult'>;
  readonly bytes: Uint8Array;
  /** epoch(8) ‖ roster and signatures. */
  readonly certificate: Hex;
}

const statementC = record({ database: hash32, sql: text(limits.sqlBytes) });
const argsC = list(scalar, limits.queryParameters);
const resultC = record({
  columns: list(text(limits.sqlBytes), limits.scalarsPerRow), rows: list(list(scalar, limits.scalarsPerRow), limits.queryRows),
});

/** The name under which a statement is registered: SHA-256 of [database, sql]. */
export function statementIdOf(database: Hash32, sql: string): Hash32 {
  return sha256Hex(encode(statementC, { database, sql }));
}

/** Parameters as a contract passes them. */
export function encodeArgs(params: readonly Scalar[]): Uint8Array {
  return encode(argsC, params);
}

/** [columns, rows], as a contract reads it. @throws ORACLE_TOO_LONG */
export function encodeResult(columns: readonly string[], rows: readonly (readonly Scalar[])[]): Uint8Array {
  const bytes = encode(resultC, { columns, rows });
  if (bytes.length > limits.oracleResultBytes) throw oracleFaults.tooLong({ bytes: bytes.length, most: limits.oracleResultBytes });
  return bytes;
}

/**
 * Brings equal results of a quorum together. Results that differ, or that a replica signed for something else, do not count.
 * @param wanted what each of them must be about
 * @throws ORACLE_NO_QUORUM
 */
export function fulfilmentOf(domain: Domain, roster: Roster, wanted: Partial<StructValue<'OracleResult'>>, signed: readonly SignedResult[]): Fulfilment {
  const groups = new Map<Hash32, { readonly first: SignedResult; readonly signatures: Map<number, Signature> }>();
  for (const one of signed) {
    const replica = signerOf(domain, roster, wanted, one);
    if (replica === undefined) continue;
    const digest = digestOf(domain, 'OracleResult', one.result);
    const group = groups.get(digest) ?? { first: one, signatures: new Map<number, Signature>() };
    group.signatures.set(replica, one.signature);
    groups.set(digest, group);
  }
  const needed = quorumOfRoster(roster);
  const best = [...groups.values()].find(({ signatures }) => signatures.size >= needed);
  if (best === undefined) {
    throw oracleFaults.noQuorum({ needed, signed: Math.max(0, ...[...groups.values()].map(({ signatures }) => signatures.size)), different: groups.size });
  }
  const chosen = [...best.signatures].sort(([a], [b]) => a - b).slice(0, needed).map(([replica, signature]) => ({ replica, signature }));
  const certificate = hexOf(concatBytes(uintBytes(roster.epoch, 8), packSigners(roster, chosen)));
  return { result: best.first.result, bytes: best.first.bytes, certificate };
}

/** Replica index of the signer; undefined when the result is not what its signature, its bytes and the request say. */
function signerOf(domain: Domain, roster: Roster, wanted: Partial<StructValue<'OracleResult'>>, { result, signature, bytes }: SignedResult): number | undefined {
  const fits = Object.entries({ ...wanted, group: roster.group, epoch: roster.epoch }).every(([field, value]) => result[field as keyof typeof result] === value);
  if (!fits || sha256Hex(bytes) !== result.resultHash) return undefined;
  const signer = recoverSigner(digestOf(domain, 'OracleResult', result), signature);
  const replica = signer === undefined ? -1 : roster.replicas.indexOf(signer);
  return replica < 0 ? undefined : replica;
}
