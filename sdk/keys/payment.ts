import type { Domain } from '../../protocol/codec/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import type { Hash32 } from '../../protocol/types/index.ts';
import { sdkFaults } from '../errors.ts';
import type { Nodes } from '../net/nodes.ts';
import { walletFrom, type Wallet, type WalletInput } from './wallet.ts';

export interface PaymentOptions {
  /** The cluster's payment channel (contracts: PaymentChannels). */
  readonly channel: Hash32;
  /** Who signs vouchers for it; the client's own wallet when left out. */
  readonly signer?: WalletInput;
  /** Never promise more than this in total. */
  readonly limitWei: bigint;
  /** How far each voucher goes ahead of the bill, so that not every call needs one. */
  readonly aheadWei?: bigint;
  /** Promised so far, when an earlier client of this channel promised something. */
  readonly promisedWei?: bigint;
}

/**
 * Pays when a node says PAYMENT_REQUIRED: one cumulative voucher to all nodes of the client, never above
 * the limit (P-6.5-cheating-owner has a twin: a cheating node can ask for money, but only up to what the
 * owner set).
 */
export class Payer {
  private readonly domain: Domain;
  private readonly options: PaymentOptions;
  private readonly wallet: Wallet;
  private promised: bigint;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(domain: Domain, options: PaymentOptions, wallet: Wallet) {
    this.domain = domain;
    this.options = options;
    this.wallet = wallet;
    this.promised = options.promisedWei ?? 0n;
  }

  static async create(domain: Domain, options: PaymentOptions, fallback: Wallet | undefined): Promise<Payer> {
    const wallet = options.signer === undefined ? fallback : await walletFrom(options.signer);
    if (wallet === undefined) throw sdkFaults.noWallet({ needed: 'payment.signer' });
    return new Payer(domain, options, wallet);
  }

  /** Highest amount promised so far. */
  get promisedWei(): bigint {
    return this.promised;
  }

  /**
   * Sends a voucher that covers the bill in the error; throws the error itself when the limit does not allow it. One at a time:
   * calls that were refused together are paid by one voucher or by rising ones.
   */
  settle(nodes: Nodes, error: unknown): Promise<void> {
    const done = this.turn.then(() => this.pay(nodes, error));
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async pay(nodes: Nodes, error: unknown): Promise<void> {
    const owed = billOf(error);
    const wanted = owed + (this.options.aheadWei ?? 0n);
    const cumulative = wanted < this.options.limitWei ? wanted : this.options.limitWei;
    if (cumulative < owed) throw error;
    if (cumulative > this.promised) this.promised = cumulative;
    const voucher = { channel: this.options.channel, cumulative: this.promised };
    const signature = await this.wallet.sign(this.domain, 'Voucher', voucher);
    const sent = await Promise.allSettled(nodes.urls.map((url) => nodes.call(url, 'voucher', { voucher, signature }).catch(unlessStale)));
    const failed = sent.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined && sent.every((outcome) => outcome.status === 'rejected')) throw failed.reason;
  }
}

/** The node already holds a voucher for as much: it is paid. */
function unlessStale(error: unknown): void {
  if (!isPicoloError(error) || error.code !== 'PAYMENT_STALE_VOUCHER') throw error;
}

export function isPaymentRequired(error: unknown): boolean {
  return isPicoloError(error) && error.code === 'PAYMENT_REQUIRED';
}

/** What was served in total, from the facts of the fault (protocol/metering). */
function billOf(error: unknown): bigint {
  const facts = isPicoloError(error) ? error.facts : {};
  const total = facts.cumulativeWei ?? facts.servedWei;
  return typeof total === 'string' && /^\d{1,39}$/.test(total) ? BigInt(total) : typeof total === 'bigint' ? total : 0n;
}
