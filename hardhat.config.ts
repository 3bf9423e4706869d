import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'hardhat/config';
import { HardhatPluginError } from 'hardhat/plugins';
import type { HardhatPlugin } from 'hardhat/types/plugins';
import hardhatEthers from '@nomicfoundation/hardhat-ethers';
import hardhatChaiMatchers from '@nomicfoundation/hardhat-ethers-chai-matchers';
import hardhatMocha from '@nomicfoundation/hardhat-mocha';
import hardhatNetworkHelpers from '@nomicfoundation/hardhat-network-helpers';

const root = dirname(fileURLToPath(import.meta.url));
const fromEnv = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);

/** Warnings about the contracts fail the build; those about packages and tests (their size) are not shown. */
const strictWarnings: HardhatPlugin = {
  id: 'picolo-strict-warnings',
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        async getCompilationJobErrors(context, job, output, next) {
          const found = await next(context, job, output);
          const warnings = found.filter((error) => error.severity === 'warning' && error.formattedMessage?.includes('--> ./contracts/'));
          if (warnings.length > 0) throw new HardhatPluginError('picolo-strict-warnings', warnings.map((w) => w.formattedMessage).join('\n'));
          return found.filter((error) => error.severity === 'error');
        },
      }),
    }),
  },
};

/**
 * The compiler is the npm package `solc`: nothing is downloaded. Runs of fuzz and invariant tests come
 * from PICOLO_FUZZ_RUNS, PICOLO_INVARIANT_RUNS and PICOLO_INVARIANT_DEPTH; the defaults suit one core.
 */
export default defineConfig({
  plugins: [strictWarnings, hardhatMocha, hardhatEthers, hardhatChaiMatchers, hardhatNetworkHelpers],
  paths: { sources: './contracts', tests: { mocha: './test/contracts', solidity: './test/contracts' } },
  solidity: {
    version: '0.8.37',
    path: join(root, 'node_modules/solc/soljson.js'),
    settings: { viaIR: true, evmVersion: 'cancun', optimizer: { enabled: true, runs: 1_000_000 } },
  },
  networks: { default: { type: 'edr-simulated', chainId: 31337 } },
  test: {
    mocha: { timeout: 120_000 },
    solidity: {
      fuzz: { runs: fromEnv('PICOLO_FUZZ_RUNS', 256), seed: '0x5049434f4c4f' },
      invariant: {
        runs: fromEnv('PICOLO_INVARIANT_RUNS', 16), depth: fromEnv('PICOLO_INVARIANT_DEPTH', 60), failOnRevert: false,
      },
      fsPermissions: { readDirectory: ['./test/vectors'] },
    },
  },
});
