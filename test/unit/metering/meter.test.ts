import { expect } from 'chai';
import fc from 'fast-check';
import { charge, credit, dueWei, openMeter, priceOf, requirePaid, type Terms, type Usage } from '../../../protocol/metering/index.ts';

const terms: Terms = {
  pricePerGibMonthWei: 1n << 40n,
  pricePerMillionReadsWei: 2_000_000n, pricePerMillionWritesWei: 3_000_000n, pricePerGibOutWei: 1n << 30n, thresholdWei: 1_000n,
};
const usage: fc.Arbitrary<Usage> = fc.record({ kind: fc.constantFrom('write', 'read'), bytes: fc.nat(1_000_000) });

describe('metering', () => {
  it('P-6.3-pay: an invoice is the sum of its events whatever their order', () => {
    fc.assert(fc.property(fc.array(usage, { maxLength: 50 }), (events) => {
      const forward = events.reduce(charge, openMeter(terms)).servedWei;
      const backward = [...events].reverse().reduce(charge, openMeter(terms)).servedWei;
      expect(forward).to.equal(backward);
      expect(forward).to.equal(events.reduce((sum, event) => sum + priceOf(terms, event), 0n));
    }));
  });

  it('a read of 1 KiB costs the query and its egress, a write the query and a month of storage', () => {
    expect(priceOf(terms, { kind: 'read', bytes: 1024 })).to.equal(2n + 1024n);
    expect(priceOf(terms, { kind: 'write', bytes: 1 })).to.equal(3n + 1024n);
  });

  it('P-6.5-cheating-owner: service stops beyond the threshold and resumes with a voucher', () => {
    let meter = openMeter(terms);
    meter = charge(meter, { kind: 'read', bytes: 998 }); // 1,000 wei: at the threshold
    requirePaid(meter);
    meter = charge(meter, { kind: 'read', bytes: 1 });
    expect(() => requirePaid(meter)).to.throw().with.property('code', 'PAYMENT_REQUIRED');
    meter = credit(meter, dueWei(meter), 5_000n);
    requirePaid(meter);
    expect(dueWei(meter)).to.equal(0n);
  });

  it('a voucher must raise the promise and be covered by the channel', () => {
    const meter = credit(openMeter(terms), 10n, 100n);
    expect(() => credit(meter, 10n, 100n)).to.throw().with.property('code', 'PAYMENT_STALE_VOUCHER');
    expect(() => credit(meter, 101n, 100n)).to.throw().with.property('code', 'PAYMENT_OVERDRAWN');
    expect(credit(meter, 100n, 100n).promisedWei).to.equal(100n);
  });
});
