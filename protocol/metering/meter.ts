import { paymentFaults } from './errors.ts';

/** Agreed with the cluster on chain; wei of the channel's token. */
export interface Terms {
  readonly pricePerGibMonthWei: bigint;
  readonly pricePerMillionReadsWei: bigint;
  readonly pricePerMillionWritesWei: bigint;
  readonly pricePerGibOutWei: bigint;
  readonly thresholdWei: bigint;
}

/** One metered event. `bytes`: encoded transaction for a write, encoded answer for a read. */
export interface Usage {
  readonly kind: 'write' | 'read';
  readonly bytes: number;
}

export interface Meter {
  readonly terms: Terms;
  readonly servedWei: bigint;
  /** Highest cumulative amount promised by a voucher. */
  readonly promisedWei: bigint;
  readonly writes: bigint;
  readonly reads: bigint;
}

const GIB = 1n << 30n;
const MILLION = 1_000_000n;

export function openMeter(terms: Terms): Meter {
  return { terms, servedWei: 0n, promisedWei: 0n, writes: 0n, reads: 0n };
}

/** A write pays its query and one month of storage in advance; a read its query and its egress. Rounded up. */
export function priceOf(terms: Terms, usage: Usage): bigint {
  const [perMillion, perGib] = usage.kind === 'write'
    ? [terms.pricePerMillionWritesWei, terms.pricePerGibMonthWei]
    : [terms.pricePerMillionReadsWei, terms.pricePerGibOutWei];
  return ceilDiv(perMillion, MILLION) + ceilDiv(perGib * BigInt(usage.bytes), GIB);
}

export function charge(meter: Meter, usage: Usage): Meter {
  return {
    ...meter,
    servedWei: meter.servedWei + priceOf(meter.terms, usage),
    writes: meter.writes + (usage.kind === 'write' ? 1n : 0n),
    reads: meter.reads + (usage.kind === 'read' ? 1n : 0n),
  };
}

/**
 * Takes a voucher into account. Throws PAYMENT_STALE_VOUCHER when it does not raise the promise and
 * PAYMENT_OVERDRAWN when the channel cannot cover it.
 */
export function credit(meter: Meter, cumulativeWei: bigint, depositWei: bigint): Meter {
  if (cumulativeWei <= meter.promisedWei) throw paymentFaults.staleVoucher({ cumulativeWei, promisedWei: meter.promisedWei });
  if (cumulativeWei > depositWei) throw paymentFaults.overdrawn({ cumulativeWei, depositWei });
  return { ...meter, promisedWei: cumulativeWei };
}

/** What the next voucher must add, zero when the promise covers everything. */
export function dueWei(meter: Meter): bigint {
  return meter.servedWei > meter.promisedWei ? meter.servedWei - meter.promisedWei : 0n;
}

export function requirePaid(meter: Meter): void {
  const due = dueWei(meter);
  if (due > meter.terms.thresholdWei) {
    throw paymentFaults.required({ dueWei: due, thresholdWei: meter.terms.thresholdWei, cumulativeWei: meter.servedWei });
  }
}

function ceilDiv(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}
