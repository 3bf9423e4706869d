/**
 * The public door to the pure rules: what a verifier in another process, a browser or another project needs to check
 * Picolo's answers, proofs, receipts and evidence without trusting a node. No input/output, no clock, no randomness.
 *
 * @example
 *   import { query, membership } from 'picolo/protocol';
 *   const [finding] = query.verifyRead({ domain, roster, querier }, asked, answer);
 */
export * as access from './access/index.ts';
export * as codec from './codec/index.ts';
export * as consensus from './consensus/index.ts';
export * as crossGroup from './cross-group/index.ts';
export * as crypto from './crypto/index.ts';
export * as dictionary from './dictionary/index.ts';
export * as errors from './errors/index.ts';
export * as evidence from './evidence/index.ts';
export * as hlc from './hlc/index.ts';
export * as market from './market/index.ts';
export * as membership from './membership/index.ts';
export * as metering from './metering/index.ts';
export * as mx from './mx/index.ts';
export * as oracle from './oracle/index.ts';
export * as poq from './poq/index.ts';
export * as query from './query/index.ts';
export * as rows from './rows/index.ts';
export * as schema from './schema/index.ts';
export * as stateTree from './state-tree/index.ts';
export * as types from './types/index.ts';
export { limits } from './limits/index.ts';
