import { encodeArgs, fulfilmentOf, oracleFaults, statementIdOf, type Fulfilment, type SignedResult } from '../protocol/oracle/index.ts';
import { packCheckpoint, verifyCertificate, type CertifiedCheckpoint, type Roster } from '../protocol/membership/index.ts';
import { sha256Hex } from '../protocol/crypto/index.ts';
import { bytesOf, hexOf, type Address, type GroupId, type Hash32, type Hex, type Timestamp } from '../protocol/types/index.ts';
import type { Client } from './client.ts';
import { scalarOf } from './sql/values.ts';

/** A statement with its parameters, for a request that a contract made. */
export interface OracleQuestion {
  readonly request: Hash32;
  readonly group: GroupId;
  readonly database: Hash32;
  readonly sql: string;
  readonly params?: readonly unknown[];
  /** Who gets the fee. */
  readonly payee: Address;
  /** The result's snapshot must not be before it. */
  readonly minSnapshot: Timestamp;
}

/** The newest certified checkpoint of a group with the roster that signed it, verified; `packed` is what contracts take. */
export async function certifiedCheckpoint(client: Client, group: GroupId): Promise<{ certified: CertifiedCheckpoint; roster: Roster; packed: Hex }> {
  return client.ask('checkpoint', { group }, async (certified) => {
    const roster = await client.trust.roster(group, certified.checkpoint.epoch as never);
    verifyCertificate(client.trust.domain, roster, certified);
    return { certified, roster, packed: hexOf(packCheckpoint(roster, certified)) };
  });
}

/**
 * Has the group's replicas run the statement for the request, at one snapshot, and brings the signatures of a quorum together.
 * @throws ORACLE_NO_QUORUM
 */
export async function askForResult(client: Client, question: OracleQuestion): Promise<Fulfilment> {
  const { request, group, database, sql, payee, minSnapshot } = question;
  const params = (question.params ?? []).map((value, i) => scalarOf(value, i));
  const asked = { database, sql, params, request, payee, minTimestamp: minSnapshot };
  const first = await client.ask('result', { ...asked, asOf: 0n as Timestamp }, (answer) => answer);
  const asOf = first.result.snapshot as Timestamp;
  const roster = await client.trust.roster(group, first.result.epoch as never);
  const others = await Promise.allSettled(client.nodes.urls.map((url) => client.call(url, 'result', { ...asked, asOf })));
  const answers = [first, ...others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : []))];
  const signed = answers.map(({ result, signature, bytes }): SignedResult => ({ result, signature, bytes: bytesOf(bytes) }));
  const wanted = { request, payee, statement: statementIdOf(database, sql), args: sha256Hex(encodeArgs(params)), snapshot: asOf };
  if (asOf < minSnapshot) throw oracleFaults.noQuorum({ snapshot: asOf, minSnapshot });
  return fulfilmentOf(client.trust.domain, roster, wanted, signed);
}
