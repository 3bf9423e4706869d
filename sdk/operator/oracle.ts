import { packCheckpoint, type CertifiedCheckpoint, type Roster } from '../../protocol/membership/index.ts';
import type { Fulfilment } from '../../protocol/oracle/index.ts';
import { hash32From, hexOf, type GroupId, type Hash32, type Hex, type Timestamp } from '../../protocol/types/index.ts';
import { operatorFaults } from './faults.ts';
import { momentOf } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** A checkpoint that is on chain: what contracts prove rows under. */
export interface AnchoredCheckpoint {
  readonly height: bigint;
  readonly stateRoot: Hash32;
  /** Unix seconds: the state is complete up to `closedAt`, and was anchored at `anchoredAt`. */
  readonly closedAt: bigint;
  readonly anchoredAt: bigint;
}

/** A request of a contract, as its event tells. */
export interface OracleRequest {
  readonly request: Hash32;
  readonly group: GroupId;
  readonly statement: Hash32;
  /** Hash of the parameters, and the parameters in canonical CBOR. */
  readonly args: Hash32;
  readonly argBytes: Hex;
  readonly minSnapshot: Timestamp;
  readonly expiresAt: bigint;
  readonly feeWei: bigint;
  /** The contract's struct, for `fulfil`. */
  readonly fields: readonly unknown[];
}

/** Puts a certified checkpoint on chain; whoever sends it pays. */
export function anchorCheckpoint(network: Network, roster: Roster, certified: CertifiedCheckpoint): Promise<Receipt> {
  return network.send('CheckpointAnchor', 'anchor', [roster.group, hexOf(packCheckpoint(roster, certified))]);
}

/** The newest anchored checkpoint of a group; undefined before the first. */
export async function newestAnchor(network: Network, group: GroupId): Promise<AnchoredCheckpoint | undefined> {
  const [last] = (await network.events('CheckpointAnchor', 'Anchored', [group])).slice(-1);
  if (last === undefined) return undefined;
  const found = (await network.contract('CheckpointAnchor').getFunction('newest')(group)) as Record<string, bigint> & { stateRoot: string };
  return { height: found['height'] as bigint, stateRoot: hash32From(found.stateRoot), closedAt: found['closedAt'] as bigint, anchoredAt: found['anchoredAt'] as bigint };
}

/** Makes a statement known to the oracle by its hash. */
export function registerStatement(network: Network, group: GroupId, statement: Hash32): Promise<Receipt> {
  return network.send('QueryOracle', 'register', [group, statement]);
}

/** Requests nobody has fulfilled, cancelled or let expire, oldest first. */
export async function openRequests(network: Network, group: GroupId): Promise<readonly OracleRequest[]> {
  const events = await network.events('QueryOracle', 'Requested', [null, group]);
  const at = await momentOf(network);
  const states = await Promise.all(events.map((event) => at.read<bigint>('QueryOracle', 'stateOf', event['request'])));
  return events.filter((_event, i) => states[i] === 1n).map(requestFrom).filter(({ expiresAt }) => expiresAt > at.atS);
}

/** Brings the result of a request; the fee goes to the payee inside it. */
export function fulfilRequest(network: Network, { fields }: OracleRequest, { result, bytes, certificate }: Fulfilment): Promise<Receipt> {
  return network.send('QueryOracle', 'fulfil', [fields, result.snapshot, result.payee, hexOf(bytes), certificate]);
}

/** The request by its id; CHAIN_REFUSED when there is none. */
export async function requestById(network: Network, request: Hash32): Promise<OracleRequest> {
  const [event] = await network.events('QueryOracle', 'Requested', [request]);
  if (event === undefined) throw operatorFaults.refused({ request, reason: 'no such request' });
  return requestFrom(event);
}

function requestFrom(event: Record<string, unknown>): OracleRequest {
  const raw = event['fields'] as Record<string, unknown>;
  const names = ['consumer', 'salt', 'group', 'statement', 'args', 'minSnapshot', 'expiresAt', 'callbackGas', 'feeWei'];
  return {
    request: hash32From(event['request']), group: hash32From(event['group']) as GroupId, statement: hash32From(event['statement']),
    args: hash32From(raw['args']), argBytes: event['args'] as Hex, minSnapshot: raw['minSnapshot'] as Timestamp,
    expiresAt: raw['expiresAt'] as bigint, feeWei: raw['feeWei'] as bigint, fields: names.map((name) => raw[name]),
  };
}
