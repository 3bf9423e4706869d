/**
 * Selling decryption (Picolo §3.2, §5.4.2, §6.4; P-3.2-role-data-provider): cells encrypted under a key, the key sold through
 * `DataMarket`, handed over under a Diffie-Hellman secret with the buyer's one-time key, and a complaint that the contract decides by
 * itself. Provider, buyer and contract compute the same bytes (docs/spec/market.md).
 *
 * @example
 *   const sealed = sealCell(key, { database, table: 'people', column: 'income', key: [7n] }, 52_000n, nonce);
 *   const cipher = hideKey(key, providerSecret, buyerPoint, purchase);                      // provider delivers
 *   const opened = uncoverKey(cipher, buyerSecret, providerPoint, purchase, keyCommit);     // buyer; MARKET_WRONG_KEY: complain
 *   openCell(opened, place, sealed);
 */
export { marketFaults } from './faults.ts';
export { NONCE_BYTES, openCell, sealCell, type CellPlace } from './cells.ts';
export {
  buyerKeyOf, complaintOf, hideKey, keyCommitOf, pointAddress, pointOf, uncoverKey, type Complaint, type DataKey, type Point,
} from './keys.ts';
export { listingIdOf, policyHashOf, purchaseIdOf, termsWords, type Policy, type Terms } from './terms.ts';
