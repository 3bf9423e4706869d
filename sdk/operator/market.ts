import {
  buyerKeyOf, complaintOf, hideKey, keyCommitOf, listingIdOf, marketFaults, pointAddress, pointOf, policyHashOf, purchaseIdOf, termsWords, uncoverKey,
  type DataKey, type Policy, type Terms,
} from '../../protocol/market/index.ts';
import { addressFrom, hash32From, hexOf, ZERO_ADDRESS, type Address, type Hash32 } from '../../protocol/types/index.ts';
import { operatorFaults } from './faults.ts';
import type { Network, Receipt } from './network.ts';

export interface MarketListing {
  readonly listing: Hash32;
  readonly terms: Terms;
  readonly poolWei: bigint;
  readonly open: boolean;
}

export type PurchaseState = 'none' | 'paid' | 'delivered' | 'settled' | 'returned' | 'convicted';
const states: readonly PurchaseState[] = ['none', 'paid', 'delivered', 'settled', 'returned', 'convicted'];

export interface MarketPurchase {
  readonly purchase: Hash32;
  readonly listing: Hash32;
  readonly buyer: Address;
  /** Account of the buyer's one-time key: how the contract names it. */
  readonly buyerKey: Address;
  readonly point: { readonly x: bigint; readonly y: bigint };
  readonly state: PurchaseState;
  /** Unix seconds: end of the time to deliver, then of the time to complain. */
  readonly until: bigint;
  /** Zero before the delivery. */
  readonly cipher: Hash32;
}

/** What a seller decides. Amounts in wei of `token` (default ether). */
export interface Offering {
  readonly key: DataKey;
  /** The seller's secret for deliveries; its point is public. */
  readonly secret: Uint8Array;
  readonly policy: Policy;
  readonly priceWei: bigint;
  readonly bondWei: bigint;
  /** Bonds of this many purchases at once are behind it. */
  readonly poolWei: bigint;
  readonly token?: Address;
}

/** Offers a key for sale (P-3.2-role-data-provider). */
export async function listKey(network: Network, offering: Offering): Promise<Receipt & { readonly listing: Hash32; readonly terms: Terms }> {
  const { key, secret, policy, priceWei, bondWei, poolWei, token = ZERO_ADDRESS } = offering;
  const terms: Terms = {
    provider: network.account, token, priceWei, bondWei, keyCommit: keyCommitOf(key), policy: policyHashOf(policy), point: pointOf(secret),
    salt: hash32From(hexOf(crypto.getRandomValues(new Uint8Array(32)))),
  };
  await approve(network, token, poolWei);
  const receipt = await network.send('DataMarket', 'list', [termsWords(terms), poolWei], etherOf(token, poolWei));
  return { ...receipt, listing: listingOf(network, terms), terms };
}

/** All listings, oldest first. */
export async function listings(network: Network): Promise<readonly MarketListing[]> {
  const events = await network.events('DataMarket', 'Listed');
  return Promise.all(events.map(async (event) => {
    const listing = hash32From(event['listing']);
    const { pool, open } = (await network.contract('DataMarket').getFunction('listingOf')(listing)) as { pool: bigint; open: boolean };
    return { listing, terms: termsOf(event['terms'] as Record<string, unknown>), poolWei: pool, open };
  }));
}

/** The listing by its id; CHAIN_REFUSED when there is none. */
export async function listingById(network: Network, listing: Hash32): Promise<MarketListing> {
  const found = (await listings(network)).find((one) => one.listing === listing);
  if (found === undefined) throw operatorFaults.refused({ listing, reason: 'no such listing' });
  return found;
}

/** Throws MARKET_WRONG_POLICY unless the listing sells exactly this. */
export function requirePolicy({ listing, terms }: MarketListing, policy: Policy): void {
  const hash = policyHashOf(policy);
  if (hash !== terms.policy) throw marketFaults.wrongPolicy({ listing, sells: terms.policy, wanted: hash });
}

/** Buys with a one-time secret, which must be kept: it opens the key. */
export async function buyKey(network: Network, { terms }: MarketListing, secret: Uint8Array): Promise<Receipt & { readonly purchase: Hash32 }> {
  const { x, y } = pointOf(secret);
  await approve(network, terms.token, terms.priceWei);
  const receipt = await network.send('DataMarket', 'buy', [termsWords(terms), x, y, terms.priceWei], etherOf(terms.token, terms.priceWei));
  return { ...receipt, purchase: purchaseIdOf(listingOf(network, terms), buyerKeyOf(secret)) };
}

/** Purchases of one listing, oldest first. */
export async function purchasesOf(network: Network, listing: Hash32): Promise<readonly MarketPurchase[]> {
  const events = await network.events('DataMarket', 'Bought', [null, listing]);
  return Promise.all(events.map((event) => purchaseFrom(network, event)));
}

/** The purchase by its id; CHAIN_REFUSED when there is none. */
export async function purchaseById(network: Network, purchase: Hash32): Promise<MarketPurchase> {
  const [event] = await network.events('DataMarket', 'Bought', [purchase]);
  if (event === undefined) throw operatorFaults.refused({ purchase, reason: 'no such purchase' });
  return purchaseFrom(network, event);
}

/** Hands the key over, hidden for this buyer. */
export function deliverKey(network: Network, { terms }: MarketListing, purchase: MarketPurchase, key: DataKey, secret: Uint8Array): Promise<Receipt> {
  const cipher = hideKey(key, secret, purchase.point, purchase.purchase);
  return network.send('DataMarket', 'deliver', [termsWords(terms), purchase.buyerKey, cipher]);
}

/** The bought key. @throws MARKET_WRONG_KEY: complain */
export function receiveKey({ terms }: MarketListing, purchase: MarketPurchase, secret: Uint8Array): DataKey {
  return uncoverKey(purchase.cipher, secret, terms.point, purchase.purchase, terms.keyCommit);
}

/** Shows the contract that the delivered key is wrong; price and bond come back at once. @throws MARKET_KEY_IS_CORRECT without asking it */
export async function complainAbout(network: Network, listing: MarketListing, purchase: MarketPurchase, secret: Uint8Array): Promise<Receipt> {
  if (keyFits(listing, purchase, secret)) throw marketFaults.keyIsCorrect({ purchase: purchase.purchase });
  const complaint = complaintOf(secret, listing.terms.point);
  return network.send('DataMarket', 'complain', [termsWords(listing.terms), complaint.secret, complaint.sharedX, complaint.sharedY]);
}

/** Pays the provider: the buyer at any time, anybody once the time to complain is over. */
export function settlePurchase(network: Network, { terms }: MarketListing, { buyerKey }: MarketPurchase): Promise<Receipt> {
  return network.send('DataMarket', 'settle', [termsWords(terms), buyerKey]);
}

/** Gives the price back when no key came in time. */
export function reclaimPurchase(network: Network, { terms }: MarketListing, { buyerKey }: MarketPurchase): Promise<Receipt> {
  return network.send('DataMarket', 'reclaim', [termsWords(terms), buyerKey]);
}

/** 1 to 5 stars for a settled purchase, by its buyer. */
export function ratePurchase(network: Network, { terms }: MarketListing, { buyerKey }: MarketPurchase, stars: number): Promise<Receipt> {
  return network.send('DataMarket', 'rate', [termsWords(terms), buyerKey, stars]);
}

/** Ends a listing; its pool of bonds comes back. */
export function delistKey(network: Network, { terms }: MarketListing): Promise<Receipt> {
  return network.send('DataMarket', 'delist', [termsWords(terms)]);
}

function keyFits(listing: MarketListing, purchase: MarketPurchase, secret: Uint8Array): boolean {
  try {
    receiveKey(listing, purchase, secret);
    return true;
  } catch {
    return false;
  }
}

async function purchaseFrom(network: Network, event: Record<string, unknown>): Promise<MarketPurchase> {
  const purchase = hash32From(event['purchase']);
  const found = (await network.contract('DataMarket').getFunction('purchaseOf')(purchase)) as { state: bigint; until: bigint; cipher: string };
  const point = { x: event['pointX'] as bigint, y: event['pointY'] as bigint };
  return {
    purchase, listing: hash32From(event['listing']), buyer: addressFrom(event['buyer']), buyerKey: pointAddress(point), point,
    state: states[Number(found.state)] as PurchaseState, until: found.until, cipher: hash32From(found.cipher),
  };
}

function termsOf(raw: Record<string, unknown>): Terms {
  return {
    provider: addressFrom(raw['provider']), token: addressFrom(raw['token']), priceWei: raw['price'] as bigint, bondWei: raw['bond'] as bigint,
    keyCommit: hash32From(raw['keyCommit']), policy: hash32From(raw['policy']), point: { x: raw['pointX'] as bigint, y: raw['pointY'] as bigint },
    salt: hash32From(raw['salt']),
  };
}

const listingOf = (network: Network, terms: Terms): Hash32 => listingIdOf(network.domain.chainId, network.address('DataMarket'), terms);
const etherOf = (token: Address, amountWei: bigint): bigint => (token === ZERO_ADDRESS ? amountWei : 0n);

async function approve(network: Network, token: Address, amountWei: bigint): Promise<void> {
  if (token !== ZERO_ADDRESS) await network.approve(token, network.address('DataMarket'), amountWei);
}
