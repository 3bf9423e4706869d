import { createRequire } from 'node:module';
import base from '../hardhat.config.ts';

/** For `scripts/coverage.ts`: instrumented code is not optimized, so it is larger than a chain takes, and warnings say so. */
export default {
  ...base,
  plugins: base.plugins?.filter(({ id }) => id !== 'picolo-strict-warnings') ?? [],
  solidity: {
    version: '0.8.37',
    path: createRequire(import.meta.url).resolve('solc/soljson.js'),
    settings: { evmVersion: 'cancun', optimizer: { enabled: false } },
  },
};
