import { verifyStruct, type Domain } from '../../protocol/codec/index.ts';
import { charge, credit, openMeter, paymentFaults, requirePaid, type Meter, type Usage } from '../../protocol/metering/index.ts';
import type { MeterAnswer, SignedVoucher } from '../../protocol/query/index.ts';
import type { ClusterId, Hash32, Signature } from '../../protocol/types/index.ts';
import type { ChainPort, ChannelView } from '../ports/index.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

interface Account {
  meter: Meter;
  channel: Hash32 | undefined;
  /** Newest voucher, worth money: kept across restarts and collected from the chain. */
  voucher: { readonly cumulative: bigint; readonly signature: Signature } | undefined;
}

type SavedAccount = { servedWei: string; promisedWei: string; writes: string; reads: string; channel?: Hash32; cumulative?: string; signature?: Signature };

/**
 * What each cluster owes this node (Picolo §6.3, §6.5). A cluster without prices is served free; one with prices
 * is served as long as what it owes stays under its own threshold.
 */
export class Meters {
  private readonly accounts = new Map<ClusterId, Account>();
  private readonly chain: ChainPort;
  private readonly domain: Domain;
  private readonly file: string;
  private dirty = false;

  constructor(parts: { readonly chain: ChainPort; readonly domain: Domain; readonly file: string }) {
    this.chain = parts.chain;
    this.domain = parts.domain;
    this.file = parts.file;
    for (const [cluster, saved] of Object.entries(readStateFile<Record<ClusterId, SavedAccount>>(this.file) ?? {})) {
      const account = this.account(cluster as ClusterId);
      account.meter = {
        ...account.meter, servedWei: BigInt(saved.servedWei), promisedWei: BigInt(saved.promisedWei), writes: BigInt(saved.writes), reads: BigInt(saved.reads),
      };
      account.channel = saved.channel;
      if (saved.cumulative !== undefined && saved.signature !== undefined) {
        account.voucher = { cumulative: BigInt(saved.cumulative), signature: saved.signature };
      }
    }
  }

  charge(cluster: ClusterId, usage: Usage): void {
    const account = this.account(cluster);
    account.meter = charge(account.meter, usage);
    this.dirty = true;
  }

  /** Throws PAYMENT_REQUIRED when the cluster is beyond its threshold. */
  require(cluster: ClusterId): void {
    requirePaid(this.account(cluster).meter);
  }

  /** Throws PAYMENT_WRONG_CHANNEL, PAYMENT_STALE_VOUCHER, PAYMENT_OVERDRAWN. */
  async take({ voucher, signature }: SignedVoucher, clusters: readonly ClusterId[]): Promise<MeterAnswer> {
    const known = this.channelOf(voucher.channel, clusters);
    if (known === undefined || voucher.cumulative > known.depositWei) await this.chain.refresh(); // opened or topped up a moment ago
    const found = this.channelOf(voucher.channel, clusters);
    if (found === undefined || !verifyStruct(this.domain, 'Voucher', voucher, signature, found.signer)) {
      throw paymentFaults.wrongChannel({ channel: voucher.channel });
    }
    const account = this.account(found.cluster);
    account.meter = credit(account.meter, voucher.cumulative, found.depositWei);
    account.channel = found.channel;
    account.voucher = { cumulative: voucher.cumulative, signature };
    this.dirty = true;
    this.save(); // a voucher is money: it is on disk before it is acknowledged
    return this.answer(found.cluster);
  }

  answer(cluster: ClusterId): MeterAnswer {
    const { meter, channel } = this.account(cluster);
    const { terms } = meter;
    return { cluster, channel: channel ?? this.chain.channelsOf(cluster)[0]?.channel ?? null, servedWei: meter.servedWei, paidWei: meter.promisedWei, terms };
  }

  /** Called on a timer and at shutdown; losing the last second only undercharges. */
  save(): void {
    if (!this.dirty) return;
    this.dirty = false;
    const saved: Record<string, SavedAccount> = {};
    for (const [cluster, { meter, channel, voucher }] of this.accounts) {
      saved[cluster] = {
        servedWei: `${meter.servedWei}`, promisedWei: `${meter.promisedWei}`, writes: `${meter.writes}`, reads: `${meter.reads}`,
        ...(channel === undefined ? {} : { channel }),
        ...(voucher === undefined ? {} : { cumulative: `${voucher.cumulative}`, signature: voucher.signature }),
      };
    }
    writeStateFile(this.file, saved);
  }

  private account(cluster: ClusterId): Account {
    const terms = this.chain.cluster(cluster)?.terms;
    const prices = {
      pricePerGibMonthWei: terms?.pricePerGibMonthWei ?? 0n, pricePerMillionReadsWei: terms?.pricePerMillionReadsWei ?? 0n,
      pricePerMillionWritesWei: terms?.pricePerMillionWritesWei ?? 0n, pricePerGibOutWei: terms?.pricePerGibOutWei ?? 0n,
      thresholdWei: terms?.thresholdWei ?? 0n,
    };
    let account = this.accounts.get(cluster);
    if (account === undefined) {
      account = { meter: openMeter(prices), channel: undefined, voucher: undefined };
      this.accounts.set(cluster, account);
    } else {
      account.meter = { ...account.meter, terms: prices }; // terms on chain may change; what was served stays served
    }
    return account;
  }

  private channelOf(channel: Hash32, clusters: readonly ClusterId[]): ChannelView | undefined {
    for (const cluster of clusters) {
      const found = this.chain.channelsOf(cluster).find((view) => view.channel === channel);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Vouchers in a node's meters file, for collection on chain by its operator. */
export function readVouchers(file: string): { readonly channel: Hash32; readonly cumulative: bigint; readonly signature: Signature }[] {
  const saved = Object.values(readStateFile<Record<ClusterId, SavedAccount>>(file) ?? {});
  return saved.flatMap(({ channel, cumulative, signature }) =>
    channel === undefined || cumulative === undefined || signature === undefined ? [] : [{ channel, cumulative: BigInt(cumulative), signature }]);
}
