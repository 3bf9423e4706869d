import { digestOf, type Domain } from '../../protocol/codec/index.ts';
import { recoverSigner } from '../../protocol/crypto/index.ts';
import {
  addressFrom, compareHex, hexOf, regionMask, type Address, type ClusterId, type GroupId, type Hash32, type Signature,
} from '../../protocol/types/index.ts';
import { operatorFaults } from './faults.ts';
import { momentOf } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** What a dapp orders. Prices in wei of `token` (zero address: ether). */
export interface ClusterOrder {
  readonly replicationFactor: number;
  readonly regions: readonly string[];
  readonly terms: {
    readonly token: Address;
    readonly pricePerGibMonthWei: bigint;
    readonly pricePerMillionReadsWei: bigint;
    readonly pricePerMillionWritesWei: bigint;
    readonly pricePerGibOutWei: bigint;
    readonly thresholdWei: bigint;
  };
}

/** A provider that announced where it can be reached. */
export interface Listing {
  readonly node: Address;
  readonly apiUrl: string;
  readonly peers: string;
}

/** An EIP-712 `Offer` as a node signed it. */
export interface SignedOffer {
  readonly offer: { readonly cluster: Hash32; readonly node: Address; readonly gib: number; readonly expiresAt: bigint };
  readonly signer: Address;
  readonly signature: Signature;
}

export async function createCluster(network: Network, order: ClusterOrder): Promise<Receipt & { cluster: ClusterId }> {
  const salt = hexOf(crypto.getRandomValues(new Uint8Array(32)));
  const { terms } = order;
  const receipt = await network.send('ClusterRegistry', 'createCluster', [salt, order.replicationFactor, regionMask(order.regions), {
    token: terms.token, pricePerGibMonth: terms.pricePerGibMonthWei, pricePerMillionReads: terms.pricePerMillionReadsWei,
    pricePerMillionWrites: terms.pricePerMillionWritesWei, pricePerGibOut: terms.pricePerGibOutWei, threshold: terms.thresholdWei,
  }]);
  const cluster = (await network.contract('ClusterRegistry').getFunction('clusterId')(network.account, salt)) as ClusterId;
  return { ...receipt, cluster };
}

/** Newest announcement of every node, in the order they first appeared; with `cluster` of those in regions that it takes. */
export async function listProviders(network: Network, cluster?: ClusterId): Promise<readonly Listing[]> {
  const byNode = new Map<Address, Listing>();
  for (const event of await network.events('NodeRegistry', 'Announced')) {
    const node = addressFrom(event['node']);
    const [apiUrl = '', peers = ''] = String(event['endpoint']).split(' ');
    byNode.set(node, { node, apiUrl, peers: peers.replace('tls://', '') });
  }
  const listings = [...byNode.values()];
  return cluster === undefined ? listings : inRegions(network, cluster, listings);
}

async function inRegions(network: Network, cluster: ClusterId, listings: readonly Listing[]): Promise<readonly Listing[]> {
  const at = await momentOf(network);
  const { regionMask: mask } = await at.read<{ regionMask: bigint }>('ClusterRegistry', 'clusterOf', cluster);
  const nodes = await Promise.all(listings.map(({ node }) => at.read<{ region: bigint }>('NodeRegistry', 'nodeOf', node)));
  return listings.filter((_listing, i) => mask === 0n || ((mask >> (nodes[i]?.region ?? 0n)) & 1n) === 1n);
}

/** Asks providers for signed offers until enough have come; CHAIN_TOO_FEW_PROVIDERS with who refused and why. */
export async function collectOffers(
  domain: Domain, providers: readonly Listing[], cluster: ClusterId, gib: number, count: number,
): Promise<readonly SignedOffer[]> {
  const asked = await Promise.allSettled(providers.map((listing) => askOffer(domain, listing, cluster, gib)));
  const offers = asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])).slice(0, count);
  if (offers.length < count) {
    const refusals = asked.flatMap((result) => (result.status === 'rejected' ? [String((result.reason as Error).message)] : []));
    throw operatorFaults.tooFewProviders({ wanted: count, offered: offers.length, refusals: refusals.join(' | ').slice(0, 400) });
  }
  return offers;
}

/** Forms a group from the offers; the contract orders members by signer and checks every signature. */
export async function formGroup(
  network: Network, cluster: ClusterId, gib: number, offers: readonly SignedOffer[],
): Promise<Receipt & { group: GroupId; index: number }> {
  const index = Number((await network.contract('ClusterRegistry').getFunction('clusterOf')(cluster))['groups']);
  const receipt = await network.send('ClusterRegistry', 'formGroup', [cluster, gib, [...offers].sort((a, b) => compareHex(a.signer, b.signer)).map(compactOffer)]);
  const group = (await network.contract('ClusterRegistry').getFunction('groupId')(cluster, index)) as GroupId;
  return { ...receipt, group, index };
}

/**
 * Resolves when the members have seen the registry's event and serve the group: all of them, or `enough`.
 * CHAIN_GROUP_NOT_SERVING after `timeoutMs`.
 */
export async function waitForGroup(apis: readonly string[], group: GroupId, enough = apis.length, timeoutMs = 60_000): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const live = (await Promise.all(apis.map((api) => servesGroup(api, group)))).filter(Boolean).length;
    if (live >= enough) return;
    if (Date.now() > deadlineMs) throw operatorFaults.groupNotServing({ group, live, members: apis.length });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function servesGroup(api: string, group: GroupId): Promise<boolean> {
  try {
    const status = (await (await fetch(new URL('/v1/status', api), { signal: AbortSignal.timeout(2_000) })).json()) as {
      groups: readonly { readonly group: string; readonly state: string; readonly height: string }[];
    };
    return status.groups.some((member) => member.group === group && member.state === 'live' && member.height !== '0');
  } catch {
    return false; // not up yet, or gone: the deadline decides
  }
}

/** Replaces one member by the node of an offer: the group's next epoch. */
export function replaceMember(
  network: Network, cluster: ClusterId, index: number, roster: readonly Address[], leaving: Address, offer: SignedOffer,
): Promise<Receipt> {
  const packedRoster = `0x${roster.map((signer) => signer.slice(2)).join('')}`;
  return network.send('ClusterRegistry', 'replaceMember', [cluster, index, packedRoster, leaving, compactOffer(offer)]);
}

async function askOffer(domain: Domain, listing: Listing, cluster: ClusterId, gib: number): Promise<SignedOffer> {
  const response = await fetch(new URL('/v1/offer', listing.apiUrl), {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ cluster, gib }), signal: AbortSignal.timeout(5_000),
  });
  const body = (await response.json()) as { error?: { code: string; message: string }; signature: Signature; offer: Record<string, string> };
  if (!response.ok) throw operatorFaults.tooFewProviders({ node: listing.node, reason: `${body.error?.code}: ${body.error?.message}` });
  const offer = {
    cluster, node: addressFrom(body.offer['node']), gib: Number(body.offer['gib']), expiresAt: BigInt(body.offer['expiresAt'] as string),
  };
  const signer = recoverSigner(digestOf(domain, 'Offer', offer), body.signature);
  if (signer === undefined) throw operatorFaults.tooFewProviders({ node: listing.node, reason: 'the offer is not signed' });
  return { offer, signer, signature: body.signature };
}

/** Compact form (EIP-2098): the recovery bit rides in the top bit of s. */
export function compactOffer({ offer, signature }: SignedOffer): Record<string, unknown> {
  const s = BigInt(`0x${signature.slice(66, 130)}`);
  const parity = BigInt(Number.parseInt(signature.slice(130), 16) - 27);
  const yParityAndS = `0x${(s | (parity << 255n)).toString(16).padStart(64, '0')}`;
  return { node: offer.node, gib: offer.gib, expiresAt: offer.expiresAt, r: signature.slice(0, 66), yParityAndS };
}
