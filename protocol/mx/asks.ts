import { verifyStruct, type Domain, type StructValue } from '../codec/index.ts';
import { sha256Hex } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import { concatBytes, type Hash32, type Signature } from '../types/index.ts';
import { mxFaults as faults } from './faults.ts';
import { encodeAsk, type Get, type GetAsk, type Put, type PutAsk, type Request } from './messages.ts';

const GET_TAG = new TextEncoder().encode('picolo/mx get');
const PUT_TAG = new TextEncoder().encode('picolo/mx put');

/** The transaction identifier of §7: the hash of all that the client asked. */
export function transactionOf(request: Request): Hash32 {
  return sha256Hex(concatBytes(request.kind === 'get' ? GET_TAG : PUT_TAG, encodeAsk(request)));
}

/** A request ready to be signed by the client's wallet (EIP-712 `MxAsk`). */
export interface PreparedAsk<R extends Request = Request> {
  readonly transaction: Hash32;
  readonly request: R;
  readonly toSign: StructValue<'MxAsk'>;
}

/** Throws MX_BAD_ASK when a bound is broken, before anything is signed or sent. */
export function prepareGet(ask: GetAsk): PreparedAsk<{ kind: 'get'; ask: GetAsk }> {
  if (!getInBounds(ask)) throw faults.badAsk({ hops: ask.hops, results: ask.results, queryBytes: ask.query.length });
  return prepared({ kind: 'get', ask });
}

/** Throws MX_BAD_ASK, also when neither nodes nor hops are given (§7: hops are needed for an empty node list). */
export function preparePut(ask: PutAsk): PreparedAsk<{ kind: 'put'; ask: PutAsk }> {
  if (!putInBounds(ask)) throw faults.badAsk({ hops: ask.hops, nodes: ask.nodes.length, writeBytes: ask.write.length });
  return prepared({ kind: 'put', ask });
}

export function getMessage({ request }: PreparedAsk<{ kind: 'get'; ask: GetAsk }>, signature: Signature): Get {
  return { kind: 'get', ask: request.ask, signature, hops: request.ask.hops, want: request.ask.results };
}

export function putMessage({ request }: PreparedAsk<{ kind: 'put'; ask: PutAsk }>, signature: Signature): Put {
  return { kind: 'put', ask: request.ask, signature, hops: putHops(request.ask) };
}

/** Listed nodes without a hop limit are direct neighbours of the first node. */
export function putHops(ask: PutAsk): number {
  return ask.hops ?? 1;
}

/** True when the client named in the request signed exactly this request. */
export function askIsAuthentic(domain: Domain, message: Get | Put, transaction: Hash32): boolean {
  const { client, expiresAtMs } = message.ask;
  return verifyStruct(domain, 'MxAsk', { transaction, client, expiresAt: expiresAtMs }, message.signature, client);
}

/** What a forwarder may have put into the envelope: never more than the client signed. */
export function envelopeFits(message: Get | Put): boolean {
  if (message.kind === 'put') return putInBounds(message.ask) && message.hops <= putHops(message.ask);
  const { ask, hops, want } = message;
  return getInBounds(ask) && hops <= ask.hops && want >= 1 && want <= ask.results;
}

/** How long a node holds a request open at most. */
export function lifeMs(message: Get | Put): number {
  return message.kind === 'get' && message.ask.mode === 'follow' ? limits.mxFollowLifeMs : limits.mxAskLifeMs;
}

function prepared<R extends Request>(request: R): PreparedAsk<R> {
  const transaction = transactionOf(request);
  const { client, expiresAtMs } = request.ask;
  return { transaction, request, toSign: { transaction, client, expiresAt: expiresAtMs } };
}

function getInBounds(ask: GetAsk): boolean {
  return ask.hops <= limits.mxHops && ask.results >= 1 && ask.results <= limits.mxResults && ask.query.length <= limits.mxQueryBytes;
}

function putInBounds(ask: PutAsk): boolean {
  if (ask.nodes.length > limits.mxNodesListed || ask.write.length > limits.transactionBytes) return false;
  return ask.hops === null ? ask.nodes.length > 0 : ask.hops <= limits.mxHops;
}
