import type { Domain } from '../../../protocol/codec/index.ts';
import type { Address } from '../../../protocol/types/index.ts';

export const testDomain: Domain = { chainId: 31_337n, verifyingContract: `0x${'11'.repeat(20)}` as Address };
