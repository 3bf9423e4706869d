/**
 * What a cluster owes (Picolo §6.3, §6.5; P-6.3-pay, P-6.5-cheating-owner). Node and client run the same
 * arithmetic over the same events, so an invoice can be recomputed by both; service stops when what
 * was served exceeds the last voucher by more than the agreed threshold, and resumes when it is paid.
 *
 * @example
 *   let meter = openMeter(terms);
 *   meter = charge(meter, { kind: 'read', bytes: 812 });
 *   requirePaid(meter);                       // throws PAYMENT_REQUIRED beyond the threshold
 */
export { paymentFaults } from './errors.ts';
export { charge, credit, dueWei, openMeter, priceOf, requirePaid, type Meter, type Terms, type Usage } from './meter.ts';
