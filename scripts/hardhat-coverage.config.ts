import { createRequire } from 'node:module';
import base from '../hardhat.config.ts';

/** For `scripts/coverage.ts`: instrumented code is not optimized, so it is larger than a chain takes, and warnings say so. */
export default {
  ...base,
  plugins: base.plugins?.filter(({ id }) => id !== 'picolo-strict-warnings') ?? [],
  // more than the counters need; without a limit the runner would offer all the gas there is, and nobody can pay for that
  networks: { default: { type: 'edr-simulated' as const, chainId: 31337, blockGasLimit: 200_000_000 } },
  solidity: {
    version: '0.8.37',
    path: createRequire(import.meta.url).resolve('solc/soljson.js'),
    settings: { evmVersion: 'cancun', optimizer: { enabled: false } },
  },
};
